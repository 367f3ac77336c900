//! Ctrl+Z outside text fields takes back the last step; `/` goes to the model.
use crate::{
    browser,
    state::{AppState, actions},
};
use leptos::{ev, prelude::*};
use wasm_bindgen::JsCast;

/// Listens on the window.
pub(crate) fn listen_keys(state: AppState) {
    let handle = window_event_listener(ev::keydown, move |event| {
        let typing = event
            .target()
            .and_then(|t| t.dyn_into::<web_sys::Element>().ok())
            .is_some_and(|e| matches!(e.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT"));
        if typing || state.import.with_untracked(Option::is_some) {
            return;
        }
        let command = event.ctrl_key() || event.meta_key();
        match event.key().as_str() {
            "z" if command && !event.shift_key() => actions::undo(state),
            "/" if !command && !event.alt_key() => browser::go_to("model"),
            _ => return,
        }
        event.prevent_default();
    });
    on_cleanup(move || handle.remove());
}
