//! A part of the form that folds: its heading, how much of it was changed, and a digest while it is closed.
use leptos::prelude::*;

/// The part.
#[component]
pub(crate) fn Section(
    /// Its number.
    number: &'static str,
    /// Its heading.
    title: &'static str,
    /// Open at first.
    open: bool,
    /// What is in it, in a few words.
    digest: Signal<String>,
    /// How many of its inputs are not at their default.
    changed: Signal<String>,
    /// The fields.
    children: Children,
) -> AnyView {
    view! {
        <details class="section" open=open>
            <summary>
                <h2><span class="number">{number}</span>" "{title}</h2>
                <span class="changed">{changed}</span>
                <span class="digest">{digest}</span>
            </summary>
            <div class="section-body" role="group" aria-label=title>{children()}</div>
        </details>
    }
    .into_any()
}
