//! Links and scenario files: what goes in comes out, and what cannot be used is said.
use crate::support::scenario;
use planner::{
    Scenario,
    gpu::GpuSpec,
    model::ModelInput,
    share::{LINK_LIMIT, from_fragment, scenario_from_json, scenario_json, to_fragment},
    units::Bytes,
};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Fields with values that no fresh scenario has.
pub(crate) const FIELDS: &[(&str, &[&str])] = &[
    ("gpu_memory", &["42949672960", "79.5 GiB"]),
    ("gpus", &["2", "8"]),
    ("nodes", &["2"]),
    ("interconnect", &["pcie", "nvlink"]),
    ("gpu_memory_used", &["1073741824", "7"]),
    ("prompt_tokens", &["1", "32k"]),
    ("gen_tokens", &["7"]),
    ("concurrency", &["1", "512"]),
    ("request_rate", &["0.5", "12", "0"]),
    ("peak_rate", &["0.5", "60"]),
    ("burstiness", &["0.25", "2"]),
    ("length_range", &["0.5", "0"]),
    ("prompt_p95", &["4096"]),
    ("gen_p95", &["1500"]),
    (
        "trace",
        &["512/128", "512/128 2048/64 1/1", "512/128@0 2048/64@1.5"],
    ),
    ("prefix_cache_hit_rate", &["0.75"]),
    ("spec_acceptance_rate", &["0.6"]),
    ("slo_ttft_ms", &["0.5", "250"]),
    ("slo_tpot_ms", &["12.5", "40"]),
    ("slo_e2e_ms", &["2000", "0.5"]),
    ("slo_percentile", &["90", "99"]),
    (
        "other_gpus",
        &[
            "RTX 5090",
            "L4, A100 SXM4 80GB=85000000000",
            "X 900=33672921088@12.1",
        ],
    ),
    ("pp_layer_partition", &["16,32"]),
    ("batching_mode", &["throughput", "latency"]),
    ("headroom_gb", &["1.25", "2"]),
    ("defaults", &["vllm"]),
    ("image", &["registry.example:5000/a b/vllm:v1@x", "😀&=#%"]),
    ("name", &["my-llm"]),
    ("hf_secret", &["token-2"]),
    ("non_root", &["true"]),
    ("device_ids", &["0,1", "GPU-5d4c-1,MIG-7/1/0"]),
    (
        "measured",
        &["weights:-12,activation_peak:0,cuda_graphs:3,rest:4,on:0.33.0 H100 SXM tp1 a, b"],
    ),
    (
        "measured_speed",
        &["ttft:1150,tpot:980,rate:1020,on:0.33.0 H100 SXM tp1 a, b"],
    ),
    ("tensor_parallel_size", &["1", "4"]),
    ("pipeline_parallel_size", &["2"]),
    ("data_parallel_size", &["2"]),
    ("enable_expert_parallel", &["true", "false"]),
    ("max_model_len", &["auto", "131072"]),
    ("gpu_memory_utilization", &["0.9", "0.123456789", "1"]),
    ("kv_cache_memory_bytes", &["1000000001"]),
    ("kv_cache_dtype", &["auto", "fp8_e4m3"]),
    ("block_size", &["32"]),
    ("max_num_seqs", &["7"]),
    ("max_num_batched_tokens", &["2048"]),
    ("enable_prefix_caching", &["false", "true"]),
    ("enable_chunked_prefill", &["false"]),
    ("enforce_eager", &["true"]),
    ("disable_hybrid_kv_cache_manager", &["true"]),
    ("language_model_only", &["true"]),
    ("dtype", &["auto", "float16"]),
    ("quantization", &["fp8_per_tensor"]),
    ("trust_remote_code", &["true"]),
    ("served_model_name", &["my \"model\" 100%", "on"]),
    ("port", &["9000"]),
];

