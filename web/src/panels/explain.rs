//! How one figure came about, in a sheet beside the page: formula, values, exact result, source, basis, how far checked.
use crate::{
    browser,
    lean::effect,
    state::{AppState, Sheet},
    text,
};
use leptos::prelude::*;
use planner::{memory::Basis, plan::Explanation};

/// The button beside a figure. Whether its explanation is open, [`mark_openers`] keeps: tables are made anew with every
/// plan, and what subscribes to the sheet is forgotten only when the sheet changes.
pub(crate) fn why(state: AppState, id: &'static str, label: &str) -> AnyView {
    let open = state.sheet.with_untracked(|sheet| sheet.explains(id));
    view! {
        <button
            type="button"
            class="help-button"
            id=text::opener(id)
            aria-label=format!("Explain {label}")
            aria-expanded=open.to_string()
            aria-controls="sheet"
            on:click=crate::controls::press(move || crate::state::actions::explain(state, id))
        ></button>
    }
    .into_any()
}

/// Says at the buttons which explanation is open.
pub(super) fn mark_openers(state: AppState) {
    let mut before: Option<String> = None;
    effect(move || {
        let now = match state.sheet.get() {
            Sheet::Explain(id) => format!("[id=\"{}\"]", text::opener(&id)),
            _ => String::new(),
        };
        browser::move_mark("aria-expanded", before.as_deref(), &now);
        before = Some(now);
    });
}

/// What the sheet shows.
pub(super) fn body(figure: &Explanation) -> AnyView {
    let basis = match figure.basis {
        Basis::Exact => "Exact: follows from shapes.",
        Basis::Fitted => "Fitted: a formula with constants from measurements.",
        Basis::Assumed => "Assumed: a round figure from experience.",
        Basis::Measured => "Measured: read from a start-up log.",
    };
    let row = |name: &'static str, class: &'static str, value: AnyView| {
        view! { <dt>{name}</dt><dd class=class>{value}</dd> }.into_any()
    };
    let inputs = figure
        .inputs
        .iter()
        .map(|(name, value)| {
            view! { <li><span>{*name}</span><b>{text::grouped_digits(value)}</b></li> }.into_any()
        })
        .collect_view();
    let rows = [
        Some(row("Formula", "formula", figure.formula.into_any())),
        figure.with_values().map(|values| {
            row(
                "With values",
                "formula-values",
                text::grouped_digits(&values).into_any(),
            )
        }),
        Some(row(
            "Result",
            "formula-result",
            text::grouped_digits(&figure.result).into_any(),
        )),
        (!figure.inputs.is_empty())
            .then(|| row("Values", "inputs-list", view! { <ul>{inputs}</ul> }.into_any())),
        Some(row(
            "vLLM does it in",
            "source",
            view! { <code>{figure.source}</code> }.into_any(),
        )),
        Some(row("Basis", "", basis.into_any())),
        Some(row("Checked", "", figure.checked.into_any())),
    ];
    view! { <dl class="explanation">{rows.into_iter().flatten().collect_view()}</dl> }.into_any()
}
