//! profile.yaml: what is saved is loaded, and what the older tool wrote too.
use crate::share::{any_scenario, custom_model};
use planner::{
    ArtifactKind, Scenario,
    artifact::{profile_yaml, quote::Comments},
    gpu,
    model::ModelInput,
    profile::{Supply, read},
};
use proptest::prelude::*;

/// As the older tool saves one, every key there, null where not set.
const OLDER: &str = "\
profile_version: 1
model:
  id: Qwen/Qwen3-8B
  revision: null
  dtype: bf16
  quantization: none
  kv_cache_dtype: fp8_e4m3fn
  max_model_len: 4096
  params_b: 8.2
hardware:
  gpu_name: H100 80GB
  gpus: 2
  vram_gb: 80.0
  interconnect: nvlink
  tp_size: 2
workload:
  prompt_tokens: 512
  gen_tokens: 256
  concurrency: 4
  streaming: true
  mode: throughput
policy:
  gpu_memory_utilization: 0.9
  overhead_gb: null
  fragmentation_factor: 1.15
  headroom_gb: 1.0
outputs:
  emit:
  - command
  - profile
  - compose
  - k8s
  vllm_args:
    max_num_seqs: 64
    enable-lora: true
    enable_prefix_caching: false
    speculative-config: {method: ngram, num_speculative_tokens: 3}
";

fn error(text: &str) -> String {
    read(text, &Supply::default()).unwrap_err().to_string()
}

