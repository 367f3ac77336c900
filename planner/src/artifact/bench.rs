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
    if shape.is_uneven() {
        script.note("Every request is an average one: the tool draws no lengths like the plan's.");
    }
    script.line("set -euo pipefail");
    script.line("");
    script.needs("vllm", &format!("pip install vllm[bench]=={version}"));
    script.line("");
    let pools = scenario.engine.runner() == Some(Runner::Pooling);
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
    flags.push("--dataset-name random".to_owned());
    // What the cache is to find is the same in all prompts.
    let share = u64::from(shape.prefix_cache_hit_rate.unwrap_or(0));
    let found = (u64::from(workload.prompt()) * share / 1000).min(u64::from(workload.prompt()) - 1);
    if found > 0 {
        flags.push(format!("--random-prefix-len {found}"));
    }
    let random = u64::from(workload.prompt()) - found;
    flags.push(format!("--random-input-len {random}"));
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
    flags.push(format!("--num-prompts {}", requests(workload)));
    // A rate and a cap beside it would measure the cap.
    if let Some(rate) = workload.rate_milli() {
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

fn pair(flag: &str, value: &str) -> String {
    // A value that looks like a flag has to hang on its own.
    if value.starts_with('-') {
        shell_word(&format!("{flag}={value}"))
    } else {
        format!("{flag} {}", shell_word(value))
    }
}
