//! Results of benchmarks, in the shapes that the tools write. The figures of `vllm bench serve` are of two published runs:
//! gpustack's of gpt-oss-20b on an H100 (docs/performance-lab), and IOG's of Llama 3 8B on an H100 PCIe.
use planner::{
    Scenario,
    bench_result::{BenchError, BenchResult, read},
    evaluate, gpu,
    model::ModelInput,
    plan::Defaults,
};
use serde_json::json;

const PRINTED: &str = "\
Traffic request rate: inf
Burstiness factor: 1.0 (Poisson process)
Maximum request concurrency: None
============ Serving Benchmark Result ============
Successful requests:                     500
Benchmark duration (s):                  32.58
Total input tokens:                      999120
Total generated tokens:                  47022
Request throughput (req/s):              15.35
Output token throughput (tok/s):         1443.44
Total Token throughput (tok/s):          32113.65
---------------Time to First Token----------------
Mean TTFT (ms):                          16515.86
Median TTFT (ms):                        16363.96
P99 TTFT (ms):                           30359.34
-----Time per Output Token (excl. 1st token)------
Mean TPOT (ms):                          149.76
Median TPOT (ms):                        159.20
P99 TPOT (ms):                           225.79
==================================================
";

fn close(found: Option<f64>, expected: f64) -> bool {
    found.is_some_and(|found| (found / expected - 1.0).abs() < 1e-4)
}

#[test]
fn the_printed_table_is_read() {
    let found = read(PRINTED).unwrap();
    assert_eq!(found.tool, "vllm bench serve");
    assert!(close(found.prompt_tokens, 1998.24) && close(found.gen_tokens, 94.044));
    // Neither a rate nor a cap: all at once.
    assert!(close(found.concurrency, 500.0) && found.request_rate.is_none());
    assert!(close(found.ttft_ms, 16363.96) && close(found.tpot_ms, 159.20));
    assert!(close(found.output_tok_per_s, 1443.44));
    let twice =
        PRINTED.replace("159.20", "7.00") + "\r\n" + &PRINTED.replace("None", "64").replace(": inf", ": 8.0");
    let last = read(&twice).unwrap();
    assert!(close(last.tpot_ms, 159.20) && close(last.concurrency, 64.0) && close(last.request_rate, 8.0));
    let load = last.load();
    assert!(
        load.contains(&("concurrency", "64".to_owned())) && load.contains(&("gen_tokens", "94".to_owned()))
    );
}

#[test]
fn the_json_of_vllm_is_read_in_one_line_or_many() {
    let run = json!({
        "date": "20250610-170148", "backend": "vllm", "num_prompts": 200, "request_rate": 8.0, "burstiness": 1.0,
        "max_concurrency": null, "duration": 30.38, "completed": 200, "total_input_tokens": 41169,
        "total_output_tokens": 40379, "output_throughput": 1329.2, "mean_ttft_ms": 23.9, "median_ttft_ms": 22.726,
        "mean_tpot_ms": 11.9, "median_tpot_ms": 11.797, "ttfts": [0.02, 0.03],
    });
    let found = read(&run.to_string()).unwrap();
    assert!(close(found.request_rate, 8.0) && found.concurrency.is_none());
    assert!(
        close(found.ttft_ms, 22.726) && close(found.tpot_ms, 11.797) && close(found.output_tok_per_s, 1329.2)
    );
    let mut other = run.clone();
    other["request_rate"] = "inf".into();
    other["max_concurrency"] = 32.into();
    let lines = format!("{run}\n{other}\n");
    let last = read(&lines).unwrap();
    assert!(close(last.concurrency, 32.0) && last.request_rate.is_none());
    assert_eq!(read(&format!("{run:#}")).unwrap(), found);
    // A trace that had the times leaves the plan's load as it is.
    let mut traced = run.clone();
    traced["request_rate"] = "inf".into();
    traced["arrivals"] = "trace".into();
    let load = read(&traced.to_string()).unwrap().load();
    assert!(load.iter().all(|(id, _)| id.ends_with("_tokens")), "{load:?}");
    // A run of another model is told apart, by its name alone.
    let plan = evaluate(&scenario(&found));
    assert_eq!(found.other_model(&plan), None);
    let mut of = |model: &str| {
        other["model_id"] = model.into();
        read(&other.to_string()).unwrap().other_model(&plan)
    };
    assert_eq!(of("/models/GPT-OSS-20b/"), None);
    assert_eq!(of("Qwen/Qwen3-8B").as_deref(), Some("Qwen/Qwen3-8B"));
}

