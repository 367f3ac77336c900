//! A tree as YAML text that readers of YAML 1.1 and 1.2 take alike: what either could take for a number, a date, a switch or
//! a comment is quoted. Tests hold it against the crate serde-saphyr, which would be 13 kB of the page, and against libyaml.
use super::yaml::Yaml;
use std::fmt::Write as _;

/// Words that readers take for something else than text, in any case.
const RESERVED: &[&str] = &[
    "y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf", "~", "<<", "=",
];

/// `key: value` with what lies below it.
pub(super) fn entry(out: &mut String, key: &str, node: &Yaml<'_>) {
    pair(out, key, node, 0);
}

fn pair(out: &mut String, key: &str, node: &Yaml<'_>, indent: usize) {
    // A colon alone can end a key.
    if is_plain(key) || (is_safe(key) && !key.contains(':')) {
        out.push_str(key);
    } else {
        quoted(out, key);
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
        node => {
            out.push(' ');
            leaf(out, node, indent);
        }
    }
}

fn item(out: &mut String, node: &Yaml<'_>, indent: usize) {
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
        Yaml::List(items) if !items.is_empty() => {
            for (at, node) in items.iter().enumerate() {
                if at > 0 {
                    spaces(out, indent + 2);
                }
                item(out, node, indent + 2);
            }
        }
        node => leaf(out, node, indent),
    }
}

fn spaces(out: &mut String, mut count: usize) {
    const SOME: &str = "                                ";
    while count > 0 {
        let now = count.min(SOME.len());
        out.push_str(&SOME[..now]);
        count -= now;
    }
}

/// The rest of a line, and the lines of a block.
fn leaf(out: &mut String, node: &Yaml<'_>, indent: usize) {
    match node {
        Yaml::Block(text) if is_block(text) => block(out, text, indent + 2),
        node => {
            scalar(out, node);
            out.push('\n');
        }
    }
}

fn scalar(out: &mut String, node: &Yaml<'_>) {
    match node {
        Yaml::Null => out.push_str("null"),
        Yaml::Text(value) => text(out, value),
        Yaml::Block(value) => quoted(out, value),
        Yaml::Int(value) => out.push_str(&value.to_string()),
        Yaml::Number(value) => number(out, *value),
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
    }
}

/// With a point, and a sign before the exponent: without them it is a text in YAML 1.1.
fn number(out: &mut String, value: f64) {
    let Some(number) = serde_json::Number::from_f64(value) else {
        return out.push_str(".nan"); // what is planned with is finite
    };
    let number = number.to_string();
    let (digits, exponent) = number
        .split_once('e')
        .map_or((&*number, None), |(digits, exponent)| (digits, Some(exponent)));
    out.push_str(digits);
    if !digits.contains('.') {
        out.push_str(".0");
    }
    if let Some(exponent) = exponent {
        out.push_str(if exponent.starts_with('-') { "e" } else { "e+" });
        out.push_str(exponent.trim_start_matches('+'));
    }
}

/// A text, quoted unless it is plain.
fn text(out: &mut String, text: &str) {
    if is_plain(text) || is_safe(text) {
        out.push_str(text);
    } else {
        quoted(out, text);
    }
}

fn quoted(out: &mut String, text: &str) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '\\' | '"' => out.extend(['\\', letter]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            letter if is_printable(letter) => out.push(letter),
            letter => {
                let _ = write!(out, "\\u{:04X}", u32::from(letter)); // all are below U+10000
            }
        }
    }
    out.push('"');
}

/// Every line as it stands.
fn block(out: &mut String, text: &str, indent: usize) {
    out.push('|');
    if text.trim_start_matches('\n').starts_with([' ', '\t']) {
        out.push('2'); // else what the first line begins with would count as indentation
    }
    match text.strip_suffix('\n') {
        None => out.push('-'),
        Some(lines) if lines.ends_with('\n') => out.push('+'),
        Some(_) => {}
    }
    out.push('\n');
    for line in text.lines() {
        if !line.is_empty() {
            spaces(out, indent);
        }
        out.push_str(line);
        out.push('\n');
    }
}

