//! A file as text nodes: never as markup, whatever it contains.
use super::tokenize::{Language, tokenize};
use leptos::prelude::*;

/// The text of the file at `path`, coloured.
pub(crate) fn code(path: &str, text: &str) -> AnyView {
    tokenize(Language::of(path), text)
        .into_iter()
        .map(|(token, piece)| view! { <span class=token.class()>{piece.to_owned()}</span> })
        .collect_view()
        .into_any()
}
