//! A plan for people: verdict, memory, what vLLM's log will say, flags with reasons, what would help, notes.
use crate::output::{self, Screen, Tone};
use planner::{
    Outcome, Plan,
    artifact::Review,
    engine::{ArgRow, SetBy},
    memory::{Basis, Segment, Term},
    plan::{Memory, Run, Severity},
    units::Bytes,
};

/// Cells of the widest bar.
const BAR: u64 = 24;

/// What to show.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View {
    /// Every term with its formula, inputs, source and basis.
    pub(crate) explain: bool,
    /// Also the flags that stay at vLLM's default.
    pub(crate) all_flags: bool,
    /// Where it is shown.
    pub(crate) screen: Screen,
}

/// The plan as text.
pub(crate) fn report(plan: &Plan, view: View) -> String {
    let mut parts = vec![heading(plan, view), verdict(plan, view)];
    if let Some(memory) = &plan.memory {
        parts.push(memory_table(plan, memory, view));
        parts.push(log_lines(plan, memory, view));
        if view.explain {
            parts.push(explained(memory, view));
        }
    }
    parts.extend(speed(plan, view));
    parts.extend(flags(plan, view));
    parts.extend(remedies(plan, view));
    parts.extend(notes(plan, view));
    parts.join("\n\n")
}

fn heading(plan: &Plan, view: View) -> String {
    let hardware = &plan.scenario.hardware;
    let nodes = if hardware.nodes > 1 {
        format!("{} nodes with ", hardware.nodes)
    } else {
        String::new()
    };
    let text = format!(
        "{} on {nodes}{}, vLLM {}",
        output::printable(&plan.scenario.model.id),
        output::printable(&hardware.kinds()),
        plan.scenario.vllm_version
    );
    view.screen.paint(Tone::Strong, &text)
}

fn verdict(plan: &Plan, view: View) -> String {
    let verdict = &plan.verdict;
    let tone = match verdict.outcome {
        Outcome::Fits => Tone::Good,
        Outcome::Tight => Tone::Doubtful,
        Outcome::DoesNotFit | Outcome::Unsupported => Tone::Bad,
    };
    let mut lines = vec![
        view.screen.paint(tone, verdict.outcome.words()),
        view.screen.wrap(&verdict.reason, 2),
    ];
    if verdict.shortfall_bytes > Bytes::ZERO {
        lines.push(format!("  Missing on each GPU: {}", verdict.shortfall_bytes));
    }
    if let Some(error) = &verdict.vllm_error {
        lines.push("  vLLM would say:".to_owned());
        lines.push(view.screen.wrap(error, 4));
    }
    lines.join("\n")
}

fn title(text: &str, view: View) -> String {
    view.screen.paint(Tone::Strong, text)
}

/// One row for each part of the bar.
fn memory_table(plan: &Plan, memory: &Memory, view: View) -> String {
    let mut table = view.screen.table();
    let mut segments: Vec<(Segment, i64)> = Vec::new();
    for term in &memory.terms {
        match segments.iter_mut().find(|(segment, _)| *segment == term.segment) {
            Some((_, sum)) => *sum += term.bytes,
            None => segments.push((term.segment, term.bytes)),
        }
    }
    planner::order::sort(&mut segments, |(a, _), (b, _)| a.cmp(b));
    for (segment, bytes) in segments {
        let share = thousandths(bytes.unsigned_abs(), memory.gpu_total_bytes);
        table.add_row([
            format!(" {}", segment.words()),
            signed(bytes),
            format!("{}.{} %", share / 10, share % 10),
            "█".repeat(usize::try_from((share * BAR).div_ceil(1000).min(BAR)).unwrap_or(0)),
        ]);
    }
    table.align_right(&[1, 2]);
    let gpus = plan.args.as_ref().map_or(1, planner::engine::ResolvedArgs::gpus);
    let which = if gpus > 1 {
        if memory.ranks.is_empty() {
            "each GPU"
        } else {
            "the fullest GPU"
        }
    } else {
        "the GPU"
    };
    format!(
        "{}\n{}",
        title(&format!("Memory of {which}: {}", memory.gpu_total_bytes), view),
        table.text()
    )
}

