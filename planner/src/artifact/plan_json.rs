//! plan.json: `vllm-wizard/plan/v1`, keys in the contract's order: each struct's own order of fields.
use super::ArtifactSet;
use crate::{
    engine::{ArgRow, VllmVersion},
    json::FieldText,
    plan::{Feasibility, Memory, Note, PLAN_SCHEMA, Performance, Plan, Remedy, Scenario, Verdict},
    share,
};
use serde::{Serialize, ser::SerializeMap as _};
use serde_json::{
    Serializer,
    ser::{CompactFormatter, Formatter, PrettyFormatter},
};
use std::io::{Result, Write};

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
    alternatives: &'a [Remedy],
    notes: &'a [Note],
    artifacts: Files<'a>,
}

/// plan.json; the texts of `files` stand under `artifacts`.
pub fn plan_json(plan: &Plan, files: &ArtifactSet) -> String {
    written(plan, files, Layout::Lines(PrettyFormatter::new()))
}

/// The same without files in one line, which ends it.
pub fn plan_line(plan: &Plan) -> String {
    written(plan, &ArtifactSet::default(), Layout::OneLine)
}

fn written(plan: &Plan, files: &ArtifactSet, layout: Layout) -> String {
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
        alternatives: &plan.alternatives,
        notes: &plan.notes,
        artifacts: Files(files),
    };
    let mut text = Vec::with_capacity(8 << 10);
    let mut serializer = Serializer::with_formatter(&mut text, layout);
    // Writing into memory cannot fail: every key is a text.
    let _ = document.serialize(&mut serializer);
    text.push(b'\n');
    String::from_utf8(text).unwrap_or_default()
}

/// Lines or one line, chosen while running: a formatter of each kind would be every document's code twice.
enum Layout {
    Lines(PrettyFormatter<'static>),
    OneLine,
}

/// What the formatter of that layout does.
macro_rules! either {
    ($self:ident, $does:ident($($given:expr),*)) => {
        match $self {
            Self::Lines(lines) => lines.$does($($given),*),
            Self::OneLine => CompactFormatter.$does($($given),*),
        }
    };
}

impl Formatter for Layout {
    fn begin_array<W: ?Sized + Write>(&mut self, to: &mut W) -> Result<()> {
        either!(self, begin_array(to))
    }

    fn end_array<W: ?Sized + Write>(&mut self, to: &mut W) -> Result<()> {
        either!(self, end_array(to))
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, to: &mut W, first: bool) -> Result<()> {
        either!(self, begin_array_value(to, first))
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, to: &mut W) -> Result<()> {
        either!(self, end_array_value(to))
    }

    fn begin_object<W: ?Sized + Write>(&mut self, to: &mut W) -> Result<()> {
        either!(self, begin_object(to))
    }

    fn end_object<W: ?Sized + Write>(&mut self, to: &mut W) -> Result<()> {
        either!(self, end_object(to))
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, to: &mut W, first: bool) -> Result<()> {
        either!(self, begin_object_key(to, first))
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, to: &mut W) -> Result<()> {
        either!(self, begin_object_value(to))
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, to: &mut W) -> Result<()> {
        either!(self, end_object_value(to))
    }
}

/// Every argument as it resolves, and why.
struct Config<'a> {
    scenario: &'a Scenario,
    rows: Vec<ArgRow>,
}

impl Serialize for Config<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
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
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().copied())
    }
}

struct Files<'a>(&'a ArtifactSet);

impl Serialize for Files<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.files.iter().map(|file| (file.kind.path(), &file.text)))
    }
}
