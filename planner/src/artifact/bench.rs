//! bench.sh: `vllm bench serve` with the plan's workload; the result is JSON.
use super::{
    deployment::Deployment,
    quote::{Comments, shell_word},
    shell::Script,
};
use crate::{
    engine::{Runner, VllmVersion},
    plan::requests,
    text::milli_text,
    units::real,
    workload::Workload,
};

/// bench.sh
pub(crate) fn bench(deployment: &Deployment<'_>, header: &Comments) -> String {
    let scenario = &deployment.plan.scenario;
    let workload = &scenario.workload;
    let version = scenario.vllm_version;
    let served = scenario.engine.served_model_name.as_deref();
    let model = scenario.model.id.as_str();
    let mut script = Script::start(header);
    for line in [
        String::new(),
        format!(
            "Drives a running server with the plan's workload: requests {}, {} tokens in and {} out.",
            workload.pace(),
            workload.prompt(),
            workload.generated()
        ),
        "BASE_URL names another server, RESULT_DIR another folder; further flags of `vllm bench serve` can follow."
            .to_owned(),
        "A server with a key reads it from OPENAI_API_KEY.".to_owned(),
    ] {
        script.note(&line);
    }
    let shape = &workload.shape;
    let pools = scenario.engine.runner() == Some(Runner::Pooling);
    // `timed_trace` is a dataset since 0.30, of completions alone.
    let replays = !shape.trace.is_empty() && !pools && version >= VllmVersion::new(30, 0);
    if shape.is_uneven() && !replays {
        script.note("Every request is an average one: the tool draws no lengths like the plan's.");
    }
    if deployment.plan.performance.is_some() {
        script.note(
            "bench.json, pasted under Check against a run on the page or given to `vllm-wizard check --bench`, is held against the plan and scales it to this machine.",
        );
    }
    script.line("set -euo pipefail");
    script.line("");
    script.needs("vllm", &format!("pip install vllm[bench]=={version}"));
    script.line("");
    let (backend, endpoint) = if pools {
        ("openai-embeddings", "/v1/embeddings")
    } else {
        ("openai", "/v1/completions")
    };
    // 0.10 calls it the endpoint's type.
    let backend_flag = if version < VllmVersion::new(11, 0) {
        "--endpoint-type"
    } else {
        "--backend"
    };
    let mut flags = vec![
        format!("{backend_flag} {backend}"),
        format!(
            r#"--base-url "${{BASE_URL:-http://127.0.0.1:{}}}""#,
            deployment.port
        ),
        format!("--endpoint {endpoint}"),
        pair("--model", model),
    ];
    if let Some(name) = served {
        flags.push(pair("--served-model-name", name));
    }
    if scenario.engine.trust_remote_code == Some(true) {
        flags.push("--trust-remote-code".to_owned());
    }
    // As they came, or as often as the rate says.
    let timed = replays && !shape.times.is_empty() && workload.rate_milli().is_some();
    if replays {
        flags.extend(replay(&mut script, workload, timed));
    } else {
        flags.extend(random(workload, pools));
    }
    flags.push(format!("--num-prompts {}", requests(workload)));
    if timed {
        // The result does not say that the trace had the times.
        flags.push("--metadata arrivals=trace".to_owned());
    } else if let Some(rate) = workload.rate_milli() {
        // A rate and a cap beside it would measure the cap.
        flags.push(format!("--request-rate {}", milli_text(rate)));
        if let Some(shape) = shape.burstiness {
            flags.push(format!("--burstiness {}", milli_text(shape)));
        }
    } else {
        flags.push(format!("--max-concurrency {}", workload.concurrency));
    }
    if !pools {
        flags.push("--percentile-metrics ttft,tpot,itl,e2el".to_owned());
    }
    // There since 0.10.1.
    if version >= VllmVersion::new(10, 1) {
        flags.push(format!("--ready-check-timeout-sec {}", deployment.start_seconds));
    }
    flags.extend([
        "--metric-percentiles 50,90,99".to_owned(),
        "--save-result".to_owned(),
        r#"--result-dir "${RESULT_DIR:-.}""#.to_owned(),
        "--result-filename bench.json".to_owned(),
    ]);
    script.meant([model].into_iter().chain(served));
    script.command("exec vllm bench serve", &flags, &[]);
    script.text
}

