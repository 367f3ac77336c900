//! The ⓘ beside a label or a figure: opens on click, stays, and says whether it is open.
use super::{aria, press};
use leptos::prelude::*;

/// The button. What it opens has the id `controls`.
#[component]
pub(crate) fn HelpButton(
    /// What it explains.
    about: &'static str,
    /// The id of what it opens.
    controls: String,
    /// Whether that is open.
    #[prop(into)]
    open: Signal<bool>,
    /// Opens or closes it.
    toggle: Callback<()>,
) -> AnyView {
    view! {
        <button
            type="button"
            class="help-button"
            aria-label=format!("About {about}")
            aria-expanded=aria(move || open.get())
            aria-controls=controls
            on:click=press(move || toggle.run(()))
        ></button>
    }
    .into_any()
}
