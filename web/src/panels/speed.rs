//! How fast the workload will be served, with the range of each figure.
use super::measured_tag;
use crate::{
    browser,
    controls::{part, press},
    state::use_app,
};
use leptos::prelude::*;
use planner::plan::SpeedRow;

/// The panel.
#[component]
pub(crate) fn SpeedPanel() -> AnyView {
    let state = use_app();
    let rows = Memo::new(move |_| {
        let rows = |plan: &planner::Plan| {
            let performance = plan.performance.as_ref()?;
            Some((
                performance.title(),
                performance.rows(),
                performance.assumptions.clone(),
            ))
        };
        state.plan.with(rows)
    });
    part(move || {
        let Some((title, rows, assumptions)) = rows.get() else {
            return ().into_any();
        };
        let rows = rows.into_iter().map(row).collect_view();
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
                <table class="speed">
                    <caption class="vh">"What the workload will see"</caption>
                    <tbody>{rows}</tbody>
                </table>
                <p class="why">{assumptions.join(" ")}</p>
            </section>
        }
        .into_any()
    })
    .into_any()
}

fn row(row: SpeedRow) -> AnyView {
    view! {
        <tr>
            <th scope="row">{row.label}</th>
            <td>{row.value}</td>
        </tr>
    }
    .into_any()
}
