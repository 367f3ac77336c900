//! The last scenario, kept in this browser for the next visit where that is allowed.
use crate::{browser, state::AppState};
use leptos::prelude::*;

/// Where it is kept: as a link's fragment.
pub(super) const LAST: &str = "vllm-wizard.last";

/// Keeps the scenario once something was changed.
pub(crate) fn keep_last_scenario(state: AppState) {
    let timer = browser::Timer::new();
    Effect::new(move |_| {
        let fragment = state.fragment.get();
        if !state.example.get()
            && let Ok(fragment) = fragment
        {
            timer.start(300, move || browser::store(LAST, Some(&fragment)));
        }
    });
}
