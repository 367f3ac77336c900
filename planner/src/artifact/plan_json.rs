//! plan.json: `vllm-wizard/plan/v1`, keys in the contract's order: each struct's own order of fields.
use super::ArtifactSet;
use crate::{
    engine::{ArgRow, VllmVersion},
    json::FieldText,
    plan::{Feasibility, Memory, Note, PLAN_SCHEMA, Performance, Plan, Scenario, Verdict},
    share,
};
use serde::{Serialize, Serializer, ser::SerializeMap as _};

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    scenario: share::Ordered<'a>,
    vllm_version: &'a VllmVersion,
    verdict: &'a Verdict,
    feasibility: Option<&'a Feasibility>,
    memory: Option<&'a Memory>,
    config: Config<'a>,
    performance: Option<&'a Performance>,
    alternatives: [(); 0],
    notes: &'a [Note],
    artifacts: Files<'a>,
}

/// plan.json; the texts of `files` stand under `artifacts`.
pub fn plan_json(plan: &Plan, files: &ArtifactSet) -> String {
    let document = Document {
        schema: PLAN_SCHEMA,
        scenario: share::Ordered::of(&plan.scenario),
        vllm_version: &plan.scenario.vllm_version,
        verdict: &plan.verdict,
        feasibility: plan.feasibility.as_ref(),
        memory: plan.memory.as_ref(),
        config: Config {
            scenario: &plan.scenario,
            rows: plan.arg_rows(),
        },
        performance: plan.performance.as_ref(),
        alternatives: [],
        notes: &plan.notes,
        artifacts: Files(files),
    };
    // Writing into a string cannot fail: every key is a text.
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

/// Every argument as it resolves, and why.
struct Config<'a> {
    scenario: &'a Scenario,
    rows: Vec<ArgRow>,
}

impl Serialize for Config<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("model", &self.scenario.model.id)?;
        if let Some(revision) = &self.scenario.model.revision {
            map.serialize_entry("revision", revision)?;
        }
        for ArgRow { id, value: text, .. } in &self.rows {
            map.serialize_entry(id, &FieldText { id, text })?;
        }
        let set = ["served_model_name", "port"]
            .into_iter()
            .filter_map(|id| Some((id, self.scenario.get(id)?)));
        let mut why: Vec<(&str, &str)> = self.rows.iter().map(|row| (row.id, row.why.as_str())).collect();
        for (id, text) in set {
            map.serialize_entry(id, &FieldText { id, text: &text })?;
            why.push((id, "Set by you."));
        }
        map.serialize_entry("explanations", &Pairs(why))?;
        map.end()
    }
}

struct Pairs<'a>(Vec<(&'a str, &'a str)>);

impl Serialize for Pairs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().copied())
    }
}

struct Files<'a>(&'a ArtifactSet);

impl Serialize for Files<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.files.iter().map(|file| (file.kind.path(), &file.text)))
    }
}
