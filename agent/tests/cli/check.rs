//! `check`: an existing command as it is.
use crate::support::{CONFIG, Run};

fn check(args: &str) -> Run {
    Run::new("check --json").args(args)
}

#[test]
fn vllms_own_defaults_fill_what_is_left_out() {
    let plan = check("--gpu L40S -- vllm serve Qwen/Qwen3-8B").code(0).json();
    assert_eq!(plan["config"]["max_model_len"], 40960);
    assert_eq!(plan["config"]["max_num_seqs"], 256);
    assert_eq!(plan["config"]["gpu_memory_utilization"], 0.92);
}

#[test]
fn vllms_ways_to_write_a_flag_are_read() {
    for flags in [
        "--max-model-len 8192 --tensor-parallel-size 2 --enforce-eager",
        "--max_model_len=8192 -tp 2 --enforce-eager",
        "--max-model-len=8k --tensor-parallel-size=2 --no-enforce-eager --enforce-eager",
    ] {
        let plan = check("--gpu L40S --gpus 2 -- vllm serve Qwen/Qwen3-8B")
            .args(flags)
            .code(0)
            .json();
        let config = &plan["config"];
        assert_eq!(config["tensor_parallel_size"], 2, "{flags}");
        assert_eq!(config["enforce_eager"], true, "{flags}");
        assert!(
            config["max_model_len"] == 8192 || config["max_model_len"] == 8000,
            "{flags}"
        );
    }
}

#[test]
fn what_does_not_start_ends_with_3_in_vllms_words() {
    let plan = check("--gpu L4 -- vllm serve Qwen/Qwen3-8B").code(3).json();
    let error = plan["verdict"]["vllm_error"].as_str().unwrap();
    assert!(error.contains("KV cache"), "{error}");
}

#[test]
fn the_report_lists_every_argument() {
    Run::new("check --gpu L40S -- vllm serve Qwen/Qwen3-8B --max-model-len 8192")
        .code(0)
        .has(&[
            "--max-num-seqs",
            "default",
            "--max-model-len",
            "set",
            "Maximum concurrency for 8,192 tokens",
        ]);
}

#[test]
fn what_would_be_better_stands_after_the_answer() {
    Run::new("check --gpu L4 -- vllm serve Qwen/Qwen3-8B --swap-space 4 --max-num-seqs 16")
        .code(3)
        .has(&[
            "A better command",
            "- --swap-space 4",
            "+ --kv-cache-dtype fp8",
            "  --max-num-seqs 16",
            "Does not fit before; then: ",
        ]);
}

#[test]
fn a_flag_that_vllm_does_not_have_is_named() {
    let run = |more: &str| {
        check(&format!(
            "--gpu L40S {more} -- vllm serve Qwen/Qwen3-8B --max-model-length 8192"
        ))
    };
    let ended = run("").code(3);
    assert!(ended.stderr.contains("--max-model-length"), "{}", ended.stderr);
    assert!(ended.json()["notes"].to_string().contains("--max-model-length"));
    // Flags of a release whose list is not bundled may well be its own.
    run("--vllm-version 0.9.1").code(0);
}

#[test]
fn flags_that_do_not_shape_memory_pass() {
    let ended =
        check("--gpu L40S -- vllm serve Qwen/Qwen3-8B --max-model-len 8192 --disable-log-stats --seed 7")
            .arg("--generation-config")
            .arg("vllm")
            .code(0);
    assert_eq!(ended.json()["verdict"]["outcome"], "fits");
}

#[test]
fn the_scoring_tools_call_is_answered() {
    let ended = Run::new("check --json --gpu")
        .arg("H100 SXM")
        .args("--gpus 1 --gpu-memory-gib 79.18 --vllm-version 0.10.2 --model-config c.json")
        .args("-- vllm serve org/name --max-model-len 4096 --gpu-memory-utilization 0.9 --max-num-batched-tokens 2048")
        .file("c.json", CONFIG)
        .code(0);
    let plan = ended.json();
    for figure in ["weights_bytes", "kv_cache_available_bytes", "kv_cache_tokens"] {
        assert!(plan["memory"][figure].as_u64().unwrap() > 0, "{figure}");
    }
    assert!(plan["notes"].to_string().contains("0.10.2"));
}

#[test]
fn bad_commands_end_with_2() {
    check("--gpu L4 -- vllm serve").fails(2, &["model"]);
    check("--gpu L4 -- vllm serve Qwen/Qwen3-8B --max-num-seqs many").fails(2, &["--max-num-seqs", "many"]);
    check("--gpu L4 -- vllm bench Qwen/Qwen3-8B").fails(2, &["vllm serve"]);
    check("--gpu L4 --max-model-len 5 -- vllm serve Qwen/Qwen3-8B").fails(2, &["--max-model-len"]);
}

