//! A part of the form that folds: its heading, and a digest of what is in it while it is closed.
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
    /// The fields.
    children: Children,
) -> AnyView {
    view! {
        <details class="section" open=open>
            <summary>
                <h2><span class="number">{number}</span>" "{title}</h2>
                <span class="digest">{digest}</span>
            </summary>
            <div class="section-body" role="group" aria-label=title>{children()}</div>
        </details>
    }
    .into_any()
}
