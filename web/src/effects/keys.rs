//! Keys of the whole page. Single keys work outside fields only, and can be switched off (WCAG 2.1.4).
use crate::{
    browser,
    state::{AppState, Sheet, actions},
};
use leptos::{ev, prelude::*};
use wasm_bindgen::JsCast;

/// Keys and what they do, for the list that `?` opens.
pub(crate) const KEYS: &[(&str, &str)] = &[
    ("/", "Go to the model"),
    ("g r", "Go to the result"),
    ("g a", "Go to the files"),
    ("c", "Copy the file that is shown"),
    ("?", "Open or close this list"),
    ("Ctrl Z", "Undo, outside text fields"),
    ("Ctrl Shift Z", "Redo, outside text fields"),
    ("Esc", "Close what is open"),
    ("↑ ↓ PgUp PgDn", "Step a number field"),
];

/// Listens on the window.
pub(crate) fn listen_keys(state: AppState) {
    let after_g = StoredValue::new(false);
    let handle = window_event_listener(ev::keydown, move |event| {
        if event.default_prevented() || state.import.with_untracked(Option::is_some) {
            return;
        }
        if event.key() == "Escape" {
            return actions::close_sheet(state);
        }
        if typing(&event) {
            return;
        }
        let second = after_g.get_value();
        after_g.set_value(false);
        let command = event.ctrl_key() || event.meta_key();
        let single = !command && !event.alt_key() && state.likes.with_untracked(|likes| likes.keys);
        match event.key().as_str() {
            "z" if command && !event.shift_key() => actions::undo(state),
            "z" | "Z" | "y" if command => actions::redo(state),
            "?" if !command && !event.alt_key() => toggle_list(state),
            "/" if single => browser::go_to("model"),
            "g" if single => after_g.set_value(true),
            "r" if single && second => browser::go_to("result"),
            "a" if single && second => browser::go_to("artifacts"),
            "c" if single => browser::click("copy-file"),
            _ => return,
        }
        event.prevent_default();
    });
    on_cleanup(move || handle.remove());
}

fn toggle_list(state: AppState) {
    if state.sheet.with_untracked(|sheet| *sheet == Sheet::Keys) {
        actions::close_sheet(state);
    } else {
        actions::show_keys(state);
    }
}

/// Whether the key goes into a field.
fn typing(event: &ev::KeyboardEvent) -> bool {
    event
        .target()
        .and_then(|target| target.dyn_into::<web_sys::Element>().ok())
        .is_some_and(|element| {
            let checkbox = element.get_attribute("type").as_deref() == Some("checkbox");
            !checkbox && matches!(element.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT")
        })
}
