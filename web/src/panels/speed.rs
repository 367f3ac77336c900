//! How fast the workload will be served: the figures with their ranges, and what they come from.
use super::{measured_tag, speed_charts::SpeedCharts};
use crate::{
    browser,
    controls::{part, press, words},
    lean::memo,
    state::use_app,
    text,
};
use leptos::prelude::*;
use planner::plan::{Performance, SpeedRow};

/// The panel.
#[component]
pub(crate) fn SpeedPanel() -> AnyView {
    let state = use_app();
    let known = memo(move || state.plan.with(|plan| plan.performance.is_some()));
    let figures = memo(move || state.plan.with(|plan| plan.performance.as_ref().map(figures)));
    let title = words(move || figures.with(|found| found.as_ref().map_or("", |found| found.0).to_owned()));
    part(move || {
        if !known.get() {
            return ().into_any();
        }
        view! {
            <section class="panel" id="speed" aria-labelledby="speed-title">
                <div class="panel-head">
                    <h2 id="speed-title">{title}</h2>
                    <div class="panel-tools">
                        <button type="button" class="button quiet" on:click=press(|| browser::go_to("log-check"))>
                            "Check against a benchmark"
                        </button>
                    </div>
                </div>
                {part(move || measured_tag(state, true))}
                {part(move || figures.with(|found| found.as_ref().map(table).into_any()))}
                <SpeedCharts />
            </section>
        }
        .into_any()
    })
    .into_any()
}

type Figures = (&'static str, Vec<SpeedRow>, String);

fn figures(performance: &Performance) -> Figures {
    (
        performance.title(),
        performance.rows(),
        performance.assumptions.join(" "),
    )
}

fn table((_, rows, assumptions): &Figures) -> AnyView {
    view! {
        <table class="speed">
            <caption class="vh">"What the workload will see"</caption>
            <tbody>{rows.iter().map(row).collect_view()}</tbody>
        </table>
        <p class="why">{assumptions.clone()}</p>
    }
    .into_any()
}

/// A figure with its name.
pub(super) fn row(row: &SpeedRow) -> AnyView {
    view! {
        <tr>
            <th scope="row">{row.label}</th>
            <td>{text::grouped_digits(&row.value)}</td>
        </tr>
    }
    .into_any()
}
