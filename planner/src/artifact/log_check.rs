//! A plan held against a log, as a document: for scripts, and to report what the plan got wrong.
use super::{ArtifactSet, plan_json};
use crate::{
    plan::{Measured, Plan},
    vllm_log::{VllmLog, calibrated, compare},
};
use serde_json::{Value, json};

/// `vllm-wizard/log-check/v1`. Holds figures only, no line of the log.
pub fn log_check_json(plan: &Plan, log: &VllmLog, files: &ArtifactSet) -> String {
    let document: Value = serde_json::from_str(&plan_json(plan, files)).unwrap_or_default();
    let taken_over = calibrated(&plan.scenario, log).and_then(|scenario| scenario.measured);
    let report = json!({
        "schema": "vllm-wizard/log-check/v1",
        "log": { "vllm_version": log.version_text, "error": log.error },
        "comparison": compare(plan, log),
        // As `--measured` and a scenario take it: the plan with what was measured.
        "measured": taken_over.as_ref().map(Measured::to_string),
        "plan": document,
    });
    format!("{report:#}")
}
