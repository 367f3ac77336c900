//! The table that `vllm bench serve` prints.
use super::{BenchResult, number};

/// The last table in it.
pub(super) fn read(text: &str) -> Option<BenchResult> {
    let lines: Vec<&str> = text.lines().collect();
    let last = |lines: &[&str], label: &str| lines.iter().rposition(|line| line.contains(label));
    // What precedes the table says the load: `Maximum request concurrency: 32`, `Traffic request rate: 8.0`.
    let (before, table) = lines.split_at(last(&lines, "Successful requests:")?);
    let begin = last(before, "Namespace(").or_else(|| last(before, "Traffic request rate:"));
    let of = |lines: &[&str], label: &str| {
        let after = lines.iter().rev().find_map(|line| line.split_once(label))?.1;
        let word = after
            .trim_start_matches([':', ' ', '\t'])
            .split_whitespace()
            .next()?;
        number(word)
    };
    let at = |label: &str| of(table, label);
    let load = |label: &str| at(label).or_else(|| of(before.get(begin.unwrap_or(0)..)?, label));
    let requests = at("Successful requests:");
    let each = |label: &str| Some(at(label)? / requests?);
    let traced = text.contains("Self timing is set");
    let rate = load("Request rate configured (RPS):").or_else(|| load("Traffic request rate:"));
    let middle = |what: &str| {
        let names = ["Median", "Mean"].map(|kind| format!("{kind} {what} (ms):"));
        names.iter().find_map(|name| at(name))
    };
    // Without answers there is the time of a request, and tokens are those of prompts.
    let answers = each("Total generated tokens:");
    Some(BenchResult {
        tool: "vllm bench serve",
        model: None,
        requests,
        prompt_tokens: each("Total input tokens:"),
        gen_tokens: answers,
        concurrency: load("Maximum request concurrency:")
            .or_else(|| requests.filter(|_| rate.is_none() && !traced)),
        request_rate: rate,
        ttft_ms: middle("TTFT").or_else(|| middle("E2EL").filter(|_| answers.is_none())),
        tpot_ms: middle("TPOT").or_else(|| middle("ITL")),
        output_tok_per_s: at("Output token throughput (tok/s):").or_else(|| {
            let all = [
                "Total token throughput (tok/s):",
                "Total Token throughput (tok/s):",
            ];
            all.into_iter().find_map(at).filter(|_| answers.is_none())
        }),
    })
}
