//! Help, version, wrong usage.
use crate::support::Run;

#[test]
fn help_has_examples_and_every_exit_code() {
    let ended = Run::new("--help").code(0);
    ended.has(&[
        "Examples:",
        "detect",
        "serve",
        "plan",
        "generate",
        "check",
        "schema",
        "Exit codes:",
    ]);
    for code in 0..=6 {
        ended.has(&[&format!("\n  {code}  ")]);
    }
    for command in ["detect", "serve", "plan", "generate", "check", "schema"] {
        Run::new(command)
            .arg("--help")
            .code(0)
            .has(&["Usage: vllm-wizard ", "Examples:"]);
    }
}

#[test]
fn version_names_the_data() {
    Run::new("--version")
        .code(0)
        .has(&["vllm-wizard ", "data ", "vLLM 0."]);
}

#[test]
fn wrong_usage_ends_with_2() {
    Run::new("").code(2);
    Run::new("plan --modle x").fails(2, &["--modle", "--model"]);
    Run::new("plann").fails(2, &["plann", "plan"]);
    Run::new("plan").fails(2, &["--model is missing"]);
    Run::new("check --gpu L4").fails(2, &["--"]);
    Run::new("generate --model Qwen/Qwen3-8B --gpu L4").fails(2, &["--output"]);
}

#[test]
fn a_bad_value_names_its_flag_and_what_was_expected() {
    let plan = || Run::new("plan --model Qwen/Qwen3-8B --gpu L4");
    plan()
        .args("--max-num-seqs many")
        .fails(2, &["--max-num-seqs", "a whole number from 1 to 65536", "many"]);
    plan().args("--gpus 0").fails(2, &["--gpus", "1 to 64"]);
    plan()
        .args("--gpu-memory-utilization 1.5")
        .fails(2, &["--gpu-memory-utilization", "at most 1"]);
    plan()
        .args("--kv-cache-dtype fp9")
        .fails(2, &["--kv-cache-dtype", "fp8"]);
    plan()
        .args("--enforce-eager=maybe")
        .fails(2, &["--enforce-eager", "true or false"]);
    plan()
        .args("--gpu-memory-gib 80GB")
        .fails(2, &["--gpu-memory-gib", "79.18"]);
    plan()
        .args("--vllm-version latest")
        .fails(2, &["--vllm-version", "0."]);
    plan()
        .args("--request-rate -1")
        .fails(2, &["--request-rate", "at least 0"]);
}

#[test]
fn an_unknown_gpu_gets_the_nearest_names() {
    Run::new("plan --model Qwen/Qwen3-8B --gpu H100-SXM5").fails(2, &["--gpu", "H100 SXM"]);
    Run::new("plan --model Qwen/Qwen3-8B --gpu toaster").fails(2, &["--gpu-memory-gib"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_reader_that_goes_away_is_no_error() {
    use std::process::Stdio;
    let run = Run::new("plan --json --model Qwen/Qwen3-8B --gpu L4");
    let mut child = run
        .command()
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
}
