//! Scenario ⇄ `s=1&vllm=0.33.0&data=2026-11&model=…&gpu=h100-sxm&gpus=4&…`
use super::{
    Ignored, ShareError, base64, entries, gpu,
    json::{read_draft, with_config},
    pins::split_pins,
    wishes,
};
use crate::{
    bounds,
    command::set_flag,
    engine::VllmVersion,
    gpu::{data_revision, find},
    model::{ModelInput, ModelOrigin},
    plan::Scenario,
    text::{nearest, short},
};
use serde_json::{Map, Value};
use std::fmt::Write as _;

/// The schema that is written.
pub const SCHEMA: u32 = 1;
/// The most characters of a fragment: what mail and chat programs leave whole.
pub const LINK_LIMIT: usize = 4000;

/// What stands behind `#` in a link to the page.
pub fn to_fragment(scenario: &Scenario) -> Result<String, ShareError> {
    let model = &scenario.model;
    let mut pairs = vec![
        ("s".to_owned(), SCHEMA.to_string()),
        ("vllm".to_owned(), scenario.vllm_version.to_string()),
        ("data".to_owned(), data_revision().to_owned()),
        ("model".to_owned(), model.id.clone()),
    ];
    if let Some(revision) = &model.revision {
        pairs.push(("revision".to_owned(), revision.clone()));
    }
    if model.origin == ModelOrigin::Config {
        pairs.push(("m".to_owned(), packed(&model.config)));
    }
    if let Some(config) = &scenario.draft_config {
        pairs.push(("d".to_owned(), packed(config)));
    }
    pairs.push(("gpu".to_owned(), slug(&scenario.hardware.gpu.name)));
    let fields = entries(scenario).into_iter();
    pairs.extend(fields.map(|(id, value)| (id.to_owned(), value)));
    let mut parts: Vec<String> = pairs
        .iter()
        .map(|(key, value)| format!("{}={}", encode(key), encode(value)))
        .collect();
    for (flag, value) in &scenario.engine.vllm_args {
        parts.push(match value {
            Some(value) => format!("x.{}={}", encode(flag), encode(value)),
            None => format!("x.{}", encode(flag)),
        });
    }
    let fragment = parts.join("&");
    match fragment.len() {
        length if length > LINK_LIMIT => Err(ShareError::TooLong {
            length,
            limit: LINK_LIMIT,
        }),
        _ => Ok(fragment),
    }
}

fn packed(config: &Map<String, Value>) -> String {
    base64::encode(serde_json::to_string(config).unwrap_or_default().as_bytes())
}

fn unpacked(text: &str) -> Option<Value> {
    let bytes = base64::decode(text.trim_end_matches('='))?;
    serde_json::from_slice(&bytes).ok()
}

/// Reads a fragment, with or without its `#`. What cannot be used is listed, and the rest applied.
pub fn from_fragment(fragment: &str) -> Result<(Scenario, Vec<Ignored>), ShareError> {
    let (fragment, _) = split_pins(fragment);
    let mut link = Link::split(&fragment);
    match link.take("s").as_deref() {
        None | Some("1") => {}
        Some(other)
            if other
                .parse::<u64>()
                .is_ok_and(|schema| schema > u64::from(SCHEMA)) =>
        {
            return Err(ShareError::Newer {
                found: short(other),
                known: SCHEMA.to_string(),
            });
        }
        Some(other) => {
            return Err(ShareError::Schema {
                found: short(other),
                expected: "s=1",
            });
        }
    }
    // What the page opens beside the plan, and what its search goes by: no part of it.
    link.take("explain");
    link.pairs.retain(|pair| !pair.key.starts_with(wishes::LETTER));
    let model = link.model()?;
    let name = link.take("gpu").ok_or(ShareError::MissingGpu)?;
    let memory = link.pairs.iter().find(|pair| pair.key == "gpu_memory");
    let has_memory = memory.and_then(|pair| pair.value.clone());
    let gpu = gpu(&name, has_memory.as_deref())?;
    let mut scenario = Scenario::new(model, gpu);
    link.version(&mut scenario);
    if let Some(text) = link.take("d") {
        let read = unpacked(&text).ok_or(ShareError::DamagedDraft);
        if let Err(error) = read.and_then(|config| read_draft(&mut scenario, &config)) {
            link.ignore("d", &text, error.to_string());
        }
    }
    for pair in std::mem::take(&mut link.pairs) {
        link.apply(&mut scenario, pair);
    }
    Ok((scenario, link.ignored))
}

struct Pair {
    key: String,
    /// `None` without `=`.
    value: Option<String>,
}

struct Link {
    pairs: Vec<Pair>,
    ignored: Vec<Ignored>,
}

