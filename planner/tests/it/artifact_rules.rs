//! What the programs that read our files do not look for: held here over every kind of plan.
use crate::{matrix, support::scenario};
use planner::{
    ArtifactKind, Plan, RenderOptions,
    artifact::{serve_args, systemd_words},
    engine::{FlagKind, FlagTable, versions},
    evaluate, render,
};
use serde::Deserialize as _;
use serde_json::Value;
use std::collections::BTreeSet;

/// Plans that have files, with a name for messages.
fn plans() -> Vec<(String, Plan)> {
    let plans: Vec<_> = matrix::scenarios()
        .into_iter()
        .map(|(name, scenario)| (name, evaluate(&scenario)))
        .filter(|(_, plan)| !render(plan, &RenderOptions::default()).files.is_empty())
        .collect();
    assert!(plans.len() >= 200, "{}", plans.len());
    plans
}

/// The documents of every file in YAML.
fn documents(plan: &Plan) -> Vec<(ArtifactKind, Vec<Value>)> {
    render(plan, &RenderOptions::default())
        .files
        .iter()
        .filter(|file| file.kind.path().ends_with(".yaml"))
        .map(|file| {
            let parsed = serde_yaml::Deserializer::from_str(&file.text)
                .map(|document| serde_json::to_value(serde_yaml::Value::deserialize(document).unwrap()).unwrap())
                .filter(|document| !document.is_null())
                .collect();
            (file.kind, parsed)
        })
        .collect()
}
