//! What differs by version, as logs and vLLM's own code of that version have it.
use crate::support::scenario;
use planner::{Plan, Scenario, evaluate, gpu, model::ModelInput};

fn plan(model: ModelInput, gpu: &str, version: &str, fields: &[(&str, &str)]) -> Plan {
    let mut scenario = Scenario::new(model, gpu::find(gpu).unwrap().clone());
    scenario.set("defaults", "vllm").unwrap();
    scenario.set("vllm_version", version).unwrap();
    for (id, value) in fields {
        scenario.set(id, value).unwrap();
    }
    evaluate(&scenario)
}

/// A log of 0.10.0 on an RTX 4090: 6865 blocks, "Maximum concurrency for 448 tokens per request: 245.18x".
#[test]
fn the_first_engine_does_not_count_what_the_encoder_made() {
    let config = r#"{"architectures":["WhisperForConditionalGeneration"],"d_model":1280,"decoder_attention_heads":20,"decoder_ffn_dim":5120,"decoder_layers":32,"encoder_attention_heads":20,"encoder_ffn_dim":5120,"encoder_layers":32,"max_source_positions":1500,"max_target_positions":448,"num_mel_bins":128,"torch_dtype":"float16","vocab_size":51866}"#;
    let whisper = || ModelInput::from_config("openai/whisper-large-v3", config).unwrap();
    let bytes = (6865 * 16 * 163_840_u64).to_string();
    let fields = [
        ("max_model_len", "448"),
        ("kv_cache_memory_bytes", bytes.as_str()),
    ];
    let concurrency = |version: &str| {
        let memory = plan(whisper(), "RTX 4090", version, &fields).memory.unwrap();
        assert_eq!(memory.num_blocks, 6865);
        (memory.max_concurrency * 100.0).round() / 100.0
    };
    assert!((concurrency("0.10.0") - 245.18).abs() < 1e-9);
    assert!(concurrency("0.10.2") < 60.0);
}

/// A log of the first engine on MI300X: 14.63 GiB of activations at a context of 131072, which it profiled whole.
#[test]
fn the_first_engine_cuts_long_prompts_on_cuda_alone() {
    let llama = || ModelInput::from_catalog("meta-llama/Llama-3.1-8B-Instruct").unwrap();
    let tokens = |gpu: &str, version: &str| {
        let args = plan(llama(), gpu, version, &[("max_model_len", "131072")])
            .args
            .unwrap();
        args.max_num_batched_tokens.value
    };
    assert_eq!(tokens("MI300X", "0.8.5"), 131_072);
    assert_eq!(tokens("MI300X", "0.9.2"), 8192);
    assert_eq!(tokens("T4", "0.8.5"), 2048);
}

/// Logs of 0.13 and 0.25 on GB10 say 2048 tokens (raised to 2496 by Gemma 4's videos).
#[test]
fn gb10_gets_small_batches_in_every_version() {
    for version in ["0.13.0", "0.25.1", "0.30.0", "0.33.0"] {
        let llama = ModelInput::from_catalog("meta-llama/Llama-3.1-8B-Instruct").unwrap();
        let args = plan(llama, "GB10 (DGX Spark)", version, &[]).args.unwrap();
        assert_eq!(
            (args.max_num_batched_tokens.value, args.max_num_seqs.value),
            (2048, 256),
            "{version}"
        );
    }
}

/// Three of four parts of 262144 positions of 64 elements: Qwen3.5 at TP4 took 4.52 GiB in 0.19.0, where today's rule
/// gives 4.42.
#[test]
fn interleaved_positions_are_cached_four_times_before_0_32() {
    let loaded = |version: &str| {
        let model = ModelInput::from_catalog("Qwen/Qwen3.5-9B").unwrap();
        let memory = plan(
            model,
            "RTX 3090",
            version,
            &[("gpus", "4"), ("tensor_parallel_size", "4")],
        )
        .memory;
        memory.unwrap().weights_bytes.get()
    };
    assert_eq!(loaded("0.19.0") - loaded("0.32.0"), 3 * 262_144 * 64 * 2);
    assert_eq!(loaded("0.31.0") - loaded("0.33.0"), 3 * 262_144 * 64 * 2);
}

/// `has_inner_state` sends them to the first engine in 0.9.2, 0.10.0 and 0.10.1, not in 0.10.2.
#[test]
fn recurrent_layers_are_planned_from_0_10_2_on() {
    let nemotron = |version: &str| {
        let model = ModelInput::from_catalog("nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16").unwrap();
        plan(model, "H200 SXM", version, &[("max_model_len", "8192")]).verdict
    };
    assert_eq!(nemotron("0.10.2").outcome, planner::Outcome::Fits);
    let old = nemotron("0.10.1");
    assert_eq!(old.outcome, planner::Outcome::Unsupported);
    assert!(old.reason.contains("first engine"), "{}", old.reason);
}

/// vLLM's release notes: gpt-oss came with 0.10.1, Qwen3-Next with 0.10.2, DeepSeek V3.2 with 0.11.0.
#[test]
fn a_model_is_refused_by_releases_that_lack_its_class() {
    for (model, gpus, before, since) in [
        ("openai/gpt-oss-20b", "1", "0.10.0", "0.10.1"),
        ("Qwen/Qwen3-Next-80B-A3B-Instruct", "4", "0.10.1", "0.10.2"),
        ("deepseek-ai/DeepSeek-V3.2", "8", "0.10.1", "0.11.0"),
        ("Qwen/Qwen3-8B", "1", "0.8.2", "0.8.5"),
    ] {
        let plan = |version| {
            let fields = [
                ("gpus", gpus),
                ("vllm_version", version),
                ("max_model_len", "8192"),
            ];
            evaluate(&scenario(model, "H200 SXM", &fields))
        };
        let early = plan(before).verdict;
        assert!(
            early.reason.contains("has no class for"),
            "{model}: {}",
            early.reason
        );
        let later = plan(since).verdict;
        assert!(
            !later.reason.contains("has no class for"),
            "{model}: {}",
            later.reason
        );
    }
}
