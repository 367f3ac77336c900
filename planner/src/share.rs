//! Scenario ⇄ the fragment of a link, and ⇄ JSON.
//!
//! Keys are vLLM's and Hugging Face's names in a fixed order; only what differs from a fresh scenario is written.
//! A link never reaches a server: it stands behind `#`.
mod base64;
mod fields;
mod fragment;
mod json;
mod pins;
mod wishes;

pub use fragment::{LINK_LIMIT, SCHEMA, from_fragment, to_fragment};
pub(crate) use json::Ordered;
pub use json::{SCENARIO_SCHEMA, scenario_from_json, scenario_json};

pub use pins::{split_pins, with_pins};
pub use wishes::{wishes_of, with_wishes};

pub(crate) use fields::{arg_text, entries, gpu};

use crate::{error::InputError, model::ConfigError};

/// A part of a link that was left out while the rest was applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignored {
    /// As in the link.
    pub key: String,
    /// As in the link, decoded.
    pub value: String,
    /// Why.
    pub reason: String,
}

/// Why a link or a document gives no scenario, or a scenario no link.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ShareError {
    /// Made by a newer version.
    #[error("made by a newer vLLM Wizard (schema {found}; this one reads up to {known})")]
    Newer {
        /// Its schema.
        found: String,
        /// Ours.
        known: String,
    },
    /// Not a scenario at all.
    #[error("not a scenario: expected {expected}, got {found:?}")]
    Schema {
        /// What was found.
        found: String,
        /// What was expected.
        expected: &'static str,
    },
    /// No model.
    #[error("missing `model` (a repository id such as Qwen/Qwen3-8B)")]
    MissingModel,
    /// A model that the catalogue does not have, without its config.
    #[error("model {id:?} is not in the catalogue, and its config is not included")]
    UnknownModel {
        /// The id.
        id: String,
    },
    /// A config that cannot be read.
    #[error("config of model {id:?}: {error}")]
    Config {
        /// The id.
        id: String,
        /// Why.
        error: ConfigError,
    },
    /// A packed config that is damaged.
    #[error("the packed config (`m`) is damaged; the link may have been cut off")]
    DamagedConfig,
    /// A packed config of a draft that is damaged.
    #[error("the packed config of the draft (`d`) is damaged")]
    DamagedDraft,
    /// No GPU.
    #[error("missing `gpu` (a name such as h100-sxm)")]
    MissingGpu,
    /// A GPU that the catalogue does not have, without its memory.
    #[error("gpu {name:?} is not in the catalogue, and `gpu_memory` is not given")]
    UnknownGpu {
        /// The name.
        name: String,
    },
    /// A field that cannot take its value.
    #[error("{0}")]
    Input(InputError),
    /// The link would not survive a mail or a chat.
    #[error("the link would have {length} characters, more than {limit}")]
    TooLong {
        /// Characters of the fragment.
        length: usize,
        /// The most that is allowed.
        limit: usize,
    },
}

impl ShareError {
    /// A stable slug.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Newer { .. } => "share-newer",
            Self::Schema { .. } => "share-schema",
            Self::MissingModel => "share-missing-model",
            Self::UnknownModel { .. } => "share-unknown-model",
            Self::Config { .. } => "share-config",
            Self::DamagedConfig => "share-damaged-config",
            Self::DamagedDraft => "share-damaged-draft",
            Self::MissingGpu => "share-missing-gpu",
            Self::UnknownGpu { .. } => "share-unknown-gpu",
            Self::Input(_) => "share-input",
            Self::TooLong { .. } => "share-too-long",
        }
    }

    /// What to do.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Newer { .. } => "Reload the page, or update the program; the link itself is fine.",
            Self::Schema { .. } => "Save a scenario, or open a plan.json: its `scenario` is one.",
            Self::MissingModel | Self::UnknownModel { .. } => {
                "Choose the model again, or open its config.json."
            }
            Self::Config { .. } => "Open the model's own config.json.",
            Self::DamagedDraft => "Copy the whole link again.",
            Self::DamagedConfig => "Copy the whole link again, or open the model's config.json.",
            Self::MissingGpu | Self::UnknownGpu { .. } => {
                "Choose the GPU again, or give its memory and compute capability."
            }
            Self::Input(_) => "Correct the field.",
            Self::TooLong { .. } => "Save the scenario as a file instead; it holds the same.",
        }
    }
}

impl From<InputError> for ShareError {
    fn from(error: InputError) -> Self {
        Self::Input(error)
    }
}
