//! Says the verdict to a screen reader: once things are quiet, and only if it changed.
use crate::{browser::Timer, state::AppState, state::derive::headline};
use leptos::prelude::*;

/// The last sentence said. For a `role="status"` region.
pub(crate) fn announce_verdict(state: AppState) -> Signal<String> {
    let said = RwSignal::new(String::new());
    let timer = Timer::new();
    let sentence = Memo::new(move |_| {
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
    Effect::new(move |first: Option<()>| {
        let sentence = sentence.get();
        // At load the page itself is read; there is nothing to announce.
        if first.is_some() {
            timer.start(800, move || said.set(sentence));
        }
    });
    said.into()
}
