//! The kinds of files that a plan becomes.
use crate::error::InputError;

/// A file's kind: `--emit` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ArtifactKind {
    /// serve_command.sh
    Command,
    /// vllm.service
    Systemd,
    /// docker_run.sh
    Docker,
    /// docker-compose.yaml
    Compose,
    /// .env.example
    Env,
    /// vllm.container
    Quadlet,
    /// k8s.yaml
    K8s,
    /// k8s-autoscale.yaml
    Autoscale,
    /// k8s-values.yaml
    Values,
    /// production-stack-values.yaml
    ProductionStack,
    /// kserve-inferenceservice.yaml
    Kserve,
    /// kserve-llminferenceservice.yaml
    LlmInferenceService,
    /// lws.yaml
    Lws,
    /// rayservice.yaml
    Ray,
    /// skypilot.yaml
    Skypilot,
    /// bench.sh
    Bench,
    /// report.md
    Report,
    /// README.md
    Readme,
    /// profile.yaml
    Profile,
    /// plan.json
    Plan,
}

/// Where a file is used; the page groups by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ArtifactGroup {
    /// On a machine with vLLM installed.
    Host,
    /// In a container on a machine.
    Container,
    /// In a cluster.
    Kubernetes,
    /// To read, keep and measure.
    Plan,
}

impl ArtifactGroup {
    /// All groups, in the order of [`ArtifactKind::ALL`].
    pub const ALL: &'static [Self] = &[Self::Host, Self::Container, Self::Kubernetes, Self::Plan];

    /// The heading.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Host => "Host",
            Self::Container => "Containers",
            Self::Kubernetes => "Clusters",
            Self::Plan => "Plan and checks",
        }
    }

    /// Its kinds.
    pub fn kinds(self) -> impl Iterator<Item = ArtifactKind> {
        ArtifactKind::ALL
            .iter()
            .copied()
            .filter(move |kind| kind.group() == self)
    }
}

/// A kind, its name in `--emit`, its file and its group.
type Row = (ArtifactKind, &'static str, &'static str, ArtifactGroup);

/// In the order of tabs and archives; the plan last, since it holds the others.
const ROWS: &[Row] = &[
    (
        ArtifactKind::Command,
        "command",
        "serve_command.sh",
        ArtifactGroup::Host,
    ),
    (
        ArtifactKind::Systemd,
        "systemd",
        "vllm.service",
        ArtifactGroup::Host,
    ),
    (
        ArtifactKind::Docker,
        "docker",
        "docker_run.sh",
        ArtifactGroup::Container,
    ),
    (
        ArtifactKind::Compose,
        "compose",
        "docker-compose.yaml",
        ArtifactGroup::Container,
    ),
    (ArtifactKind::Env, "env", ".env.example", ArtifactGroup::Container),
    (
        ArtifactKind::Quadlet,
        "quadlet",
        "vllm.container",
        ArtifactGroup::Container,
    ),
    (ArtifactKind::K8s, "k8s", "k8s.yaml", ArtifactGroup::Kubernetes),
    (
        ArtifactKind::Autoscale,
        "autoscale",
        "k8s-autoscale.yaml",
        ArtifactGroup::Kubernetes,
    ),
    (
        ArtifactKind::Values,
        "values",
        "k8s-values.yaml",
        ArtifactGroup::Kubernetes,
    ),
    (
        ArtifactKind::ProductionStack,
        "production-stack",
        "production-stack-values.yaml",
        ArtifactGroup::Kubernetes,
    ),
    (
        ArtifactKind::Kserve,
        "kserve",
        "kserve-inferenceservice.yaml",
        ArtifactGroup::Kubernetes,
    ),
    (
        ArtifactKind::LlmInferenceService,
        "llmisvc",
        "kserve-llminferenceservice.yaml",
        ArtifactGroup::Kubernetes,
    ),
    (ArtifactKind::Lws, "lws", "lws.yaml", ArtifactGroup::Kubernetes),
    (
        ArtifactKind::Ray,
        "ray",
        "rayservice.yaml",
        ArtifactGroup::Kubernetes,
    ),
    (
        ArtifactKind::Skypilot,
        "skypilot",
        "skypilot.yaml",
        ArtifactGroup::Kubernetes,
    ),
    (ArtifactKind::Bench, "bench", "bench.sh", ArtifactGroup::Plan),
    (ArtifactKind::Report, "report", "report.md", ArtifactGroup::Plan),
    (ArtifactKind::Readme, "readme", "README.md", ArtifactGroup::Plan),
    (
        ArtifactKind::Profile,
        "profile",
        "profile.yaml",
        ArtifactGroup::Plan,
    ),
    (ArtifactKind::Plan, "plan", "plan.json", ArtifactGroup::Plan),
];

impl ArtifactKind {
    /// All kinds, in the order of tabs and archives.
    pub const ALL: &'static [Self] = &kinds();

    /// The name in `--emit`.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// The kind of that name; the older tool's `helm` is [`Self::Values`].
    pub fn parse(name: &str) -> Result<Self, InputError> {
        let known = match name.trim() {
            "helm" => Some(Self::Values),
            name => Self::ALL.iter().find(|kind| kind.name() == name).copied(),
        };
        known.ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|kind| kind.name()).collect();
            InputError::new("emit", format!("expected some of {}", names.join(", ")))
        })
    }

    /// The file's name.
    pub fn path(self) -> &'static str {
        self.row().2
    }

    /// Where it is used.
    pub fn group(self) -> ArtifactGroup {
        self.row().3
    }

    /// Whether the file may be run.
    pub fn is_script(self) -> bool {
        std::path::Path::new(self.path())
            .extension()
            .is_some_and(|extension| extension == "sh")
    }

    /// Whether it starts a server, and so has to know on which nodes.
    pub fn starts(self) -> bool {
        self.group() != ArtifactGroup::Plan && self != Self::Env
    }

    fn row(self) -> Row {
        let found = ROWS.iter().find(|row| row.0 == self);
        // Every kind has a row; a test looks.
        found.copied().unwrap_or((self, "", "", ArtifactGroup::Plan))
    }
}

const fn kinds() -> [ArtifactKind; ROWS.len()] {
    let mut kinds = [ArtifactKind::Plan; ROWS.len()];
    let (mut at, mut rest) = (0, ROWS);
    while let [(kind, ..), tail @ ..] = rest {
        if let Some(slot) = kinds.split_at_mut(at).1.first_mut() {
            *slot = *kind;
        }
        at += 1;
        rest = tail;
    }
    kinds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_paths_are_their_own_and_groups_stand_together() {
        let mut names: Vec<&str> = ArtifactKind::ALL.iter().map(|kind| kind.name()).collect();
        let mut paths: Vec<&str> = ArtifactKind::ALL.iter().map(|kind| kind.path()).collect();
        let grouped: Vec<ArtifactKind> = ArtifactGroup::ALL
            .iter()
            .flat_map(|group| group.kinds())
            .collect();
        assert_eq!(grouped, ArtifactKind::ALL);
        assert_eq!(ArtifactKind::ALL.last(), Some(&ArtifactKind::Plan));
        for list in [&mut names, &mut paths] {
            list.sort_unstable();
            list.dedup();
            assert_eq!(list.len(), ROWS.len());
            assert!(list.iter().all(|text| !text.is_empty()));
        }
        for kind in ArtifactKind::ALL {
            assert_eq!(ArtifactKind::parse(kind.name()), Ok(*kind));
        }
    }
}
