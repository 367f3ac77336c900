//! The window's title, so that a tab says what it found.
use crate::{
    lean::{effect, memo},
    state::{AppState, derive::hardware_line},
    text,
};
use leptos::prelude::*;

/// "Fits · Qwen/Qwen3-8B · 1 × H100 SXM".
pub(crate) fn set_title(state: AppState) {
    let title = memo(move || {
        state.plan.with(|plan| {
            let scenario = &plan.scenario;
            let word = plan.verdict.outcome.words();
            format!(
                "{word} · {} · {} · {}",
                scenario.model.id,
                hardware_line(scenario),
                text::NAME
            )
        })
    });
    effect(move || title.with(|title| document().set_title(title)));
}
