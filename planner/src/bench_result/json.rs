//! The tools' JSON.
use super::{BenchResult, positive};
use serde_json::Value;

/// The last result in it.
pub(super) fn read(text: &str) -> Option<BenchResult> {
    let one = |text: &str| of(&serde_json::from_str(text).ok()?);
    // `--append-result` writes one in each line.
    one(text).or_else(|| text.lines().rev().find_map(|line| one(line.trim())))
}

fn of(value: &Value) -> Option<BenchResult> {
    if let Some(list) = value.as_array() {
        return list.iter().rev().find_map(of);
    }
    if let Some(list) = value.get("benchmarks").and_then(Value::as_array) {
        return list.iter().rev().find_map(guidellm);
    }
    if value.get("time_to_first_token").is_some() || value.get("output_token_throughput").is_some() {
        return Some(perf(value));
    }
    let throughput = ["output_throughput", "total_token_throughput"];
    let is_there = throughput.iter().any(|key| value.get(key).is_some());
    is_there.then(|| vllm(value))
}

fn number(value: &Value, path: &[&str]) -> Option<f64> {
    let found = path.iter().try_fold(value, |value, key| value.get(*key))?;
    // vLLM writes an unlimited rate as the text `inf`.
    found
        .as_f64()
        .map_or_else(|| super::number(found.as_str()?.trim()), positive)
}

/// The first of them that is there.
fn first(value: &Value, paths: &[&[&str]]) -> Option<f64> {
    paths.iter().find_map(|path| number(value, path))
}

/// `vllm/benchmarks/serve.py: main_async` writes `result_json`.
fn vllm(value: &Value) -> BenchResult {
    let at = |key: &str| number(value, &[key]);
    let each = |key: &str| Some(at(key)? / at("completed")?);
    let middle = |what: &str| {
        let names = ["median", "p50", "mean"].map(|kind| format!("{kind}_{what}_ms"));
        names.iter().find_map(|name| at(name))
    };
    let rate = at("request_rate");
    let pools = value.get("total_output_tokens").is_none();
    // bench.sh says so where the requests came as in the plan's trace: then the load is the plan's.
    let traced = value.get("arrivals").is_some();
    BenchResult {
        tool: "vllm bench serve",
        model: value.get("model_id").and_then(Value::as_str).map(str::to_owned),
        requests: at("completed"),
        prompt_tokens: each("total_input_tokens"),
        gen_tokens: each("total_output_tokens"),
        // Without a rate and a cap all come at once.
        concurrency: at("max_concurrency")
            .or_else(|| at("num_prompts").filter(|_| rate.is_none() && !traced)),
        request_rate: rate,
        // Without answers (`EmbedBenchmarkMetrics`) there is the time of a request, and tokens are those of prompts.
        ttft_ms: middle("ttft").or_else(|| middle("e2el").filter(|_| pools)),
        tpot_ms: middle("tpot").or_else(|| middle("itl")),
        output_tok_per_s: at("output_throughput").or_else(|| at("total_token_throughput").filter(|_| pools)),
    }
}

/// `guidellm/benchmark/benchmark.py: GenerativeMetrics`, one entry of `benchmarks`. Its time per output token counts the
/// first one in; the latency between tokens does not.
fn guidellm(value: &Value) -> Option<BenchResult> {
    let metrics = value.get("metrics")?;
    let at = |what: &str, kinds: &[&str]| {
        let of = |kind: &&str| first(metrics, &[&[what, "successful", kind], &[what, kind]]);
        kinds
            .iter()
            .find_map(of)
            .or_else(|| number(metrics, &[what, "successful", "percentiles", "p50"]))
    };
    let middle = |what: &str| at(what, &["median", "p50", "mean"]);
    let mean = |what: &str| at(what, &["mean", "median"]);
    let strategy = |key: &str| {
        first(
            value,
            &[
                &["config", "strategy", key],
                &["args", "strategy", key],
                &["scheduler", "strategy", key],
            ],
        )
    };
    let rate = strategy("rate");
    Some(BenchResult {
        tool: "guidellm",
        model: None,
        requests: first(
            value,
            &[
                &["metrics", "request_totals", "successful"],
                &["total_count", "successful"],
                &["run_stats", "requests_made", "successful"],
            ],
        ),
        prompt_tokens: mean("prompt_token_count"),
        gen_tokens: mean("output_token_count"),
        concurrency: strategy("streams").or_else(|| mean("request_concurrency").filter(|_| rate.is_none())),
        request_rate: rate,
        ttft_ms: middle("time_to_first_token_ms"),
        tpot_ms: middle("inter_token_latency_ms"),
        output_tok_per_s: mean("output_tokens_per_second"),
    })
}

/// GenAI-Perf's `profile_export_genai_perf.json` and AIPerf's `profile_export_aiperf.json`: each metric with its unit.
fn perf(value: &Value) -> BenchResult {
    let average = |what: &str| number(value, &[what, "avg"]);
    let time = |what: &str| {
        let time = first(value, &[&[what, "p50"], &[what, "avg"]])?;
        let unit = value
            .get(what)?
            .get("unit")
            .and_then(Value::as_str)
            .unwrap_or("ms");
        Some(match unit {
            "ns" => time / 1e6,
            "us" => time / 1e3,
            "s" | "sec" | "seconds" => time * 1e3,
            _ => time,
        })
    };
    let set = |key: &str| {
        first(
            value,
            &[
                &["input_config", "loadgen", key],
                &["input_config", "perf_analyzer", "stimulus", key],
                &["input_config", key],
            ],
        )
    };
    BenchResult {
        tool: if value
            .get("input_config")
            .is_some_and(|config| config.get("perf_analyzer").is_some())
        {
            "GenAI-Perf"
        } else {
            "AIPerf"
        },
        model: None,
        requests: average("request_count"),
        prompt_tokens: average("input_sequence_length"),
        gen_tokens: average("output_sequence_length"),
        concurrency: set("concurrency"),
        request_rate: set("request_rate"),
        ttft_ms: time("time_to_first_token"),
        tpot_ms: time("inter_token_latency"),
        output_tok_per_s: average("output_token_throughput"),
    }
}
