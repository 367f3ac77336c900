//! The kinds of files that a plan becomes.
use crate::error::InputError;

/// A file's kind: `--emit` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ArtifactKind {
    /// serve_command.sh
    Command,
    /// docker_run.sh
    Docker,
    /// docker-compose.yaml
    Compose,
    /// k8s-values.yaml
    Values,
    /// profile.yaml
    Profile,
    /// plan.json
    Plan,
}

impl ArtifactKind {
    /// All kinds, in the order of tabs and archives.
    pub const ALL: &'static [Self] = &[
        Self::Command,
        Self::Docker,
        Self::Compose,
        Self::Values,
        Self::Profile,
        Self::Plan,
    ];

    /// The name in `--emit`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Docker => "docker",
            Self::Compose => "compose",
            Self::Values => "values",
            Self::Profile => "profile",
            Self::Plan => "plan",
        }
    }

    /// The kind of that name; the older tool's `k8s` and `helm` are [`Self::Values`].
    pub fn parse(name: &str) -> Result<Self, InputError> {
        let known = match name.trim() {
            "k8s" | "helm" => Some(Self::Values),
            name => Self::ALL.iter().find(|kind| kind.name() == name).copied(),
        };
        known.ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|kind| kind.name()).collect();
            InputError::new("emit", format!("expected some of {}", names.join(", ")))
        })
    }

    /// The file's name.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Command => "serve_command.sh",
            Self::Docker => "docker_run.sh",
            Self::Compose => "docker-compose.yaml",
            Self::Values => "k8s-values.yaml",
            Self::Profile => "profile.yaml",
            Self::Plan => "plan.json",
        }
    }
}
