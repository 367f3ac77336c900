//! 3 Workload: what the server has to carry.
use crate::{
    controls::{Field, Section, words},
    state::{derive::changed, use_app},
    text,
};
use leptos::prelude::*;

const FIELDS: [&str; 14] = [
    "prompt_tokens",
    "gen_tokens",
    "concurrency",
    "batching_mode",
    "request_rate",
    "burstiness",
    "length_range",
    "prompt_p95",
    "gen_p95",
    "trace",
    "prefix_cache_hit_rate",
    "spec_acceptance_rate",
    "slo_ttft_ms",
    "slo_tpot_ms",
];
/// Of these, so many are seen at once.
const FIRST: usize = 4;

/// The section.
#[component]
pub(crate) fn WorkloadPanel() -> AnyView {
    let state = use_app();
    let digest = words(move || {
        state.scenario.with(|scenario| {
            let w = &scenario.workload;
            let group = |n: u32| text::grouped(u64::from(n));
            format!(
                "{} × {} + {} tokens",
                group(w.concurrency),
                group(w.prompt()),
                group(w.generated())
            )
        })
    });
    let (first, more) = FIELDS.split_at(FIRST);
    let fields = |ids: &[&'static str]| ids.iter().map(|id| view! { <Field id=*id /> }).collect_view();
    view! {
        <Section number="3" title="Workload" open=crate::browser::is_wide() digest changed=words(move || state.scenario.with(|scenario| changed(scenario, &FIELDS)))>
            {fields(first)}
            <details class="more">
                <summary>"More about the load"</summary>
                <div class="section-body">{fields(more)}</div>
            </details>
        </Section>
    }
    .into_any()
}
