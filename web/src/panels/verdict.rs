//! Does it run? Symbol, word and number; the reason; what to change where it does not.
use super::explain::why;
use crate::{
    controls::{part, press, with_code, words},
    lean::{each, memo},
    state::{
        AppState, actions,
        derive::{headline, short_headline},
        use_app,
    },
    text,
};
use leptos::prelude::*;
use planner::{
    Outcome, Plan,
    plan::{Feasibility, Memory, Remedy, Verdict},
};

/// The class and the symbol of an outcome.
const fn mark(outcome: Outcome) -> (&'static str, &'static str) {
    match outcome {
        Outcome::Fits => ("fits", "✓"),
        Outcome::Tight => ("tight", "!"),
        Outcome::DoesNotFit => ("short", "✕"),
        Outcome::Unsupported => ("unknown", "?"),
    }
}

/// The panel that stays in sight.
#[component]
pub(crate) fn VerdictPanel() -> AnyView {
    let state = use_app();
    view! {
        <section class="verdict" id="result" tabindex="-1" aria-labelledby="verdict-word">
            {part(move || state.plan.with(head))}
            {part(move || super::measured_tag(state, false))}
            {figures(state)}
        </section>
    }
    .into_any()
}

/// vLLM's words and what would help.
#[component]
pub(crate) fn Advice() -> AnyView {
    let state = use_app();
    let verdict = memo(move || state.plan.with(|plan| plan.verdict.clone()));
    part(move || verdict.with(|verdict| advice(state, verdict))).into_any()
}

fn head(plan: &Plan) -> AnyView {
    let verdict = &plan.verdict;
    let (class, symbol) = mark(verdict.outcome);
    let scenario = &plan.scenario;
    let help = match (verdict.outcome, &scenario.model.spec) {
        (Outcome::Unsupported, Err(error)) => format!(" {}", error.help()),
        _ => String::new(),
    };
    let subject = format!(
        "{} on {}",
        scenario.model.id,
        crate::state::derive::hardware_line(scenario)
    );
    view! {
        <div class=format!("verdict-head is-{class}")>
            <span class="mark" aria-hidden="true">{symbol}</span>
            <div>
                <h2 id="verdict-word">{verdict.outcome.words()}</h2>
                <p class="subject">{subject}</p>
            </div>
            <p class="headline">{headline(plan)}</p>
        </div>
        <p class="reason">{with_code(&text::full_sentence(&verdict.reason))}{help}</p>
    }
    .into_any()
}

fn figures(state: AppState) -> AnyView {
    let rows = memo(move || state.plan.with(figure_rows));
    let known = memo(move || rows.with(|rows| !rows.is_empty()));
    let row = move |(id, label, value, unit): &Figure| {
        let (value, unit) = (value.clone(), unit.clone());
        view! { <div><dt>{*label}{why(state, id, label)}</dt><dd>{value}{super::against(state, id)}<small>{unit}</small></dd></div> }
            .into_any()
    };
    part(move || {
        let list = || view! { <dl class="figures">{each(move || rows.get(), row)}</dl> };
        known.get().then(list).into_any()
    })
    .into_any()
}

/// Id, label, value and unit.
type Figure = (&'static str, &'static str, String, String);

fn figure_rows(plan: &Plan) -> Vec<Figure> {
    let (Some(memory), Some(feasibility)) = (&plan.memory, &plan.feasibility) else {
        return Vec::new();
    };
    if plan.verdict.outcome == Outcome::DoesNotFit {
        return Vec::new();
    }
    let length = plan
        .args
        .as_ref()
        .map_or(0, |args| u64::from(args.max_model_len.value));
    key_figures(memory, feasibility, length, plan.scenario.workload.concurrency).into()
}

fn key_figures(memory: &Memory, feasibility: &Feasibility, length: u64, concurrency: u32) -> [Figure; 4] {
    let available = memory.kv_cache_available_bytes;
    [
        (
            "kv_cache_available",
            "KV cache per GPU",
            format!("{available}"),
            format!("{} for this load", memory.kv_cache_workload_bytes),
        ),
        (
            "kv_cache_tokens",
            "KV cache",
            text::grouped(memory.kv_cache_tokens),
            "tokens".to_owned(),
        ),
        (
            "max_concurrency",
            "Full-length sequences",
            text::times(memory.max_concurrency),
            format!("of {} tokens", text::grouped(length)),
        ),
        (
            "longest",
            "Longest for this load",
            text::grouped(feasibility.max_context_at_concurrency),
            format!("tokens × {concurrency} at once"),
        ),
    ]
}

/// vLLM's words and the remedies. Not sticky: it may be long.
fn advice(state: AppState, verdict: &Verdict) -> AnyView {
    if verdict.vllm_error.is_none() && verdict.remedies.is_empty() {
        return ().into_any();
    }
    let error = verdict.vllm_error.clone().map(|error| {
        view! {
            <h3>"vLLM would say"</h3>
            <pre class="vllm-error">{error}</pre>
        }
    });
    let remedies = (!verdict.remedies.is_empty()).then(|| {
        let items = verdict
            .remedies
            .iter()
            .map(|remedy| remedy_view(state, remedy))
            .collect_view();
        view! {
            <h3>"What would help"</h3>
            <ul class="remedies">{items}</ul>
        }
    });
    view! { <section class="advice" aria-label="What to do">{remedies}{error}</section> }.into_any()
}

fn remedy_view(state: AppState, remedy: &Remedy) -> AnyView {
    let (class, symbol) = mark(remedy.outcome);
    let label = remedy.label.clone();
    let change = remedy.change.clone();
    let message = remedy.label.replace('`', "");
    let apply = press(move || actions::apply(state, &change, message.clone()));
    view! {
        <li class=format!("is-{class}")>
            <button type="button" class="button" on:click=apply>{with_code(&label)}</button>
            <span class="mark small" aria-hidden="true">{symbol}</span>
            <span>{remedy.effect.clone()}</span>
        </li>
    }
    .into_any()
}

/// The verdict in one line, where the panel is out of sight: at the top of medium screens, at the bottom of narrow ones.
#[component]
pub(crate) fn Dock() -> AnyView {
    let state = use_app();
    let class = words(move || {
        state
            .plan
            .with(|plan| format!("dock is-{}", mark(plan.verdict.outcome).0))
    });
    let go = move |event: leptos::ev::MouseEvent| {
        event.prevent_default();
        crate::browser::go_to("result");
    };
    view! {
        <a class=class href="#result" on:click=go>
            <span class="mark small" aria-hidden="true">
                {words(move || state.plan.with(|plan| mark(plan.verdict.outcome).1.to_owned()))}
            </span>
            <strong>{words(move || state.plan.with(|plan| plan.verdict.outcome.words().to_owned()))}</strong>
            <span>{words(move || state.plan.with(short_headline))}</span>
        </a>
    }
    .into_any()
}