#[test]
fn a_container_line_is_read_from_its_image_on() {
    let plan = check("--gpu L40S -- docker run --gpus all -p 8000:8000 vllm/vllm-openai:latest")
        .args("--model Qwen/Qwen3-8B --max-model-len 8192")
        .code(0)
        .json();
    assert_eq!(plan["config"]["max_model_len"], 8192);
}

#[test]
fn without_a_count_there_are_as_many_gpus_as_the_command_asks_for() {
    let command = "-- vllm serve Qwen/Qwen3-8B -tp 2 -pp 2";
    let plan = check(&format!("--gpu L40S {command}")).code(0).json();
    assert_eq!(plan["scenario"]["gpus"], 4);
    let plan = check(&format!("--gpu L40S --nodes 2 {command}")).code(0).json();
    assert_eq!(plan["scenario"]["gpus"], 2);
    check(&format!("--gpu L40S --gpus 1 {command}")).code(6);
}

const COMPOSE: &str = "services:
  llm:
    image: vllm/vllm-openai:v0.11.2
    command: [--model, Qwen/Qwen3-8B, --max-model-len, '8192', --tensor-parallel-size, '2', --seed, '7']
    deploy: {resources: {reservations: {devices: [{driver: nvidia, count: 2, capabilities: [gpu]}]}}}
";

#[test]
fn a_file_says_model_version_and_gpus() {
    let ended = check("--gpu L40S --file docker-compose.yaml")
        .file("docker-compose.yaml", COMPOSE)
        .code(0);
    assert!(ended.stderr.contains("service `llm`"), "{}", ended.stderr);
    let plan = ended.json();
    assert_eq!(plan["scenario"]["gpus"], 2);
    assert_eq!(plan["vllm_version"], "0.11.2");
    assert_eq!(plan["config"]["max_model_len"], 8192);
    assert!(plan["notes"].to_string().contains("--seed"));
    let other = check("--gpu L40S --gpus 4 --vllm-version 0.33.0 --file -")
        .stdin(COMPOSE)
        .code(0)
        .json();
    assert_eq!(other["scenario"]["gpus"], 4);
    assert_eq!(other["vllm_version"], "0.33.0");
}

#[test]
fn a_manifest_may_name_the_gpu() {
    let pod = "kind: Pod
spec:
  nodeSelector: {nvidia.com/gpu.product: NVIDIA-L40S}
  containers:
  - {name: c, image: vllm/vllm-openai, args: [--model, Qwen/Qwen3-8B, --max-model-len, '8192', --port, $(PORT)],
     envFrom: [{configMapRef: {name: x}}]}
";
    let plan = check("--file pod.yaml").file("pod.yaml", pod).code(0).json();
    assert_eq!(plan["scenario"]["gpu"], "L40S");
    assert!(plan["notes"].to_string().contains("$(PORT)"));
}

#[test]
fn files_that_start_no_vllm_end_with_5() {
    check("--gpu L4 --file none.yaml").fails(5, &["none.yaml", "no such file"]);
    check("--gpu L4 --file x.yaml")
        .file("x.yaml", "services:\n  db: {image: postgres}\n")
        .fails(5, &["x.yaml", "service `db`", "postgres"]);
    check("--gpu L4 --file x.yaml")
        .file("x.yaml", "a: [1\n")
        .fails(5, &["x.yaml", "line 1"]);
    check("--gpu L4 --file p.yaml")
        .file("p.yaml", "profile_version: 1\n")
        .fails(5, &["profile", "--profile"]);
    check("--gpu L4 --file x -- vllm serve m").fails(2, &["--file"]);
    check("--gpu L4").fails(2, &["--file"]);
}

#[test]
fn a_profile_is_checked_as_it_is() {
    let profile = "profile_version: 1
model: {id: Qwen/Qwen3-8B, max_model_len: 8192}
hardware: {gpu_name: L40S, gpus: 2, tp_size: 2}
workload: {concurrency: 4}
";
    let plan = check("--profile p.yaml").file("p.yaml", profile).code(0).json();
    assert_eq!(plan["config"]["tensor_parallel_size"], 2);
    assert_eq!(plan["config"]["max_num_seqs"], 256, "vLLM's default");
    let plan = Run::new("plan --json --profile p.yaml")
        .file("p.yaml", profile)
        .code(0)
        .json();
    assert_eq!(plan["config"]["max_model_len"], 8192);
    let wrong = profile.replace("tp_size", "tp_sise");
    check("--profile p.yaml")
        .file("p.yaml", &wrong)
        .fails(5, &["line 3", "hardware.tp_sise", "hardware.tp_size"]);
}

