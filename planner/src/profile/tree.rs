//! The YAML of a profile with its keys checked and its lines known.
use super::{KEYS, ProfileError, SECTIONS};
use crate::{
    error::InputError,
    text::{nearest, short},
    yaml::{self, Entry, Kind, Node},
};

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

pub(super) struct Tree {
    root: Node,
}

impl Tree {
    pub(super) fn parse(text: &str) -> Result<Self, ProfileError> {
        let documents = yaml::read(text).map_err(|error| ProfileError::Yaml {
            message: error.to_string(),
        })?;
        let mut documents = documents.into_iter();
        let root = match (documents.next(), documents.next()) {
            (Some(root), None) if matches!(root.kind, Kind::Map(_)) => root,
            _ => return Err(ProfileError::NotAProfile),
        };
        let tree = Self { root };
        tree.check_version()?;
        tree.check_keys()?;
        Ok(tree)
    }

    fn check_version(&self) -> Result<(), ProfileError> {
        let Some(version) = self.root.get("profile_version") else {
            return Ok(());
        };
        match version.json().as_u64() {
            Some(1) => Ok(()),
            Some(newer) if newer > 1 => Err(ProfileError::Newer {
                found: newer.to_string(),
            }),
            _ => Err(self.wrong("", "profile_version", "expected 1")),
        }
    }

    fn check_keys(&self) -> Result<(), ProfileError> {
        let top = || {
            SECTIONS
                .iter()
                .copied()
                .chain(["profile_version", "vllm_version"])
        };
        for Entry { key, line, node } in self.root.map() {
            if !top().any(|known| known == key) {
                return Err(unknown("", key, *line, top()));
            }
            let Some(section) = SECTIONS.iter().find(|section| *section == key) else {
                continue;
            };
            match &node.kind {
                Kind::Map(entries) => check_section(section, entries)?,
                _ if node.is_null() => {}
                _ => return Err(self.wrong("", section, "expected a mapping")),
            }
        }
        Ok(())
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
    pub(super) fn get(&self, section: &str, key: &str) -> Option<&Node> {
        match section {
            "" => self.root.get(key),
            section => self.root.get(section)?.get(key),
        }
    }

    /// A scalar as text.
    pub(super) fn text(&self, section: &str, key: &str) -> Result<Option<String>, ProfileError> {
        let Some(value) = self.get(section, key) else {
            return Ok(None);
        };
        match value.text() {
            Some(text) => Ok(Some(text.to_owned())),
            None => Err(self.wrong(section, key, "expected a text, a number, true or false")),
        }
    }

    /// The line of a key; its section's where it is missing, 1 where that is.
    pub(super) fn line(&self, section: &str, key: &str) -> usize {
        let entry = |node: &Node, key: &str| {
            let found = node.map().iter().find(|entry| entry.key == key);
            found.map(|entry| entry.line)
        };
        if section.is_empty() {
            return entry(&self.root, key).unwrap_or(1);
        }
        let own = self.root.get(section).and_then(|node| entry(node, key));
        own.or_else(|| entry(&self.root, section)).unwrap_or(1)
    }
}

fn check_section(section: &str, entries: &[Entry]) -> Result<(), ProfileError> {
    let own = OWN.iter().copied();
    let all = own.chain(KEYS.iter().map(|key| (key.section, key.key)));
    let known: Vec<&str> = all.filter(|(s, _)| *s == section).map(|(_, key)| key).collect();
    match entries.iter().find(|entry| !known.contains(&entry.key.as_str())) {
        Some(entry) => Err(unknown(section, &entry.key, entry.line, known)),
        None => Ok(()),
    }
}

fn unknown<'k>(
    section: &str,
    key: &str,
    line: usize,
    known: impl IntoIterator<Item = &'k str>,
) -> ProfileError {
    ProfileError::UnknownKey {
        key: path(section, &short(key)),
        line,
        nearest: nearest(key, known).first().map(|near| path(section, near)),
    }
}

fn path(section: &str, key: &str) -> String {
    if section.is_empty() {
        key.to_owned()
    } else {
        format!("{section}.{key}")
    }
}
