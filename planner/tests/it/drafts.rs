//! Speculative decoding and decode context parallelism against start-up logs, published sizes and vLLM's planner.
use crate::support;
use planner::{
    Plan, Scenario, evaluate,
    gpu::find,
    memory::tensors::{Placement, TensorClass, tensors},
    model::{ModelInput, ModelSpec},
    plan::Defaults,
    share::{from_fragment, scenario_from_json, scenario_json, to_fragment},
    units::Bytes,
};
use serde_json::{Map, Value, json};
use std::sync::Arc;

fn scenario(model: ModelInput, gpu: &str, flags: &[(&str, &str)]) -> Scenario {
    let mut scenario = Scenario::new(model, find(gpu).unwrap().clone());
    scenario.defaults = Defaults::Vllm;
    for (flag, value) in flags {
        planner::command::set_flag(&mut scenario.engine, scenario.vllm_version, flag, Some(value)).unwrap();
    }
    scenario
}

fn catalog(id: &str) -> ModelInput {
    ModelInput::from_catalog(id).unwrap()
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        other => panic!("no object: {other}"),
    }
}

/// `Qwen/Qwen3.8-27B`'s language model: 16 layers of attention among 64, `mamba_ssm_dtype` float32.
fn qwen_27b() -> ModelInput {
    let config = json!({
        "architectures": ["Qwen3_5ForConditionalGeneration"],
        "vision_config": {},
        "text_config": {
            "model_type": "qwen3_5_text", "dtype": "bfloat16", "hidden_size": 5120, "num_hidden_layers": 64,
            "intermediate_size": 17408, "num_attention_heads": 24, "num_key_value_heads": 4, "head_dim": 256,
            "vocab_size": 248_320, "max_position_embeddings": 262_144, "full_attention_interval": 4,
            "linear_num_key_heads": 16, "linear_num_value_heads": 48, "linear_key_head_dim": 128,
            "linear_value_head_dim": 128, "linear_conv_kernel_dim": 4, "mamba_ssm_dtype": "float32",
            "attn_output_gate": true, "rope_parameters": {"rope_type": "default", "rope_theta": 10_000_000, "partial_rotary_factor": 0.25},
            "tie_word_embeddings": false,
        },
    });
    ModelInput::from_object("Qwen/Qwen3.8-27B", &object(config)).unwrap()
}

type Log = (&'static str, u32, &'static str, bool, u32, u64, u64, f64);

/// Start-up logs with MTP on GB10, whose linear attention prefills with Triton:
/// block size, "Available KV cache memory" in hundredths of a GiB, tokens, concurrency.
/// - 0.23.1rc1, nvidia/Qwen3.6-27B-NVFP4, 2 tokens, fp8 cache ("Setting attention block size to 1600 tokens");
/// - 0.25.1, RedHatAI/Qwen3.8-27B-INT4, 3 tokens ("… to 800 tokens", "Add 3 padding layers");
/// - 0.25.1, RedHatAI/Qwen3.6-35B-A3B-NVFP4, 3 tokens, whose checkpoint asks for an fp8 cache ("… to 1072 tokens").
///
/// The first says `--enable-prefix-caching`; the others do not, which in these releases means off for hybrid models.
const MTP_LOGS: &[Log] = &[
    ("27b", 2, "fp8", true, 1600, 4860, 1_394_129, 5.32),
    ("27b", 3, "auto", false, 800, 8017, 1_191_213, 4.54),
    ("35b", 3, "auto", false, 1072, 7422, 3_366_051, 12.84),
];

