//! A file as text nodes: never as markup, whatever it contains.
use super::{
    diff::Marks,
    tokenize::{Language, Token, tokenize},
};
use leptos::prelude::*;

/// Lines that are built again together, where something in them changes.
const TOGETHER: usize = 8;

/// Some lines of a file, coloured.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Lines(Vec<Line>);

/// One line.
#[derive(Debug, Default, PartialEq)]
struct Line {
    /// What stood before it and is gone.
    gone: Vec<String>,
    /// It was not there before.
    new: bool,
    pieces: Vec<(Token, String)>,
    /// Another follows.
    ends: bool,
}

/// The text of the file at `path`, coloured, with what changed in it marked.
///
/// The marks are no text: what is gone stands in an attribute that the style shows, so that what is selected or read as
/// the file's text is the file.
pub(crate) fn lines(path: &str, text: &str, marks: &Marks) -> Vec<Lines> {
    let mut all: Vec<Lines> = Vec::new();
    let mut line = Line::default();
    let mut number = 0;
    let mut end = |line: &mut Line, ends: bool| {
        let mut line = std::mem::take(line);
        let gone = marks.removed.iter().filter(|(at, _)| *at == number);
        line.gone = gone.map(|(_, text)| text.clone()).collect();
        line.new = marks.added.get(number) == Some(&true);
        line.ends = ends;
        match all.last_mut().filter(|last| last.0.len() < TOGETHER) {
            Some(last) => last.0.push(line),
            None => all.push(Lines(vec![line])),
        }
        number += 1;
    };
    for (token, piece) in tokenize(Language::of(path), text) {
        for part in piece.split_inclusive('\n') {
            let words = part.strip_suffix('\n').unwrap_or(part);
            if !words.is_empty() {
                line.pieces.push((token, words.to_owned()));
            }
            if words.len() < part.len() {
                end(&mut line, true);
            }
        }
    }
    end(&mut line, false);
    all
}

/// These lines.
pub(crate) fn lines_view(lines: &Lines) -> AnyView {
    let mut out = Vec::new();
    for line in &lines.0 {
        for text in &line.gone {
            out.push(view! { <span class="line-gone" data-text=text.clone()></span> }.into_any());
        }
        let words: Vec<AnyView> = line.pieces.iter().map(coloured).collect();
        if line.new {
            out.push(view! { <span class="line-new">{words}</span> }.into_any());
        } else {
            out.extend(words);
        }
        if line.ends {
            out.push("\n".into_any());
        }
    }
    out.into_any()
}

fn coloured((token, words): &(Token, String)) -> AnyView {
    let words = words.clone();
    match token {
        Token::Plain => words.into_any(),
        _ => view! { <span class=token.class()>{words}</span> }.into_any(),
    }
}