/// Part of the whole in thousandths.
fn thousandths(bytes: u64, total: Bytes) -> u64 {
    let total = u128::from(total.get().max(1));
    u64::try_from((u128::from(bytes) * 1000 + total / 2) / total).unwrap_or(u64::MAX)
}

fn signed(bytes: i64) -> String {
    let text = Bytes::new(bytes.unsigned_abs()).to_string();
    if bytes < 0 { format!("−{text}") } else { text }
}

/// What the workload will see.
fn speed(plan: &Plan, view: View) -> Option<String> {
    let performance = plan.performance.as_ref()?;
    let mut table = view.screen.table();
    for row in performance.rows() {
        table.add_row([format!(" {}", row.label), row.value]);
    }
    let mut text = format!("{}\n{}", title(performance.title(), view), table.text());
    if view.explain {
        for assumption in &performance.assumptions {
            text.push('\n');
            text.push_str(&view.screen.wrap(assumption, 2));
        }
    }
    Some(text)
}

/// A command beside a better one: what to take out, what to put in, and what that does.
pub(crate) fn review(plan: &Plan, review: &Review, screen: Screen) -> String {
    let heading = |text: &str| screen.paint(Tone::Strong, text);
    let mut table = screen.table();
    for line in &review.lines {
        table.add_row([
            format!("{} {}", line.mark.sign(), output::printable(&line.words)),
            output::printable(&line.why),
        ]);
    }
    let Some(better) = &review.better else {
        return format!(
            "{}\n{}\n  Nothing better is known for this load: every flag stays.",
            heading("The command"),
            table.text()
        );
    };
    let (before, after) = (&plan.verdict, &better.verdict);
    let result = format!(
        "{} before; then: {}. {}",
        before.outcome.words(),
        after.outcome.words().to_lowercase(),
        after.reason
    );
    format!(
        "{}\n{}\n{}",
        heading("A better command (- take out, + put in)"),
        table.text(),
        screen.wrap(&result, 2)
    )
}

/// A run request by request.
pub(crate) fn simulated(run: &Run, lengths: &str, screen: Screen) -> String {
    let mut table = screen.table();
    for row in run.rows() {
        table.add_row([format!(" {}", row.label), row.value]);
    }
    let heading = format!("{} simulated requests, {lengths}", run.requests);
    format!("{}\n{}", screen.paint(Tone::Strong, &heading), table.text())
}

/// The figures under the names that vLLM's log has for them.
fn log_lines(plan: &Plan, memory: &Memory, view: View) -> String {
    let rows = planner::artifact::log_lines(plan);
    let mut lines = vec![title("vLLM's log will say, about", view)];
    lines.extend(rows.iter().map(|row| format!("  {row}")));
    if memory.bytes_per_block == Bytes::ZERO {
        lines.push("  The model keeps no KV cache.".to_owned());
        return lines.join("\n");
    }
    let workload = &plan.scenario.workload;
    lines.push(format!(
        "  This load, {} of {} tokens, needs {} of KV cache.",
        output::counted(
            usize::try_from(workload.concurrency).unwrap_or(usize::MAX),
            "sequence"
        ),
        output::grouped(u64::from(workload.tokens_per_sequence())),
        memory.kv_cache_workload_bytes
    ));
    for rank in &memory.ranks {
        lines.push(format!(
            "  Pipeline stage {} on {}: {}, weights {}, {} for KV cache",
            rank.pipeline_rank,
            output::printable(&rank.gpu),
            output::counted(
                usize::try_from(rank.num_hidden_layers).unwrap_or(usize::MAX),
                "layer"
            ),
            rank.weights_bytes,
            rank.kv_cache_available_bytes
        ));
    }
    lines.join("\n")
}

fn explained(memory: &Memory, view: View) -> String {
    let mut parts = vec![title("Where the figures come from", view)];
    parts.extend(memory.terms.iter().map(|term| explained_term(term, view)));
    parts.join("\n")
}