/// A block has no escapes.
fn is_block(text: &str) -> bool {
    let shown = |c: char| is_printable(c) || matches!(c, '\n' | '\t');
    !text.trim_matches('\n').is_empty() && text.chars().all(shown)
}

/// In the letters of both versions, and no line break in either.
fn is_printable(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// The usual: begins with a letter, `/` or `--`, goes on with what names and paths are made of, and is no reserved word.
fn is_plain(text: &str) -> bool {
    let start = text.strip_prefix("--").unwrap_or(text);
    start.starts_with(|c: char| c.is_ascii_alphabetic() || (c == '/' && start.len() == text.len()))
        && text
            .bytes()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-'..=b'/'))
        && !is_reserved(text)
}

fn is_reserved(text: &str) -> bool {
    text.len() <= 5 && RESERVED.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// Whether a text stands for itself without quotes.
fn is_safe(text: &str) -> bool {
    let space = |c: char| c.is_ascii_whitespace();
    let mut letters = text.chars();
    let begins = match letters.next() {
        None => false,
        Some('-' | '?') => letters.next().is_some_and(|c| !space(c)),
        Some(first) => !space(first) && !",:[]{}#&*!|>'\"%@`".contains(first),
    };
    begins
        && !is_reserved(text)
        && !is_number(text)
        && !text.ends_with(|c| space(c) || c == ':')
        && !["---", "..."].iter().any(|mark| text.starts_with(mark))
        // Some readers take any white space of Unicode for the end of a key and the start of a comment.
        && !text.split(':').skip(1).any(|after| after.starts_with(char::is_whitespace))
        && !text.match_indices('#').any(|(at, _)| text[..at].ends_with(char::is_whitespace))
        && text.chars().all(is_printable)
}

/// Whether some reader takes it for a number, a date or a time: `1_000`, `1e3`, `0x1f`, `12:30`, `2024-01-01 10:00:00Z`.
fn is_number(text: &str) -> bool {
    let digits = text.trim_start_matches(['+', '-']);
    let all = |letters: &str| digits.chars().all(|c| c.is_ascii_digit() || letters.contains(c));
    let infinite = [".inf", ".nan", "inf"]
        .iter()
        .any(|word| digits.eq_ignore_ascii_case(word));
    let sixties = || {
        let whole = digits.split('.').next().unwrap_or_default();
        let mut parts = whole.split(':').skip(1);
        whole.contains(':') && parts.all(|part| part.len() <= 2)
    };
    let radix = || {
        let letters = |c: char| c.is_ascii_hexdigit() || "_+-".contains(c);
        let digits = digits.replace('_', "");
        let digits = digits.strip_prefix('0').unwrap_or_default();
        digits.starts_with(['b', 'B', 'o', 'O', 'x', 'X']) && digits.chars().skip(1).all(letters)
    };
    infinite
        || digits.starts_with(|c: char| c.is_ascii_digit() || c == '.' || c == '_')
            && (all("._eE+-")
                || all("._:") && sixties()
                || digits.as_bytes().get(4) == Some(&b'-') && all("-:.,+TtZ ")
                || radix())
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::{
        super::yaml::{map, texts},
        *,
    };
    use proptest::prelude::*;
    use serde::{
        Serialize, Serializer,
        ser::{SerializeMap as _, SerializeSeq as _},
    };
    use serde_saphyr::{Commented, LitStr};
    use std::borrow::Cow;

    impl Serialize for Yaml<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            match self {
                Self::Null => serializer.serialize_unit(),
                Self::Text(text) => serializer.serialize_str(text),
                Self::Block(text) => LitStr(text).serialize(serializer),
                Self::Int(value) => serializer.serialize_u64(*value),
                Self::Number(value) => serializer.serialize_f64(*value),
                Self::Bool(value) => serializer.serialize_bool(*value),
                Self::List(items) => {
                    let mut list = serializer.serialize_seq(Some(items.len()))?;
                    for item in items {
                        list.serialize_element(item)?;
                    }
                    list.end()
                }
                Self::Map(entries) => {
                    let mut map = serializer.serialize_map(Some(entries.len()))?;
                    for (key, value) in entries {
                        map.serialize_entry(key, value)?;
                    }
                    map.end()
                }
                Self::Commented(node, text) => {
                    Commented(node.as_ref(), text.to_string()).serialize(serializer)
                }
            }
        }
    }

    fn library(value: &impl Serialize) -> String {
        let options = serde_saphyr::ser_options! { prefer_block_scalars: false, compact_list_indent: false };
        serde_saphyr::to_string_with_options(value, options).unwrap_or_else(|error| error.to_string())
    }

    fn ours(node: &Yaml<'_>) -> String {
        let mut text = String::new();
        entry(&mut text, "all", node);
        text
    }

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
        assert_eq!(ours(&node), library(&map([("all", node)])));
    }

    #[test]
    fn blocks_stand_as_the_library_writes_them() {
        for text in [
            "a\nb\n",
            "a\n\n  b",
            "a\n\n",
            " a\nb\n",
            "\n a\n",
            "a\tb\n",
            "é # x: y\n",
        ] {
            let node = Yaml::Block(text.to_owned());
            assert_eq!(ours(&node), library(&map([("all", node.clone())])), "{text:?}");
            let below = map([("below", node)]);
            assert_eq!(ours(&below), library(&map([("all", below.clone())])), "{text:?}");
        }
    }

    #[test]
    fn lists_of_lists_are_lists_of_lists() {
        let node = Yaml::List(vec![
            texts(["a", "b"]),
            Yaml::List(vec![texts(["c"]), Yaml::List(Vec::new())]),
        ]);
        let back: serde_json::Value = serde_yaml::from_str(&ours(&node)).unwrap();
        assert_eq!(back, serde_json::json!({"all": [["a", "b"], [["c"], []]]}));
    }

    #[test]
    fn numbers_are_numbers_in_both_versions() {
        for value in [0.92, 2.0, 1e300, 1.5e-9, 1e-7, 0.0] {
            assert_eq!(
                ours(&Yaml::Number(value)),
                library(&map([("all", Yaml::Number(value))]))
            );
        }
    }

    /// What readers stumble over, more often than chance has it.
    fn scalars() -> impl Strategy<Value = String> {
        prop_oneof![
            "\\PC{0,12}",
            ".{0,12}",
            "[-+]{0,2}[0-9a-fxob._:eETZ ,+-]{1,10}",
            "[-:#?~<=!&*|>%@`'\"{}\\[\\], \t\na0.]{1,8}",
            "[+-]?(?i:y|n|yes|no|on|off|true|false|null|\\.?nan|\\.?inf)",
        ]
    }

    /// Found by the law below.
    #[test]
    fn rare_texts_that_the_library_quotes_are_quoted() {
        for text in ["\u{1820}:\u{2000}", "0_x0", "_0x0", "a:\u{a0}b", "a\u{a0}#"] {
            let file = ours(&Yaml::from(text));
            assert!(file.starts_with("all: \""), "{text:?}: {file}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn whatever_the_library_quotes_is_quoted(text in scalars()) {
            let quoted = |file: String| file.starts_with("all: \"");
            let node = Yaml::from(text.as_str());
            let theirs = library(&map([("all", node.clone())]));
            prop_assert!(quoted(ours(&node)) || !quoted(theirs), "{:?}", text);
        }

        #[test]
        fn every_text_comes_back(text in scalars(), key in scalars()) {
            let node = Yaml::Map(vec![
                (Cow::Owned(key.clone()), Yaml::from(text.as_str())),
                ("list".into(), texts([&*text])),
                ("block".into(), Yaml::Block(text.clone())),
            ]);
            let back: serde_yaml::Value = serde_yaml::from_str(&ours(&node)).unwrap();
            let back = &back["all"];
            prop_assert_eq!(back[&*key].as_str(), Some(&*text));
            prop_assert_eq!(back["list"][0].as_str(), Some(&*text));
            prop_assert_eq!(back["block"].as_str(), Some(&*text));
        }
    }
}
