//! The message in the corner, with Undo; and the message above the page.
use super::{part, press};
use crate::{
    browser::Timer,
    lean::effect,
    state::{actions, use_app},
};
use leptos::prelude::*;

/// The message in the corner. It leaves by itself; Ctrl+Z still works afterwards.
#[component]
pub(crate) fn ToastView() -> AnyView {
    let state = use_app();
    let timer = Timer::new();
    effect(move || {
        if state.toast.with(Option::is_some) {
            timer.start(12_000, move || state.toast.set(None));
        }
    });
    let body = part(move || {
        let Some(toast) = state.toast.get() else {
            return ().into_any();
        };
        let undo = toast.undo.then(|| {
            view! { <button type="button" class="button" on:click=press(move || actions::undo(state))>"Undo"</button> }
        });
        view! {
            <div class="toast">
                <span>{toast.message}</span>
                {undo}
                <button type="button" class="button quiet" aria-label="Close" on:click=press(move || state.toast.set(None))>
                    "×"
                </button>
            </div>
        }
        .into_any()
    });
    view! { <div class="toasts" role="status">{body}</div> }.into_any()
}

/// The message above the page: what a link or file held and could not be used.
#[component]
pub(crate) fn BannerView() -> AnyView {
    let state = use_app();
    let body = part(move || {
        let Some(banner) = state.banner.get() else {
            return ().into_any();
        };
        let items = banner
            .items
            .into_iter()
            .map(|item| view! { <li>{item}</li> })
            .collect_view();
        view! {
            <div class="banner">
                <p>{banner.title}</p>
                <ul>{items}</ul>
                <button type="button" class="button" on:click=press(move || state.banner.set(None))>"Close"</button>
            </div>
        }
        .into_any()
    });
    view! { <div role="alert">{body}</div> }.into_any()
}
