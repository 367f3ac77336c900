//! Where the memory of one GPU goes: the bar, and the table that says the same in numbers.
use super::memory_table::{amount, table};
use crate::{
    browser,
    chart::stacked_bar::{Drawn, Pick, stacked_bar},
    controls::{flag, hear_focus, hear_key, part, press, words},
    lean::{effect, memo},
    state::{AppState, actions, use_app},
    text,
};
use leptos::{ev, prelude::*};
use planner::{Plan, memory::Segment, plan::Memory, units::Bytes};

/// The panel.
#[component]
pub(crate) fn MemoryPanel() -> AnyView {
    let state = use_app();
    let table_only = RwSignal::new(false);
    let known = memo(move || state.plan.with(|plan| plan.memory.is_some()));
    let pick = Pick {
        here: RwSignal::new(""),
        pick: Callback::new(move |segment| actions::explain_part(state, segment)),
    };
    // Not by the rows and the bar themselves: see the buttons of the explanations.
    let mut before: Option<String> = None;
    effect(move || {
        let now = format!("[data-part=\"{}\"]", pick.here.get());
        browser::move_mark("data-here", before.as_deref(), &now);
        before = Some(now);
    });
    let drawn = memo(move || state.plan.with(drawn));
    part(move || {
        if !known.get() {
            return ().into_any();
        }
        let switch = press(move || table_only.update(|only| *only = !*only));
        view! {
            <section class="panel" aria-labelledby="memory-title">
                <div class="panel-head">
                    <h2 id="memory-title">"Memory per GPU"</h2>
                    {super::export_buttons(state, "memory-chart", ".memory", "memory")}
                    <button type="button" class="button quiet" on:click=switch>
                        {words(move || if table_only.get() { "Show bar".to_owned() } else { "Hide bar".to_owned() })}
                    </button>
                </div>
                <div
                    class="bar-box"
                    role="group"
                    tabindex="0"
                    aria-label=text::BAR_KEYS
                    hidden=flag(move || table_only.get())
                    on:keydown=hear_key(move |event| key(state, pick, &event))
                    on:blur=hear_focus(move |_| pick.here.set(""))
                >
                    {stacked_bar(drawn, pick)}
                    {part(move || state.plan.with(under))}
                </div>
                <p class="vh" role="status">{words(move || said(state, pick.here.get()))}</p>
                {table(state, pick.here)}
                {part(move || state.plan.with(ranks))}
            </section>
        }
        .into_any()
    })
    .into_any()
}

/// Left and right choose a part of the bar, Enter explains it.
fn key(state: AppState, pick: Pick, event: &ev::KeyboardEvent) {
    let parts: Vec<Segment> = state.plan.with_untracked(|plan| {
        let memory = plan.memory.as_ref();
        let parts = memory.map(Memory::segments).unwrap_or_default();
        parts
            .into_iter()
            .filter(|(_, bytes)| *bytes != 0)
            .map(|(part, _)| part)
            .collect()
    });
    let here = pick.here.get_untracked();
    let now = parts.iter().position(|part| part.words() == here);
    let last = parts.len().saturating_sub(1);
    let next = match (event.key().as_str(), now) {
        ("ArrowRight", now) => now.map_or(0, |at| (at + 1).min(last)),
        ("ArrowLeft", now) => now.map_or(last, |at| at.saturating_sub(1)),
        ("Enter" | " ", Some(at)) => {
            event.prevent_default();
            if let Some(part) = parts.get(at) {
                pick.pick.run(*part);
            }
            return;
        }
        _ => return,
    };
    event.prevent_default();
    pick.here.set(parts.get(next).map_or("", |part| part.words()));
}

/// The part of the bar that keys or the pointer chose.
fn said(state: AppState, here: &str) -> String {
    state.plan.with(|plan| {
        let memory = plan.memory.as_ref();
        let parts = memory.map(Memory::segments).unwrap_or_default();
        let part = parts.into_iter().find(|(part, _)| part.words() == here);
        part.map_or_else(String::new, |(_, bytes)| format!("{here}: {}", amount(bytes)))
    })
}

/// What the bar shows.
fn drawn(plan: &Plan) -> Drawn {
    let args = plan.args.as_ref();
    let utilization = args.map(|args| args.gpu_memory_utilization.value.to_string());
    plan.memory.as_ref().map_or_else(Drawn::default, |memory| {
        Drawn::of(&memory.gpu, memory, utilization.unwrap_or_default())
    })
}

fn under(plan: &Plan) -> AnyView {
    yardsticks(plan)
        .map(|words| view! { <p class="why">{words}</p> })
        .into_any()
}

/// The verdict and the bar count against different ends: said where both show what is missing.
fn yardsticks(plan: &Plan) -> Option<String> {
    let memory = plan.memory.as_ref()?;
    let over = memory
        .terms
        .iter()
        .find(|term| term.segment == Segment::Overrun)?;
    let short = plan.verdict.shortfall_bytes;
    (short > Bytes::ZERO).then(|| {
        format!(
            "The GPU ends at {}; {} lie beyond it. The verdict's {short} are counted against what vLLM may fill of it, {}, with room for one sequence.",
            memory.gpu_total_bytes,
            Bytes::new(over.bytes.unsigned_abs()),
            memory.requested_bytes
        )
    })
}

/// The pipeline ranks, where they differ.
fn ranks(plan: &Plan) -> AnyView {
    let Some(memory) = plan.memory.as_ref().filter(|memory| memory.ranks.len() > 1) else {
        return ().into_any();
    };
    let mixed = plan.scenario.hardware.is_mixed();
    let rows = memory
        .ranks
        .iter()
        .map(|rank| {
            view! {
                <tr>
                    <th scope="row">{rank.pipeline_rank}{mixed.then(|| view! { <small class="why">{rank.gpu.clone()}</small> }.into_any())}</th>
                    <td class="number">{rank.num_hidden_layers}</td>
                    <td class="number">{rank.weights_bytes.to_string()}</td>
                    <td class="number">{rank.kv_cache_available_bytes.to_string()}</td>
                    <td class="number">{text::grouped(rank.num_blocks)}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <h3>"Pipeline stages"</h3>
        <p class="why">"Above is the tightest one; vLLM takes the smallest number of blocks for all."</p>
        <table class="ranks">
            <thead>
                <tr>
                    <th scope="col">"Stage"</th>
                    <th scope="col" class="number">"Layers"</th>
                    <th scope="col" class="number">"Weights"</th>
                    <th scope="col" class="number">"For KV cache"</th>
                    <th scope="col" class="number">"Blocks"</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </table>
    }
    .into_any()
}
