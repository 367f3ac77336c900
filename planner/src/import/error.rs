//! Why a text gives no deployment.
use crate::error::InputError;

/// Why a text gives no deployment. Lines count from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// Nothing but blanks and comments.
    #[error("nothing to read: only blank lines and comments")]
    Empty,
    /// Too much.
    #[error("{bytes} bytes, more than the {limit} that are read")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The most that is read.
        limit: usize,
    },
    /// Bytes that no command holds.
    #[error("not a text: it holds a NUL character")]
    NotText,
    /// YAML that cannot be read.
    #[error("line {line}: {problem}")]
    Yaml {
        /// Where.
        line: usize,
        /// What.
        problem: String,
    },
    /// A command line that cannot be read.
    #[error("line {line}: {problem}")]
    Shell {
        /// Where.
        line: usize,
        /// What.
        problem: String,
    },
    /// Read, but nothing in it starts vLLM.
    #[error("nothing here starts vLLM: looked for {looked_for} in {place}{}", listed(.found))]
    NoVllm {
        /// What was looked for.
        looked_for: &'static str,
        /// Where.
        place: String,
        /// What is there instead.
        found: Vec<String>,
    },
    /// The model is only known where this runs.
    #[error("{place}: the model is `{variable}`, which is not set in this text")]
    UnsetModel {
        /// Where.
        place: String,
        /// The variable.
        variable: String,
    },
    /// vLLM would not take the command.
    #[error("{place}: {error}")]
    Command {
        /// Where.
        place: String,
        /// Which flag, and why.
        error: InputError,
    },
    /// A profile.yaml.
    #[error("this is a profile of vLLM Wizard, not a deployment")]
    Profile,
    /// A scenario or a plan.
    #[error("this is a scenario or plan of vLLM Wizard, not a deployment")]
    Scenario,
}

fn listed(names: &[String]) -> String {
    if names.is_empty() {
        return String::new();
    }
    format!("; found {}", names.join(", "))
}

impl ImportError {
    /// A stable slug.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "import-empty",
            Self::TooLarge { .. } => "import-too-large",
            Self::NotText => "import-not-text",
            Self::Yaml { .. } => "import-yaml",
            Self::Shell { .. } => "import-shell",
            Self::NoVllm { .. } => "import-no-vllm",
            Self::UnsetModel { .. } => "import-unset-model",
            Self::Command { .. } => "import-command",
            Self::Profile => "import-profile",
            Self::Scenario => "import-scenario",
        }
    }

    /// What to do.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Empty | Self::NotText | Self::NoVllm { .. } => {
                "Give a `vllm serve` or `docker run` line, a compose file, a Kubernetes manifest, chart values or a unit."
            }
            Self::TooLarge { .. } => "Give only the part that starts vLLM.",
            Self::Yaml { .. } | Self::Shell { .. } => "Correct that line.",
            Self::UnsetModel { .. } => "Write the model's name in its place.",
            Self::Command { .. } => "Correct the flag.",
            Self::Profile => "Give it with --profile, or drop it on the page.",
            Self::Scenario => "Give it with --scenario, or open it on the page as a scenario.",
        }
    }
}
