//! `check --bench`: a plan's speed held against what a benchmark measured.
use crate::{
    cli::ViewArgs,
    error::ExpectedError,
    files,
    output::{self, Screen},
    plan_cmd,
};
use planner::{
    Plan, RenderOptions, Scenario,
    artifact::{bench_check_json, shell_word},
    bench_result::{self, BenchError, BenchResult},
    plan::figure,
    render,
};
use std::path::Path;

/// Reads the result.
pub(crate) fn read(path: &Path) -> Result<BenchResult, ExpectedError> {
    let text = files::read_text(path, bench_result::LONGEST, "a benchmark's result")?;
    bench_result::read(&text).map_err(|error| explained(path, error))
}

fn explained(path: &Path, error: BenchError) -> ExpectedError {
    ExpectedError::input(format!("{}: {error}", files::shown(path)))
        .help("Such as bench.json, which bench.sh writes, or what `vllm bench serve` prints.")
}

/// The load of the run; what the flags say of it goes before.
pub(crate) fn apply(scenario: &mut Scenario, result: &BenchResult) -> Result<(), ExpectedError> {
    for (field, value) in result.load() {
        scenario.set(field, &value)?;
    }
    Ok(())
}

/// Prints the plan, and figure by figure what the run says.
pub(crate) fn show(plan: &Plan, result: &BenchResult, asked: ViewArgs) -> Result<(), ExpectedError> {
    if asked.json {
        let files = render(plan, &RenderOptions::default());
        return output::answer(&bench_check_json(plan, result, &files));
    }
    plan_cmd::show(plan, asked, true)?;
    output::answer(&format!("\n{}", table(plan, result)))
}

fn table(plan: &Plan, result: &BenchResult) -> String {
    let rows = result.compare(plan);
    if rows.is_empty() {
        return format!(
            "Held against {}\n  There is no estimate of this plan's speed.",
            result.tool
        );
    }
    let mut table = Screen::of_stdout().table();
    table.add_row([" ", "plan", "measured", "measured / plan", ""]);
    for row in rows {
        table.add_row([
            format!(" {}", row.label),
            figure(row.estimated),
            figure(row.measured),
            format!("{:.2}", row.measured / row.estimated),
            if row.in_range { "in range" } else { "out of range" }.to_owned(),
        ]);
    }
    table.align_right(&[1, 2, 3]);
    let mut text = format!("Held against {}\n{}", result.tool, table.text());
    if let Some(model) = result.other_model(plan) {
        text.push_str("\n\n  The run is of ");
        text.push_str(&model);
        text.push_str(", another model than the plan's.");
    }
    let taken_over = result.calibrated(&plan.scenario);
    match taken_over.and_then(|scenario| scenario.measured_speed) {
        Some(measured) => format!(
            "{text}\n\n  Further plans of this machine: --measured-speed {}",
            shell_word(&measured.to_string())
        ),
        None => text,
    }
}
