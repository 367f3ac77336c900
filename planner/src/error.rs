//! What can be wrong with an input. Each error has a stable code, a message that names the field, and separate advice.
use serde::Serialize;

/// A value that a field cannot take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("`{field}`: {problem}")]
pub struct InputError {
    /// The field's name, vLLM's where vLLM has one.
    pub field: String,
    /// What is wrong and what was expected.
    pub problem: String,
}

impl InputError {
    /// An error about `field`.
    pub fn new(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            problem: problem.into(),
        }
    }

    /// A stable slug.
    pub fn code(&self) -> &'static str {
        "input"
    }
}
