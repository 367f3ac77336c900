//! Every argument with its value, who chose it, and why.
use crate::{
    controls::{part, with_code},
    lean::{each, memo},
    state::use_app,
    text,
};
use leptos::prelude::*;
use planner::{
    bounds,
    engine::{ArgRow, SetBy},
};

/// The table.
#[component]
pub(crate) fn Arguments() -> AnyView {
    let state = use_app();
    let known = memo(move || state.rows.with(|rows| !rows.is_empty()));
    // Those that someone chose, or those that vLLM chooses.
    let rows = move |default: bool| {
        let these = move |row: &&ArgRow| (row.set_by == SetBy::VllmDefault) == default;
        let read = move || {
            state
                .rows
                .with(|rows| rows.iter().filter(these).cloned().collect())
        };
        each(read, row)
    };
    part(move || {
        if !known.get() {
            return ().into_any();
        }
        view! {
            <section class="panel" aria-labelledby="arguments-title">
                <h2 id="arguments-title">"Flags and their reasons"</h2>
                <table class="arguments">
                    <thead>
                        <tr><th scope="col">"Flag"</th><th scope="col">"Value"</th><th scope="col">"Why"</th></tr>
                    </thead>
                    <tbody>{rows(false)}</tbody>
                    <tbody class="defaults">
                        <tr><th scope="rowgroup" colspan="3">"Left at vLLM's default"</th></tr>
                        {rows(true)}
                    </tbody>
                </table>
            </section>
        }
        .into_any()
    })
    .into_any()
}

fn row(row: &ArgRow) -> AnyView {
    let who = match row.set_by {
        SetBy::User => "set by you",
        SetBy::Recommended => "recommended",
        SetBy::VllmDefault => "",
    };
    let value =
        bounds::field(row.id).map_or_else(|| row.value.clone(), |field| text::value(field, &row.value));
    view! {
        <tr>
            <th scope="row"><code>{row.flag}</code></th>
            <td class="value">{value}</td>
            <td><span class="who">{who}</span>{(row.set_by != SetBy::User).then(|| with_code(&row.why))}</td>
        </tr>
    }
    .into_any()
}
