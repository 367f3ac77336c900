//! Typed access to a JSON object, with errors that name the field. Remembers which fields were read, so that a
//! scenario keeps just those.
use super::ConfigError;
use serde_json::{Map, Value};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
};

/// Larger texts are some other file: the largest published config.json has 3.1 MB.
pub(super) const MAX_BYTES: usize = 8 << 20;

/// Python writes `Infinity` and `NaN` into JSON, and some published files have them; no size depends on one.
fn without_infinities(text: &str) -> Option<String> {
    const WORDS: [&str; 3] = ["-Infinity", "Infinity", "NaN"];
    let mut out = String::with_capacity(text.len());
    let (mut rest, mut in_text, mut found) = (text, false, false);
    while let Some(c) = rest.chars().next() {
        let word = WORDS.iter().find(|word| !in_text && rest.starts_with(**word));
        let taken = match word {
            Some(word) => {
                out.push_str("null");
                found = true;
                word.len()
            }
            None if in_text && c == '\\' => {
                let pair: String = rest.chars().take(2).collect();
                out.push_str(&pair);
                pair.len()
            }
            None => {
                in_text ^= c == '"';
                out.push(c);
                c.len_utf8()
            }
        };
        rest = rest.get(taken..).unwrap_or_default();
    }
    found.then_some(out)
}

/// An object of a config.json.
pub(super) struct Fields<'a> {
    map: &'a Map<String, Value>,
    path: &'static str,
    /// Values of the model's own class for what the file leaves out: names and numbers in turn.
    defaults: &'static str,
    /// The family's own names: what we ask for, and what its files call it.
    names: Cell<Names>,
    touched: RefCell<BTreeSet<String>>,
}

/// Pairs of a field's usual name and a family's own; a dot leads into an object or a list.
pub(super) type Names = &'static [(&'static str, &'static str)];

/// A family's own names of a field.
fn own_names(names: Names, key: &str) -> impl Iterator<Item = &'static str> {
    names
        .iter()
        .filter(move |(usual, _)| *usual == key)
        .map(|(_, own)| *own)
}

/// Parses a config.json to its object.
pub fn parse(text: &str) -> Result<Map<String, Value>, ConfigError> {
    if text.len() > MAX_BYTES {
        return Err(ConfigError::TooLarge {
            bytes: text.len(),
            limit: MAX_BYTES,
        });
    }
    // A byte order mark is common in files that went through an editor.
    let text = text.trim_start_matches('\u{feff}');
    let parsed = serde_json::from_str(text).or_else(|error| match without_infinities(text) {
        Some(text) => serde_json::from_str(&text),
        None => Err(error),
    });
    match parsed {
        Ok(Value::Object(map)) => Ok(map),
        Ok(other) => Err(ConfigError::NotAnObject { got: kind(&other) }),
        Err(e) => {
            let whole = e.to_string();
            let problem = whole.split(" at line ").next().unwrap_or(&whole).to_owned();
            Err(ConfigError::NotJson {
                problem,
                line: e.line(),
                column: e.column(),
            })
        }
    }
}

impl<'a> Fields<'a> {
    /// `path` is empty for the file's own object, else `text_config`.
    pub(super) fn new(map: &'a Map<String, Value>, path: &'static str) -> Self {
        Self {
            map,
            path,
            defaults: "",
            names: Cell::new(&[]),
            touched: RefCell::default(),
        }
    }

    /// From now on, fields go by a family's own names as well.
    pub(super) fn call_by(&self, names: Names) {
        self.names.set(names);
    }

    /// With a class's own values for what the file leaves out.
    pub(super) fn with_defaults(self, defaults: &'static str) -> Self {
        Self { defaults, ..self }
    }

    /// The fields that were read, as an object of their own.
    pub(super) fn touched(&self) -> Map<String, Value> {
        let touched = self.touched.borrow();
        let pairs = self.map.iter().filter(|(key, _)| touched.contains(*key));
        let mut object = Map::new(); // not collected, which would bring a sort to the page
        object.extend(pairs.map(|(key, value)| (key.clone(), value.clone())));
        object
    }

    /// How the file calls a field, or would have to.
    pub(super) fn name(&self, key: &str) -> String {
        let own = || own_names(self.names.get(), key);
        let key = match own().find(|own| self.lookup(own).is_some()) {
            Some(own) => own,
            None if self.map.contains_key(key) => key,
            None => own().next().unwrap_or(key),
        };
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    /// The value, `null` and absence alike as `None`.
    pub(super) fn value(&self, key: &str) -> Option<&'a Value> {
        own_names(self.names.get(), key)
            .find_map(|own| self.lookup(own))
            .or_else(|| self.lookup(key))
    }

