//! The set of files for a plan.
use super::{
    autoscale, bench, compose,
    deployment::{Deployment, left_out},
    env, header, k8s, kserve, lws, plan_json, production_stack, profile_yaml, quadlet, ray, readme, report,
    shell, skypilot, systemd, values,
};
use crate::plan::{ArtifactKind, Plan};
use std::borrow::Cow;

/// What the caller knows and the planner cannot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RenderOptions {
    /// Today, as YYYY-MM-DD, for the header.
    pub date: Option<String>,
    /// A link that opens this scenario on the page.
    pub link: Option<String>,
    /// The kinds that are kept, where not all are: README.md names no other.
    pub emit: Vec<ArtifactKind>,
}

impl RenderOptions {
    /// A file of that kind is kept.
    pub(super) fn keeps(&self, kind: ArtifactKind) -> bool {
        self.emit.is_empty() || self.emit.contains(&kind)
    }
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

/// Renders every file of a plan; [`super::omitted`] says why one is not there.
pub fn render(plan: &Plan, options: &RenderOptions) -> ArtifactSet {
    rendered(plan, options, None)
}

/// One of these files.
pub fn render_one(plan: &Plan, options: &RenderOptions, kind: ArtifactKind) -> Option<Artifact> {
    let files = rendered(plan, options, Some(kind)).files;
    files.into_iter().find(|file| file.kind == kind)
}

fn rendered(plan: &Plan, options: &RenderOptions, only: Option<ArtifactKind>) -> ArtifactSet {
    let mut set = ArtifactSet::default();
    let Some(deployment) = Deployment::of(plan) else {
        return set;
    };
    let header = header::lines(plan, options);
    let kinds: Vec<ArtifactKind> = ArtifactKind::ALL
        .iter()
        .copied()
        .filter(|kind| left_out(plan, *kind, &|| Cow::Borrowed(&deployment.args)).is_none())
        .collect();
    // plan.json holds the others.
    let wanted = |kind: &&ArtifactKind| only.is_none_or(|one| one == ArtifactKind::Plan || one == **kind);
    for kind in kinds.iter().filter(wanted) {
        let text = match kind {
            ArtifactKind::Command => shell::serve(&deployment, &header),
            ArtifactKind::Docker => shell::docker(&deployment, &header),
            ArtifactKind::Compose => compose::compose(&deployment, &header),
            ArtifactKind::Systemd => systemd::systemd(&deployment, &header),
            ArtifactKind::Env => env::env(&deployment, &header),
            ArtifactKind::Quadlet => quadlet::quadlet(&deployment, &header),
            ArtifactKind::K8s => k8s::k8s(&deployment, &header),
            ArtifactKind::Autoscale => autoscale::autoscale(&deployment, &header),
            ArtifactKind::Values => values::values(&deployment, &header),
            ArtifactKind::ProductionStack => production_stack::values(&deployment, &header),
            ArtifactKind::Kserve => kserve::inference_service(&deployment, &header),
            ArtifactKind::LlmInferenceService => kserve::llm_inference_service(&deployment, &header),
            ArtifactKind::Lws => lws::lws(&deployment, &header),
            ArtifactKind::Ray => ray::ray(&deployment, &header),
            ArtifactKind::Skypilot => skypilot::skypilot(&deployment, &header),
            ArtifactKind::Bench => bench::bench(&deployment, &header),
            ArtifactKind::Report => report::report(plan, options),
            ArtifactKind::Readme => readme::readme(&deployment, options),
            ArtifactKind::Profile => profile_yaml::profile_yaml(&plan.scenario, &kinds, &header),
            // Last in the order.
            ArtifactKind::Plan => plan_json(plan, &set),
        };
        set.files.push(Artifact { kind: *kind, text });
    }
    set
}