fn explained_term(term: &Term, view: View) -> String {
    let basis = match term.basis {
        Basis::Exact => "exact",
        Basis::Fitted => "fitted",
        Basis::Assumed => "assumed",
        Basis::Measured => "measured",
    };
    let mut lines = vec![
        format!(
            "  {} = {} ({} bytes) · {basis}",
            term.label,
            signed(term.bytes),
            term.bytes
        ),
        view.screen.wrap(&format!("{}: {}", term.id, term.formula), 6),
    ];
    let inputs: Vec<String> = term
        .inputs
        .iter()
        .map(|(name, value)| format!("{name} = {value}"))
        .collect();
    if !inputs.is_empty() {
        lines.push(view.screen.wrap(&inputs.join(", "), 6));
    }
    lines.push(
        view.screen
            .wrap(&format!("{} · {}", term.source, term.checked), 6),
    );
    lines.join("\n")
}

fn flags(plan: &Plan, view: View) -> Option<String> {
    let rows: Vec<ArgRow> = plan
        .arg_rows()
        .into_iter()
        .filter(|row| view.all_flags || view.explain || row.set_by != SetBy::VllmDefault)
        .collect();
    if rows.is_empty() {
        return None;
    }
    let mut table = view.screen.table();
    for row in rows {
        let who = match row.set_by {
            SetBy::User => "set",
            SetBy::VllmDefault => "default",
            SetBy::Recommended => "advice",
        };
        table.add_row([
            format!(" {}", row.flag),
            output::printable(&row.value),
            who.to_owned(),
            row.why,
        ]);
    }
    Some(format!("{}\n{}", title("vLLM's arguments", view), table.text()))
}

fn remedies(plan: &Plan, view: View) -> Option<String> {
    let remedies = &plan.verdict.remedies;
    if remedies.is_empty() {
        return None;
    }
    let mut lines = vec![title("What would help, one change each", view)];
    for remedy in remedies {
        lines.push(hanging(&format!("{}: {}", remedy.label, remedy.effect), view));
    }
    Some(lines.join("\n"))
}

fn notes(plan: &Plan, view: View) -> Option<String> {
    if plan.notes.is_empty() {
        return None;
    }
    let mut lines = vec![title("Notes", view)];
    for note in &plan.notes {
        let mark = match note.severity {
            Severity::Info => "",
            Severity::Caution => "caution: ",
            Severity::Unknown => "not known: ",
        };
        lines.push(hanging(&format!("{mark}{}", note.message), view));
    }
    Some(lines.join("\n"))
}

/// A list item whose later lines stand under the first.
fn hanging(text: &str, view: View) -> String {
    let body = view.screen.wrap(&output::printable(text), 4);
    format!("  -{}", body.get(3..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use planner::{Scenario, evaluate, gpu, model::ModelInput};

    fn text(gpu: &str, changes: &[(&str, &str)], explain: bool) -> String {
        let model = ModelInput::from_catalog("Qwen/Qwen3-8B").unwrap();
        let mut scenario = Scenario::new(model, gpu::find(gpu).unwrap().clone());
        for (id, value) in changes {
            scenario.set(id, value).unwrap();
        }
        report(
            &evaluate(&scenario),
            View {
                explain,
                all_flags: false,
                screen: Screen::plain(100),
            },
        )
    }

    #[test]
    fn names_the_figures_as_vllms_log_does() {
        let text = text("H100 SXM", &[], false);
        for words in [
            "Qwen/Qwen3-8B on 1 × H100 SXM",
            "Model loading took 15.2",
            "Available KV cache memory: ",
            "GPU KV cache size: ",
            "Maximum concurrency for ",
            "--max-num-seqs",
        ] {
            assert!(text.contains(words), "{words} is missing in\n{text}");
        }
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for (gpu, changes) in [
            ("H100 SXM", &[][..]),
            ("T4", &[]),
            ("L4", &[("max_model_len", "40960")]),
        ] {
            for line in text(gpu, changes, true).lines() {
                assert!(line.chars().count() <= 100, "{line}");
            }
        }
    }

    #[test]
    fn says_what_would_help() {
        let text = text(
            "L4",
            &[("max_model_len", "40960"), ("gpu_memory_utilization", "0.8")],
            false,
        );
        assert!(text.contains("Does not fit"), "{text}");
        assert!(text.contains("What would help"), "{text}");
    }
}
