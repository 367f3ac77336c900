//! Copy, with its answer in the button itself.
use super::{press, words};
use crate::{browser, text};
use leptos::prelude::*;
use wasm_bindgen_futures::spawn_local;

/// Copies what `text` returns; selects the element `from` where the browser does not allow that.
#[component]
pub(crate) fn CopyButton(
    /// Its id, where something else presses it.
    #[prop(optional)]
    id: Option<&'static str>,
    /// On the button.
    label: &'static str,
    /// What to copy.
    #[prop(into)]
    text: Callback<(), String>,
    /// The element that shows the same text.
    from: &'static str,
) -> AnyView {
    let answer = RwSignal::new("");
    let timer = browser::Timer::new();
    let copy = press(move || {
        let text = text.run(());
        spawn_local(async move {
            let copied = browser::copy(&text).await.is_ok();
            if !copied {
                browser::select(from);
            }
            answer.set(if copied { "Copied" } else { text::PRESS_CTRL_C });
            timer.start(2000, move || answer.set(""));
        });
    });
    view! {
        <button type="button" class="button" id=id on:click=copy>
            {words(move || if answer.get().is_empty() { label.to_owned() } else { answer.get().to_owned() })}
        </button>
        <span class="vh" role="status">{words(move || answer.get().to_owned())}</span>
    }
    .into_any()
}
