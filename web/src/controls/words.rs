//! Sentences with `code` in them.
use leptos::prelude::*;

/// The sentence with what stands between backticks as code.
pub(crate) fn with_code(sentence: &str) -> Vec<AnyView> {
    sentence
        .split('`')
        .enumerate()
        .filter(|(_, piece)| !piece.is_empty())
        .map(|(at, piece)| {
            let piece = piece.to_owned();
            if at % 2 == 1 {
                view! { <code>{piece}</code> }.into_any()
            } else {
                piece.into_any()
            }
        })
        .collect()
}
