//! report.md: the plan for people, to keep beside the files.
use super::{
    RenderOptions,
    advice::advice,
    header,
    log::{grouped, log_lines},
    quote::{markdown, markdown_code},
};
use crate::{
    engine::SetBy,
    plan::{Memory, Plan, Severity},
    units::Bytes,
};
use std::fmt::Write as _;

/// report.md
pub(crate) fn report(plan: &Plan, options: &RenderOptions) -> String {
    let mut text = "# vLLM deployment plan\n\n".to_owned();
    verdict(&mut text, plan);
    facts(&mut text, plan, options);
    if let Some(memory) = &plan.memory {
        memory_table(&mut text, plan, memory);
    }
    log(&mut text, plan);
    speed(&mut text, plan);
    flags(&mut text, plan);
    family(&mut text, plan);
    remedies(&mut text, plan);
    notes(&mut text, plan);
    text
}

fn verdict(text: &mut String, plan: &Plan) {
    let verdict = &plan.verdict;
    let _ = writeln!(
        text,
        "**{}.** {}",
        verdict.outcome.words(),
        markdown(&verdict.reason)
    );
    if verdict.shortfall_bytes > Bytes::ZERO {
        let _ = writeln!(text, "\nMissing on each GPU: {}.", verdict.shortfall_bytes);
    }
    if let Some(error) = &verdict.vllm_error {
        let _ = writeln!(text, "\nvLLM would say: {}", markdown_code(error));
    }
}

fn facts(text: &mut String, plan: &Plan, options: &RenderOptions) {
    let scenario = &plan.scenario;
    let workload = &scenario.workload;
    text.push_str("\n|  |  |\n|---|---|\n");
    let mut row = |name: &str, value: &str| {
        let _ = writeln!(text, "| {name} | {value} |");
    };
    row("Model", &markdown_code(&scenario.model.id));
    if let Some(revision) = &scenario.model.revision {
        row("Revision", &markdown_code(revision));
    }
    row("Hardware", &markdown(&header::hardware(plan)));
    row(
        "Workload",
        &format!(
            "{} requests at a time, {} tokens in and {} out",
            grouped(workload.concurrency.into()),
            grouped(workload.prompt().into()),
            grouped(workload.generated().into())
        ),
    );
    row("vLLM", &scenario.vllm_version.to_string());
    row("Made by", &markdown(&header::made_by(options)));
    if let Some(link) = &options.link {
        row(
            "Change it",
            &format!("<{}>", link.replace(['<', '>', '\n', '|'], "")),
        );
    }
}

/// What the workload will see.
fn speed(text: &mut String, plan: &Plan) {
    let Some(performance) = &plan.performance else {
        return;
    };
    let _ = write!(text, "\n## {}\n\n|  |  |\n|---|---|\n", performance.title());
    for row in performance.rows() {
        let _ = writeln!(text, "| {} | {} |", row.label, row.value);
    }
    text.push('\n');
    for assumption in &performance.assumptions {
        let _ = writeln!(text, "- {assumption}");
    }
}

/// One row for each part of the bar on the page.
fn memory_table(text: &mut String, plan: &Plan, memory: &Memory) {
    let which = match plan.args.as_ref().map_or(1, crate::engine::ResolvedArgs::gpus) {
        1 => "the GPU",
        _ if memory.ranks.is_empty() => "each GPU",
        _ => "the fullest GPU",
    };
    let _ = writeln!(text, "\n## Memory of {which}\n\n| part | memory |\n|---|---:|");
    for (segment, bytes) in memory.segments() {
        let sign = if bytes < 0 { "−" } else { "" };
        let _ = writeln!(
            text,
            "| {} | {sign}{} |",
            segment.words(),
            Bytes::new(bytes.unsigned_abs())
        );
    }
    let _ = writeln!(text, "| **whole** | **{}** |", memory.gpu_total_bytes);
    for rank in &memory.ranks {
        let _ = write!(
            text,
            "\nPipeline stage {} on {}: {} layers, weights {}, {} for KV cache.  ",
            rank.pipeline_rank,
            rank.gpu,
            rank.num_hidden_layers,
            rank.weights_bytes,
            rank.kv_cache_available_bytes
        );
    }
    if !memory.ranks.is_empty() {
        text.push('\n');
    }
}

fn log(text: &mut String, plan: &Plan) {
    text.push_str("\n## What vLLM's log will say, about\n\n```text\n");
    for line in log_lines(plan) {
        text.push_str(&line);
        text.push('\n');
    }
    text.push_str("```\n");
}

fn flags(text: &mut String, plan: &Plan) {
    text.push_str("\n## Arguments\n\n| flag | value | by | why |\n|---|---|---|---|\n");
    for row in plan.arg_rows() {
        let by = match row.set_by {
            SetBy::User => "you",
            SetBy::VllmDefault => "vLLM",
            SetBy::Recommended => "the plan",
        };
        let _ = writeln!(
            text,
            "| {} | {} | {by} | {} |",
            markdown_code(row.flag),
            markdown_code(&row.value),
            markdown(&row.why)
        );
    }
    for (flag, value) in &plan.scenario.engine.vllm_args {
        let value = value.as_deref().map(markdown_code).unwrap_or_default();
        let _ = writeln!(
            text,
            "| {} | {value} | you | Passed through. |",
            markdown_code(flag)
        );
    }
}

/// What is not in the command and most want to know of.
fn family(text: &mut String, plan: &Plan) {
    let advice = advice(plan);
    if advice.is_empty() {
        return;
    }
    text.push_str("\n## Mostly served with\n\nNot in the plan: these change no memory, but what clients get. They follow the model's family.\n\n");
    for one in advice {
        let _ = writeln!(text, "- {}: {}", markdown_code(&one.flags), one.why);
    }
}

fn remedies(text: &mut String, plan: &Plan) {
    let remedies = &plan.verdict.remedies;
    if remedies.is_empty() {
        return;
    }
    text.push_str("\n## What would help\n\n");
    for remedy in remedies {
        let _ = writeln!(
            text,
            "- {}: {}",
            markdown(&remedy.label),
            markdown(&remedy.effect)
        );
    }
}

fn notes(text: &mut String, plan: &Plan) {
    if plan.notes.is_empty() {
        return;
    }
    text.push_str("\n## Notes\n\n");
    for note in &plan.notes {
        let word = match note.severity {
            Severity::Info => "Note",
            Severity::Caution => "Caution",
            Severity::Unknown => "Not known",
        };
        let _ = writeln!(text, "- {word}: {}", markdown(&note.message));
    }
}
