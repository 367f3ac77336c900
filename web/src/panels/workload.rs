//! 3 Workload: what the server has to carry.
use crate::{
    controls::{Field, Section, words},
    state::{derive::changed, use_app},
    text,
};
use leptos::prelude::*;

const FIELDS: [&str; 4] = ["prompt_tokens", "gen_tokens", "concurrency", "batching_mode"];

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
                group(w.prompt_tokens),
                group(w.gen_tokens)
            )
        })
    });
    view! {
        <Section number="3" title="Workload" open=crate::browser::is_wide() digest changed=words(move || state.scenario.with(|scenario| changed(scenario, &FIELDS)))>
            {FIELDS.map(|id| view! { <Field id=id /> }).collect_view()}
        </Section>
    }
    .into_any()
}
