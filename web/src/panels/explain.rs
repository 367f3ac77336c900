//! How one figure came about.
use crate::text;
use leptos::prelude::*;
use planner::memory::{Basis, Term};

/// Formula, inputs, exact bytes, source, basis, how far it was checked.
pub(super) fn explain(term: &Term) -> AnyView {
    let sign = if term.bytes < 0 { "−" } else { "" };
    let bytes = format!("{sign}{} bytes", text::grouped(term.bytes.unsigned_abs()));
    let basis = match term.basis {
        Basis::Exact => "Exact: follows from shapes.",
        Basis::Fitted => "Fitted: a formula with constants from measurements.",
        Basis::Assumed => "Assumed: a round figure from experience.",
        Basis::Measured => "Measured: read from a start-up log.",
    };
    let inputs = term
        .inputs
        .iter()
        .map(|(name, value)| view! { <li><code>{*name}</code>" = "<b>{grouped_value(value)}</b></li> })
        .collect_view();
    view! {
        <dl class="explanation">
            <dt>"Formula"</dt>
            <dd class="formula">{term.formula}</dd>
            <dt>"With"</dt>
            <dd><ul>{inputs}</ul></dd>
            <dt>"Result"</dt>
            <dd class="tabular">{bytes}</dd>
            <dt>"Mirrors"</dt>
            <dd><code>{term.source}</code></dd>
            <dt>"Basis"</dt>
            <dd>{basis}</dd>
            <dt>"Checked"</dt>
            <dd>{term.checked}</dd>
        </dl>
    }
    .into_any()
}

/// An input's value, its thousands apart where it is a plain count.
fn grouped_value(value: &str) -> String {
    value.parse().map_or_else(|_| value.to_owned(), text::grouped)
}
