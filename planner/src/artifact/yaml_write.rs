//! A tree as YAML text. Structure and the words that cannot be mistaken are written here, because a page writes all files at
//! every keystroke; every other scalar is quoted by serde-saphyr, and a test holds the two to the same bytes.
use super::yaml::Yaml;
use serde::Serialize;
use std::borrow::Cow;

/// Words that readers take for something else than text, in any case.
const RESERVED: &[&str] = &[
    "y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf", "infinity",
];

/// `key: value` with what lies below it.
pub(super) fn entry(out: &mut String, key: &str, node: &Yaml) {
    if is_simple(node) {
        pair(out, key, node, 0);
    } else {
        let node = Yaml::Map(vec![(Cow::Owned(key.to_owned()), node.clone())]);
        out.push_str(&library(&node));
        if !out.ends_with('\n') {
            out.push('\n');
        }
    }
}

/// As serde-saphyr writes it. Writing into a string cannot fail; the tests read every document back.
pub(super) fn library(value: &impl Serialize) -> String {
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false, compact_list_indent: false };
    serde_saphyr::to_string_with_options(value, options).unwrap_or_default()
}

/// No lists of lists and no blocks, which are rare.
fn is_simple(node: &Yaml) -> bool {
    match node {
        Yaml::Block(_) => false,
        Yaml::List(items) => items
            .iter()
            .all(|item| !matches!(item, Yaml::List(_)) && is_simple(item)),
        Yaml::Map(entries) => entries.iter().all(|(_, node)| is_simple(node)),
        Yaml::Commented(node, _) => !matches!(**node, Yaml::List(_) | Yaml::Map(_) | Yaml::Block(_)),
        _ => true,
    }
}

fn pair(out: &mut String, key: &str, node: &Yaml, indent: usize) {
    if is_plain(key) {
        out.push_str(key);
    } else {
        // Keys are quoted more often than values.
        let alone = library(&Yaml::Map(vec![(Cow::Owned(key.to_owned()), Yaml::Null)]));
        out.push_str(alone.trim_end_matches(": null\n"));
    }
    out.push(':');
    match node {
        Yaml::Map(entries) if !entries.is_empty() => {
            out.push('\n');
            for (key, node) in entries {
                spaces(out, indent + 2);
                pair(out, key, node, indent + 2);
            }
        }
        Yaml::List(items) if !items.is_empty() => {
            out.push('\n');
            for node in items {
                spaces(out, indent + 2);
                item(out, node, indent + 2);
            }
        }
        scalar_ => {
            out.push(' ');
            scalar(out, scalar_);
            out.push('\n');
        }
    }
}

fn item(out: &mut String, node: &Yaml, indent: usize) {
    out.push_str("- ");
    match node {
        Yaml::Map(entries) if !entries.is_empty() => {
            for (at, (key, node)) in entries.iter().enumerate() {
                if at > 0 {
                    spaces(out, indent + 2);
                }
                pair(out, key, node, indent + 2);
            }
        }
        node => {
            scalar(out, node);
            out.push('\n');
        }
    }
}

fn spaces(out: &mut String, count: usize) {
    out.extend(std::iter::repeat_n(' ', count));
}

fn scalar(out: &mut String, node: &Yaml) {
    match node {
        Yaml::Null => out.push_str("null"),
        Yaml::Text(value) => text(out, value),
        Yaml::Int(value) => out.push_str(&value.to_string()),
        Yaml::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Yaml::Map(_) => out.push_str("{}"),
        Yaml::List(_) => out.push_str("[]"),
        Yaml::Commented(node, comment) => {
            scalar(out, node);
            if !comment.is_empty() {
                out.push_str(" # ");
                out.push_str(comment);
            }
        }
        Yaml::Number(_) | Yaml::Block(_) => out.push_str(library(node).trim_end_matches('\n')),
    }
}

/// A text, quoted unless it is plain.
fn text(out: &mut String, text: &str) {
    if is_plain(text) {
        out.push_str(text);
    } else if !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit()) {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        out.push_str(library(&text).trim_end_matches('\n'));
    }
}

/// Begins with a letter, `/` or `--`, goes on with what names and paths are made of, and is no reserved word.
fn is_plain(text: &str) -> bool {
    let start = text.strip_prefix("--").unwrap_or(text);
    start.starts_with(|c: char| c.is_ascii_alphabetic() || (c == '/' && start.len() == text.len()))
        && text
            .bytes()
            .all(|c| c.is_ascii_alphanumeric() || b"_./-".contains(&c))
        && !(text.len() <= 8 && RESERVED.iter().any(|word| text.eq_ignore_ascii_case(word)))
}

#[cfg(test)]
mod tests {
    use super::{
        super::yaml::{map, texts},
        *,
    };

    #[test]
    fn both_ways_give_the_same_bytes() {
        let words = [
            "on",
            "No",
            "12:30",
            "1e3",
            "012",
            "32768",
            "0",
            "0.92",
            "- a",
            "a\nb",
            "{{ x }}",
            "a: b # c",
            "",
            "~",
            "/x",
            "--x",
            "--",
            "-",
            "a b",
            "é",
            "'",
            "\"",
            "x#y",
            "x: y",
            ".5",
            "0x1f",
            "NaN",
            "null",
            "=",
            "!x",
            "&a",
            "*a",
            "%a",
            "@a",
            "`a",
            "|",
            ">",
            "?",
            "a\tb",
            "a\u{FFFE}b",
            "a\\b",
            "trailing ",
            " leading",
            "2024-01-01",
            "Infinity",
            "a:b",
            "https://x.y/z?q=1#f",
        ];
        let long = "word ".repeat(60);
        let node = map([
            ("words", texts(words)),
            ("long", long.as_str().into()),
            ("nothing", map([])),
            ("none", Yaml::List(Vec::new())),
            (
                "maps",
                Yaml::List(vec![
                    map([
                        ("a", 1_u32.into()),
                        ("b", texts(["c"])),
                        ("d", map([("e", Yaml::Null)])),
                    ]),
                    map([]),
                ]),
            ),
            ("number", Yaml::Number(0.92)),
            ("whole", Yaml::Number(2.0)),
            ("said", Yaml::from("it's").comment("why: so")),
            (
                "keys",
                Yaml::Map(
                    words
                        .iter()
                        .map(|word| (Cow::Owned((*word).to_owned()), Yaml::Bool(true)))
                        .collect(),
                ),
            ),
        ]);
        let mut ours = String::new();
        entry(&mut ours, "all", &node);
        assert_eq!(ours, library(&map([("all", node)])));
    }
}