#[test]
fn other_tools_are_read() {
    let guidellm = json!({"benchmarks": [
        {"metrics": {"time_to_first_token_ms": {"successful": {"median": 1.0}}}},
        {
            "config": {"strategy": {"type_": "concurrent", "streams": 16}},
            "metrics": {
                "time_to_first_token_ms": {"successful": {"mean": 130.0, "median": 120.5}},
                "inter_token_latency_ms": {"successful": {"mean": 12.1, "median": 11.9}},
                "time_per_output_token_ms": {"successful": {"mean": 14.0, "median": 13.0}},
                "output_tokens_per_second": {"successful": {"mean": 1200.0, "median": 1100.0}},
                "prompt_token_count": {"successful": {"mean": 512.0}},
                "output_token_count": {"successful": {"mean": 128.0}},
            },
        },
    ]});
    let found = read(&guidellm.to_string()).unwrap();
    assert_eq!((found.tool, found.concurrency), ("guidellm", Some(16.0)));
    assert_eq!(
        (found.ttft_ms, found.tpot_ms, found.output_tok_per_s),
        (Some(120.5), Some(11.9), Some(1200.0))
    );
    let aiperf = json!({
        "input_config": {"loadgen": {"concurrency": 64, "request_rate": null}},
        "request_count": {"unit": "requests", "avg": 640.0},
        "time_to_first_token": {"unit": "ms", "avg": 195.84, "p50": 175.05},
        "inter_token_latency": {"unit": "ms", "avg": 35.2, "p50": 34.73},
        "output_token_throughput": {"unit": "tokens/sec", "avg": 52.69},
        "input_sequence_length": {"unit": "tokens", "avg": 256.0},
        "output_sequence_length": {"unit": "tokens", "avg": 64.0},
    });
    let found = read(&aiperf.to_string()).unwrap();
    assert_eq!(
        (found.tool, found.concurrency, found.requests),
        ("AIPerf", Some(64.0), Some(640.0))
    );
    assert_eq!(
        (found.ttft_ms, found.tpot_ms, found.output_tok_per_s),
        (Some(175.05), Some(34.73), Some(52.69))
    );
    let mut genai = aiperf;
    genai["input_config"] = json!({"perf_analyzer": {"stimulus": {"request_rate": 4}}});
    genai["time_to_first_token"] = json!({"unit": "ns", "p50": 175_050_000});
    let found = read(&genai.to_string()).unwrap();
    assert_eq!(
        (found.tool, found.request_rate, found.ttft_ms),
        ("GenAI-Perf", Some(4.0), Some(175.05))
    );
}

#[test]
fn what_is_no_result_is_refused() {
    for text in [
        "",
        "{}",
        "[]",
        "null",
        "{\"benchmarks\": [{}]}",
        "{\"benchmarks\": {}}",
        "{\"output_throughput\": -1}",
        "{\"output_throughput\": \"NaN\", \"completed\": 0, \"total_input_tokens\": 5}",
        "{\"time_to_first_token\": 7}",
        "Successful requests:",
        "Successful requests: 0\nMedian TTFT (ms): inf",
        "Model loading took 15.0 GiB",
    ] {
        assert_eq!(read(text), Err(BenchError::NothingFound), "{text}");
    }
}

fn scenario(result: &BenchResult) -> Scenario {
    let model = ModelInput::from_catalog("openai/gpt-oss-20b").unwrap();
    let mut scenario = Scenario::new(model, gpu::find("H100 SXM").unwrap().clone());
    scenario.defaults = Defaults::Vllm;
    scenario.set("vllm_version", "0.11.2").unwrap();
    for (field, value) in result.load() {
        scenario.set(field, &value).unwrap();
    }
    scenario
}

