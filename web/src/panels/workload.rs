//! 3 Workload: what the server has to carry.
use crate::{
    controls::{Field, Options, Section, hear, part, words},
    lean::memo,
    state::{
        AppState, actions,
        derive::{Choice, changed},
        use_app,
    },
    text,
};
use leptos::{ev, prelude::*};
use planner::{
    Scenario,
    recommend::{USE_CASES, UseCase},
};

const FIELDS: [&str; 17] = [
    "prompt_tokens",
    "gen_tokens",
    "concurrency",
    "batching_mode",
    "request_rate",
    "peak_rate",
    "burstiness",
    "length_range",
    "prompt_p95",
    "gen_p95",
    "trace",
    "prefix_cache_hit_rate",
    "spec_acceptance_rate",
    "slo_ttft_ms",
    "slo_tpot_ms",
    "slo_e2e_ms",
    "slo_percentile",
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
            {use_case(state)}
            {fields(first)}
            <details class="more">
                <summary>"More about the load"</summary>
                <div class="section-body">{fields(more)}</div>
            </details>
        </Section>
    }
    .into_any()
}

/// Published loads by their use; none is chosen where the load is no longer that of one.
fn use_case(state: AppState) -> AnyView {
    let id = memo(move || {
        let of = |scenario: &Scenario| USE_CASES.iter().find(|case| case.is_of(scenario));
        state.scenario.with(of).map_or("", |case| case.id)
    });
    let now = move || UseCase::find(id.get());
    let choices: Vec<_> = USE_CASES
        .iter()
        .map(|case| Choice::new(case.id, case.title))
        .collect();
    let none = [Choice::new("", text::NO_USE)];
    let chosen = move |event: ev::Event| {
        if let Some(case) = UseCase::find(&event_target_value(&event)) {
            actions::take_use(state, case);
        }
    };
    view! {
        <div class="field">
            <div class="field-head">
                <label for="use-case">"Load of a use"</label>
            </div>
            <div class="field-box">
                <select id="use-case" class="box" aria-describedby="use-case-why" on:change=hear(chosen)>
                    {part(move || match now() {
                        Some(case) => Options::of(&choices, case.id),
                        None => Options::of(&[&none[..], &choices].concat(), ""),
                    })}
                </select>
            </div>
            <p class="why" id="use-case-why">
                {words(move || now().map_or_else(String::new, |case| text::from_source(case.source)))}
            </p>
        </div>
    }
    .into_any()
}