#[test]
fn states_and_blocks_grow_with_what_is_proposed_as_in_start_up_logs() {
    use planner::memory::{
        kv_cache::{KvLayout, KvSettings},
        shape::RankShape,
    };
    for (model, proposed, kv, caching, block, gib, logged, concurrency) in MTP_LOGS {
        let model = match *model {
            "27b" => qwen_27b(),
            _ => catalog("Qwen/Qwen3.6-35B-A3B"),
        };
        let spec = ModelSpec::clone(&model.spec.unwrap()).with_draft(None);
        let layout = KvLayout::new(
            &spec,
            KvSettings {
                element: if *kv == "fp8" { 1 } else { 2 },
                null_block: false,
                prefix_caching: *caching,
                flashinfer_prefill: false,
                speculative_tokens: *proposed,
                ..support::kv(RankShape::SINGLE)
            },
        );
        assert_eq!(layout.block_size(), *block);
        // The log rounds to hundredths.
        let blocks = |thousandths: u64| layout.blocks_in(Bytes::new((thousandths << 30) / 1000));
        let (low, high) = (blocks(10 * gib - 5), blocks(10 * gib + 5));
        let plans: Vec<_> = (low..=high).map(|blocks| layout.plan(blocks, 262_144)).collect();
        let hit = plans.iter().find(|plan| plan.tokens == *logged);
        let found: Vec<u64> = plans.iter().map(|plan| plan.tokens).collect();
        let hit = hit.unwrap_or_else(|| panic!("{logged} is not among {found:?}"));
        assert!((hit.max_concurrency - concurrency).abs() < 0.006);
    }
}

/// yuhuili/EAGLE3-LLaMA3.1-Instruct-8B's config.json.
fn eagle3_llama() -> Map<String, Value> {
    object(json!({
        "architectures": ["LlamaForCausalLM"], "hidden_size": 4096, "intermediate_size": 14336,
        "max_position_embeddings": 2048, "model_type": "llama", "num_attention_heads": 32,
        "num_key_value_heads": 8, "num_hidden_layers": 1, "rms_norm_eps": 1e-05, "tie_word_embeddings": false,
        "torch_dtype": "float16", "vocab_size": 128_256, "draft_vocab_size": 32000,
    }))
}

/// lightseekorg/kimi-k2.6-eagle3.1-mla: Kimi's own attention and width, one dense layer.
fn eagle3_kimi() -> Map<String, Value> {
    object(json!({
        "architectures": ["Eagle3DeepseekV2ForCausalLM"], "model_type": "deepseek_v3", "dtype": "bfloat16",
        "hidden_size": 7168, "intermediate_size": 18432, "num_hidden_layers": 1, "num_attention_heads": 64,
        "num_key_value_heads": 64, "q_lora_rank": 1536, "kv_lora_rank": 512, "qk_nope_head_dim": 128,
        "qk_rope_head_dim": 64, "v_head_dim": 128, "vocab_size": 163_840, "draft_vocab_size": 163_840,
        "max_position_embeddings": 262_144, "tie_word_embeddings": false, "rope_theta": 50000.0,
    }))
}

fn drafted(model: &str, gpu: &str, config: &Map<String, Value>, flags: &[(&str, &str)]) -> Scenario {
    let mut scenario = scenario(catalog(model), gpu, flags);
    scenario.set_draft_config(config).unwrap();
    scenario
}

fn term(plan: &Plan, id: &str) -> u64 {
    let memory = plan
        .memory
        .as_ref()
        .unwrap_or_else(|| panic!("{:?}", plan.verdict));
    let found = memory.terms.iter().find(|term| term.id == id);
    found.map_or(0, |term| u64::try_from(term.bytes).unwrap())
}

