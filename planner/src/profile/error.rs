//! Why a profile cannot be read.
use crate::error::InputError;

/// Why a profile cannot be read. Lines count from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// No YAML.
    #[error("not YAML: {message}")]
    Yaml {
        /// With line and column.
        message: String,
    },
    /// YAML, but not a profile.
    #[error("not a profile: expected a mapping with `model` and `hardware`")]
    NotAProfile,
    /// Made by a newer version.
    #[error("profile_version {found} is newer than this program reads (1)")]
    Newer {
        /// Its version.
        found: String,
    },
    /// A key that profiles do not have.
    #[error("line {line}: unknown key `{key}`{}", near(nearest.as_deref()))]
    UnknownKey {
        /// With its section: `hardware.gpu`.
        key: String,
        /// Where.
        line: usize,
        /// The known key that it resembles.
        nearest: Option<String>,
    },
    /// A value that a key cannot take.
    #[error("line {line}: {error}")]
    Value {
        /// Where.
        line: usize,
        /// The key and what was expected.
        error: InputError,
    },
    /// `model.id` is missing.
    #[error("missing `model.id` (a repository id such as Qwen/Qwen3-8B)")]
    MissingModel,
    /// A model that is neither in the catalogue nor supplied.
    #[error("line {line}: model {id:?} is not in the catalogue")]
    UnknownModel {
        /// The id.
        id: String,
        /// Where.
        line: usize,
    },
    /// `gpu_name` is `auto` or missing, and nobody detected a GPU.
    #[error("`hardware.gpu_name` is auto, and no GPU was detected")]
    NoGpu,
    /// A GPU that the catalogue does not have, without its memory.
    #[error("line {line}: gpu {name:?} is not in the catalogue, and `vram_gb` is not given")]
    UnknownGpu {
        /// The name.
        name: String,
        /// Where.
        line: usize,
    },
}

fn near(nearest: Option<&str>) -> String {
    nearest
        .map(|nearest| format!("; the nearest is `{nearest}`"))
        .unwrap_or_default()
}

impl ProfileError {
    /// A stable slug.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Yaml { .. } => "profile-yaml",
            Self::NotAProfile => "profile-form",
            Self::Newer { .. } => "profile-newer",
            Self::UnknownKey { .. } => "profile-unknown-key",
            Self::Value { .. } => "profile-value",
            Self::MissingModel => "profile-missing-model",
            Self::UnknownModel { .. } => "profile-unknown-model",
            Self::NoGpu => "profile-no-gpu",
            Self::UnknownGpu { .. } => "profile-unknown-gpu",
        }
    }

    /// What to do.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Yaml { .. } | Self::NotAProfile => "Generate a profile and compare the two.",
            Self::Newer { .. } => "Update this program.",
            Self::UnknownKey { .. } | Self::Value { .. } => "Correct that line.",
            Self::MissingModel => "Add `id` under `model`.",
            Self::UnknownModel { .. } => "Give its config.json with --model-config.",
            Self::NoGpu => "Name a GPU under `hardware`, or run this on the machine itself.",
            Self::UnknownGpu { .. } => "Add `vram_gb` and `compute_capability` under `hardware`.",
        }
    }
}
