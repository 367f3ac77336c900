//! A file as text nodes: never as markup, whatever it contains.
use super::{
    diff::Marks,
    tokenize::{Language, Token, tokenize},
};
use leptos::prelude::*;

/// The text of the file at `path`, coloured, with what changed in it marked.
///
/// The marks are no text: what is gone stands in an attribute that the style shows, so that what is selected or read as
/// the file's text is the file.
pub(crate) fn code(path: &str, text: &str, marks: &Marks) -> AnyView {
    let mut out = Vec::new();
    let mut line = Vec::new();
    let mut number = 0;
    for (token, piece) in tokenize(Language::of(path), text) {
        for part in piece.split_inclusive('\n') {
            let words = part.strip_suffix('\n').unwrap_or(part);
            if !words.is_empty() {
                line.push(coloured(token, words));
            }
            if words.len() < part.len() {
                end_line(&mut out, &mut line, number, marks);
                out.push("\n".into_any());
                number += 1;
            }
        }
    }
    end_line(&mut out, &mut line, number, marks);
    out.into_any()
}

fn coloured(token: Token, words: &str) -> AnyView {
    let words = words.to_owned();
    match token {
        Token::Plain => words.into_any(),
        _ => view! { <span class=token.class()>{words}</span> }.into_any(),
    }
}

fn end_line(out: &mut Vec<AnyView>, line: &mut Vec<AnyView>, number: usize, marks: &Marks) {
    for (_, text) in marks.removed.iter().filter(|(at, _)| *at == number) {
        out.push(view! { <span class="line-gone" data-text=text.clone()></span> }.into_any());
    }
    let words = std::mem::take(line);
    if marks.added.get(number) == Some(&true) {
        out.push(view! { <span class="line-new">{words}</span> }.into_any());
    } else {
        out.extend(words);
    }
}
