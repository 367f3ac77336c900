//! The files of a plan, read back by those who will read them.
use crate::support::scenario;
use planner::{
    ArtifactKind, Outcome, Plan, RenderOptions, Scenario,
    artifact::{omitted, serve_args, serve_words, zip},
    engine::{FlagKind, FlagTable},
    evaluate, render,
    units::Bytes,
};
use proptest::prelude::*;
use serde_json::Value;
use std::{fmt::Write as _, fs, path::PathBuf, process::Command};

pub(crate) fn options() -> RenderOptions {
    RenderOptions {
        date: Some("2026-11-25".to_owned()),
        link: Some("https://example.org/#s=1&model=x".to_owned()),
        emit: Vec::new(),
    }
}

pub(crate) fn text(plan: &Plan, kind: ArtifactKind) -> String {
    let set = render(plan, &options());
    let file = set.get(kind).unwrap_or_else(|| panic!("no {}", kind.path()));
    file.text.clone()
}

/// A plan whose words do not change when the arithmetic gets better.
fn fixed(scenario: &Scenario) -> Plan {
    let mut plan = evaluate(scenario);
    plan.verdict.outcome = Outcome::Fits;
    "Room for the whole load.".clone_into(&mut plan.verdict.reason);
    plan.notes.clear();
    plan.memory.as_mut().unwrap().weights_bytes = Bytes::from_gib(8);
    let args = plan.args.as_mut().unwrap();
    "vLLM's default.".clone_into(&mut args.gpu_memory_utilization.why);
    plan
}

pub(crate) fn nasty(words: [&str; 4]) -> Scenario {
    let mut scenario = scenario(
        "Qwen/Qwen3-8B",
        "H100 SXM",
        &[("defaults", "vllm"), ("max_model_len", "4096")],
    );
    scenario.engine.served_model_name = Some(words[0].to_owned());
    scenario.model.revision = Some(words[1].to_owned());
    scenario.engine.vllm_args = vec![
        ("--chat-template".to_owned(), Some(words[2].to_owned())),
        ("--enable-lora".to_owned(), None),
        (
            "--lora-modules".to_owned(),
            Some(serde_json::to_string(&words[..2]).unwrap()),
        ),
    ];
    words[3].clone_into(&mut scenario.model.id);
    scenario
}

pub(crate) const TRAPS: [&str; 4] = [
    "a'b \"c\" $HOME $(id) `id`",
    "on",
    "{{ x }}\n- y: #\t😀",
    "org/it's a $model",
];

/// Runs a script with a program of that name first on PATH, which prints its words, each with a NUL behind it.
pub(crate) fn run_with_stub(name: &str, program: &str, script: &str) -> Vec<String> {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).unwrap();
    let (stub, file) = (folder.join(program), folder.join("script.sh"));
    fs::write(&stub, "#!/bin/sh\nprintf '%s\\0' \"$@\"\n").unwrap();
    fs::write(&file, script).unwrap();
    assert!(
        Command::new("chmod")
            .arg("+x")
            .arg(&stub)
            .status()
            .unwrap()
            .success()
    );
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let output = Command::new("bash")
        .arg(&file)
        .arg("one more")
        .env("PATH", path)
        .output();
    let output = output.unwrap();
    assert!(output.status.success(), "{output:?}\n{script}");
    let mut words: Vec<String> = String::from_utf8(output.stdout)
        .unwrap()
        .split('\0')
        .map(str::to_owned)
        .collect();
    words.pop();
    assert_eq!(words.pop().as_deref(), Some("one more"), "{script}");
    words
}

#[test]
fn bash_starts_vllm_with_the_plans_words() {
    for case in [
        nasty(TRAPS),
        scenario("Qwen/Qwen3-32B", "H100 SXM", &[("gpus", "4")]),
    ] {
        let plan = evaluate(&case);
        let words = run_with_stub("serve", "vllm", &text(&plan, ArtifactKind::Command));
        assert_eq!(words[0], "serve");
        assert_eq!(words[1..], serve_words(&plan));
    }
}

#[test]
fn docker_gets_the_plans_words_behind_the_image() {
    let plan = evaluate(&nasty(TRAPS));
    let words = run_with_stub("docker", "docker", &text(&plan, ArtifactKind::Docker));
    let image = words
        .iter()
        .position(|word| word.starts_with("vllm/vllm-openai:v0."))
        .unwrap();
    assert_eq!(words[image + 1..], serve_words(&plan));
    let options = words[..image].join(" ");
    for part in [
        "--gpus 1",
        "--ipc=host",
        "-p 8000:8000",
        "-e HF_TOKEN ",
        "--name llm-server",
    ] {
        assert!(options.contains(part), "{options}");
    }
    assert!(!options.contains("HF_TOKEN="), "{options}");
}

