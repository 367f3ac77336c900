//! Doubts and hints, each with the way it errs.
use crate::{
    controls::{part, with_code},
    lean::memo,
    state::use_app,
};
use leptos::prelude::*;
use planner::plan::{Bias, Note, Severity};

/// The list.
#[component]
pub(crate) fn Notes() -> AnyView {
    let state = use_app();
    let notes = memo(move || state.plan.with(|plan| plan.notes.clone()));
    part(move || {
        notes.with(|notes| {
            if notes.is_empty() {
                return ().into_any();
            }
            let items = notes.iter().map(note).collect_view();
            view! {
                <section class="panel" aria-labelledby="notes-title">
                    <h2 id="notes-title">"Notes"</h2>
                    <ul class="notes">{items}</ul>
                </section>
            }
            .into_any()
        })
    })
    .into_any()
}

fn note(note: &Note) -> AnyView {
    let (class, word) = match note.severity {
        Severity::Info => ("info", "Info"),
        Severity::Caution => ("caution", "Caution"),
        Severity::Unknown => ("unknown", "Unknown"),
    };
    let bias = match note.bias {
        Bias::Over => " The figure may read high.",
        Bias::Under => " The figure may read low.",
        Bias::None => "",
    };
    view! {
        <li class=format!("note note-{class}")>
            <span class="note-word">{word}</span>
            <span>{with_code(&note.message)}{bias}</span>
        </li>
    }
    .into_any()
}
