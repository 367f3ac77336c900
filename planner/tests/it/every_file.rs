//! Everything that planner says of a scenario, in one text.
use planner::{RenderOptions, evaluate, render, share};
use std::fmt::Write as _;

/// The files of a scenario's plan, plan.json among them.
pub(crate) fn every_file(scenario: &str) -> String {
    let json = serde_json::from_str(scenario).expect("an example is JSON");
    let scenario = share::scenario_from_json(&json).expect("an example is a scenario");
    let options = RenderOptions {
        date: Some("2026-11-25".to_owned()),
        link: None,
        emit: Vec::new(),
    };
    let mut text = String::new();
    for file in render(&evaluate(&scenario), &options).files {
        write!(text, "==> {} <==\n{}", file.kind.path(), file.text).expect("a string takes all");
    }
    text
}
