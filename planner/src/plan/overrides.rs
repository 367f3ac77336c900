//! Flags that change fields of the model's config: `--hf-overrides`, and up to 0.11.0 `--rope-scaling`.
//!
//! Mirrors `vllm/config/model.py: _apply_dict_overrides` at 0.33.0: what is an object of the config's own is merged, all
//! else is replaced.
use super::scenario::Scenario;
use crate::model::ModelInput;
use serde_json::{Map, Value};
use std::{borrow::Cow, sync::Arc};

/// Fields that are configs of their own, whose other fields stay.
const CONFIGS: &str = "_config";
const ROPE: [&str; 2] = ["rope_parameters", "rope_scaling"];

/// The scenario with the config as its flags make it.
pub fn applied(scenario: &Scenario) -> Cow<'_, Scenario> {
    let engine = &scenario.engine;
    let mut changes = match engine.json("--hf-overrides") {
        Some(Value::Object(changes)) => changes,
        _ => Map::new(),
    };
    if let Some(rope) = engine.json("--rope-scaling") {
        changes.insert(ROPE[1].to_owned(), rope);
    }
    if changes.is_empty() {
        return Cow::Borrowed(scenario);
    }
    let mut config = Map::clone(&scenario.model.config);
    for (key, value) in changes {
        if ROPE.contains(&key.as_str()) {
            // Two names of one setting.
            for name in ROPE {
                config.remove(name);
            }
        }
        match (config.get_mut(&key), value) {
            (Some(Value::Object(own)), Value::Object(new)) if key.ends_with(CONFIGS) => own.extend(new),
            (_, value) => drop(config.insert(key, value)),
        }
    }
    let mut changed = scenario.clone();
    let id = &scenario.model.id;
    match ModelInput::from_object(id, &config) {
        Ok(model) => {
            changed.model.config = model.config;
            changed.model.spec = model.spec;
        }
        Err(error) => {
            changed.model.config = Arc::new(config);
            changed.model.spec = Err(error);
        }
    }
    Cow::Owned(changed)
}
