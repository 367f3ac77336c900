//! The model of a scenario: its name, its config's fields, and what they resolve to.
use super::{ConfigError, ModelSpec, catalog, fields, resolve};
use crate::{bounds, error::InputError};
use serde_json::{Map, Value};
use std::sync::Arc;

/// Where the config comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModelOrigin {
    /// The bundled catalogue.
    Catalog,
    /// A config.json that somebody gave.
    Config,
}

/// The model of a scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelInput {
    /// Repository id or path, as `vllm serve` takes it.
    pub id: String,
    /// Branch, tag or commit.
    pub revision: Option<String>,
    /// Where the config comes from.
    pub origin: ModelOrigin,
    /// The config's fields that the arithmetic reads.
    pub config: Arc<Map<String, Value>>,
    /// What they resolve to, or why not: then the plan is `unsupported`.
    pub spec: Result<Arc<ModelSpec>, ConfigError>,
}

impl Eq for ModelInput {}

impl ModelInput {
    /// A model of the catalogue.
    pub fn from_catalog(id: &str) -> Option<Self> {
        let entry = catalog::find(id)?;
        Some(Self {
            id: entry.id.to_owned(),
            revision: None,
            origin: ModelOrigin::Catalog,
            config: Arc::clone(entry.config()),
            spec: entry.spec().clone(),
        })
    }

    /// A config.json. An unsupported model is not an error here: its plan says why.
    pub fn from_config(id: &str, text: &str) -> Result<Self, ConfigError> {
        Self::from_object(id, &fields::parse(text)?)
    }

    /// A config.json that is parsed already.
    pub fn from_object(id: &str, object: &Map<String, Value>) -> Result<Self, ConfigError> {
        let (spec, config) = resolve(object);
        match spec {
            Err(error) if !error.is_unsupported() => Err(error),
            spec => Ok(Self {
                id: id.to_owned(),
                revision: None,
                origin: ModelOrigin::Config,
                config: Arc::new(config),
                spec: spec.map(Arc::new),
            }),
        }
    }

    /// Checks a model id: one line, not empty, not an option.
    pub fn check_id(id: &str) -> Result<String, InputError> {
        let id = bounds::parse_text("model", id.trim())?;
        if id.is_empty() {
            return Err(InputError::new(
                "model",
                "expected a repository id such as Qwen/Qwen3-8B, or a path",
            ));
        }
        if id.starts_with('-') {
            return Err(InputError::new(
                "model",
                "must not start with a dash: vLLM would take it for a flag",
            ));
        }
        Ok(id)
    }
}
