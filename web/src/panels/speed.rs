//! How fast the workload will be served, with the range of each figure.
use crate::{controls::part, state::use_app};
use leptos::prelude::*;
use planner::plan::SpeedRow;

/// The panel.
#[component]
pub(crate) fn SpeedPanel() -> AnyView {
    let state = use_app();
    let rows = Memo::new(move |_| {
        let rows = |plan: &planner::Plan| {
            let performance = plan.performance.as_ref()?;
            Some((performance.rows(), performance.assumptions.clone()))
        };
        state.plan.with(rows)
    });
    part(move || {
        let Some((rows, assumptions)) = rows.get() else {
            return ().into_any();
        };
        let rows = rows.into_iter().map(row).collect_view();
        view! {
            <section class="panel" aria-labelledby="speed-title">
                <h2 id="speed-title">"Speed, an estimate"</h2>
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
