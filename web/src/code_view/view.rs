//! A file as text nodes: never as markup, whatever it contains.
use super::tokenize::{Language, Token, tokenize};
use leptos::prelude::*;

/// The text of the file at `path`, coloured.
pub(crate) fn code(path: &str, text: &str) -> AnyView {
    tokenize(Language::of(path), text)
        .into_iter()
        .map(|(token, piece)| match token {
            Token::Plain => piece.to_owned().into_any(),
            _ => view! { <span class=token.class()>{piece.to_owned()}</span> }.into_any(),
        })
        .collect_view()
        .into_any()
}
