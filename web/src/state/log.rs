//! A start of vLLM that the plan is held against.
use super::{AppState, actions, import::known_model};
use crate::text;
use leptos::prelude::GetUntracked;
use planner::{
    Plan, Scenario, evaluate,
    import::{self, Imported},
    vllm_log::{self, Comparison, VllmLog},
};
use std::sync::Arc;

/// The start, and the plan of what it ran.
#[derive(Clone, Debug)]
pub(crate) struct Start {
    /// What was read.
    pub(crate) log: VllmLog,
    /// The plan of its command, or the page's where the log prints none.
    pub(crate) plan: Plan,
    /// Its command as words.
    pub(crate) command: Option<String>,
    /// The plan's figures beside the log's.
    pub(crate) rows: Vec<Comparison>,
    /// The plan's scenario with what was measured.
    pub(crate) calibrated: Option<Scenario>,
}

/// Reads a log and holds the plan against it.
pub(crate) fn hold(state: AppState, text: &str) -> Result<(), String> {
    let log = vllm_log::read(text).map_err(|error| error.to_string())?;
    let now = state.scenario.get_untracked();
    let of_command = if log.argv.is_empty() {
        None
    } else {
        Some(of_command(&now, &log)?)
    };
    let mut scenario = of_command.unwrap_or(Scenario {
        measured: None,
        ..now
    });
    if let Some(total) = log.figures.gpu_total {
        // A figure that is no GPU's is the log's own, and left alone.
        drop(scenario.set("gpu_memory", &total.to_string()));
    }
    let plan = evaluate(&scenario);
    let start = Start {
        rows: vllm_log::compare(&plan, &log),
        calibrated: vllm_log::calibrated(&scenario, &log),
        command: (!log.argv.is_empty()).then(|| log.argv.join(" ")),
        plan,
        log,
    };
    actions::hold(state, Some(Arc::new(start)));
    Ok(())
}

/// What the log's command asks for, on the GPUs that are chosen.
fn of_command(now: &Scenario, log: &VllmLog) -> Result<Scenario, String> {
    let imported: Imported =
        import::read_words(&log.argv).map_err(|error| text::with_help(&error.to_string(), error.help()))?;
    let model = known_model(&now.model, &imported.command.model)
        .ok_or_else(|| text::unknown_model(&imported.command.model))?;
    let mut scenario = imported.scenario(model, now.hardware.clone());
    scenario.workload = now.workload.clone();
    if let Some(version) = log.version.filter(|version| version.has_rules()) {
        scenario.vllm_version = version;
    }
    Ok(scenario)
}
