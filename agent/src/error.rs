//! What can go wrong as expected, and the exit code of each outcome: one table, printed in `--help`.
use planner::error::InputError;
use std::fmt;

/// How the program ends. The numbers are a contract with scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done, and it fits where that was the question.
    Ok = 0,
    /// A defect of this program, or a file that could not be written.
    Internal = 1,
    /// The command line is wrong.
    Usage = 2,
    /// Answered: vLLM does not start.
    DoesNotFit = 3,
    /// No NVIDIA driver, or no GPU that could be read.
    NoGpu = 4,
    /// An input file is missing, unreadable or wrong.
    BadInput = 5,
    /// Nothing is computed, because it would be a guess.
    Unsupported = 6,
}

impl Exit {
    const ALL: [Self; 7] = [
        Self::Ok,
        Self::Internal,
        Self::Usage,
        Self::DoesNotFit,
        Self::NoGpu,
        Self::BadInput,
        Self::Unsupported,
    ];

    /// The number.
    pub(crate) const fn code(self) -> u8 {
        self as u8
    }

    const fn meaning(self) -> &'static str {
        match self {
            Self::Ok => "done; where fit was the question, it fits",
            Self::Internal => "internal error, or a file could not be written",
            Self::Usage => "the command line is wrong",
            Self::DoesNotFit => "answered: it does not fit, or vLLM refuses these flags",
            Self::NoGpu => "no usable GPU found",
            Self::BadInput => "an input file is missing, unreadable or invalid",
            Self::Unsupported => "the model or this way to run it is not supported, so no figures",
        }
    }

    /// The table for `--help`.
    pub(crate) fn table() -> String {
        let rows = Self::ALL.map(|exit| format!("  {}  {}", exit.code(), exit.meaning()));
        format!("Exit codes:\n{}", rows.join("\n"))
    }
}

/// A failure that is not a defect: what happened, what to do, how to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ExpectedError {
    /// How to end.
    pub(crate) exit: Exit,
    /// Lower-case fragment that names the thing and what was expected.
    pub(crate) message: String,
    /// Advice.
    pub(crate) help: Option<String>,
}

impl ExpectedError {
    /// An error without advice.
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            help: None,
        }
    }

    /// The command line is wrong.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// An input file is missing, unreadable or wrong.
    pub(crate) fn input(message: impl Into<String>) -> Self {
        Self::new(Exit::BadInput, message)
    }

    /// With advice.
    #[must_use]
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for ExpectedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message)?;
        match &self.help {
            Some(help) => write!(f, "\nhelp: {help}"),
            None => Ok(()),
        }
    }
}

impl From<InputError> for ExpectedError {
    /// A value from the command line: the message names the flag.
    fn from(error: InputError) -> Self {
        let flag = planner::bounds::field(&error.field)
            .and_then(|field| field.flag)
            .map_or_else(|| flag_name(&error.field), str::to_owned);
        let error_text = format!("{flag}: {}", error.problem);
        match planner::bounds::field(&error.field) {
            Some(field) => Self::usage(error_text).help(field.help),
            None => Self::usage(error_text),
        }
    }
}

/// `--gpu-memory` for `gpu_memory`; what is a flag already stays one.
pub(crate) fn flag_name(id: &str) -> String {
    format!("--{}", id.trim_start_matches('-').replace('_', "-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_has_two_dashes() {
        let error = ExpectedError::from(InputError::new("--kv-cache-dtype", "expected one of a, b"));
        assert_eq!(error.to_string(), "error: --kv-cache-dtype: expected one of a, b");
    }

    #[test]
    fn an_error_shows_its_advice_on_a_line_of_its_own() {
        let error = ExpectedError::usage("--gpus: expected a number").help("Such as 8.");
        assert_eq!(
            error.to_string(),
            "error: --gpus: expected a number\nhelp: Such as 8."
        );
    }

    #[test]
    fn a_field_is_named_by_its_flag() {
        let error = ExpectedError::from(InputError::new("max_model_len", "too large"));
        assert!(error.message.starts_with("--max-model-len: "), "{error}");
        assert_eq!(error.exit, Exit::Usage);
    }
}
