//! The memory of one GPU in numbers. Each part is built anew only when something in it changes: a keystroke moves a few figures
//! of some forty.
use super::explain::why;
use crate::{
    chart::{geometry::share, stacked_bar::swatch},
    controls::{press, words},
    lean::each,
    state::{AppState, actions},
};
use leptos::prelude::*;
use planner::{memory::Segment, plan::Memory, units::Bytes};

/// An amount of a term, with its sign.
pub(super) fn amount(bytes: i64) -> String {
    let size = Bytes::new(bytes.unsigned_abs());
    if bytes < 0 {
        format!("−{size}")
    } else {
        size.to_string()
    }
}

/// The parts, each with its terms, and the sum.
pub(super) fn table(state: AppState, here: RwSignal<&'static str>) -> AnyView {
    let total = move || {
        let total = |memory: &Memory| memory.gpu_total_bytes.get();
        state.plan.with(|plan| plan.memory.as_ref().map_or(0, total))
    };
    view! {
        <table class="memory">
            <thead>
                <tr>
                    <th scope="col">"Part"</th>
                    <th scope="col" class="number">"Size"</th>
                    <th scope="col" class="number">"Share"</th>
                </tr>
            </thead>
            {each(move || groups(state), move |group| body(state, group, here.get_untracked()))}
            <tfoot>
                <tr>
                    <th scope="row">"The GPU, as a process sees it"{why(state, "gpu_total", "the GPU, as a process sees it")}</th>
                    <td class="number">{words(move || amount(i64::try_from(total()).unwrap_or(i64::MAX)))}</td>
                    <td class="number">"100 %"</td>
                </tr>
            </tfoot>
        </table>
    }
    .into_any()
}

/// One part as the table shows it.
#[derive(PartialEq)]
struct Group {
    segment: Segment,
    bytes: i64,
    total: u64,
    open: bool,
    /// Id, label and bytes.
    terms: Vec<(&'static str, &'static str, i64)>,
}

fn groups(state: AppState) -> Vec<Group> {
    let open = state.open.get();
    let of = |memory: &Memory| {
        let segments = memory.segments().into_iter();
        segments
            .map(|(segment, bytes)| Group::of(memory, segment, bytes, open.contains(&segment.words())))
            .collect()
    };
    state
        .plan
        .with(|plan| plan.memory.as_ref().map_or_else(Vec::new, of))
}

impl Group {
    fn of(memory: &Memory, segment: Segment, bytes: i64, open: bool) -> Self {
        let terms = memory.terms.iter().filter(|term| term.segment == segment);
        Self {
            segment,
            bytes,
            total: memory.gpu_total_bytes.get(),
            open,
            terms: terms
                .filter(|term| term.bytes != 0 || open)
                .map(|term| (term.id, term.label, term.bytes))
                .collect(),
        }
    }
}

fn body(state: AppState, group: &Group, here: &str) -> AnyView {
    let segment = group.segment;
    let name = segment.words();
    let terms = group.terms.iter().map(|term| term_row(state, *term, !group.open));
    view! {
        <tbody>
        <tr class="group" data-part=name data-here=(here == name).to_string()>
            <th scope="row">
                <button
                    type="button"
                    class="disclose"
                    aria-expanded=group.open.to_string()
                    on:click=press(move || actions::toggle(state, name))
                >
                    <span class="chevron" aria-hidden="true"></span>
                    {swatch("bar", segment)}
                    {name}
                </button>
            </th>
            <td class="number">{amount(group.bytes)}</td>
            <td class="number">{share(group.bytes.unsigned_abs(), group.total)}</td>
        </tr>
        {terms.collect_view()}
        </tbody>
    }
    .into_any()
}

fn term_row(state: AppState, (id, label, bytes): (&'static str, &'static str, i64), hidden: bool) -> AnyView {
    view! {
        <tr class="term" hidden=hidden>
            <th scope="row">{label}{why(state, id, label)}</th>
            <td class="number">{amount(bytes)}</td>
            <td class="number"></td>
        </tr>
    }
    .into_any()
}
