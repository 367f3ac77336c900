//! The set of files for a plan.
use crate::plan::Plan;

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

/// What the caller knows and the planner cannot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RenderOptions {
    /// Today, as YYYY-MM-DD, for the header.
    pub date: Option<String>,
    /// A link that opens this scenario on the page.
    pub link: Option<String>,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// Its kind.
    pub kind: ArtifactKind,
    /// Its text, ending in a newline.
    pub text: String,
}

/// All files of a plan: empty when it is unsupported.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArtifactSet {
    /// In the order of [`ArtifactKind::ALL`].
    pub files: Vec<Artifact>,
}

impl ArtifactSet {
    /// The file of that kind.
    pub fn get(&self, kind: ArtifactKind) -> Option<&Artifact> {
        self.files.iter().find(|file| file.kind == kind)
    }
}

/// Renders every file of a plan.
pub fn render(_plan: &Plan, _options: &RenderOptions) -> ArtifactSet {
    ArtifactSet::default()
}