/// Flags as they are kept.
const ARGS: &[(&str, Option<&str>)] = &[
    ("--enable-lora", None),
    ("--no-enable-log-requests", None),
    ("--speculative-config", Some(r#"{"method": "ngram"}"#)),
    ("--chat-template", Some("{{ x }}\n=&#%")),
    ("--compilation-config.mode", Some("3")),
    ("--lora-modules", Some(r#"["a=b","c=d"]"#)),
    ("--override-generation-config", Some("")),
    ("--hf-token", None),
];

/// Any scenario that a person can make.
pub(crate) fn any_scenario() -> impl Strategy<Value = Scenario> {
    let fields = prop::sample::subsequence((0..FIELDS.len()).collect::<Vec<_>>(), 0..FIELDS.len());
    let args = prop::sample::subsequence(ARGS.to_vec(), 0..ARGS.len());
    (fields, any::<prop::sample::Index>(), args, 0..4_u8, any::<bool>()).prop_map(
        |(fields, pick, args, kind, revision)| {
            let mut case = match kind {
                0 => scenario("Qwen/Qwen3-8B", "H100 SXM", &[]),
                1 => scenario("meta-llama/Llama-3.3-70B-Instruct", "GB10 (DGX Spark)", &[]),
                2 => Scenario::new(custom_model(), planner::gpu::find("MI300X").unwrap().clone()),
                _ => Scenario::new(custom_model(), custom_gpu()),
            };
            if revision {
                case.model.revision = Some("refs/pr 1".to_owned());
            }
            for field in fields {
                let (id, values) = FIELDS[field];
                case.set(id, values[pick.index(values.len())]).unwrap();
            }
            case.engine.vllm_args = args
                .iter()
                .map(|(flag, value)| ((*flag).to_owned(), value.map(str::to_owned)))
                .collect();
            case
        },
    )
}

fn custom_gpu() -> GpuSpec {
    let mut gpu = GpuSpec::custom(Bytes::from_mib(65_000), Some("12.0".parse().unwrap()));
    "NVIDIA Z-999 é".clone_into(&mut gpu.name);
    gpu
}

pub(crate) fn custom_model() -> ModelInput {
    let known = ModelInput::from_catalog("Qwen/Qwen3-8B").unwrap();
    let mut config = known.config.as_ref().clone();
    config.insert("num_hidden_layers".to_owned(), json!(35));
    ModelInput::from_object("me/mine", &config).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_link_opens_the_same_scenario(case in any_scenario()) {
        let link = to_fragment(&case).unwrap();
        prop_assert!(link.is_ascii() && link.len() <= LINK_LIMIT, "{}", link);
        let (back, ignored) = from_fragment(&format!("#{link}")).unwrap();
        prop_assert_eq!(&ignored, &[]);
        prop_assert_eq!(&back, &case, "{}", link);
        prop_assert_eq!(to_fragment(&back).unwrap(), link);
    }

    #[test]
    fn a_file_opens_the_same_scenario(case in any_scenario()) {
        let text = serde_json::to_string(&scenario_json(&case)).unwrap();
        let back = scenario_from_json(&serde_json::from_str(&text).unwrap());
        prop_assert_eq!(back.unwrap(), case, "{}", text);
    }

    #[test]
    fn no_link_panics(text in any::<String>(), tail in "(&?(s|m|gpu|x\\.--?[a-z]{0,8}|[a-z_.]{0,12})=?[%a-zA-Z0-9]{0,12}){0,8}") {
        let _ = from_fragment(&text);
        let _ = from_fragment(&format!("s=1&model=Qwen/Qwen3-8B&gpu=h100-sxm&{tail}"));
        let _ = from_fragment(&format!("s=1&model=Qwen/Qwen3-8B&gpu=h100-sxm&{text}"));
    }
}

#[test]
fn a_link_is_short_and_legible() {
    let mut case = scenario(
        "meta-llama/Llama-3.3-70B-Instruct",
        "H100 SXM",
        &[
            ("gpus", "4"),
            ("max_model_len", "32768"),
            ("tensor_parallel_size", "4"),
        ],
    );
    case.engine.vllm_args = vec![("--enable-lora".to_owned(), None)];
    assert_eq!(
        to_fragment(&case).unwrap(),
        "s=1&vllm=0.33.0&data=2026-11&model=meta-llama/Llama-3.3-70B-Instruct&gpu=h100-sxm&gpus=4&tensor_parallel_size=4&max_model_len=32768&x.--enable-lora"
    );
}

#[test]
fn what_cannot_be_used_is_listed_and_the_rest_applied() {
    let link = "s=1&vllm=0.9.0&data=2025-01&model=Qwen/Qwen3-8B&gpu=h100-sxm&gpus=0&max_modell_len=5&concurrency=9&x.--nope=1&x.--api-key=sk&bad=%ff&gen_tokens";
    let (case, ignored) = from_fragment(link).unwrap();
    assert_eq!((case.workload.concurrency, case.hardware.gpus), (9, 1));
    let listed: Vec<(&str, &str)> = ignored
        .iter()
        .map(|i| (i.key.as_str(), i.reason.as_str()))
        .collect();
    let keys: Vec<&str> = listed.iter().map(|(key, _)| *key).collect();
    assert_eq!(
        keys,
        [
            "bad",
            "vllm",
            "data",
            "gpus",
            "max_modell_len",
            "x.--nope",
            "x.--api-key",
            "gen_tokens"
        ]
    );
    assert!(listed[4].1.contains("max_model_len"), "{listed:?}");
    assert!(listed[1].1.contains("0.33.0"), "{listed:?}");
}

#[test]
fn without_model_or_gpu_there_is_no_scenario() {
    for (link, code, part) in [
        ("", "share-missing-model", "model"),
        ("s=2&model=x", "share-newer", "2"),
        ("s=x&model=x", "share-schema", "s=1"),
        (
            "s=1&model=who/knows&gpu=h100-sxm",
            "share-unknown-model",
            "who/knows",
        ),
        ("s=1&model=-x&gpu=h100-sxm", "share-input", "model"),
        ("s=1&model=Qwen/Qwen3-8B", "share-missing-gpu", "gpu"),
        ("s=1&model=Qwen/Qwen3-8B&gpu=h1000", "share-unknown-gpu", "h1000"),
        ("s=1&model=a/b&m=%%%&gpu=h100-sxm", "share-damaged-config", "m"),
        ("s=1&model=a/b&m=e30&gpu=h100-sxm", "share-config", "a/b"),
    ] {
        let error = from_fragment(link).unwrap_err();
        assert_eq!(error.code(), code, "{link}: {error}");
        assert!(error.to_string().contains(part), "{link}: {error}");
        assert!(error.help().len() > 10);
    }
}

#[test]
fn a_config_too_large_for_a_link_says_so() {
    let mut case = Scenario::new(custom_model(), custom_gpu());
    case.engine.vllm_args = vec![("--chat-template".to_owned(), Some("x".repeat(5000)))];
    let error = to_fragment(&case).unwrap_err();
    assert_eq!(error.code(), "share-too-long");
    assert!(error.help().contains("file"));
    // The file has room.
    assert_eq!(scenario_from_json(&scenario_json(&case)).unwrap(), case);
}

#[test]
fn a_file_that_is_none_says_why() {
    let good = scenario_json(&scenario("Qwen/Qwen3-8B", "L4", &[]));
    let with = |key: &str, value: Value| {
        let mut document = good.clone();
        document[key] = value;
        scenario_from_json(&document).unwrap_err()
    };
    for (error, code, part) in [
        (
            with("schema", json!("vllm-wizard/scenario/v9")),
            "share-newer",
            "v9",
        ),
        (
            with("schema", json!("vllm-wizard/host/v1")),
            "share-schema",
            "host",
        ),
        (with("concurency", json!(3)), "share-input", "concurrency"),
        (with("gpus", json!([1])), "share-input", "gpus"),
        (with("gpus", json!(-1)), "share-input", "gpus"),
        (with("gpu", json!("Z9")), "share-unknown-gpu", "Z9"),
        (with("model", json!({"id": "a/b"})), "share-unknown-model", "a/b"),
        (
            with("model", json!({"id": "a/b", "config": 3})),
            "share-input",
            "model.config",
        ),
        (
            with("model", json!({"id": "a/b", "konfig": 3})),
            "share-input",
            "konfig",
        ),
        (with("vllm_args", json!(["--nope=3"])), "share-input", "--nope"),
        (with("vllm_args", json!("--x")), "share-input", "vllm_args"),
    ] {
        assert_eq!(error.code(), code, "{error}");
        assert!(error.to_string().contains(part), "{error}");
    }
    assert_eq!(scenario_from_json(&json!([])).unwrap_err().code(), "share-schema");
}
