//! A plan held against a benchmark's result, as a document: for scripts, and to scale further plans.
use super::{ArtifactSet, plan_json};
use crate::{
    bench_result::BenchResult,
    plan::{MeasuredSpeed, Plan},
};
use serde_json::{Value, json};

/// `vllm-wizard/bench-check/v1`.
pub fn bench_check_json(plan: &Plan, result: &BenchResult, files: &ArtifactSet) -> String {
    let document: Value = serde_json::from_str(&plan_json(plan, files)).unwrap_or_default();
    let taken_over = result
        .calibrated(&plan.scenario)
        .and_then(|scenario| scenario.measured_speed);
    let report = json!({
        "schema": "vllm-wizard/bench-check/v1",
        "bench": result,
        "comparison": result.compare(plan),
        // As `--measured-speed` and a scenario take it: the plan scaled to this machine.
        "measured_speed": taken_over.as_ref().map(MeasuredSpeed::to_string),
        "plan": document,
    });
    format!("{report:#}")
}
