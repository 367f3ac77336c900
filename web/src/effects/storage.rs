//! The last scenario, kept in this browser for the next visit where that is allowed.
use crate::{
    browser,
    lean::effect,
    state::{AppState, link},
};
use leptos::prelude::*;
use planner::{Scenario, share::Ignored};

/// Where it is kept.
const LAST: &str = "vllm-wizard.last";

/// Keeps the scenario once something was changed: as a link's fragment, or as JSON where it is too long for a link.
pub(crate) fn keep_last_scenario(state: AppState) {
    let timer = browser::Timer::new();
    effect(move || {
        let fragment = state.fragment.get();
        if !state.is_example() {
            timer.start(300, move || {
                let text = fragment.unwrap_or_else(|_| state.scenario.with_untracked(link::to_json));
                browser::store(LAST, Some(&text));
            });
        }
    });
}

/// The scenario of the last visit, and what of it cannot be read any more.
pub(super) fn last_scenario() -> Option<(Scenario, Vec<Ignored>)> {
    let text = browser::stored(LAST)?;
    if text.starts_with('{') {
        link::from_json(&text).ok().map(|scenario| (scenario, Vec::new()))
    } else {
        link::from_fragment(&text).ok()
    }
}
