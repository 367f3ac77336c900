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
        "explore",
        "fleet",
        "generate",
        "check",
        "schema",
        "Exit codes:",
    ]);
    for code in 0..=6 {
        ended.has(&[&format!("\n  {code}  ")]);
    }
    for command in [
        "detect", "serve", "plan", "explore", "fleet", "generate", "check", "schema",
    ] {
        Run::new(command)
            .arg("--help")
            .code(0)
            .has(&["Usage: vllm-wizard ", "Examples:"]);
    }
}

/// Whatever a script or a person reads there changes only on purpose.
#[test]
fn help_is_as_it_was() {
    for command in [
        "", "detect", "serve", "plan", "explore", "fleet", "generate", "check", "schema",
    ] {
        let ended = Run::new(command).arg("--help").env("COLUMNS", "100").code(0);
        let name = if command.is_empty() { "all" } else { command };
        insta::assert_snapshot!(format!("help_{name}"), without_hub(&ended.stdout));
    }
}

/// What the feature `hub` adds is not everybody's.
fn without_hub(help: &str) -> String {
    let mut inside = false;
    let kept = help.lines().filter(|line| {
        if line.trim_start().starts_with("--") || line.is_empty() {
            inside = line.trim_start().starts_with("--hub");
        }
        !inside
    });
    let mut lines: Vec<&str> = kept.collect();
    // Its own blank line, where each option has one.
    lines.dedup_by(|line, before| line.is_empty() && before.is_empty());
    lines.join("\n")
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

#[test]
fn quiet_leaves_errors_alone_on_stderr() {
    let plan = "plan --model Qwen/Qwen3-8B --gpu L4 --params-b 8";
    assert!(
        Run::new(plan)
            .code(0)
            .stderr
            .contains("--params-b changes nothing")
    );
    for quiet in ["-q", "--quiet"] {
        let ended = Run::new(plan).arg(quiet).code(0);
        assert_eq!(ended.stderr, "");
        ended.has(&["Qwen/Qwen3-8B on 1 × L4"]);
    }
    Run::new("--quiet plan --model no/such --gpu L4").fails(5, &["no/such"]);
}

#[test]
fn the_width_may_be_said() {
    let run = |columns: &str| {
        let run = Run::new("plan --explain --model Qwen/Qwen3-8B --gpu L4").env("COLUMNS", columns);
        let ended = run.code(0);
        ended
            .stdout
            .lines()
            .map(|line| line.chars().count())
            .max()
            .unwrap()
    };
    assert!((81..=120).contains(&run("120")), "{}", run("120"));
    assert!(run("70") <= 70, "{}", run("70"));
}

#[cfg(feature = "manual")]
#[test]
fn completions_and_manual_pages_are_written() {
    let ended = Run::new("manual out").code(0);
    assert!(
        ended
            .read("out/completions/vllm-wizard.bash")
            .contains("--tensor-parallel-size")
    );
    assert!(
        ended
            .read("out/man1/vllm-wizard-plan.1")
            .contains("max\\-model\\-len")
    );
}

#[cfg(feature = "hub")]
#[test]
fn a_config_is_fetched_from_the_named_hub_and_with_the_token() {
    use std::io::{Read, Write};
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", server.local_addr().unwrap());
    let asked = std::thread::spawn(move || {
        let mut asked = Vec::new();
        for (status, body) in [
            ("200 OK", crate::support::CONFIG),
            ("401 Unauthorized", ""),
            ("404 Not Found", ""),
        ] {
            let (mut stream, _) = server.accept().unwrap();
            let mut bytes = [0; 4096];
            let length = stream.read(&mut bytes).unwrap();
            asked.push(String::from_utf8_lossy(&bytes[..length]).into_owned());
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
        }
        asked
    });
    let plan = |more: &str| {
        Run::new("plan --json --gpu L4 --hub --model new/model")
            .args(more)
            .env("HF_ENDPOINT", endpoint.clone())
            .env("HF_TOKEN", "hf_secret")
    };
    let ended = plan("--revision v2").code(0);
    assert_eq!(ended.json()["scenario"]["model"]["id"], "new/model");
    plan("").fails(5, &["asks who you are", "HF_TOKEN"]);
    let ended = plan("").fails(5, &["no such file"]);
    assert!(!ended.stderr.contains("hf_secret"), "{}", ended.stderr);
    let asked = asked.join().unwrap();
    assert!(
        asked[0].starts_with("GET /new/model/resolve/v2/config.json HTTP/1.1\r\n"),
        "{}",
        asked[0]
    );
    assert!(
        asked[0]
            .to_ascii_lowercase()
            .contains("authorization: bearer hf_secret")
    );
    // Without --hub nobody is asked.
    Run::new("plan --gpu L4 --model new/model")
        .env("HF_ENDPOINT", endpoint)
        .fails(5, &["--model-config"]);
    Run::new("plan --gpu L4 --hub --model a/../b").code(5);
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
