//! Files dropped anywhere on the page.
use crate::state::{AppState, Banner, Import, import};
use leptos::{ev, prelude::*};
use wasm_bindgen_futures::{JsFuture, spawn_local};

/// More than any config.json, host report or plan, and than most reports of benchmarks with all their requests.
const LARGEST: f64 = 32e6;

/// Listens on the window.
pub(crate) fn accept_drops(state: AppState) {
    let over = window_event_listener(ev::dragover, |event| {
        let files = event
            .data_transfer()
            .is_some_and(|data| data.types().includes(&"Files".into(), 0));
        if files {
            event.prevent_default();
        }
    });
    let dropped = window_event_listener(ev::drop, move |event| {
        if let Some(files) = event.data_transfer().and_then(|data| data.files()) {
            event.prevent_default();
            read_files(state, None, &files, String::new());
        }
    });
    on_cleanup(move || {
        over.remove();
        dropped.remove();
    });
}

/// Reads files into the scenario; `id` names the model. What cannot be used is listed above the page.
pub(crate) fn read_files(state: AppState, wanted: Option<Import>, files: &web_sys::FileList, id: String) {
    let files: Vec<web_sys::File> = (0..files.length()).filter_map(|at| files.get(at)).collect();
    spawn_local(async move {
        let mut problems = Vec::new();
        for file in files {
            let name = file.name();
            let text = if file.size() > LARGEST {
                None
            } else {
                JsFuture::from(file.text()).await.ok()
            };
            let read = match text.and_then(|text| text.as_string()) {
                None => Err("larger than any file that this page reads, or not readable".to_owned()),
                Some(text) => import::take(state, wanted, &id, None, &text),
            };
            match read {
                Ok(()) => state.import.set(None),
                Err(problem) => problems.push(format!("{name}: {problem}")),
            }
        }
        if !problems.is_empty() {
            let title = "Not everything could be read:".to_owned();
            state.import.set(None);
            state.banner.set(Some(Banner {
                title,
                items: problems,
            }));
        }
    });
}