#[test]
fn heads_weigh_what_their_checkpoints_do() {
    let llama = drafted(
        "meta-llama/Llama-3.1-8B-Instruct",
        "H100 SXM",
        &eagle3_llama(),
        &[(
            "--speculative-config",
            r#"{"model":"yuhuili/EAGLE3-LLaMA3.1-Instruct-8B","num_speculative_tokens":3}"#,
        )],
    );
    let draft = term(&evaluate(&llama), "weights.draft");
    // Published: 811 MiB, with a byte for each of the target's tokens that vLLM does not load.
    let file = draft + 128_256;
    assert_eq!((file + (1 << 19)) >> 20, 810, "{file}");
    // 424,689,664 parameters, and the table of 32000 numbers.
    assert_eq!(draft, 2 * 424_689_664 + 8 * 32_000 + 4 * 4);
    // A start-up log of Kimi-K2.6 prints "Checkpoint size: 5.62 GiB", that embedding is the target's, its output not.
    let kimi = drafted(
        "moonshotai/Kimi-K2.6",
        "H200",
        &eagle3_kimi(),
        &[
            (
                "--speculative-config",
                r#"{"model":"lightseekorg/kimi-k2.6-eagle3.1-mla","method":"eagle3","num_speculative_tokens":3}"#,
            ),
            ("--tensor-parallel-size", "8"),
        ],
    );
    let mut kimi = kimi;
    kimi.hardware.gpus = 8;
    let plan = evaluate(&kimi);
    assert!(term(&plan, "weights.draft") > 0, "{:?}", plan.notes);
    let spec = kimi.model.spec.clone().unwrap();
    let head = planner::model::drafter(
        kimi.draft().unwrap(),
        planner::model::DrafterKind::Eagle3,
        &spec,
        262_144,
        1,
    )
    .unwrap();
    assert!(!head.own_embedding && head.head_rows == 163_840 && !head.mapped);
    let mut alone = ModelSpec::clone(&spec);
    alone.drafter = Some(Arc::new(head));
    let place = Placement {
        shape: planner::memory::shape::RankShape::SINGLE,
        dtype: planner::units::FloatDtype::Bfloat16,
        capability: 90,
        tower: None,
        buffers: planner::memory::sparse_latent::LayerBuffers::default(),
        streams_online: true,
    };
    let own: u64 = tensors(&alone, &place)
        .iter()
        .flat_map(|run| run.tensors.iter().map(|tensor| (tensor, run.layers)))
        .filter(|(tensor, _)| tensor.class == TensorClass::Draft)
        .map(|(tensor, layers)| tensor.bytes * tensor.count * layers)
        .sum();
    let embedding = 163_840 * 7168 * 2;
    let gib = (own + embedding) as f64 / 1_073_741_824.0;
    assert_eq!(format!("{gib:.2}"), "5.62");
}

#[test]
fn a_head_shares_the_cache_with_its_target() {
    let flags = [(
        "--speculative-config",
        r#"{"model":"a/eagle3","num_speculative_tokens":3}"#,
    )];
    let plain = evaluate(&scenario(
        catalog("meta-llama/Llama-3.1-8B-Instruct"),
        "H100 SXM",
        &[],
    ));
    let head = evaluate(&drafted(
        "meta-llama/Llama-3.1-8B-Instruct",
        "H100 SXM",
        &eagle3_llama(),
        &flags,
    ));
    let block = |plan: &Plan| plan.memory.as_ref().unwrap().bytes_per_block.get();
    // 32 layers and one more.
    assert_eq!(block(&head), block(&plain) / 32 * 33);
}

#[test]
fn a_draft_model_weighs_what_it_weighs_alone() {
    let alone = evaluate(&scenario(catalog("Qwen/Qwen3-0.6B"), "H100 SXM", &[]));
    let flags = [(
        "--speculative-config",
        r#"{"model":"Qwen/Qwen3-0.6B","num_speculative_tokens":5}"#,
    )];
    let both = evaluate(&scenario(catalog("Qwen/Qwen3-8B"), "H100 SXM", &flags));
    let weights = |plan: &Plan| plan.memory.as_ref().unwrap().weights_tensor_bytes.get();
    let target = evaluate(&scenario(catalog("Qwen/Qwen3-8B"), "H100 SXM", &[]));
    // Equal rotary caches are kept once.
    let rope = term(&alone, "weights.rope");
    assert_eq!(weights(&both) + rope, weights(&target) + weights(&alone));
    let flags = [(
        "--speculative-config",
        r#"{"model":"meta-llama/Llama-3.1-8B","num_speculative_tokens":5}"#,
    )];
    let refused = evaluate(&scenario(catalog("Qwen/Qwen3-8B"), "H100 SXM", &flags));
    let error = refused.verdict.vllm_error.unwrap();
    assert!(error.contains("same vocabulary size"), "{error}");
}

