//! `check --log`: a plan held against what a real start measured.
use crate::{
    cli::{CheckArgs, ViewArgs},
    error::ExpectedError,
    files,
    output::{self, Screen},
    plan_cmd,
};
use planner::{
    Plan, RenderOptions, Scenario,
    artifact::log_check_json,
    render,
    units::Bytes,
    vllm_log::{self, Comparison, LogError, Quantity, VllmLog},
};
use std::path::Path;

/// Reads the log.
pub(crate) fn read(path: &Path) -> Result<VllmLog, ExpectedError> {
    let text = files::read_text(path, vllm_log::LONGEST, "vLLM's start-up log")?;
    vllm_log::read(&text).map_err(|error| explained(path, error))
}

fn explained(path: &Path, error: LogError) -> ExpectedError {
    ExpectedError::input(format!("{}: {error}", files::shown(path)))
        .help("Save what vLLM prints from its start to `Application startup complete`.")
}

/// The command that the log prints.
pub(crate) fn command<'a>(path: &Path, log: &'a VllmLog) -> Result<&'a [String], ExpectedError> {
    if log.argv.is_empty() {
        let message = format!("{}: prints no `non-default args:`", files::shown(path));
        return Err(ExpectedError::usage(message)
            .help("Give the command that was started: `check --log FILE -- vllm serve MODEL FLAGS`."));
    }
    Ok(&log.argv)
}

/// What the log knows better than a catalogue: its version, and the GPU as the process saw it.
pub(crate) fn apply(scenario: &mut Scenario, args: &CheckArgs, log: &VllmLog) -> Result<(), ExpectedError> {
    if let (Some(version), None) = (log.version, &args.machine.vllm_version) {
        if version.has_rules() {
            scenario.set("vllm_version", &version.to_string())?;
        } else {
            output::say(&format!(
                "note: the log is of vLLM {version}, whose rules are not known; planned for {}",
                scenario.vllm_version
            ));
        }
    }
    if let (Some(total), None) = (log.figures.gpu_total, &args.machine.gpu_memory_gib)
        && total >= Bytes::from_gib(1).signed()
    {
        scenario.set("gpu_memory", &total.to_string())?;
    }
    Ok(())
}

/// Prints the plan, and line by line what the log says.
pub(crate) fn show(plan: &Plan, log: &VllmLog, asked: ViewArgs) -> Result<(), ExpectedError> {
    let rows = vllm_log::compare(plan, log);
    if asked.json {
        let files = render(plan, &RenderOptions::default());
        return output::answer(&log_check_json(plan, log, &files));
    }
    plan_cmd::show(plan, asked, true)?;
    output::answer(&format!("\n{}", table(&rows, log)))
}

fn table(rows: &[Comparison], log: &VllmLog) -> String {
    let mut parts = vec!["Held against the log".to_owned()];
    if rows.is_empty() {
        parts.push("  The log has none of the plan's figures.".to_owned());
    } else {
        let mut table = Screen::of_stdout().table();
        table.add_row([" ", "plan", "log", "deviation"]);
        for row in rows {
            table.add_row([
                format!(" {}", row.label),
                words(row.predicted),
                words(row.measured),
                deviation(row),
            ]);
        }
        table.align_right(&[1, 2, 3]);
        parts.push(table.text());
    }
    if let Some(error) = &log.error {
        parts.push(format!("  The start ended with: {}", output::printable(error)));
    }
    parts.join("\n")
}

fn words(quantity: Quantity) -> String {
    match quantity {
        Quantity::Bytes(bytes) => {
            let sign = if bytes < 0 { "-" } else { "" };
            format!("{sign}{} GiB", Bytes::new(bytes.unsigned_abs()).gib_text(2))
        }
        Quantity::Tokens(tokens) => format!("{} tokens", output::grouped(tokens)),
        Quantity::Sequences(times) => format!("{times:.2}x"),
    }
}

/// In percent of what was measured, and in GiB for memory.
fn deviation(row: &Comparison) -> String {
    let Some(share) = row.deviation else {
        return String::new();
    };
    let percent = format!("{:+.2} %", share * 100.0).replace("-0.00", "+0.00");
    match (row.predicted, row.measured) {
        (Quantity::Bytes(predicted), Quantity::Bytes(measured)) => {
            let bytes = predicted.saturating_sub(measured);
            let gib = Bytes::new(bytes.unsigned_abs()).gib_text(2);
            let sign = if bytes < 0 && gib != "0.00" { '-' } else { '+' };
            // A share of a figure near or below zero says nothing.
            if measured <= 0 {
                format!("{sign}{gib} GiB")
            } else {
                format!("{percent} ({sign}{gib} GiB)")
            }
        }
        _ => percent,
    }
}