#[test]
fn a_plan_scaled_to_a_machine_says_what_was_measured_there() {
    let result = read(PRINTED).unwrap();
    let scenario = scenario(&result);
    let plan = evaluate(&scenario);
    let rows = result.compare(&plan);
    assert_eq!(rows.len(), 3);
    let scaled = result.calibrated(&scenario).unwrap();
    let found = evaluate(&scaled).performance.unwrap();
    assert!(found.measured && found.title() == "Speed, scaled to a benchmark");
    let files = planner::render(&evaluate(&scaled), &planner::RenderOptions::default());
    let has = |path: &str, text: &str| {
        let file = files.files.iter().find(|file| file.kind.path() == path).unwrap();
        assert!(file.text.contains(text), "{path}: {}", file.text);
    };
    has("serve_command.sh", "speed is scaled to a benchmark");
    has("report.md", "## Speed, scaled to a benchmark");
    let near = |found: f64, measured: f64| (found / measured - 1.0).abs() < 0.002;
    assert!(near(found.ttft_ms.estimate, 16363.96) && near(found.tpot_ms.estimate, 159.20));
    assert!(near(found.output_tok_per_s.estimate, 1443.44));
    // It goes with further questions, and through a text.
    let text = scaled.get("measured_speed").unwrap();
    let ask = |concurrency: &str, measured: Option<&str>| {
        let mut other = scenario.clone();
        other.set("concurrency", concurrency).unwrap();
        if let Some(measured) = measured {
            other.set("measured_speed", measured).unwrap();
        }
        evaluate(&other)
    };
    let (plain, with) = (ask("16", None), ask("16", Some(&text)));
    let tpot = |plan: &planner::Plan| plan.performance.as_ref().unwrap().tpot_ms.estimate;
    assert!(near(tpot(&with) / tpot(&plain), 159.20 / tpot(&plan)));
    // Not with another machine.
    let mut other = scaled;
    other.hardware.gpu = gpu::find("L40S").unwrap().clone();
    let plan = evaluate(&other);
    assert!(!plan.performance.as_ref().unwrap().measured);
    assert!(
        plan.notes.iter().any(|note| note.code == "measured_speed"),
        "{:?}",
        plan.notes
    );
}

#[test]
fn a_text_that_is_no_measured_speed_is_refused() {
    let mut scenario = scenario(&read(PRINTED).unwrap());
    for text in [
        "ttft:1,tpot:1000,rate:1000,on:x",
        "ttft:1000,tpot:1000,on:x",
        "tpot:1000,ttft:1000,rate:1000,on:x",
        "on:x",
    ] {
        let error = scenario.set("measured_speed", text).unwrap_err();
        assert!(error.to_string().contains("ttft:N,tpot:N,rate:N"), "{error}");
    }
}

/// vllm-project/vllm#23000: arctic-embed-m in requests of 512 tokens; the JSON has the keys of `EmbedBenchmarkMetrics`.
#[test]
fn runs_without_answers_are_held_against_a_plan_that_pools() {
    let printed = "\
Traffic request rate: inf
Maximum request concurrency: 1000
============ Serving Benchmark Result ============
Successful requests:                     10000
Benchmark duration (s):                  24.10
Total input tokens:                      5102595
Request throughput (req/s):              414.91
Total Token throughput (tok/s):          211711.04
----------------End-to-end Latency----------------
Mean E2EL (ms):                          2300.00
Median E2EL (ms):                        2350.00
==================================================
";
    let written = json!({
        "backend": "openai-embeddings", "model_id": "Qwen/Qwen3-8B", "num_prompts": 10000, "max_concurrency": 1000,
        "request_rate": "inf", "completed": 10000, "duration": 24.1, "total_input_tokens": 5_102_595,
        "request_throughput": 414.91, "total_token_throughput": 211_711.04, "median_e2el_ms": 2350.0,
    });
    for text in [printed.to_owned(), written.to_string()] {
        let found = read(&text).unwrap();
        assert!(found.gen_tokens.is_none() && found.tpot_ms.is_none());
        assert!(close(found.ttft_ms, 2350.0) && close(found.output_tok_per_s, 211_711.04));
        let model = ModelInput::from_catalog("Qwen/Qwen3-8B").unwrap();
        let mut scenario = Scenario::new(model, gpu::find("H100 SXM").unwrap().clone());
        let flags = ["vllm", "serve", "x", "--runner", "pooling"];
        let command = planner::command::parse(scenario.vllm_version, &flags).unwrap();
        scenario.engine = command.engine;
        for (field, value) in found.load() {
            scenario.set(field, &value).unwrap();
        }
        let rows = found.compare(&evaluate(&scenario));
        let labels: Vec<&str> = rows.iter().map(|row| row.label).collect();
        assert_eq!(labels, ["Time of a request, ms", "Prompt tokens per second"]);
        let measured = evaluate(&found.calibrated(&scenario).unwrap())
            .performance
            .unwrap();
        assert!(
            (measured.output_tok_per_s.estimate / 211_711.04 - 1.0).abs() < 0.01,
            "{measured:?}"
        );
    }
    // A run with answers that prints no TTFT is not taken for one.
    let other = printed.replace("Request through", "Total generated tokens: 5\nRequest through");
    assert!(
        read(&other)
            .map(|found| found.ttft_ms)
            .is_ok_and(|ttft| ttft.is_none())
            || read(&other).is_err()
    );
}
