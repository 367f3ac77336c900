//! The layouts of the hardware at hand, ranked for what is wanted.
use super::{
    answers::{answers_table, export_answers, lead, listed_prices},
    fleet::fleet,
};
use crate::{
    browser,
    controls::{aria, flag, hear, part, press, words},
    lean::memo,
    state::{
        AppState, actions,
        search::{Among, CURRENCY, Question, Searched, Seek, Wishes, use_seek},
        use_app,
    },
    text,
};
use leptos::{ev, prelude::*};
use planner::recommend::Objective;
use std::sync::Arc;

/// The panel; nothing while the model is not understood.
#[component]
pub(crate) fn Recommended() -> AnyView {
    let (state, seek) = (use_app(), use_seek());
    let question = memo(move || Question::of(state, seek, Among::Here).map(Arc::new));
    let searched = Searched::new(question);
    let known = memo(move || question.with(Option::is_some));
    part(move || {
        if !known.get() {
            return ().into_any();
        }
        let lead = words(move || {
            searched
                .answers
                .with(|found| found.as_deref().map_or_else(String::new, lead))
        });
        view! {
            <section class="panel" id="recommended" tabindex="-1" aria-labelledby="recommended-title">
                <div class="panel-head">
                    <h2 id="recommended-title">"Recommended"</h2>
                    {export_answers(state, searched, "recommended")}
                </div>
                {wishes(state, seek)}
                <p class="why" id="recommended-why">{lead}</p>
                {answers_table(state, searched, "recommend")}
                {fleet(state, seek)}
            </section>
        }
        .into_any()
    })
    .into_any()
}

/// What is wanted.
fn wishes(state: AppState, seek: Seek) -> AnyView {
    let chosen = move |event: ev::Event| {
        let name = event_target_value(&event);
        if let Some(objective) = Objective::ALL.into_iter().find(|one| one.name() == name) {
            actions::wish(seek, |wishes| wishes.objective = Some(objective));
        }
    };
    let objective = memo(move || {
        let wishes = seek.wishes.get();
        state.scenario.with(|scenario| wishes.objective(scenario))
    });
    let options = Objective::ALL
        .into_iter()
        .map(|one| {
            let selected = flag(move || objective.get() == one);
            view! { <option value=one.name() prop:selected=selected>{text::objective(one)}</option> }
                .into_any()
        })
        .collect_view();
    let needs_price = words(move || {
        let priced = seek.wishes.with(|wishes| !wishes.price.is_empty());
        if priced || objective.get() != Objective::Cost {
            return String::new();
        }
        text::NEEDS_PRICE.to_owned()
    });
    let limits = words(move || state.scenario.with(text::limits));
    view! {
        <div class="wishes" role="group" aria-label="What is wanted">
            <div class="field">
                <label for="objective">"First"</label>
                <select id="objective" class="box" aria-describedby="objective-why" on:change=hear(chosen)>{options}</select>
                <p class="why" id="objective-why">{needs_price}</p>
            </div>
            <div class="field">
                <span class="label" id="limits-label">"Limits of the load"</span>
                <button
                    type="button"
                    class="box"
                    id="limits"
                    aria-labelledby="limits-label limits"
                    on:click=press(|| browser::go_to("slo_ttft_ms"))
                >
                    {limits}
                </button>
            </div>
            {price(seek)}
            <div class="field">
                <label for="currency">"Currency"</label>
                <input
                    id="currency"
                    class="box"
                    type="text"
                    maxlength=CURRENCY.to_string()
                    autocomplete="off"
                    prop:value=words(move || seek.wishes.with(|wishes| wishes.currency.clone()))
                    on:change=hear(move |event| actions::wish(seek, |wishes| wishes.currency = event_target_value(&event)))
                />
            </div>
            <label class="check">
                <input
                    type="checkbox"
                    prop:checked=flag(move || seek.wishes.with(|wishes| wishes.formats))
                    on:change=hear(move |event| actions::wish(seek, |wishes| wishes.formats = event_target_checked(&event)))
                />
                "Also try FP8 weights and cache"
            </label>
        </div>
    }
    .into_any()
}

/// Of any kind of GPU that has none of its own.
fn price(seek: Seek) -> AnyView {
    let used = memo(move || {
        seek.wishes
            .with(|wishes| wishes.price.trim().is_empty() || Wishes::is_price(&wishes.price))
    });
    let state = use_app();
    let gpu = memo(move || state.scenario.with(|scenario| scenario.hardware.gpu.name.clone()));
    let typed =
        move |event: ev::Event| actions::wish(seek, |wishes| wishes.price = event_target_value(&event));
    view! {
        <div class="field">
            <label for="gpu-price">"Price per GPU-hour"</label>
            <input
                id="gpu-price"
                class="box"
                type="text"
                inputmode="decimal"
                autocomplete="off"
                list="listed-prices"
                aria-invalid=aria(move || !used.get())
                aria-describedby="gpu-price-error"
                prop:value=words(move || seek.wishes.with(|wishes| wishes.price.clone()))
                on:input=hear(typed)
            />
            {part(move || gpu.with(|name| listed_prices("listed-prices", name)))}
            <p class="error" id="gpu-price-error">
                {words(move || if used.get() { String::new() } else { text::NOT_A_NUMBER.to_owned() })}
            </p>
        </div>
    }
    .into_any()
}
