//! How long at how many: the chart, its table, and what the lengths that people ask for take.
use crate::{
    chart::context_curve::context_curve,
    controls::{hear_key, part, words},
    lean::memo,
    state::{AppState, actions, derive::after_pause, use_app},
    text,
};
use leptos::{ev, prelude::*};
use planner::{
    Outcome, Plan,
    plan::{Reach, Tier},
};

/// What the panel shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Context {
    reach: Vec<Reach>,
    load: Option<Reach>,
    tiers: Vec<Tier>,
}

fn context(plan: &Plan) -> Context {
    Context {
        reach: plan.reach(),
        load: plan.load(),
        tiers: plan.tiers(),
    }
}

/// The panel. It is some dozen plans, so it follows once nothing was changed for a moment.
#[component]
pub(crate) fn ContextPanel() -> AnyView {
    let state = use_app();
    let shown = after_pause(state, context);
    let known = memo(move || shown.with(|context| !context.reach.is_empty()));
    part(move || {
        if !known.get() {
            return ().into_any();
        }
        view! {
            <section class="panel" id="context" aria-labelledby="context-title">
                <div class="panel-head">
                    <h2 id="context-title">"Context and concurrency"</h2>
                    {super::export_buttons(state, "context-chart", "#context .more table", "context")}
                </div>
                <p class="why">{words(move || shown.with(sentence))}</p>
                <div
                    class="curve-box"
                    role="group"
                    tabindex="0"
                    aria-label=text::CONTEXT_KEYS
                    on:keydown=hear_key(move |event| key(state, &event))
                >
                    {part(move || shown.with(chart))}
                </div>
                {part(move || shown.with(|context| tiers(state, context)))}
                <details class="more">
                    <summary>"The chart as a table"</summary>
                    {part(move || shown.with(table))}
                </details>
            </section>
        }
        .into_any()
    })
    .into_any()
}

/// The takeaway.
fn sentence(context: &Context) -> String {
    let Some(load) = context.load else {
        return String::new();
    };
    let at_least = context.reach.iter().find(|reach| reach.tokens >= load.tokens);
    let fits = at_least.map_or_else(String::new, |reach| {
        format!(
            " {} of {} tokens fit at once.",
            text::grouped(reach.sequences),
            text::grouped(reach.tokens)
        )
    });
    format!(
        "The load (●) is {} sequences of {} tokens.{fits}",
        text::grouped(load.sequences),
        text::grouped(load.tokens)
    )
}

fn chart(context: &Context) -> AnyView {
    let Some(load) = context.load else {
        return ().into_any();
    };
    context_curve(&context.reach, load, &sentence(context))
}

/// Arrow keys move the load: sideways its prompt, up and down its concurrency, each by a factor of two.
fn key(state: AppState, event: &ev::KeyboardEvent) {
    let (id, up) = match event.key().as_str() {
        "ArrowRight" => ("prompt_tokens", true),
        "ArrowLeft" => ("prompt_tokens", false),
        "ArrowUp" => ("concurrency", true),
        "ArrowDown" => ("concurrency", false),
        _ => return,
    };
    event.prevent_default();
    let now = state
        .scenario
        .with_untracked(|scenario| scenario.get(id).and_then(|text| text.parse::<u64>().ok()))
        .unwrap_or(1);
    let next = if up {
        now.saturating_mul(2)
    } else {
        (now / 2).max(1)
    };
    actions::step(state, id, &next.to_string());
}

fn tiers(state: AppState, context: &Context) -> AnyView {
    let concurrency = state
        .scenario
        .with_untracked(|scenario| u64::from(scenario.workload.concurrency));
    let rows = context.tiers.iter().map(tier).collect_view();
    view! {
        <div class="wide" tabindex="0" role="group" aria-label="Usual lengths">
            <table class="ranks tiers">
                <thead>
                    <tr>
                        <th scope="col">"max_model_len"</th>
                        <th scope="col">"On these GPUs"</th>
                        <th scope="col" class="number">"KV cache, tokens"</th>
                        <th scope="col" class="number">"Sequences at once"</th>
                        <th scope="col" class="number">{format!("GPUs for {} at once", text::grouped(concurrency))}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

fn tier(tier: &Tier) -> AnyView {
    let starts = !matches!(tier.outcome, Outcome::DoesNotFit | Outcome::Unsupported);
    let figure = |count: u64| {
        if starts {
            text::grouped(count)
        } else {
            "—".to_owned()
        }
    };
    view! {
        <tr>
            <th scope="row">{text::grouped(u64::from(tier.tokens))}</th>
            <td>{tier.outcome.words()}</td>
            <td class="number">{figure(tier.kv_cache_tokens)}</td>
            <td class="number">{figure(tier.sequences)}</td>
            <td class="number">{tier.gpus.map_or_else(|| "more than 8".to_owned(), |gpus| gpus.to_string())}</td>
        </tr>
    }
    .into_any()
}

fn table(context: &Context) -> AnyView {
    let rows = context
        .reach
        .iter()
        .map(|reach| {
            view! {
                <tr>
                    <th scope="row">{text::grouped(reach.tokens)}</th>
                    <td class="number">{text::grouped(reach.sequences)}</td>
                </tr>
            }
            .into_any()
        })
        .collect_view();
    view! {
        <table class="ranks">
            <thead>
                <tr>
                    <th scope="col">"Tokens of each sequence"</th>
                    <th scope="col" class="number">"Sequences at once"</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </table>
    }
    .into_any()
}
