//! Reads the YAML of container files and profiles, with the line of every key.
//!
//! Blocks, flow lists and maps, quoted, plain, literal (`|`) and folded (`>`) scalars, anchors, aliases, `<<` and several
//! documents, as YAML 1.2 has them. Refused with a message: tags, `?` keys, maps inside flow lists without braces, tabs as
//! indentation. Every scalar stays a text; who asks decides what it means. A test holds it against libyaml's reading.
mod block;
mod cursor;
mod flow;
#[cfg(all(test, not(target_arch = "wasm32")))]
mod libyaml;
mod scalar;
#[cfg(test)]
mod tests;

use crate::units::decimal;
use cursor::Cursor;
use serde_json::{Map, Number, Value};

/// The largest text, in bytes.
const MAX_BYTES: usize = 1 << 20;
/// The deepest nesting.
const MAX_DEPTH: usize = 48;
/// The most nodes, those of aliases counted each time.
const MAX_NODES: usize = 50_000;
/// The most keys of one map.
const MAX_KEYS: usize = 2000;

/// A value and where it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    /// Counts from 1.
    pub(crate) line: usize,
    pub(crate) kind: Kind,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Nothing at all.
    Empty,
    /// A text; `plain` is one without quotes, which may be a number, a switch or null.
    Scalar {
        text: String,
        plain: bool,
    },
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    /// The key's line.
    pub(crate) line: usize,
    pub(crate) node: Node,
}

/// What cannot be read, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub(crate) struct YamlError {
    /// Counts from 1.
    pub(crate) line: usize,
    /// What is wrong, as a fragment.
    pub(crate) problem: String,
}

/// Every document of a text; an empty text has none.
pub(crate) fn read(text: &str) -> Result<Vec<Node>, YamlError> {
    if text.len() > MAX_BYTES {
        return Err(YamlError {
            line: 1,
            problem: format!("larger than {MAX_BYTES} bytes"),
        });
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if let Some(at) = text.find(is_refused) {
        return Err(YamlError {
            line: text.get(..at).unwrap_or_default().matches('\n').count() + 1,
            problem:
                "a control character or a line separator of Unicode; in double quotes it is written as `\\u…`"
                    .to_owned(),
        });
    }
    if text.contains('\r') {
        Cursor::new(&text.replace("\r\n", "\n").replace('\r', "\n")).documents()
    } else {
        Cursor::new(text).documents()
    }
}

/// What YAML 1.1 readers take for a line's end and 1.2 readers do not, and what none prints.
fn is_refused(c: char) -> bool {
    (c.is_control() && !matches!(c, '\t' | '\n' | '\r')) || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}')
}

impl Node {
    fn empty(line: usize) -> Self {
        Self {
            line,
            kind: Kind::Empty,
        }
    }

    /// The value of a key; `None` where it is missing, null or this is no map.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        let entry = self.map().iter().find(|entry| entry.key == key)?;
        (!entry.node.is_null()).then_some(&entry.node)
    }

    /// The value at the end of a path of keys.
    pub(crate) fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The entries of a map, nothing for anything else.
    pub(crate) fn map(&self) -> &[Entry] {
        match &self.kind {
            Kind::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list, nothing for anything else.
    pub(crate) fn list(&self) -> &[Self] {
        match &self.kind {
            Kind::List(items) => items,
            _ => &[],
        }
    }

    /// A scalar's text; `None` for null.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar { text, .. } if !self.is_null() => Some(text),
            _ => None,
        }
    }

    /// Nothing, `null` or `~`.
    pub(crate) fn is_null(&self) -> bool {
        match &self.kind {
            Kind::Empty => true,
            Kind::Scalar { text, plain: true } => {
                matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL")
            }
            _ => false,
        }
    }

    /// `true` or `false` without quotes.
    pub(crate) fn switch(&self) -> Option<bool> {
        match &self.kind {
            Kind::Scalar { text, plain: true } => match text.as_str() {
                "true" | "True" | "TRUE" => Some(true),
                "false" | "False" | "FALSE" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    /// The same as JSON, by YAML 1.2's core rules.
    pub(crate) fn json(&self) -> Value {
        match &self.kind {
            Kind::Empty => Value::Null,
            Kind::List(items) => Value::Array(items.iter().map(Self::json).collect()),
            Kind::Map(entries) => {
                let mut object = Map::new(); // not collected, which would bring a sort to the page
                object.extend(entries.iter().map(|entry| (entry.key.clone(), entry.node.json())));
                Value::Object(object)
            }
            Kind::Scalar { text, plain } => {
                if self.is_null() {
                    return Value::Null;
                }
                if let Some(switch) = self.switch() {
                    return Value::Bool(switch);
                }
                let number = if *plain { number(text) } else { None };
                number.map_or_else(|| Value::from(text.as_str()), Value::Number)
            }
        }
    }

    /// Itself and all below it.
    fn size(&self) -> usize {
        let below: usize = match &self.kind {
            Kind::List(items) => items.iter().map(Self::size).sum(),
            Kind::Map(entries) => entries.iter().map(|entry| entry.node.size()).sum(),
            _ => 0,
        };
        below + 1
    }
}

/// A decimal number without a leading zero or plus; other bases stay texts.
fn number(text: &str) -> Option<Number> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let second = digits.chars().nth(1);
    let octal = digits.starts_with('0') && second.is_some_and(|c| c.is_ascii_digit());
    let starts = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    let numeral = |c: char| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-');
    if octal || !starts || !digits.chars().all(numeral) {
        return None;
    }
    if let Ok(whole) = text.parse::<i64>() {
        return Some(whole.into());
    }
    if let Ok(whole) = text.parse::<u64>() {
        return Some(whole.into());
    }
    decimal(text).and_then(Number::from_f64)
}