/// Lines of a published log (0.11.2, H200).
const LOG: &str = "\
(APIServer pid=155) INFO 11-28 15:27:12 [api_server.py:1] vLLM API server version 0.11.2
(APIServer pid=155) INFO 11-28 15:27:15 [utils.py:253] non-default args: {'model': 'meta-llama/Meta-Llama-3-8B-Instruct', 'dtype': 'bfloat16', 'max_model_len': 1024}
(EngineCore_DP0 pid=420) INFO 11-28 15:27:50 [gpu_model_runner.py:3338] Model loading took 14.9596 GiB memory and 20.670949 seconds
(EngineCore_DP0 pid=420) INFO 11-28 15:28:09 [gpu_worker.py:359] Available KV cache memory: 105.97 GiB
(EngineCore_DP0 pid=420) INFO 11-28 15:28:09 [kv_cache_utils.py:1229] GPU KV cache size: 868,080 tokens
(EngineCore_DP0 pid=420) INFO 11-28 15:28:09 [kv_cache_utils.py:1234] Maximum concurrency for 1,024 tokens per request: 847.73x
";

#[test]
fn a_log_says_command_and_version_and_is_held_against_the_plan() {
    let report = check("--gpu H200 --log start.log")
        .file("start.log", LOG)
        .code(0)
        .json();
    assert_eq!(report["schema"], "vllm-wizard/log-check/v1");
    assert_eq!(report["plan"]["vllm_version"], "0.11.2");
    assert_eq!(report["plan"]["config"]["max_model_len"], 1024);
    let rows = report["comparison"].as_array().unwrap();
    assert_eq!(rows.len(), 4);
    for row in rows {
        assert!(row["deviation"].as_f64().unwrap().abs() < 0.005, "{row}");
    }
    Run::new("check --gpu H200 --log -").stdin(LOG).code(0).has(&[
        "Held against the log",
        "868,080 tokens",
        "847.73x",
    ]);
}

#[test]
fn a_log_without_arguments_asks_for_the_command() {
    let figures = LOG.lines().skip(2).collect::<Vec<_>>().join("\n");
    check("--gpu H200 --log x.log")
        .file("x.log", &figures)
        .fails(2, &["non-default args", "check --log FILE --"]);
    let report = check("--gpu H200 --log x.log -- vllm serve meta-llama/Meta-Llama-3-8B-Instruct")
        .file("x.log", &figures)
        .code(0)
        .json();
    // Concurrency of another length is not compared.
    assert_eq!(report["comparison"].as_array().unwrap().len(), 3);
    check("--gpu H200 --log x.log")
        .file("x.log", "nothing of it\n")
        .fails(5, &["x.log", "Model loading took"]);
}

/// What `vllm bench serve` printed of Llama 3 8B on an H100 PCIe, 0.8.5 (IOG, 8 requests a second).
const BENCH: &str = "\
Traffic request rate: 8.0
============ Serving Benchmark Result ============
Successful requests:                     200
Total input tokens:                      41169
Total generated tokens:                  40365
Output token throughput (tok/s):         1329.20
Median TTFT (ms):                        22.73
Median TPOT (ms):                        11.80
";

#[test]
fn a_benchmark_says_its_load_and_is_held_against_the_plan() {
    let command = "-- vllm serve meta-llama/Meta-Llama-3-8B-Instruct";
    let asked = "--gpu H100-PCIe --vllm-version 0.8.5 --bench";
    let report = check(&format!("{asked} bench.txt {command}"))
        .file("bench.txt", BENCH)
        .code(0)
        .json();
    assert_eq!(report["schema"], "vllm-wizard/bench-check/v1");
    assert_eq!(report["bench"]["request_rate"], 8.0);
    assert_eq!(report["comparison"][1]["measured"], 11.8);
    let measured = report["measured_speed"].as_str().unwrap().to_owned();
    Run::new("check")
        .args(&format!("{asked} - {command}"))
        .stdin(BENCH)
        .code(0)
        .has(&[
            "Held against vllm bench serve",
            "measured / plan",
            "--measured-speed 'ttft:",
        ]);
    let plan =
        check("--gpu H100-PCIe --vllm-version 0.8.5 --request-rate 8 --prompt-tokens 206 --gen-tokens 202")
            .args("--measured-speed")
            .arg(&measured)
            .args(command)
            .code(0)
            .json();
    assert_eq!(plan["performance"]["basis"], "measured");
    assert_eq!(plan["performance"]["tpot_ms"]["p50"], 11.8);
    check(&format!("--gpu H100-PCIe --bench bench.txt {command}"))
        .file("bench.txt", "nothing of it\n")
        .fails(5, &["bench.txt", "vllm bench serve"]);
}
