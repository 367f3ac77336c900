//! What can be wrong with a config.json.

/// Why a config.json gives no model. Messages name the field and what was expected; [`ConfigError::help`] says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Not JSON at all.
    #[error("not JSON: {problem} (line {line}, column {column})")]
    NotJson {
        /// serde_json's words.
        problem: String,
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// JSON, but not an object.
    #[error("expected a JSON object, got {got}")]
    NotAnObject {
        /// A word such as `array`.
        got: &'static str,
    },
    /// Larger than any config.json.
    #[error("the text has {bytes} bytes; a config.json has at most {limit}")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// A field is missing.
    #[error("missing `{field}` (needed for {needed_for})")]
    Missing {
        /// With its path, such as `text_config.hidden_size`.
        field: String,
        /// What cannot be computed without it.
        needed_for: &'static str,
    },
    /// A field has a value of another kind.
    #[error("`{field}`: expected {expected}, got {got}")]
    WrongType {
        /// With its path.
        field: String,
        /// Such as `a whole number from 1 to 1024`.
        expected: String,
        /// A short form of what is there.
        got: String,
    },
    /// Fields contradict each other.
    #[error("`{field}`: {problem}")]
    Inconsistent {
        /// With its path.
        field: String,
        /// What does not fit together.
        problem: String,
    },
    /// Readable, but not modelled: any figure would be a guess.
    #[error("{why}")]
    Unsupported {
        /// The reason.
        why: String,
    },
}

impl ConfigError {
    /// A stable slug.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotJson { .. } => "config.not_json",
            Self::NotAnObject { .. } => "config.not_an_object",
            Self::TooLarge { .. } => "config.too_large",
            Self::Missing { .. } => "config.missing",
            Self::WrongType { .. } => "config.wrong_type",
            Self::Inconsistent { .. } => "config.inconsistent",
            Self::Unsupported { .. } => "config.unsupported",
        }
    }

    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::NotJson { .. } | Self::NotAnObject { .. } => {
                "Use the file config.json from the model's repository, whole and unchanged."
            }
            Self::TooLarge { .. } => {
                "This looks like another file of the model; config.json is a few kilobytes."
            }
            Self::Missing { .. } | Self::WrongType { .. } | Self::Inconsistent { .. } => {
                "Check that this is the config.json of the model and not of an adapter, a tokenizer or a processor."
            }
            Self::Unsupported { .. } => "No figures are given, because they would be a guess.",
        }
    }

    pub(crate) fn unsupported(why: impl Into<String>) -> Self {
        Self::Unsupported { why: why.into() }
    }

    /// Whether the file is sound and only the model is out of reach.
    pub fn is_unsupported(&self) -> bool {
        matches!(self, Self::Unsupported { .. })
    }
}