#[test]
fn a_profile_of_the_older_tool_loads() {
    let profile = read(OLDER, &Supply::default()).unwrap();
    let scenario = &profile.scenario;
    for (id, value) in [
        ("gpu", "H100 SXM"),
        ("gpus", "2"),
        ("interconnect", "nvlink"),
        ("tensor_parallel_size", "2"),
        ("dtype", "bfloat16"),
        ("kv_cache_dtype", "fp8_e4m3"),
        ("max_model_len", "4096"),
        ("prompt_tokens", "512"),
        ("concurrency", "4"),
        ("batching_mode", "throughput"),
        ("gpu_memory_utilization", "0.9"),
        ("headroom_gb", "1"),
        ("max_num_seqs", "64"),
        ("enable_prefix_caching", "false"),
    ] {
        assert_eq!(scenario.get(id).as_deref(), Some(value), "{id}");
    }
    assert_eq!(scenario.engine.quantization, None);
    // The datasheet's 80 is not what a process sees.
    assert_eq!(Some(&scenario.hardware.gpu), gpu::find("H100 SXM"));
    assert_eq!(
        scenario.engine.vllm_args,
        [
            ("--enable-lora".to_owned(), None),
            (
                "--speculative-config".to_owned(),
                Some(r#"{"method":"ngram","num_speculative_tokens":3}"#.to_owned())
            ),
        ]
    );
    assert_eq!(
        profile.emit,
        [
            ArtifactKind::Command,
            ArtifactKind::Profile,
            ArtifactKind::Compose,
            ArtifactKind::K8s
        ]
    );
    let notes = profile.notes.join("\n");
    for part in [
        "fp8_e4m3fn",
        "datasheet",
        "H100 80GB",
        "params_b",
        "fragmentation_factor",
    ] {
        assert!(notes.contains(part), "{part}: {notes}");
    }
}

#[test]
fn only_model_and_gpu_are_needed() {
    let text = "model: {id: Qwen/Qwen3-8B}\nhardware: {gpu_name: L4}\n";
    let profile = read(text, &Supply::default()).unwrap();
    let model = ModelInput::from_catalog("Qwen/Qwen3-8B").unwrap();
    assert_eq!(
        profile.scenario,
        Scenario::new(model, gpu::find("L4").unwrap().clone())
    );
    assert!(profile.emit.is_empty() && profile.notes.is_empty());
}

#[test]
fn what_the_catalogues_lack_is_supplied() {
    let text = "model: {id: me/mine}\nhardware: {gpu_name: auto}\n";
    assert!(error(text).contains("me/mine"));
    let model = custom_model();
    let look_up = |id: &str| (id == model.id).then(|| model.clone());
    let l4 = gpu::find("L4").unwrap();
    let supply = Supply {
        model: Some(&look_up),
        gpu: Some((l4, 3)),
    };
    let scenario = read(text, &supply).unwrap().scenario;
    assert_eq!(
        (scenario.model.id.as_str(), scenario.hardware.gpus),
        ("me/mine", 3)
    );
    let no_gpu = Supply {
        model: Some(&look_up),
        gpu: None,
    };
    assert_eq!(read(text, &no_gpu).unwrap_err().code(), "profile-no-gpu");
    let own =
        "model: {id: Qwen/Qwen3-8B}\nhardware: {gpu_name: NVIDIA Z9, vram_gb: 40, compute_capability: 9.0}\n";
    let gpu = read(own, &Supply::default()).unwrap().scenario.hardware.gpu;
    assert_eq!(gpu.name, "NVIDIA Z9");
    assert_eq!(gpu.compute_capability.unwrap().number(), 90);
}

#[test]
fn errors_name_key_line_and_the_nearest() {
    let long = |section: &str, line: &str| {
        OLDER.replacen(&format!("{section}:\n"), &format!("{section}:\n  {line}\n"), 1)
    };
    for (text, parts) in [
        (
            long("hardware", "tp_sise: 3"),
            &["line 11", "hardware.tp_sise", "hardware.tp_size"][..],
        ),
        (long("model", "\"konfig\": 3"), &["line 3", "model.konfig"]),
        (
            OLDER.replacen("policy:", "polici:", 1),
            &["line 22", "polici", "policy"],
        ),
        (
            OLDER.replacen("concurrency: 4", "concurrency: many", 1),
            &["line 19", "concurrency"],
        ),
        (
            OLDER.replacen("gpus: 2", "gpus: [2]", 1),
            &["line 12", "hardware.gpus"],
        ),
        (OLDER.replacen("- k8s", "- terraform", 1), &["emit", "compose"]),
        (
            OLDER.replacen("max_num_seqs: 64", "max_num_sekw: 64", 1),
            &["line 34", "--max-num-seqs"],
        ),
        (
            OLDER.replacen("enable-lora: true", "swap-space: 4", 1),
            &["line 35", "last seen in 0.1"],
        ),
        (
            OLDER.replacen("version: 1", "version: 2", 1),
            &["profile_version 2"],
        ),
        (
            OLDER
                .replacen("H100 80GB", "H1000", 1)
                .replacen("80.0", "null", 1),
            &["line 11", "H1000"],
        ),
        (
            OLDER.replacen("vram_gb: 80.0", "vram_gb: lots", 1),
            &["line 13", "vram_gb"],
        ),
        ("model: [".to_owned(), &["not YAML"]),
        ("- a\n".to_owned(), &["not a profile"]),
        (String::new(), &["not a profile"]),
        ("profile_version: 1\n".to_owned(), &["model.id"]),
        ("model: 3\n".to_owned(), &["line 1", "mapping"]),
        (
            "model: {id: Qwen/Qwen3-8B, x: 1}\nhardware: {gpu_name: L4}\n".to_owned(),
            &["line 1", "model.x"],
        ),
    ] {
        let error = error(&text);
        for part in parts {
            assert!(error.contains(part), "{part}: {error}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_saved_profile_loads_as_the_same_scenario(case in any_scenario()) {
        let text = profile_yaml(&case, &[ArtifactKind::Compose], &header());
        let look_up = |id: &str| (id == "me/mine").then(custom_model);
        let supply = Supply { model: Some(&look_up), gpu: None };
        let profile = read(&text, &supply).unwrap();
        prop_assert_eq!(&profile.notes, &Vec::<String>::new(), "{}", text);
        prop_assert_eq!(&profile.scenario, &case, "{}", text);
        prop_assert_eq!(profile_yaml(&profile.scenario, &profile.emit, &header()), text);
    }

    #[test]
    fn no_text_panics(text in any::<String>(), at in 0..OLDER.len()) {
        let _ = read(&text, &Supply::default());
        let _ = read(&OLDER[..at], &Supply::default());
        let mut changed = OLDER.to_owned();
        changed.insert_str(at, &text);
        let _ = read(&changed, &Supply::default());
    }
}

fn header() -> Comments {
    let mut header = Comments::default();
    header.push("a\nheader");
    header
}
