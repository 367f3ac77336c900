//! Says the verdict to a screen reader: once things are quiet, and only if it changed.
use crate::{
    browser::Timer,
    lean::{effect, memo},
    state::AppState,
    state::derive::headline,
};
use leptos::prelude::*;

/// The last sentence said. For a `role="status"` region.
pub(crate) fn announce_verdict(state: AppState) -> Signal<String> {
    let said = RwSignal::new(String::new());
    let timer = Timer::new();
    let sentence = memo(move || {
        state.plan.with(|plan| {
            let rest = headline(plan);
            let word = plan.verdict.outcome.words();
            if rest.is_empty() {
                format!("{word}: {}", plan.verdict.reason)
            } else {
                format!("{word}: {rest}.")
            }
        })
    });
    let mut first = true;
    effect(move || {
        let sentence = sentence.get();
        // At load the page itself is read; there is nothing to announce.
        if !std::mem::take(&mut first) {
            timer.start(800, move || said.set(sentence));
        }
    });
    said.into()
}