/// Prompts of chance, each as long as the average or within the range.
fn random(workload: &Workload, pools: bool) -> Vec<String> {
    let shape = &workload.shape;
    let prompt = u64::from(workload.prompt());
    let mut flags = vec!["--dataset-name random".to_owned()];
    // What the cache is to find is the same in all prompts.
    let share = u64::from(shape.prefix_cache_hit_rate.unwrap_or(0));
    let found = (prompt * share / 1000).min(prompt - 1);
    if found > 0 {
        flags.push(format!("--random-prefix-len {found}"));
    }
    flags.push(format!("--random-input-len {}", prompt - found));
    if let Some(range) = shape
        .length_range
        .filter(|range| *range > 0 && !shape.is_uneven())
    {
        flags.push(format!("--random-range-ratio {}", milli_text(range.into())));
    }
    if !pools {
        flags.push(format!("--random-output-len {}", workload.generated()));
        flags.push("--ignore-eos".to_owned());
    }
    flags
}

/// Between the quotes that `replay` opens and the trace's lines.
const AWK: &str = r#"  { prompt[NR] = $1; answer[NR] = $2; second[NR] = $3 + 0 }
  END {
    for (n = 0; n < count; n++) {
      at = n % NR + 1; pieces = int((prompt[at] + piece - 1) / piece); ids = ""
      for (i = 0; i < pieces; i++)
        ids = ids (i ? ", " : "") (i < int(prompt[at] * found / piece) ? i : n + 1 sprintf("%06d", i))
      printf "{\"timestamp\": %.3f, \"input_length\": %d, ", second[at] * slower, prompt[at]
      printf "\"output_length\": %d, \"hash_ids\": [%s]}\n", answer[at], ids
    }
  }' > "$trace" <<'TRACE'
"#;

/// Writes the trace as `vllm/benchmarks/datasets/datasets.py: TimedTrace` reads it: a prompt is made of pieces, and those
/// with the same number are the same text, so that the first ones of all prompts are what the cache is to find.
fn replay(script: &mut Script, workload: &Workload, timed: bool) -> Vec<String> {
    let shape = &workload.shape;
    let share = shape.prefix_cache_hit_rate.unwrap_or(0);
    let longest = shape.trace.iter().map(|[prompt, _]| *prompt).max().unwrap_or(1);
    let piece = if share > 0 { 16 } else { longest };
    // Between the trace's rate and the one that is set.
    let slower = match (workload.request_rate_milli, shape.rate_milli()) {
        (Some(set), Some(own)) if timed => real(own) / real(set),
        _ => 1.0,
    };
    script.note(
        "The trace: prompt/answer@second of each request, from the beginning again where it is too short.",
    );
    script.line(r#"trace="${RESULT_DIR:-.}/trace.jsonl""#);
    script.line(&format!(
        "awk -F'[/@]' -v piece={piece} -v found={} -v slower={slower} -v count={} '",
        milli_text(share.into()),
        requests(workload)
    ));
    script.text.push_str(AWK);
    for word in shape.trace_words() {
        script.line(&word);
    }
    script.line("TRACE");
    script.line("");
    let mut flags = vec![
        "--dataset-name timed_trace".to_owned(),
        r#"--dataset-path "$trace""#.to_owned(),
        format!("--timed-trace-chunk-hash-size {piece}"),
    ];
    if !timed {
        flags.push("--no-self-timed".to_owned());
    }
    flags
}

fn pair(flag: &str, value: &str) -> String {
    // A value that looks like a flag has to hang on its own.
    if value.starts_with('-') {
        shell_word(&format!("{flag}={value}"))
    } else {
        format!("{flag} {}", shell_word(value))
    }
}
