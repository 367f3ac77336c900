//! The table that `vllm bench serve` prints.
use super::{BenchResult, positive};

/// The last table in it.
pub(super) fn read(text: &str) -> Option<BenchResult> {
    let start = text.rfind("Successful requests:")?;
    // What precedes the table says the load: `Maximum request concurrency: 32`, `Traffic request rate: 8.0`.
    let before = text.get(..start)?;
    let begin = before
        .rfind("Namespace(")
        .or_else(|| before.rfind("Traffic request rate:"))
        .unwrap_or(0);
    let of = |text: &str, label: &str| {
        let after = text.rsplit_once(label)?.1;
        let word = after
            .trim_start_matches([':', ' ', '\t'])
            .split_whitespace()
            .next()?;
        positive(word.parse().ok()?)
    };
    let table = text.get(start..)?;
    let at = |label: &str| of(table, label);
    let load = |label: &str| at(label).or_else(|| of(before.get(begin..)?, label));
    let requests = at("Successful requests:");
    let each = |label: &str| Some(at(label)? / requests?);
    let rate = load("Request rate configured (RPS):").or_else(|| load("Traffic request rate:"));
    let middle = |what: &str| {
        let names = ["Median", "Mean"].map(|kind| format!("{kind} {what} (ms):"));
        names.iter().find_map(|name| at(name))
    };
    Some(BenchResult {
        tool: "vllm bench serve",
        model: None,
        requests,
        prompt_tokens: each("Total input tokens:"),
        gen_tokens: each("Total generated tokens:"),
        concurrency: load("Maximum request concurrency:").or_else(|| requests.filter(|_| rate.is_none())),
        request_rate: rate,
        ttft_ms: middle("TTFT"),
        tpot_ms: middle("TPOT").or_else(|| middle("ITL")),
        output_tok_per_s: at("Output token throughput (tok/s):"),
    })
}
