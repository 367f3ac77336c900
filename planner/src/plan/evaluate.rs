//! THE entry point.
use super::{Outcome, Plan, Scenario, Verdict};
use crate::units::Bytes;

/// Computes the plan of a scenario. Never fails: what does not fit or cannot be known is a verdict.
pub fn evaluate(scenario: &Scenario) -> Plan {
    let verdict = Verdict {
        outcome: Outcome::Unsupported,
        reason: "not written yet".to_owned(),
        shortfall_bytes: Bytes::ZERO,
        vllm_error: None,
        remedies: Vec::new(),
    };
    Plan {
        scenario: scenario.clone(),
        verdict,
        feasibility: None,
        memory: None,
        args: None,
        notes: Vec::new(),
    }
}
