//! How the figures come about, what they leave out, how old the data are.
use crate::{browser, controls::words, state::use_app, text};
use leptos::prelude::*;
use planner::{engine::VllmVersion, gpu, model};

/// The end of the page.
#[component]
pub(crate) fn Footer() -> AnyView {
    let data = format!(
        "Data of {}: {} models, {} GPUs. Rules of vLLM {}.",
        gpu::data_revision(),
        model::models().len(),
        gpu::gpus().len(),
        VllmVersion::latest()
    );
    let state = use_app();
    let today = browser::today();
    let printed = words(move || {
        let link = state.fragment.with(|f| f.as_ref().ok().map(|f| browser::link(f)));
        let parts = [today.clone(), link];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
    });
    view! {
        <footer class="footer">
            <p class="only-print">{printed}</p>
            <section><h2>"How this is computed"</h2><p>{text::HOW_COMPUTED}</p></section>
            <section><h2>"Limits"</h2><p>{text::LIMITS}</p></section>
            <section><h2>"Privacy"</h2><p>{text::PRIVACY}</p><p>{data}</p></section>
        </footer>
    }
    .into_any()
}
