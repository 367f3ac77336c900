//! The page over `planner`.
use leptos::prelude::*;

/// The page.
#[component]
pub fn App() -> impl IntoView {
    view! { <p>"vLLM Wizard"</p> }
}
