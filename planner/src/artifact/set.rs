//! The set of files for a plan.
use super::{compose, deployment::Deployment, header, omitted, plan_json, profile_yaml, shell, values};
use crate::plan::{ArtifactKind, Plan};

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
            ArtifactKind::Profile => profile_yaml::profile_yaml(&plan.scenario, ArtifactKind::ALL, &header),
            // Last in the order: it holds the others.
            ArtifactKind::Plan => plan_json(plan, &set),
        };
        set.files.push(Artifact { kind: *kind, text });
    }
    set
}
