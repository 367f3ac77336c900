//! 4 Engine: `vllm serve`'s arguments.
use crate::{
    controls::{Field, Section, words},
    state::{derive::set_arguments, use_app},
};
use leptos::prelude::*;
use planner::bounds::FIELDS;

/// Always in sight.
const FIRST: [&str; 5] = [
    "tensor_parallel_size",
    "max_model_len",
    "kv_cache_dtype",
    "gpu_memory_utilization",
    "max_num_seqs",
];

/// Change no memory, so they stand beside the files.
const BESIDE_FILES: [&str; 2] = ["served_model_name", "port"];

/// Every other argument that planner knows.
fn more() -> impl Iterator<Item = &'static str> {
    let shown_elsewhere = |id: &str| FIRST.contains(&id) || BESIDE_FILES.contains(&id);
    let flags = FIELDS
        .iter()
        .filter(move |field| field.flag.is_some() && !shown_elsewhere(field.id));
    ["headroom_gb", "pp_layer_partition"]
        .into_iter()
        .chain(flags.map(|field| field.id))
}

/// The section.
#[component]
pub(crate) fn Engine() -> AnyView {
    let state = use_app();
    let first = FIRST.map(|id| view! { <Field id=id /> }).collect_view();
    let more = more().map(|id| view! { <Field id=id /> }).collect_view();
    view! {
        <Section number="4" title="Engine" open=crate::browser::is_wide() digest=words(String::new) changed=words(move || state.scenario.with(set_arguments))>
            <Field id="defaults" />
            {first}
            <details class="more">
                <summary>"More engine arguments"</summary>
                <div class="section-body">{more}</div>
            </details>
        </Section>
    }
    .into_any()
}
