//! A start-up log or a benchmark's result beside its plan, and what it measured taken over.

use e2e::{Name, Options, Res, journey};

/// Of Qwen3 8B on an H100, as `kubectl logs` prints it, with colours.
const LOG: &str = "\
2026-11-20T10:00:01Z \u{1b}[36m(APIServer pid=1)\u{1b}[0m INFO 11-20 10:00:01 [api_server.py:1] vLLM API server version 0.33.0\n\
2026-11-20T10:00:01Z (APIServer pid=1) INFO 11-20 10:00:01 [utils.py:1] non-default args: {'model_tag': 'Qwen/Qwen3-8B', 'model': 'Qwen/Qwen3-8B', 'max_model_len': 32768}\n\
2026-11-20T10:01:00Z (EngineCore pid=9) INFO 11-20 10:01:00 [gpu_model_runner.py:1] Model loading took 16.27 GiB memory and 3.1 seconds\n\
2026-11-20T10:01:30Z (EngineCore pid=9) INFO 11-20 10:01:30 [gpu_worker.py:1] Available KV cache memory: 50.25 GiB\n\
2026-11-20T10:01:31Z (EngineCore pid=9) INFO 11-20 10:01:31 [kv_cache_utils.py:1] GPU KV cache size: 365,904 tokens\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pasted_log_is_compared_and_taken_over() -> Res<()> {
    journey(Options::default(), async |page| {
        let panel = page.role("region", "Check against a run");
        panel.has_text("Available KV cache memory: 5").await?;
        page.field("Start-up log, or a benchmark's result")
            .fill("hello")
            .await?;
        panel.role("button", "Compare").click().await?;
        panel.has_text("No line of vLLM's start-up").await?;
        // By keyboard: from the field to its button.
        page.field("Start-up log, or a benchmark's result")
            .fill(LOG)
            .await?;
        page.press("Tab").await?;
        page.press("Enter").await?;
        panel
            .has_text("vllm serve Qwen/Qwen3-8B --max-model-len=32768")
            .await?;
        let table = panel.role("table", Name::Any);
        table.has_text("Model loading took").await?;
        table.has_text("16.27 GiB").await?;
        table.has_text("50.25 GiB").await?;
        let breaches = page.axe().await?;
        assert!(breaches.is_empty(), "{breaches:#?}");
        panel.role("button", "Download for a bug report").click().await?;
        let report: serde_json::Value = serde_json::from_slice(&page.download("vllm-log-check.json").await?)?;
        assert_eq!(report["schema"], "vllm-wizard/log-check/v1");
        assert!(
            report["measured"]
                .as_str()
                .is_some_and(|text| text.starts_with("weights:"))
        );
        assert!(
            !report.to_string().contains("APIServer"),
            "no line of the log is in it"
        );

        panel.role("button", "Calibrate to this start").click().await?;
        page.css(".measured")
            .has_text("Calibrated to your machine")
            .await?;
        page.css(".verdict").has_text("50.3 GiB").await?;
        page.css("#artifact-code")
            .has_text("Calibrated to a measured start")
            .await?;
        page.role("button", "Weights").click().await?;
        page.role("button", "Explain Weights, measured against estimated")
            .click()
            .await?;
        page.role("dialog", "Weights, measured against estimated")
            .has_text("Measured: read from a start-up log")
            .await?;
        page.press("Escape").await?;
        // A further question: the measured values stay; another layout sets them aside.
        page.field("Context length (tokens)").fill("16384").await?;
        page.wait("location.hash.includes('measured=') && location.hash.includes('max_model_len=16384')")
            .await?;
        page.css(".verdict").has_text("50.3 GiB").await?;
        page.reload().await?;
        page.css(".verdict").has_text("50.3 GiB").await?;
        page.field("vLLM").select("0.11.2").await?;
        page.css(".measured").has_text("set aside").await?;
        page.role("button", "Back to the estimate").click().await?;
        page.css(".measured").gone().await?;
        page.wait("!location.hash.includes('measured')").await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn log_file_is_read_where_it_is_chosen() -> Res<()> {
    journey(Options::default().dark().viewport(320, 640), async |page| {
        let file = page.file("vllm.log", "INFO Available KV cache memory: 50.25 GiB\n")?;
        page.css("#log-check input[type=file]")
            .choose_files(&[&file])
            .await?;
        let panel = page.role("region", "Check against a run");
        panel.has_text("does not print its arguments").await?;
        panel.has_text("50.25 GiB").await?;
        let breaches = page.axe().await?;
        assert!(breaches.is_empty(), "{breaches:#?}");
        assert!(!page.scrolls_sideways().await?);
        panel.role("button", "Clear").click().await?;
        page.wait("!document.querySelector('#log-check table')").await
    })
    .await
}

/// As `vllm bench serve --save-result` writes it.
const BENCH: &str = r#"{"date": "20261120-101500", "backend": "openai", "model_id": "Qwen/Qwen3-8B", "num_prompts": 128,
 "request_rate": "inf", "burstiness": 1.0, "max_concurrency": 16, "duration": 37.2, "completed": 128,
 "total_input_tokens": 131072, "total_output_tokens": 65536, "request_throughput": 3.44,
 "output_throughput": 1761.7, "median_ttft_ms": 95.5, "median_tpot_ms": 8.9}"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pasted_benchmark_scales_further_questions_until_taken_back() -> Res<()> {
    journey(Options::default(), async |page| {
        let speed = page.css("#speed");
        speed.has_text("Speed, an estimate").await?;
        speed.role("button", "Check against a benchmark").click().await?;
        let panel = page.role("region", "Check against a run");
        page.field("Start-up log, or a benchmark's result")
            .fill(BENCH)
            .await?;
        panel.role("button", "Compare").click().await?;
        panel
            .has_text("requests 16 at a time, 1\u{202f}024 tokens in and 512 out")
            .await?;
        let table = panel.role("table", Name::Any);
        table.has_text("95.5").await?;
        table.has_text("its range").await?;
        let breaches = page.axe().await?;
        assert!(breaches.is_empty(), "{breaches:#?}");
        panel.role("button", "Download for a bug report").click().await?;
        let report: serde_json::Value =
            serde_json::from_slice(&page.download("vllm-bench-check.json").await?)?;
        assert_eq!(report["schema"], "vllm-wizard/bench-check/v1");
        assert_eq!(report["bench"]["output_tok_per_s"], 1761.7);

        panel.role("button", "Scale to this benchmark").click().await?;
        speed.has_text("Speed, scaled to a benchmark").await?;
        page.css("#artifact-code")
            .has_text("speed is scaled to a benchmark")
            .await?;
        // At the run's own load the plan says what was measured; at others it keeps the factor.
        page.field("Concurrent sequences").fill("16").await?;
        speed.has_text("about 95.").await?;
        speed.has_text("about 8.9").await?;
        page.wait("location.hash.includes('measured_speed=') && location.hash.includes('concurrency=16')")
            .await?;
        page.reload().await?;
        speed.has_text("about 95.").await?;
        page.field("vLLM").select("0.11.2").await?;
        speed.has_text("set aside").await?;
        speed.has_text("Speed, an estimate").await?;
        speed.role("button", "Back to the estimate").click().await?;
        page.wait("!location.hash.includes('measured_speed')").await?;
        // Dropped anywhere, a result is known for what it is; one of another model says so.
        let other = page.file("bench.json", BENCH.replace("Qwen/Qwen3-8B", "Qwen/Qwen3-32B"))?;
        page.css("#log-check input[type=file]")
            .choose_files(&[&other])
            .await?;
        panel.has_text("The run is of Qwen/Qwen3-32B").await
    })
    .await
}
