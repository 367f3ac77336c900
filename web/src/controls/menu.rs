//! A button that opens a short list of choices.
use super::{aria, flag, hear_focus, hear_key, press};
use leptos::{ev, prelude::*};
use wasm_bindgen::JsCast;

/// The button with its list. Escape, a choice and leaving it close it.
#[component]
pub(crate) fn Menu(
    /// The id of the list.
    id: &'static str,
    /// On the button.
    label: &'static str,
    /// (name, about) of each choice.
    choices: Vec<(&'static str, &'static str)>,
    /// Takes the choice's place in the list.
    on_choose: Callback<usize>,
) -> AnyView {
    let open = RwSignal::new(false);
    let left = move |event: ev::FocusEvent| {
        let inside = event.current_target().and_then(|menu| {
            let next = event.related_target()?.dyn_into::<web_sys::Node>().ok()?;
            Some(menu.dyn_into::<web_sys::Node>().ok()?.contains(Some(&next)))
        });
        if inside != Some(true) {
            open.set(false);
        }
    };
    let key = move |event: ev::KeyboardEvent| {
        if event.key() == "Escape" {
            open.set(false);
            crate::browser::go_to(id);
        }
    };
    let items = choices
        .into_iter()
        .enumerate()
        .map(|(at, (name, about))| {
            let choose = press(move || {
                open.set(false);
                on_choose.run(at);
            });
            view! {
                <li>
                    <button type="button" on:click=choose>
                        <strong>{name}</strong>
                        <span>{about}</span>
                    </button>
                </li>
            }
        })
        .collect_view();
    view! {
        <div class="menu" on:focusout=hear_focus(left) on:keydown=hear_key(key)>
            <button
                type="button"
                id=id
                class="button"
                aria-expanded=aria(move || open.get())
                aria-controls=format!("{id}-list")
                on:click=press(move || open.update(|open| *open = !*open))
            >
                {label}
                <span class="chevron" aria-hidden="true"></span>
            </button>
            <ul class="menu-list" id=format!("{id}-list") hidden=flag(move || !open.get())>{items}</ul>
        </div>
    }
    .into_any()
}