    fn lookup(&self, key: &str) -> Option<&'a Value> {
        let (outer, inner) = match key.split_once('.') {
            Some((outer, inner)) => (outer, Some(inner)),
            None => (key, None),
        };
        let value = self.map.get(outer).filter(|value| !value.is_null())?;
        let value = match inner {
            Some(inner) => match inner.parse::<usize>() {
                Ok(index) => value.get(index),
                Err(_) => value.get(inner),
            }
            .filter(|value| !value.is_null())?,
            None => value,
        };
        self.touched.borrow_mut().insert(outer.to_owned());
        Some(value)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.value(key).is_some()
    }

    /// A whole number within limits.
    pub(super) fn count_in(&self, key: &str, min: u32, max: u32) -> Result<Option<u32>, ConfigError> {
        let Some(value) = self.value(key) else {
            let mut words = self.defaults.split_ascii_whitespace();
            words.find(|word| *word == key);
            return Ok(words.next().and_then(|value| value.parse().ok()));
        };
        let number = value.as_u64().or_else(|| whole_float(value));
        let number = number
            .and_then(|n| u32::try_from(n).ok())
            .filter(|n| (min..=max).contains(n));
        number
            .map(Some)
            .ok_or_else(|| self.wrong(key, &format!("a whole number from {min} to {max}"), value))
    }

    /// A whole number from 1.
    pub(super) fn count(&self, key: &str, max: u32) -> Result<Option<u32>, ConfigError> {
        self.count_in(key, 1, max)
    }

    /// A whole number from 1 that must be there.
    pub(super) fn required(&self, key: &str, max: u32, needed_for: &'static str) -> Result<u32, ConfigError> {
        self.count(key, max)?.ok_or_else(|| ConfigError::Missing {
            field: self.name(key),
            needed_for,
        })
    }

    pub(super) fn flag(&self, key: &str) -> Result<Option<bool>, ConfigError> {
        let Some(value) = self.value(key) else {
            return Ok(None);
        };
        value
            .as_bool()
            .map(Some)
            .ok_or_else(|| self.wrong(key, "true or false", value))
    }

    pub(super) fn text(&self, key: &str) -> Result<Option<&'a str>, ConfigError> {
        let Some(value) = self.value(key) else {
            return Ok(None);
        };
        value
            .as_str()
            .map(Some)
            .ok_or_else(|| self.wrong(key, "a text", value))
    }

    pub(super) fn number(&self, key: &str) -> Result<Option<f64>, ConfigError> {
        let Some(value) = self.value(key) else {
            return Ok(None);
        };
        value
            .as_f64()
            .map(Some)
            .ok_or_else(|| self.wrong(key, "a number", value))
    }

    pub(super) fn list(&self, key: &str) -> Result<Option<&'a [Value]>, ConfigError> {
        let Some(value) = self.value(key) else {
            return Ok(None);
        };
        value
            .as_array()
            .map(|list| Some(list.as_slice()))
            .ok_or_else(|| self.wrong(key, "a list", value))
    }

    pub(super) fn object(&self, key: &str) -> Result<Option<&'a Map<String, Value>>, ConfigError> {
        let Some(value) = self.value(key) else {
            return Ok(None);
        };
        value
            .as_object()
            .map(Some)
            .ok_or_else(|| self.wrong(key, "an object", value))
    }

    pub(super) fn wrong(&self, key: &str, expected: &str, got: &Value) -> ConfigError {
        ConfigError::WrongType {
            field: self.name(key),
            expected: expected.to_owned(),
            got: shown(got),
        }
    }

    pub(super) fn inconsistent(&self, key: &str, problem: impl Into<String>) -> ConfigError {
        ConfigError::Inconsistent {
            field: self.name(key),
            problem: problem.into(),
        }
    }
}

/// `4096.0` is a whole number in some published files.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "guarded by the range check"
)]
fn whole_float(value: &Value) -> Option<u64> {
    let number = value.as_f64()?;
    ((0.0..9e15).contains(&number) && number.fract() == 0.0).then_some(number as u64)
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// A short form of a value.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Array(_) | Value::Object(_) => kind(value).to_owned(),
        other => {
            let text = other.to_string();
            let short: String = text.chars().take(40).collect();
            if short.len() < text.len() {
                format!("{short}…")
            } else {
                short
            }
        }
    }
}
