//! The set of files for a plan.
use super::{compose, deployment::Deployment, header, omitted, plan_json, shell, values};
use crate::{error::InputError, plan::Plan, profile};

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

/// Renders every file of a plan; [`omitted`] says why one is not there.
pub fn render(plan: &Plan, options: &RenderOptions) -> ArtifactSet {
    let mut set = ArtifactSet::default();
    let Some(deployment) = Deployment::of(plan) else {
        return set;
    };
    let header = header::lines(plan, options);
    for kind in ArtifactKind::ALL {
        if omitted(plan, *kind).is_some() {
            continue;
        }
        let text = match kind {
            ArtifactKind::Command => shell::serve(&deployment, &header),
            ArtifactKind::Docker => shell::docker(&deployment, &header),
            ArtifactKind::Compose => compose::compose(&deployment, &header),
            ArtifactKind::Values => values::values(&deployment, &header),
            ArtifactKind::Profile => profile::write(&plan.scenario, ArtifactKind::ALL, &header),
            // Last in the order: it holds the others.
            ArtifactKind::Plan => plan_json(plan, &set),
        };
        set.files.push(Artifact { kind: *kind, text });
    }
    set
}
