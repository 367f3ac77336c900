//! The sheet beside the page: an explanation, or the list of keys. Not modal: the page stays usable.
use super::{explain, liked::liked};
use crate::{
    browser,
    controls::{flag, part, press, words},
    effects::KEYS,
    lean::effect,
    state::{AppState, Sheet, actions, use_app},
    text,
};
use leptos::prelude::*;

/// The sheet; hidden while there is nothing to show.
#[component]
pub(crate) fn SheetView() -> AnyView {
    let state = use_app();
    let title = words(move || title(state));
    explain::mark_openers(state);
    // Focus goes to the sheet when it opens, so that a screen reader begins there and Tab continues in it.
    effect(move || {
        if state.sheet.with(|sheet| *sheet != Sheet::Closed) {
            browser::focus("sheet");
        }
    });
    view! {
        <div
            class="sheet"
            id="sheet"
            role="dialog"
            tabindex="-1"
            aria-labelledby="sheet-title"
            hidden=flag(move || state.sheet.with(|sheet| *sheet == Sheet::Closed))
        >
            <div class="sheet-head">
                <h2 id="sheet-title">{title}</h2>
                <button
                    type="button"
                    class="button quiet"
                    aria-label="Close"
                    on:click=press(move || actions::close_sheet(state))
                >
                    "×"
                </button>
            </div>
            {part(move || body(state))}
        </div>
    }
    .into_any()
}

fn title(state: AppState) -> String {
    match state.sheet.get() {
        Sheet::Closed => String::new(),
        Sheet::Keys => "Keys".to_owned(),
        Sheet::Explain(id) => state.plan.with(|plan| plan.explain(&id)).map_or_else(
            || text::NO_SUCH_FIGURE.to_owned(),
            |figure| figure.label.to_owned(),
        ),
    }
}

fn body(state: AppState) -> AnyView {
    match state.sheet.get() {
        Sheet::Closed => ().into_any(),
        Sheet::Keys => keys(state),
        Sheet::Explain(id) => state.plan.with(|plan| plan.explain(&id)).map_or_else(
            || view! { <p class="why">{text::NO_SUCH_FIGURE_WHY}</p> }.into_any(),
            |figure| explain::body(&figure),
        ),
    }
}

fn keys(state: AppState) -> AnyView {
    let rows = KEYS
        .iter()
        .map(|(keys, what)| view! { <dt><kbd>{*keys}</kbd></dt><dd>{*what}</dd> }.into_any())
        .collect_view();
    view! {
        <dl class="keys">{rows}</dl>
        {liked(state, "Single-key shortcuts", |likes| &mut likes.keys)}
    }
    .into_any()
}
