//! The YAML of a profile with its keys checked and its lines known.
use super::{KEYS, ProfileError, SECTIONS};
use crate::{
    error::InputError,
    text::{nearest, short},
};
use serde_yaml::{Mapping, Value};

/// Keys that are read by hand.
const OWN: &[(&str, &str)] = &[
    ("model", "id"),
    ("model", "revision"),
    ("hardware", "gpu_name"),
    ("hardware", "vram_gb"),
    ("hardware", "gpu_memory_gib"),
    ("outputs", "emit"),
    ("outputs", "vllm_args"),
];

pub(super) struct Tree<'a> {
    text: &'a str,
    root: Mapping,
}

impl<'a> Tree<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, ProfileError> {
        let root = match serde_yaml::from_str(text) {
            Ok(Value::Mapping(root)) => root,
            Ok(_) => return Err(ProfileError::NotAProfile),
            Err(error) => {
                return Err(ProfileError::Yaml {
                    message: error.to_string(),
                });
            }
        };
        let tree = Self { text, root };
        tree.check_version()?;
        tree.check_keys()?;
        Ok(tree)
    }

    fn check_version(&self) -> Result<(), ProfileError> {
        match self.root.get("profile_version") {
            None => Ok(()),
            Some(Value::Number(number)) if number.as_u64() == Some(1) => Ok(()),
            Some(Value::Number(number)) if number.as_u64().is_some_and(|version| version > 1) => {
                Err(ProfileError::Newer {
                    found: number.to_string(),
                })
            }
            Some(_) => Err(self.wrong("", "profile_version", "expected 1")),
        }
    }

    fn check_keys(&self) -> Result<(), ProfileError> {
        let top = || {
            SECTIONS
                .iter()
                .copied()
                .chain(["profile_version", "vllm_version"])
        };
        for (key, value) in &self.root {
            let name = name(key);
            if !top().any(|known| known == name) {
                return Err(self.unknown("", &name, top()));
            }
            let Some(section) = SECTIONS.iter().find(|section| **section == name) else {
                continue;
            };
            match value {
                Value::Null => {}
                Value::Mapping(entries) => self.check_section(section, entries)?,
                _ => return Err(self.wrong("", section, "expected a mapping")),
            }
        }
        Ok(())
    }

    fn check_section(&self, section: &str, entries: &Mapping) -> Result<(), ProfileError> {
        let own = OWN.iter().copied();
        let all = own.chain(KEYS.iter().map(|key| (key.section, key.key)));
        let known: Vec<&str> = all.filter(|(s, _)| *s == section).map(|(_, key)| key).collect();
        match entries
            .keys()
            .map(name)
            .find(|key| !known.contains(&key.as_str()))
        {
            Some(key) => Err(self.unknown(section, &key, known)),
            None => Ok(()),
        }
    }

    fn unknown<'k>(
        &self,
        section: &str,
        key: &str,
        known: impl IntoIterator<Item = &'k str>,
    ) -> ProfileError {
        ProfileError::UnknownKey {
            key: path(section, &short(key)),
            line: self.line(section, key),
            nearest: nearest(key, known).first().map(|near| path(section, near)),
        }
    }

    /// An error about a value.
    pub(super) fn wrong(&self, section: &str, key: &str, problem: &str) -> ProfileError {
        self.value(section, key, InputError::new(path(section, key), problem))
    }

    /// The same with the error that the field gave.
    pub(super) fn value(&self, section: &str, key: &str, error: InputError) -> ProfileError {
        ProfileError::Value {
            line: self.line(section, key),
            error,
        }
    }

    /// The value of a key; null is as good as missing.
    pub(super) fn get(&self, section: &str, key: &str) -> Option<&Value> {
        let entries = match section {
            "" => &self.root,
            section => self.root.get(section)?.as_mapping()?,
        };
        entries.get(key).filter(|value| !value.is_null())
    }

    /// A scalar as text.
    pub(super) fn text(&self, section: &str, key: &str) -> Result<Option<String>, ProfileError> {
        let Some(value) = self.get(section, key) else {
            return Ok(None);
        };
        match scalar(value) {
            Some(text) => Ok(Some(text)),
            None => Err(self.wrong(section, key, "expected a text, a number, true or false")),
        }
    }

    /// The line of a key: the first below its section that starts with it. 1 where the file is written in one line.
    pub(super) fn line(&self, section: &str, key: &str) -> usize {
        let mut inside = section.is_empty();
        for (number, line) in (1..).zip(self.text.lines()) {
            let at_margin = line.starts_with(|c: char| !c.is_whitespace() && c != '#');
            if at_margin && !section.is_empty() {
                inside = opens(line, section);
            }
            if inside && at_margin == section.is_empty() && opens(line.trim_start(), key) {
                return number;
            }
        }
        let holds = |(_, line): &(usize, &str)| line.contains(key);
        (1..)
            .zip(self.text.lines())
            .find(holds)
            .map_or(1, |(number, _)| number)
    }
}

/// Whether a line begins with `key:`, quoted or not.
fn opens(line: &str, key: &str) -> bool {
    let line = line.trim_start_matches(['"', '\'']);
    line.strip_prefix(key)
        .is_some_and(|rest| rest.trim_start_matches(['"', '\'']).trim_start().starts_with(':'))
}

fn path(section: &str, key: &str) -> String {
    if section.is_empty() {
        key.to_owned()
    } else {
        format!("{section}.{key}")
    }
}

fn name(key: &Value) -> String {
    scalar(key).unwrap_or_else(|| "(no text)".to_owned())
}

/// A text, number or switch as text.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}