#[test]
fn amd_gpus_get_rocms_image_and_devices_and_no_chart() {
    let plan = evaluate(&scenario(
        "Qwen/Qwen3-8B",
        "MI300X",
        &[("gpus", "2"), ("tensor_parallel_size", "1")],
    ));
    let words = run_with_stub("rocm", "docker", &text(&plan, ArtifactKind::Docker)).join(" ");
    for part in [
        "--device /dev/kfd",
        "--device /dev/dri",
        "vllm/vllm-openai-rocm:v",
        "HIP_VISIBLE_DEVICES=0 ",
    ] {
        assert!(words.contains(part), "{words}");
    }
    assert!(!words.contains("--gpus"), "{words}");
    let compose = yaml(&text(&plan, ArtifactKind::Compose));
    assert!(compose["services"]["llm-server"]["deploy"].is_null());
    assert_eq!(
        compose["services"]["llm-server"]["environment"]["HIP_VISIBLE_DEVICES"],
        "0"
    );
    assert!(render(&plan, &options()).get(ArtifactKind::Values).is_none());
    assert!(
        omitted(&plan, ArtifactKind::Values)
            .unwrap()
            .contains("nvidia.com/gpu")
    );
}

fn yaml(text: &str) -> Value {
    let value: serde_yaml::Value = serde_yaml::from_str(text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    serde_json::to_value(value).unwrap()
}

/// What Compose and Kubernetes make of `$`.
fn collapsed(words: &Value) -> Vec<String> {
    let words = words.as_array().unwrap().iter();
    words
        .map(|word| word.as_str().unwrap().replace("$$", "$"))
        .collect()
}

#[test]
fn compose_starts_vllm_with_the_plans_words() {
    for case in [
        nasty(TRAPS),
        scenario("Qwen/Qwen3-32B", "H100 SXM", &[("gpus", "4"), ("port", "9000")]),
    ] {
        let plan = evaluate(&case);
        let file = yaml(&text(&plan, ArtifactKind::Compose));
        assert!(file["version"].is_null());
        let service = &file["services"]["llm-server"];
        assert_eq!(collapsed(&service["command"]), serve_words(&plan));
        let device = &service["deploy"]["resources"]["reservations"]["devices"][0];
        assert_eq!(device["count"], plan.args.as_ref().unwrap().gpus());
        assert_eq!(device["capabilities"], serde_json::json!(["gpu"]));
        assert_eq!(service["environment"]["HF_TOKEN"], "${HF_TOKEN:-}");
        let port = case.engine.port.unwrap_or(8000);
        assert_eq!(service["ports"][0], format!("{port}:{port}"));
        assert!(
            service["healthcheck"]["test"][3]
                .as_str()
                .unwrap()
                .contains(&format!(":{port}/health"))
        );
    }
}

#[test]
fn the_chart_starts_vllm_with_the_plans_words() {
    for case in [
        nasty(TRAPS),
        scenario("Qwen/Qwen3-32B", "H100 SXM", &[("gpus", "4"), ("port", "9000")]),
    ] {
        let plan = evaluate(&case);
        let values = yaml(&text(&plan, ArtifactKind::Values));
        let words = collapsed(&values["image"]["command"]);
        assert_eq!(words[..2], ["vllm", "serve"]);
        assert_eq!(words[2..], serve_words(&plan));
        let gpus = plan.args.as_ref().unwrap().gpus();
        for part in ["requests", "limits"] {
            assert_eq!(values["resources"][part]["nvidia.com/gpu"], gpus);
        }
        let port = case.engine.port.unwrap_or(8000);
        for probe in ["readinessProbe", "livenessProbe"] {
            assert_eq!(values[probe]["httpGet"]["port"], port);
        }
        assert_eq!(values["containerPort"], port);
        assert_eq!(values["gpuModels"], serde_json::json!(["NVIDIA-H100-80GB-HBM3"]));
        assert_eq!(values["extraInit"]["modelDownload"]["enabled"], false);
        assert_ne!(values["serviceName"], "vllm");
    }
}

#[test]
fn every_flag_is_one_of_this_version_with_a_value_it_takes() {
    let everything = [
        ("gpus", "8"),
        ("tensor_parallel_size", "2"),
        ("pipeline_parallel_size", "2"),
        ("data_parallel_size", "2"),
        ("enable_expert_parallel", "true"),
        ("max_model_len", "auto"),
        ("kv_cache_dtype", "fp8"),
        ("block_size", "32"),
        ("max_num_seqs", "64"),
        ("max_num_batched_tokens", "8192"),
        ("enable_prefix_caching", "false"),
        ("enable_chunked_prefill", "true"),
        ("enforce_eager", "true"),
        ("disable_hybrid_kv_cache_manager", "true"),
        ("dtype", "bfloat16"),
        ("quantization", "fp8_per_tensor"),
        ("trust_remote_code", "true"),
        ("served_model_name", "m"),
        ("port", "9000"),
        ("kv_cache_memory_bytes", "4GiB"),
        ("language_model_only", "true"),
    ];
    let off = [
        ("enable_prefix_caching", "false"),
        ("enable_chunked_prefill", "false"),
        ("enforce_eager", "false"),
        ("disable_hybrid_kv_cache_manager", "false"),
        ("trust_remote_code", "false"),
        ("max_model_len", "4096"),
        ("enable_expert_parallel", "false"),
        ("tensor_parallel_size", "1"),
    ];
    let mut seen = 0;
    for case in [
        scenario("Qwen/Qwen3-30B-A3B", "H100 SXM", &everything),
        scenario("Qwen/Qwen3-8B", "L4", &off),
        scenario("meta-llama/Llama-3.3-70B-Instruct", "H100 SXM", &[("gpus", "8")]),
        nasty(TRAPS),
    ] {
        let plan = evaluate(&case);
        assert_ne!(plan.verdict.outcome, Outcome::Unsupported, "{:?}", plan.verdict);
        for arg in serve_args(&plan).iter().skip(1) {
            let flag = arg.flag.as_deref().unwrap();
            let found = FlagTable::of(case.vllm_version)
                .find(flag)
                .unwrap_or_else(|| panic!("{flag}"));
            assert_eq!(found.name(), flag, "spelled in full");
            let values = arg.values.len();
            match found.flag.kind {
                FlagKind::Switch | FlagKind::SwitchPair => assert_eq!(values, 0, "{flag}"),
                FlagKind::Value => assert_eq!(values, 1, "{flag}"),
                FlagKind::OptionalValue => assert!(values <= 1, "{flag}"),
                FlagKind::List => assert!(values >= 1, "{flag}"),
            }
            if let (Some(value), false) = (arg.values.first(), found.flag.choices.is_empty()) {
                assert!(found.flag.choices.contains(&value.as_str()), "{flag} {value}");
            }
            assert!(!arg.why.is_empty(), "{flag}");
            seen += 1;
        }
    }
    assert!(seen > 30, "{seen}");
}

#[test]
fn a_quantised_checkpoint_is_not_told_its_method() {
    let plan = evaluate(&scenario("RedHatAI/Llama-3.2-3B-Instruct-FP8-dynamic", "L4", &[]));
    assert!(plan.args.as_ref().unwrap().quantization.is_some());
    assert!(!serve_words(&plan).contains(&"--quantization".to_owned()));
}

#[test]
fn a_command_read_back_is_the_same_command() {
    for (model, gpu, fields) in [
        ("Qwen/Qwen3-32B", "H100 SXM", &[("gpus", "4")][..]),
        (
            "Qwen/Qwen3-30B-A3B",
            "H100 SXM",
            &[("gpus", "2"), ("enable_expert_parallel", "true"), ("port", "9")],
        ),
        (
            "Qwen/Qwen3-8B",
            "L4",
            &[("max_model_len", "8192"), ("enable_prefix_caching", "false")],
        ),
    ] {
        let mut case = scenario(model, gpu, fields);
        let words = serve_words(&evaluate(&case));
        let command = planner::command::parse(case.vllm_version, &words).unwrap();
        assert!(command.unknown.is_empty() && command.unmodelled.is_empty());
        case.set("defaults", "vllm").unwrap();
        case.engine = command.engine;
        assert_eq!(serve_words(&evaluate(&case)), words);
    }
}

#[test]
fn what_does_not_fit_begins_with_a_warning() {
    let plan = evaluate(&scenario("Qwen/Qwen3-32B", "L4", &[]));
    assert_eq!(plan.verdict.outcome, Outcome::DoesNotFit);
    for kind in [
        ArtifactKind::Command,
        ArtifactKind::Docker,
        ArtifactKind::Compose,
        ArtifactKind::Values,
    ] {
        let text = text(&plan, kind);
        let first = text.lines().find(|line| !line.starts_with("#!")).unwrap();
        assert!(first.starts_with("# WARNING: this does not fit"), "{first}");
    }
}

#[test]
fn nothing_is_written_that_would_not_run() {
    let unsupported = evaluate(&scenario("Qwen/Qwen3-8B", "Gaudi 3", &[]));
    assert!(render(&unsupported, &options()).files.is_empty());
    let nodes = [("gpus", "8"), ("nodes", "2")];
    let several = evaluate(&scenario("meta-llama/Llama-3.3-70B-Instruct", "H100 SXM", &nodes));
    let kinds: Vec<ArtifactKind> = render(&several, &options())
        .files
        .iter()
        .map(|file| file.kind)
        .collect();
    for kind in [
        ArtifactKind::K8s,
        ArtifactKind::Values,
        ArtifactKind::Systemd,
        ArtifactKind::Quadlet,
    ] {
        assert!(
            !kinds.contains(&kind) && omitted(&several, kind).unwrap().contains("2 nodes"),
            "{kind:?}"
        );
    }
    for kind in [
        ArtifactKind::Command,
        ArtifactKind::Docker,
        ArtifactKind::Compose,
        ArtifactKind::Plan,
    ] {
        assert!(
            kinds.contains(&kind) && omitted(&several, kind).is_none(),
            "{kind:?}"
        );
    }
}

#[test]
fn plan_json_has_the_contracts_keys() {
    let plan = evaluate(&scenario(
        "Qwen/Qwen3-32B",
        "L4",
        &[("gpus", "2"), ("pipeline_parallel_size", "2")],
    ));
    let text = text(&plan, ArtifactKind::Plan);
    let value: Value = serde_json::from_str(&text).unwrap();
    let mut at = 0;
    for key in [
        "schema",
        "scenario",
        "vllm_version",
        "verdict",
        "feasibility",
        "memory",
        "config",
        "performance",
        "alternatives",
        "notes",
        "artifacts",
    ] {
        at += text[at..]
            .find(&format!("\n  \"{key}\""))
            .unwrap_or_else(|| panic!("{key} is not in its place"))
            + 1;
    }
    assert_eq!(value.as_object().unwrap().len(), 11);
    assert_eq!(value["schema"], "vllm-wizard/plan/v1");
    assert_eq!(value["verdict"]["outcome"], "does_not_fit");
    assert!(
        value["verdict"]["remedies"]
            .as_array()
            .unwrap()
            .iter()
            .all(|r| r["change"].is_object())
    );
    let memory = plan.memory.as_ref().unwrap();
    let direct = serde_json::to_value(memory).unwrap();
    for (key, expected) in direct
        .as_object()
        .unwrap()
        .iter()
        .filter(|(key, _)| *key != "terms")
    {
        assert_eq!(&value["memory"][key], expected, "{key}");
    }
    // As vLLM logs it: below zero where the rest takes more than the budget.
    let available = value["memory"]["kv_cache_available_bytes"].as_i64();
    assert_eq!(available, Some(memory.kv_cache_available_logged));
    assert!(available < Some(0));
    assert_eq!(
        value["memory"].as_object().unwrap().len(),
        direct.as_object().unwrap().len()
    );
    let terms = value["memory"]["terms"].as_array().unwrap();
    let sum: i64 = terms.iter().map(|term| term["bytes"].as_i64().unwrap()).sum();
    assert_eq!(Some(sum), value["memory"]["gpu_total_bytes"].as_i64());
    assert!(terms.iter().all(|term| term["inputs"].is_object()));
    let feasibility = serde_json::to_value(&plan.feasibility).unwrap();
    assert_eq!(value["feasibility"], feasibility);
    assert_eq!(value["config"]["pipeline_parallel_size"], 2);
    assert_eq!(
        value["config"]["explanations"]["pipeline_parallel_size"],
        "Set by you."
    );
    let set = render(&plan, &options());
    assert_eq!(value["artifacts"].as_object().unwrap().len(), set.files.len() - 1);
    for file in set.files.iter().filter(|file| file.kind != ArtifactKind::Plan) {
        assert_eq!(value["artifacts"][file.kind.path()], file.text);
    }
}

#[test]
fn a_plan_is_a_scenario_too() {
    let case = scenario("Qwen/Qwen3-8B", "L4", &[("gpus", "2")]);
    let plan: Value = serde_json::from_str(&text(&evaluate(&case), ArtifactKind::Plan)).unwrap();
    assert_eq!(planner::share::scenario_from_json(&plan).unwrap(), case);
}

#[test]
fn the_same_plan_gives_the_same_bytes_and_an_archive_that_reads_back() {
    let plan = evaluate(&nasty(TRAPS));
    let set = render(&plan, &options());
    assert_eq!(set, render(&plan, &options()));
    let archive = zip(&set);
    assert_eq!(archive, zip(&set));
    // Entry by entry: signature, sizes at 18, name length at 26, then name and body.
    let u32_at = |at: usize| u32::from_le_bytes(archive[at..at + 4].try_into().unwrap()) as usize;
    let mut at = 0;
    let mut paths = Vec::new();
    while archive[at..].starts_with(b"PK\x03\x04") {
        let (size, name) = (
            u32_at(at + 18),
            u16::from_le_bytes(archive[at + 26..at + 28].try_into().unwrap()) as usize,
        );
        let path = std::str::from_utf8(&archive[at + 30..at + 30 + name]).unwrap();
        let body = &archive[at + 30 + name..at + 30 + name + size];
        let file = set.files.iter().find(|file| file.kind.path() == path).unwrap();
        assert_eq!(body, file.text.as_bytes(), "{path}");
        paths.push(path.to_owned());
        at += 30 + name + size;
    }
    assert!(paths.is_sorted() && paths.len() == set.files.len());
    assert!(archive[at..].starts_with(b"PK\x01\x02"));
}

#[test]
fn files_read_as_they_did() {
    let fields = [
        ("defaults", "vllm"),
        ("gpus", "4"),
        ("tensor_parallel_size", "2"),
        ("max_model_len", "32768"),
    ];
    let mut case = scenario("Qwen/Qwen3-32B", "H100 SXM", &fields);
    case.engine.vllm_args = vec![("--chat-template".to_owned(), Some("{{ it's $x }}".to_owned()))];
    let plan = fixed(&case);
    let mut all = String::new();
    for file in &render(&plan, &options()).files {
        if file.kind != ArtifactKind::Plan {
            writeln!(all, "==== {} ====\n{}", file.kind.path(), file.text).unwrap();
        }
    }
    insta::assert_snapshot!("nvidia", all);
    let amd = fixed(&scenario(
        "Qwen/Qwen3-8B",
        "MI300X",
        &[("defaults", "vllm"), ("max_model_len", "8192")],
    ));
    let both = format!(
        "{}\n{}",
        text(&amd, ArtifactKind::Docker),
        text(&amd, ArtifactKind::Compose)
    );
    insta::assert_snapshot!("amd", both);
    let intel = fixed(&scenario(
        "Qwen/Qwen3-8B",
        "Arc Pro B60",
        &[
            ("defaults", "vllm"),
            ("max_model_len", "8192"),
            ("gpus", "2"),
            ("tensor_parallel_size", "1"),
        ],
    ));
    let kinds = [
        ArtifactKind::Command,
        ArtifactKind::Docker,
        ArtifactKind::Compose,
        ArtifactKind::Quadlet,
        ArtifactKind::K8s,
    ];
    let stack = evaluate(&scenario("Qwen/Qwen3-8B", "Data Center GPU Max 1550", &[]));
    assert!(omitted(&stack, ArtifactKind::K8s).unwrap().contains("two"));
    insta::assert_snapshot!("intel", kinds.map(|kind| text(&intel, kind)).join("\n"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_breaks_out_of_any_file(name in "[^\0]{0,24}", revision in "[^\0]{0,12}", template in "[^\0]{0,24}", id in "[^\0-][^\0]{0,16}") {
        let mut plan = evaluate(&nasty([&name, &revision, &template, &id]));
        plan.verdict.reason = format!("{template}\n{name}");
        let words = serve_words(&plan);
        let run = run_with_stub("any", "vllm", &text(&plan, ArtifactKind::Command));
        prop_assert_eq!(&run[1..], &words[..]);
        let compose = yaml(&text(&plan, ArtifactKind::Compose));
        prop_assert_eq!(collapsed(&compose["services"]["llm-server"]["command"]), words.clone());
        let values = yaml(&text(&plan, ArtifactKind::Values));
        prop_assert_eq!(values["image"]["command"].as_array().unwrap().len(), words.len() + 2);
        let profile = yaml(&text(&plan, ArtifactKind::Profile));
        prop_assert_eq!(profile["model"]["id"].as_str(), Some(id.as_str()));
    }
}
