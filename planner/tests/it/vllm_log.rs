//! What is read of start-up logs against what a person reads in them.
use crate::support;
use planner::{
    Plan, command,
    engine::VllmVersion,
    evaluate,
    units::GIB,
    vllm_log::{self, LogError, Quantity, VllmLog},
};
use serde_json::Value;

fn logs() -> Vec<Value> {
    let rows = support::json("measured/log_lines.json");
    rows["logs"].as_array().unwrap().clone()
}

fn text(row: &Value) -> String {
    let lines = row["lines"].as_array().unwrap().iter();
    lines
        .map(|line| line.as_str().unwrap())
        .collect::<Vec<_>>()
        .join("\n")
}

/// To the last digit that a log prints.
fn same(read: Option<i64>, gib: &Value) -> bool {
    match (read, gib.as_f64()) {
        (Some(read), Some(gib)) => (read as f64 / GIB as f64 - gib).abs() < 1e-4,
        // The figures of a whole log may stand in a line that was not kept.
        (_, None) => true,
        (None, Some(_)) => false,
    }
}

#[test]
fn every_figure_of_the_logs_is_read() {
    let mut wrong = Vec::new();
    let mut figures = 0;
    for row in logs() {
        let log = vllm_log::read(&text(&row)).unwrap();
        let (f, m) = (&log.figures, &row["measured"]);
        let mut check = |name: &str, right: bool, measured: &Value| {
            figures += usize::from(!measured.is_null());
            if !right {
                wrong.push(format!("{} {name}: {f:?}, expected {measured}", row["source"]));
            }
        };
        check("weights", same(f.weights, &m["weights_gib"]), &m["weights_gib"]);
        let kv = &m["kv_available_gib"];
        check("KV", same(f.kv_cache_available, kv), kv);
        let peak = &m["activation_peak_gib"];
        check("peak", same(f.activation_peak, peak), peak);
        let outside = &m["non_torch_gib"];
        check("non torch", same(f.non_torch, outside), outside);
        let graphs = &m["cudagraph_gib"];
        check("graphs", same(f.graphs_taken, graphs), graphs);
        let tokens = &m["kv_cache_tokens"];
        check("tokens", f.kv_cache_tokens == tokens.as_u64(), tokens);
        let times = &m["max_concurrency_x"];
        let read = f.max_concurrency.map(|(_, times)| times);
        check("concurrency", read == times.as_f64(), times);
        let length = &m["max_concurrency_at_len"];
        let read = f.max_concurrency.map(|(length, _)| length);
        check("length", read == length.as_u64(), length);
        let fails = row["ends_in_error"].as_bool().unwrap();
        check("error", log.error.is_some() == fails, &row["ends_in_error"]);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(figures > 100, "{figures}");
}

fn plan(model: &str, gpu: &str, fields: &[(&str, &str)]) -> Plan {
    evaluate(&support::scenario(model, gpu, fields))
}

fn of(source: &str) -> VllmLog {
    let row = logs()
        .into_iter()
        .find(|row| row["source"].as_str().unwrap().contains(source));
    vllm_log::read(&text(&row.unwrap())).unwrap()
}

#[test]
fn the_printed_arguments_are_a_command_that_reads_back() {
    let log = of("faradawn");
    let command = command::parse(VllmVersion::new(11, 2), &log.argv).unwrap();
    assert_eq!(command.model, "meta-llama/Meta-Llama-3-8B-Instruct");
    assert_eq!(command.engine.get("max_model_len").as_deref(), Some("1024"));
    assert!(command.unknown.is_empty());
    let log = of("qwen36.log");
    let command = command::parse(VllmVersion::latest(), &log.argv).unwrap();
    assert_eq!(
        command.engine.get("gpu_memory_utilization").as_deref(),
        Some("0.85")
    );
    assert!(command.unknown.is_empty(), "{:?}", command.unknown);
}

#[test]
fn the_last_of_several_starts_counts_and_versions_are_read() {
    let start = |version: &str, weights: &str| {
        format!(
            "\u{1b}[36m(APIServer pid=1)\u{1b}[0m INFO [api_server.py:1] vLLM API server version {version}\n\
             INFO [utils.py:1] non-default args: {{'model': 'a/b', 'served_model_name': ['x', 'y']}}\n\
             (Worker pid=2) INFO Model loading took {weights} GiB memory and 3.0 seconds\n"
        )
    };
    let both = start("0.10.2", "9.5") + &start("0.21.1rc1.dev339+g1967a5627bc3", "8.25");
    let log = vllm_log::read(&both).unwrap();
    assert_eq!(log.version, Some(VllmVersion::new(21, 1)));
    assert_eq!(
        log.version_text.as_deref(),
        Some("0.21.1rc1.dev339+g1967a5627bc3")
    );
    assert_eq!(log.figures.weights, Some(8_858_370_048));
    assert_eq!(
        log.argv,
        ["vllm", "serve", "a/b", "--served-model-name", "x", "y"]
    );
}

#[test]
fn a_plan_is_held_against_the_log_line_by_line() {
    let log = of("faradawn");
    let short = plan(
        "meta-llama/Meta-Llama-3-8B-Instruct",
        "H200 SXM",
        &[
            ("defaults", "vllm"),
            ("vllm_version", "0.11.2"),
            ("max_model_len", "1024"),
        ],
    );
    let rows = vllm_log::compare(&short, &log);
    let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
    assert_eq!(
        ids,
        [
            "weights",
            "kv_cache_available",
            "kv_cache_tokens",
            "max_concurrency"
        ]
    );
    for row in &rows {
        assert!(row.deviation.unwrap().abs() < 0.002, "{row:?}");
    }
    assert_eq!(rows[2].measured, Quantity::Tokens(868_080));
    // Concurrency at another length is another question.
    let longer = plan(
        "meta-llama/Meta-Llama-3-8B-Instruct",
        "H200 SXM",
        &[("max_model_len", "2048")],
    );
    assert!(
        vllm_log::compare(&longer, &log)
            .iter()
            .all(|row| row.id != "max_concurrency")
    );
}

#[test]
fn what_is_no_log_is_refused_with_what_was_expected() {
    assert_eq!(vllm_log::read(" \n"), Err(LogError::Empty));
    assert_eq!(vllm_log::read("hello\nworld"), Err(LogError::NothingFound));
    assert!(LogError::NothingFound.to_string().contains("Model loading took"));
}

#[test]
fn no_cut_and_no_noise_makes_it_panic() {
    let all: String = logs().iter().map(text).collect();
    let chars: Vec<char> = all.chars().collect();
    for at in (0..chars.len()).step_by(37) {
        let head: String = chars[at.saturating_sub(400)..at].iter().collect();
        let _ = vllm_log::read(&head);
        let noise = head.replace(['.', '(', ' '], "\u{1b}[é-9{'");
        let _ = vllm_log::read(&noise);
    }
    let _ = vllm_log::read(&format!("non-default args: {}", "{'a': ".repeat(10_000)));
    let _ = vllm_log::read("Model loading took -99999999999999999999999 GiB\nFree memory on device (/ GiB)");
}

/// The plan of a start, with its log taken over, says what the log says.
#[test]
fn a_log_that_is_taken_over_is_met() {
    let log = of("faradawn");
    let start = plan(
        "meta-llama/Meta-Llama-3-8B-Instruct",
        "H200 SXM",
        &[
            ("defaults", "vllm"),
            ("vllm_version", "0.11.2"),
            ("max_model_len", "1024"),
        ],
    );
    let scenario = vllm_log::calibrated(&start.scenario, &log).unwrap();
    let taken_over = evaluate(&scenario);
    assert!(taken_over.is_measured() && !start.is_measured());
    for row in vllm_log::compare(&taken_over, &log) {
        let limit = if matches!(row.measured, Quantity::Bytes(_)) {
            0.0
        } else {
            1e-4 // the log rounds the memory to hundredths of a GiB, and these follow from it
        };
        assert!(row.deviation.unwrap().abs() <= limit, "{row:?}");
    }
    let memory = taken_over.memory.as_ref().unwrap();
    let sum: i64 = memory.terms.iter().map(|term| term.bytes).sum();
    assert_eq!(sum, memory.gpu_total_bytes.signed());
    assert!(memory.terms.iter().any(|term| term.id == "measured.weights"));
    // It survives a link, and another layout sets it aside.
    let link = planner::share::to_fragment(&scenario).unwrap();
    assert_eq!(planner::share::from_fragment(&link).unwrap().0, scenario);
    let mut other = scenario.clone();
    other.set("tensor_parallel_size", "2").unwrap();
    other.set("gpus", "2").unwrap();
    let other = evaluate(&other);
    assert!(!other.is_measured());
    let note = other.notes.iter().find(|note| note.code == "measured").unwrap();
    assert!(note.message.contains("set aside"), "{}", note.message);
    assert!(
        other
            .memory
            .unwrap()
            .terms
            .iter()
            .all(|term| !term.id.starts_with("measured"))
    );
}

#[test]
fn a_measurement_that_is_damaged_is_refused() {
    for text in [
        "",
        "weights:1",
        "weights:x,activation_peak:0,cuda_graphs:0,rest:0,on:a",
        "weights:1,other:2,on:a",
        "weights:99999999999999999,on:a",
        "weights:1,on:a\nb",
    ] {
        assert!(planner::plan::Measured::parse(text).is_err(), "{text}");
    }
}