#[test]
fn what_is_not_at_hand_is_said() {
    for (config, word) in [
        (
            r#"{"model":"some/eagle3","num_speculative_tokens":3}"#,
            "not at hand",
        ),
        (r#"{"method":"dspark","num_speculative_tokens":3}"#, "not counted"),
    ] {
        let plan = evaluate(&scenario(
            catalog("Qwen/Qwen3-8B"),
            "H100 SXM",
            &[("--speculative-config", config)],
        ));
        let note = plan
            .notes
            .iter()
            .find(|note| note.code == "engine.speculative")
            .unwrap();
        assert!(note.message.contains(word), "{}", note.message);
    }
    let ngram = [(
        "--speculative-config",
        r#"{"method":"ngram","num_speculative_tokens":3}"#,
    )];
    let plan = evaluate(&scenario(catalog("Qwen/Qwen3-8B"), "H100 SXM", &ngram));
    assert!(plan.notes.iter().all(|note| note.code != "engine.speculative"));
}

/// vLLM 0.33.0's planner with 40 GiB a rank, DeepSeek V3 on 8, blocks of 64: 9549 blocks in both, and tokens times the
/// ranks of a group (`v1/core/kv_cache_planning.py`, run without a GPU).
#[test]
fn ranks_that_share_a_sequence_multiply_its_tokens() {
    for (dcp, tokens, concurrency) in [("1", 611_136, 3.7301), ("8", 4_889_088, 29.84)] {
        let mut scenario = scenario(
            catalog("deepseek-ai/DeepSeek-V3.1"),
            "H200",
            &[
                ("--tensor-parallel-size", "8"),
                ("--block-size", "64"),
                ("--kv-cache-memory-bytes", "40G"),
                ("-dcp", dcp),
            ],
        );
        scenario.engine.kv_cache_memory_bytes = Some(Bytes::from_gib(40));
        scenario.hardware.gpus = 8;
        let plan = evaluate(&scenario);
        let memory = plan
            .memory
            .as_ref()
            .unwrap_or_else(|| panic!("{:?}", plan.verdict));
        assert_eq!((memory.num_blocks, memory.kv_cache_tokens), (9549, tokens));
        assert!(
            (memory.max_concurrency - concurrency).abs() < 0.005,
            "{}",
            memory.max_concurrency
        );
    }
}

/// `config/model.py`, `config/parallel.py` and `v1/kv_cache_interface.py` at 0.33.0.
#[test]
fn context_parallelism_is_refused_as_vllm_refuses_it() {
    for (model, flags, message) in [
        (
            "deepseek-ai/DeepSeek-V3.1",
            &[("-tp", "8"), ("-dcp", "3")][..],
            "tp_size=8 must be divisible by dcp_size=3.",
        ),
        (
            "Qwen/Qwen3-8B",
            &[("-tp", "8"), ("-dcp", "2")],
            "to be greater than the model's total number of KV heads (8)",
        ),
        (
            "Qwen/Qwen3-235B-A22B",
            &[("-tp", "8"), ("-dcp", "4")],
            "exceeds the maximum supported value (2)",
        ),
        (
            "openai/gpt-oss-20b",
            &[("-tp", "8"), ("-dcp", "2")],
            "Decode context parallelism",
        ),
    ] {
        let mut scenario = scenario(catalog(model), "H200", flags);
        scenario.hardware.gpus = 8;
        let plan = evaluate(&scenario);
        let error = plan.verdict.vllm_error.unwrap_or_default();
        assert!(
            error.contains(message),
            "{model}: {error} {}",
            plan.verdict.reason
        );
    }
    let plan = evaluate(&scenario(catalog("Qwen/Qwen3-8B"), "H200", &[("-pcp", "2")]));
    assert!(
        plan.verdict
            .reason
            .contains("prefill-context-parallel-size is not modelled")
    );
}

#[test]
fn speculators_files_become_what_vllm_makes_of_them() {
    let config = object(json!({
        "architectures": ["Eagle3Speculator"], "speculators_model_type": "eagle3", "draft_vocab_size": 32000,
        "norm_before_residual": true, "torch_dtype": "bfloat16",
        "speculators_config": {"algorithm": "eagle3"},
        "transformer_layer_config": {"model_type": "llama", "hidden_size": 4096, "intermediate_size": 12288,
            "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128, "num_hidden_layers": 1,
            "vocab_size": 151_936, "max_position_embeddings": 40960, "rms_norm_eps": 1e-06},
    }));
    let scenario = drafted(
        "Qwen/Qwen3-8B",
        "H100 SXM",
        &config,
        &[
            ("--spec-model", "RedHatAI/Qwen3-8B-speculator.eagle3"),
            ("--spec-tokens", "3"),
        ],
    );
    let plan = evaluate(&scenario);
    let parameters = 8192 * 6144 + 4096 * 4096 + 3 * 4096 * 12288 + 3 * 4096 * 4096 + 32000 * 4096 + 4 * 4096;
    assert_eq!(term(&plan, "weights.draft"), 2 * parameters + 8 * 32_000 + 4 * 4);
    assert_eq!(
        scenario_from_json(&scenario_json(&scenario)),
        Ok(scenario.clone())
    );
    assert_eq!(
        from_fragment(&to_fragment(&scenario).unwrap()),
        Ok((scenario, Vec::new()))
    );
}

/// Bytes of a token over all layers of Llama 3.1 8B (32 layers, 8 heads of 128): what vLLM 0.33.0's specs give for each
/// value, by its own `customize_spec`: two sides of 128 elements and their scales.
#[test]
fn caches_with_scales_are_as_large_as_vllms() {
    for (kv, gpu, per_head) in [
        ("auto", "H100 SXM", 512),
        ("fp8", "H100 SXM", 256),
        ("int8_per_token_head", "H100 SXM", 2 * 128 + 8),
        ("fp8_per_token_head", "H100 SXM", 2 * 128 + 8),
        ("int4_per_token_head", "H100 SXM", 128 + 8),
        ("nvfp4", "B200", 2 * (64 + 8)),
        ("nvfp4_4over6", "B200", 2 * (64 + 8)),
    ] {
        let plan = evaluate(&scenario(
            catalog("meta-llama/Llama-3.1-8B"),
            gpu,
            &[("--kv-cache-dtype", kv)],
        ));
        let memory = plan
            .memory
            .as_ref()
            .unwrap_or_else(|| panic!("{:?}", plan.verdict));
        assert_eq!(memory.bytes_per_block.get(), 16 * 32 * 8 * per_head, "{kv}");
    }
}

/// Bytes of a token's key and value in a head of 128: what `TurboQuantConfig.slot_size_aligned` of 0.33.0 gives. The first
/// and last two layers stay in 16 bits (`get_boundary_skip_layers`), but none beside recurrent layers.
#[test]
fn turboquant_leaves_its_edges_in_16_bits() {
    let planned = |model: &str, kv: &str, more: &[(&str, &str)]| {
        let flags = [&[("--kv-cache-dtype", kv)], more].concat();
        evaluate(&scenario(catalog(model), "H100 SXM", &flags))
    };
    for (kv, slot) in [
        ("turboquant_k8v4", 196),
        ("turboquant_4bit_nc", 134),
        ("turboquant_k3v4_nc", 118),
        ("turboquant_3bit_nc", 102),
    ] {
        let memory = planned("meta-llama/Llama-3.1-8B", kv, &[]).memory.unwrap();
        let expected = 16 * 8 * (28 * slot + 4 * 512);
        assert_eq!(memory.bytes_per_block.get(), expected, "{kv}");
    }
    let windows = planned("google/gemma-3-27b-it", "turboquant_4bit_nc", &[]);
    assert!(windows.verdict.reason.contains("turboquant_4bit_nc"));
    assert_eq!(windows.memory, None);
    // Qwen3.5: heads of 256 in every fourth layer, all of them packed; a block holds a state.
    let hybrid = planned("Qwen/Qwen3.5-9B", "turboquant_k8v4", &[]).memory.unwrap();
    let (layers, heads, slot) = (8, 4, 256 + 128 + 4);
    assert_eq!(
        hybrid.bytes_per_block.get(),
        u64::from(hybrid.block_size) * layers * heads * slot
    );
}

#[test]
fn every_kind_of_cache_is_planned_or_refused_with_a_reason() {
    // `config/cache.py: CacheDType` at 0.33.0.
    for kv in [
        "auto",
        "float16",
        "bfloat16",
        "fp8",
        "fp8_e4m3",
        "fp8_e5m2",
        "fp8_inc",
        "fp8_ds_mla",
        "nvfp4_ds_mla",
        "turboquant_k8v4",
        "turboquant_4bit_nc",
        "turboquant_k3v4_nc",
        "turboquant_3bit_nc",
        "octave_k3v4",
        "octave_k3v3",
        "octave_k3v3_compact",
        "ultraquant_4bit",
        "int4_per_token_head",
        "int8_per_token_head",
        "fp8_per_token_head",
        "nvfp4",
        "nvfp4_4over6",
    ] {
        let plan = evaluate(&scenario(
            catalog("Qwen/Qwen3-8B"),
            "H100 SXM",
            &[("--kv-cache-dtype", kv)],
        ));
        assert!(
            plan.memory.is_some() || plan.verdict.reason.contains(kv),
            "{kv}: {}",
            plan.verdict.reason
        );
    }
    let latent = |kv| {
        let flags = [("--kv-cache-dtype", kv)];
        evaluate(&scenario(catalog("deepseek-ai/DeepSeek-V3.1"), "B200", &flags))
    };
    assert!(latent("int8_per_token_head").verdict.vllm_error.is_some());
    assert!(latent("nvfp4_ds_mla").verdict.vllm_error.is_some());
}

/// 352 bytes a token and 61 layers by `layers/attention/mla_attention.py: get_kv_cache_spec` of 0.33.0, and 132 for the
/// index; only kernels for compute capability 10.x read it (`mla/flashmla_sparse.py: supports_combination`).
#[test]
fn sparse_latent_attention_caches_four_bits_on_blackwell_alone() {
    let plan = |gpu| {
        let flags = [
            ("--kv-cache-dtype", "nvfp4_ds_mla"),
            ("--tensor-parallel-size", "8"),
        ];
        let mut scenario = scenario(catalog("deepseek-ai/DeepSeek-V3.2"), gpu, &flags);
        scenario.hardware.gpus = 8;
        evaluate(&scenario)
    };
    let memory = plan("B200").memory.unwrap();
    assert_eq!(memory.bytes_per_block.get(), 61 * 64 * (352 + 132));
    let hopper = plan("H200 SXM");
    assert!(hopper.memory.is_none() && hopper.verdict.vllm_error.is_some());
}

/// Configs and `metadata.total_size` as published. Llama 2's files hold float32, as its config says; a config that said
/// float16 would be noted.
#[test]
fn a_checkpoint_of_another_size_than_its_config_is_noted() {
    let llama = |dtype: &str| {
        let config = json!({"architectures": ["LlamaForCausalLM"], "hidden_size": 4096, "intermediate_size": 11008,
            "num_attention_heads": 32, "num_key_value_heads": 32, "num_hidden_layers": 32, "vocab_size": 32000,
            "max_position_embeddings": 4096, "tie_word_embeddings": false, "torch_dtype": dtype});
        ModelInput::from_object("TheBloke/Llama-2-7B-fp16", &object(config)).unwrap()
    };
    for (model, total, noted) in [
        (
            catalog("mistralai/Devstral-Small-2507"),
            47_144_806_400_u64,
            false,
        ),
        (
            catalog("ibm-granite/granite-3b-code-instruct-128k"),
            6_965_007_360,
            false,
        ),
        (llama("float32"), 26_953_670_656, false),
        (llama("float16"), 26_953_670_656, true),
    ] {
        let mut config = model.config.as_ref().clone();
        config.insert(planner::model::CHECKPOINT_BYTES.to_owned(), Value::from(total));
        let known = ModelInput::from_object(&model.id, &config).unwrap();
        let plan = evaluate(&scenario(known, "H100 SXM", &[]));
        let found = plan.notes.iter().find(|note| note.code == "weights.cross_check");
        assert_eq!(found.is_some(), noted, "{}: {found:?}", model.id);
    }
}

/// Laguna S 2.1: every fourth of 48 layers attends to everything, with 48 query heads; the others have 72.
fn laguna_s() -> ModelInput {
    let full = |layer: u32| layer.is_multiple_of(4);
    let types: Vec<_> = (0..48)
        .map(|layer| {
            if full(layer) {
                "full_attention"
            } else {
                "sliding_attention"
            }
        })
        .collect();
    let heads: Vec<_> = (0..48).map(|layer| if full(layer) { 48 } else { 72 }).collect();
    let mlp: Vec<_> = (0..48)
        .map(|layer| if layer == 0 { "dense" } else { "sparse" })
        .collect();
    let config = json!({
        "architectures": ["LagunaForCausalLM"], "model_type": "laguna", "torch_dtype": "bfloat16", "hidden_size": 3072,
        "intermediate_size": 12288, "num_hidden_layers": 48, "num_attention_heads": 48, "num_key_value_heads": 8,
        "head_dim": 128, "vocab_size": 100_352, "max_position_embeddings": 262_144, "num_experts": 256,
        "num_experts_per_tok": 10, "moe_intermediate_size": 1024, "shared_expert_intermediate_size": 1024,
        "gating": "per-head", "sliding_window": 512, "tie_word_embeddings": false, "layer_types": types,
        "num_attention_heads_per_layer": heads, "mlp_layer_types": mlp,
    });
    ModelInput::from_object("poolside/Laguna-S-2.1", &object(config)).unwrap()
}

/// The draft's page: 1,114,977,792 parameters in BF16, of which none is an embedding or an output. A start-up log of 0.25.1
/// with it on GB10: "Available KV cache memory: 6.97 GiB", "GPU KV cache size: 94,135 tokens", "1.44x" for 65,536 tokens.
#[test]
fn lagunas_draft_is_known_by_its_name_and_keeps_whole_contexts() {
    let plan = |kv: u64| {
        let mut scenario = scenario(laguna_s(), "H200 SXM", &[]);
        scenario.set("vllm_version", "0.25.1").unwrap();
        scenario.set("gpus", "2").unwrap();
        let memory = kv.to_string();
        for (flag, value) in [
            (
                "--speculative-config",
                r#"{"model":"poolside/Laguna-S-2.1-DFlash-NVFP4","num_speculative_tokens":15}"#,
            ),
            ("--max-model-len", "65536"),
            ("--max-num-batched-tokens", "2048"),
            ("--kv-cache-memory-bytes", &memory),
        ] {
            planner::command::set_flag(&mut scenario.engine, scenario.vllm_version, flag, Some(value))
                .unwrap();
        }
        evaluate(&scenario)
    };
    let tokens = |thousandths: u64| {
        let memory = plan((thousandths << 30) / 1000).memory.unwrap();
        (memory.kv_cache_tokens, memory.max_concurrency)
    };
    let (low, high) = (tokens(6965), tokens(6975));
    assert!((low.0..=high.0).contains(&94_135), "{low:?} {high:?}");
    assert!(low.1 < 1.445 && high.1 > 1.435, "{low:?} {high:?}");
    // Beside the page's count: what stands for masked tokens, and the scales of six attentions.
    let draft = term(&plan(7 << 30), "weights.draft");
    assert_eq!(draft, 2 * 1_114_977_792 + 2 * 3072 + 6 * 4 * 4);
}

/// What the published totals (Hub safetensors metadata) hold beyond the tensors that the model itself loads: the drafting
/// layer, with an embedding and an output of its own where `shared` is 2.
#[test]
fn a_layer_that_drafts_is_what_the_published_total_has_beside_the_model() {
    let mimo = json!({"architectures": ["MiMoForCausalLM"], "hidden_size": 4096, "intermediate_size": 11008,
        "num_hidden_layers": 36, "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128,
        "vocab_size": 151_680, "max_position_embeddings": 32_768, "tie_word_embeddings": false,
        "torch_dtype": "bfloat16"});
    let mimo = ModelInput::from_object("XiaomiMiMo/MiMo-7B-Base", mimo.as_object().unwrap()).unwrap();
    for (model, published, shared) in [
        (mimo, 7_833_409_536, 0),
        (catalog("zai-org/GLM-4.7-Flash"), 31_221_488_576, 2),
    ] {
        let spec = model.spec.clone().unwrap();
        let beside = published - spec.parameters();
        let copies = shared * u64::from(spec.vocab_size) * u64::from(spec.hidden_size);
        let id = model.id.clone();
        let tensors = |flags: &[(&str, &str)]| {
            let plan = evaluate(&scenario(model.clone(), "B200", flags));
            plan.memory.unwrap().weights_tensor_bytes.get()
        };
        let config = r#"{"method":"mtp","num_speculative_tokens":1}"#;
        let more = tensors(&[("--speculative-config", config)]) - tensors(&[]);
        // The router and its bias are float32.
        let wide = spec.moe().map_or(0, |moe| {
            u64::from(moe.num_experts) * (2 * u64::from(spec.hidden_size) + 2)
        });
        // Four scales of the cache.
        assert_eq!(more - wide - 4 * 4, 2 * (beside - copies), "{id}");
    }
    let none = evaluate(&scenario(
        catalog("Qwen/Qwen3-8B"),
        "B200",
        &[("--spec-method", "mtp"), ("--spec-tokens", "1")],
    ));
    assert_eq!(
        none.verdict.vllm_error.as_deref(),
        Some("Unsupported speculative method: 'mtp'")
    );
}
