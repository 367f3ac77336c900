//! A run of vLLM, a start's log or a benchmark's result, beside the plan of what it ran.
use super::{AppState, actions, import::known_model};
use crate::text;
use leptos::prelude::*;
use planner::{
    Plan, Scenario,
    bench_result::{self, BenchResult},
    evaluate,
    import::{self, Imported},
    vllm_log::{self, VllmLog},
};
use std::sync::Arc;

/// The run, and the plan of it.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    /// What was read.
    pub(crate) run: Run,
    /// The plan of its command or its load.
    pub(crate) plan: Plan,
    /// What that plan is of, as a sentence.
    pub(crate) against: String,
    /// Its command as words.
    pub(crate) command: Option<String>,
    /// Figure by figure: what it is, of the plan, of the run, and how far the plan is off.
    pub(crate) rows: Vec<[String; 4]>,
    /// The plan's scenario with what was measured.
    pub(crate) calibrated: Option<Scenario>,
}

/// What was read.
#[derive(Clone, Debug)]
pub(crate) enum Run {
    /// What vLLM printed when it started.
    Start(VllmLog),
    /// What a benchmark measured.
    Bench(BenchResult),
}

/// Reads a run and holds the plan against it.
pub(crate) fn hold(state: AppState, text: &str) -> Result<(), String> {
    let now = state.scenario.get_untracked();
    let held = match (vllm_log::read(text), bench_result::read(text)) {
        (Ok(log), _) => start(now, log)?,
        (_, Ok(result)) => bench(now, result),
        (Err(error), Err(_)) => return Err(format!("{error}; nor a benchmark's result")),
    };
    actions::hold(state, Some(Arc::new(held)));
    Ok(())
}

fn start(now: Scenario, log: VllmLog) -> Result<Held, String> {
    let (mut scenario, against) = if log.argv.is_empty() {
        let now = Scenario {
            measured: None,
            ..now
        };
        (now, text::AGAINST_PLAN)
    } else {
        (of_command(&now, &log)?, text::AGAINST_COMMAND)
    };
    if let Some(total) = log.figures.gpu_total {
        // A figure that is no GPU's is the log's own, and left alone.
        drop(scenario.set("gpu_memory", &total.to_string()));
    }
    let plan = evaluate(&scenario);
    let rows = vllm_log::compare(&plan, &log);
    Ok(Held {
        rows: rows.iter().map(text::log_row).collect(),
        against: against.to_owned(),
        calibrated: vllm_log::calibrated(&scenario, &log),
        command: (!log.argv.is_empty()).then(|| log.argv.join(" ")),
        plan,
        run: Run::Start(log),
    })
}

/// Against the estimate, as it is without any benchmark, for the run's load.
fn bench(now: Scenario, result: BenchResult) -> Held {
    let mut scenario = Scenario {
        measured_speed: None,
        ..now
    };
    for (field, value) in result.load() {
        // What is beyond the bounds of a field leaves the page's own.
        drop(scenario.set(field, &value));
    }
    let plan = evaluate(&scenario);
    let rows = result.compare(&plan);
    Held {
        against: text::against_load(&plan, &result),
        command: None,
        rows: rows.iter().map(text::bench_row).collect(),
        calibrated: result.calibrated(&scenario),
        plan,
        run: Run::Bench(result),
    }
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