impl Link {
    fn split(fragment: &str) -> Self {
        let mut link = Self {
            pairs: Vec::new(),
            ignored: Vec::new(),
        };
        let fragment = fragment.trim();
        let fragment = fragment.strip_prefix('#').unwrap_or(fragment);
        for part in fragment.split('&').filter(|part| !part.is_empty()) {
            let (key, value) = match part.split_once('=') {
                Some((key, value)) => (key, Some(value)),
                None => (part, None),
            };
            let decoded = (decode(key), value.map(decode));
            match decoded {
                (Some(key), None) => link.pairs.push(Pair { key, value: None }),
                (Some(key), Some(Some(value))) => link.pairs.push(Pair {
                    key,
                    value: Some(value),
                }),
                _ => link.ignore(key, value.unwrap_or_default(), "not percent-encoded UTF-8"),
            }
        }
        link
    }

    fn ignore(&mut self, key: &str, value: &str, reason: impl Into<String>) {
        self.ignored.push(Ignored {
            key: short(key),
            value: short(value),
            reason: reason.into(),
        });
    }

    /// Takes the first pair of that key out.
    fn take(&mut self, key: &str) -> Option<String> {
        let at = self.pairs.iter().position(|pair| pair.key == key)?;
        self.pairs.remove(at).value
    }

    fn model(&mut self) -> Result<ModelInput, ShareError> {
        let id = self.take("model").ok_or(ShareError::MissingModel)?;
        let id = ModelInput::check_id(&id)?;
        let config = match self.take("m") {
            None => None,
            Some(packed) => match unpacked(&packed) {
                Some(Value::Object(config)) => Some(config),
                _ => return Err(ShareError::DamagedConfig),
            },
        };
        let mut model = with_config(&id, config.as_ref())?;
        if let Some(revision) = self.take("revision") {
            match bounds::parse_text("revision", &revision) {
                Ok(revision) => model.revision = Some(revision),
                Err(error) => self.ignore("revision", &revision, error.problem),
            }
        }
        Ok(model)
    }

    fn version(&mut self, scenario: &mut Scenario) {
        if let Some(text) = self.take("vllm") {
            match text.parse::<VllmVersion>() {
                Ok(version) if version.is_bundled() => scenario.vllm_version = version,
                Ok(version) => {
                    let reason = format!(
                        "the rules of {version} are not here; planned with those of {}",
                        scenario.vllm_version
                    );
                    self.ignore("vllm", &text, reason);
                }
                Err(reason) => self.ignore("vllm", &text, reason),
            }
        }
        if let Some(data) = self.take("data")
            && data != data_revision()
        {
            let reason = format!("made with other figures; those of {} are used", data_revision());
            self.ignore("data", &data, reason);
        }
    }

    fn apply(&mut self, scenario: &mut Scenario, pair: Pair) {
        let Pair { key, value } = pair;
        if let Some(flag) = key.strip_prefix("x.") {
            let version = scenario.vllm_version;
            if let Err(error) = set_flag(&mut scenario.engine, version, flag, value.as_deref()) {
                self.ignore(&key, value.as_deref().unwrap_or_default(), error.problem);
            }
            return;
        }
        let value = value.unwrap_or_default();
        if !Scenario::ids().any(|id| id == key) || matches!(key.as_str(), "vllm_version" | "gpu") {
            let reason = match nearest(&key, Scenario::ids()).first() {
                Some(near) => format!("unknown key; the nearest is {near}"),
                None => "unknown key".to_owned(),
            };
            self.ignore(&key, &value, reason);
        } else if value.trim().is_empty() {
            self.ignore(&key, &value, "no value");
        } else if let Err(error) = scenario.set(&key, &value) {
            self.ignore(&key, &value, error.problem);
        }
    }
}

/// A short form of a GPU's name, where the catalogue finds the same GPU by it.
fn slug(name: &str) -> String {
    let slug: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '-'
            }
        })
        .collect();
    let slug = slug
        .split('-')
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("-");
    match (find(&slug), find(name)) {
        (Some(a), Some(b)) if a.name == b.name && b.name == name => slug,
        _ => name.to_owned(),
    }
}

/// Percent-encodes all but what is plain in a fragment and legible.
pub(super) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/:,".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// The reverse; `None` where the bytes are no UTF-8. A `%` without two digits stands for itself.
pub(super) fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let code = tail.get(..2).filter(|_| *first == b'%');
        let code = code.and_then(|digits| std::str::from_utf8(digits).ok());
        let code = code.filter(|digits| digits.chars().all(|c| c.is_ascii_hexdigit()));
        let byte = code.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() {
            tail.get(2..).unwrap_or_default()
        } else {
            tail
        };
    }
    String::from_utf8(bytes).ok()
}
