//! Inkling: attention with positions by distance beside short convolutions, whose inputs are a cache of their own.
use crate::support;
use planner::{
    Outcome, Plan, Scenario, evaluate, gpu,
    memory::{
        kv_cache::{KvLayout, KvSettings},
        shape::RankShape,
        tensors::{Placement, tensors},
    },
    model::{ModelInput, ModelSpec},
};
use std::sync::Arc;

fn model(id: &str) -> ModelInput {
    support::model(&support::json("oracle/kv_plans_inkling.json"), id)
}

fn small() -> Arc<ModelSpec> {
    model("thinkingmachines/Inkling-Small").spec.unwrap()
}

fn settings(tp: u32, pp: u32, pp_rank: u32, tokens: u32) -> KvSettings {
    KvSettings {
        max_num_batched_tokens: tokens,
        ..support::kv(RankShape {
            tp,
            pp,
            pp_rank,
            ..RankShape::SINGLE
        })
    }
}

/// Two servers of Inkling-Small on 4 GPUs, as vllm-project/vllm#54703 and #54705 have them: 535,530 blocks of 12 groups of 7
/// layers were 1,200,598 tokens at 9.16x (8,194 blocks for each of six groups of convolutions, 1,041 for each of five of
/// windows, 4,096), and 535,384 blocks are what vLLM's planner makes of them for other lengths and batches.
#[test]
fn a_published_start_has_so_many_tokens() {
    let spec = small();
    let plan = |blocks, length, tokens| {
        let layout = KvLayout::new(&spec, settings(4, 1, 0, tokens));
        assert_eq!(
            (layout.group_count(), layout.bytes_per_block),
            (12, 7 * 32 * 1024)
        );
        layout.plan(blocks, length)
    };
    let started = plan(535_530, 131_072, 16_384);
    assert_eq!(
        (started.tokens, format!("{:.2}", started.max_concurrency)),
        (1_200_598, "9.16".to_owned())
    );
    for (length, batch, tokens) in [
        (8_192, 16_384, 317_012),
        (131_072, 16_384, 1_200_271),
        (131_072, 8_192, 2_239_900),
        (131_072, 2_048, 6_392_807),
        (524_288, 16_384, 3_967_258),
        (1_048_576, 16_384, 6_442_622),
        (1_048_576, 8_192, 9_356_357),
        (1_048_576, 2_048, 14_159_015),
    ] {
        assert_eq!(plan(535_384, length, batch).tokens, tokens, "{length} {batch}");
    }
}

/// vLLM 0.33.0's planner, run as for the rows of the oracle: bytes of a block on each stage, blocks of a request.
#[test]
fn stages_have_their_share_of_each_group() {
    for (id, tp, stages, block, per_request) in [
        ("thinkingmachines/Inkling-Small", 2, 2, 262_144, 44_897),
        ("thinkingmachines/Inkling", 8, 2, 98_304, 48_817),
        ("thinkingmachines/Inkling", 4, 3, 131_072, 63_665),
    ] {
        let spec = model(id).spec.unwrap();
        for stage in 0..stages {
            let layout = KvLayout::new(&spec, settings(tp, stages, stage, 8_192));
            assert_eq!(
                (layout.bytes_per_block, layout.blocks_per_request(131_072)),
                (block, per_request),
                "{id} {stage}"
            );
        }
    }
}

/// The planner's own figures again, with 8 and with 3 of the layers that draft: windows keep what these read ahead.
#[test]
fn layers_that_draft_cache_beside_the_others() {
    for (id, tp, tokens, block, per_request) in [
        ("thinkingmachines/Inkling-Small", 4, 8, 294_912, 31_346),
        ("thinkingmachines/Inkling", 8, 3, 196_608, 33_980),
    ] {
        let spec = ModelSpec::clone(&model(id).spec.unwrap()).with_draft(Some(tokens));
        let settings = KvSettings {
            speculative_tokens: tokens,
            ..settings(tp, 1, 0, 8_192)
        };
        let layout = KvLayout::new(&spec, settings);
        assert_eq!(
            (layout.bytes_per_block, layout.blocks_per_request(131_072)),
            (block, per_request),
            "{id}"
        );
    }
}

/// Of one GPU, without the scales of caches.
fn weigh(spec: &ModelSpec) -> u64 {
    let place = Placement {
        shape: RankShape::SINGLE,
        dtype: spec.dtype,
        capability: 100,
        tower: None,
        buffers: support::load(spec).buffers(spec, 1, 100),
        streams_online: true,
    };
    let runs = tensors(spec, &place);
    let tensors = runs
        .iter()
        .flat_map(|run| run.tensors.iter().map(move |tensor| (run.layers, tensor)));
    tensors
        .filter(|(_, tensor)| tensor.bytes != 4)
        .map(|(layers, tensor)| layers * tensor.bytes * tensor.count)
        .sum()
}

/// Inkling-NVFP4 has 592 GB (sgl-project/sglang#31900). Its hf_quant_config.json leaves out all but the routed experts, and of
/// these the ones of layer 2 (tests of NVIDIA/TensorRT-LLM read both off it).
#[test]
fn the_published_nvfp4_file_quantises_its_experts_from_layer_3_on() {
    let mut config = model("thinkingmachines/Inkling").config.as_ref().clone();
    let parts = [
        "attn.wq_du",
        "attn.wk_dv",
        "attn.wv_dv",
        "attn.wr_du",
        "attn.wo_ud",
        "mlp.w13_dn",
        "mlp.w2_md",
        "mlp.gate",
        "mlp.shared_experts",
    ];
    let mut left_out = ["layers.2.mlp.experts", "unembed"]
        .map(|part| format!("model.llm.{part}"))
        .to_vec();
    for layer in 0..66 {
        left_out.extend(parts.map(|part| format!("model.llm.layers.{layer}.{part}")));
    }
    config.insert(
        "quantization_config".to_owned(),
        serde_json::json!({"quant_method": "modelopt", "quant_algo": "NVFP4", "group_size": 16, "exclude_modules": left_out}),
    );
    let spec = ModelInput::from_object("x", &config).unwrap().spec.unwrap();
    let experts = spec.layers.iter().filter(|run| run.quantized.experts);
    assert_eq!(experts.map(|run| run.count).sum::<u32>(), 63);
    let others = |q: &planner::model::Quantized| q.qkv || q.o || q.gate_up || q.down || q.shared || q.router;
    assert!(!spec.layers.iter().any(|run| others(&run.quantized)));
    let bytes = weigh(&ModelSpec::clone(&spec).with_draft(None));
    assert_eq!((bytes + 500_000_000) / 1_000_000_000, 592, "{bytes}");
}

/// The published file's 2,231,912,456 elements beside what is loaded without them (measured/parameters.json), and the
/// embedding's norm once more.
#[test]
fn all_layers_that_draft_weigh_what_the_published_file_has_of_them() {
    let spec = ModelSpec::clone(&small());
    let drafting = weigh(&spec.clone().with_draft(None)) - weigh(&spec);
    assert_eq!(drafting, 2 * (2_231_912_456 + 4096));
}

#[test]
fn drafts_that_vllm_does_not_load_are_refused() {
    let with = |model: ModelInput, config: &str| {
        let mut scenario = Scenario::new(model, gpu::find("B200 SXM").unwrap().clone());
        scenario.set("gpus", "8").unwrap();
        scenario.engine.vllm_args = vec![("--speculative-config".to_owned(), Some(config.to_owned()))];
        evaluate(&scenario)
    };
    let small = || model("thinkingmachines/Inkling-Small");
    let attention = |plan: Plan| {
        let terms = plan.memory.unwrap().terms;
        terms
            .iter()
            .find(|term| term.id == "weights.attention")
            .unwrap()
            .bytes
    };
    // One for each of the checkpoint's layers where nobody says how many.
    assert_eq!(
        attention(with(small(), r#"{"method":"mtp"}"#)),
        attention(with(small(), r#"{"method":"mtp","num_speculative_tokens":8}"#))
    );
    let more = with(small(), r#"{"method":"mtp","num_speculative_tokens":9}"#).verdict;
    assert_eq!(
        more.vllm_error.as_deref(),
        Some("num_speculative_tokens:9 must be divisible by n_predict=8")
    );
    let mut config = small().config.as_ref().clone();
    config.remove("mtp_config");
    let without = ModelInput::from_object("x", &config).unwrap();
    assert_eq!(
        with(without, r#"{"method":"mtp"}"#).verdict.vllm_error.as_deref(),
        Some("The Inkling checkpoint does not contain MTP weights")
    );
}

fn plan(gpu: &str, set: &[(&str, &str)]) -> Plan {
    let gpu = gpu::find(gpu).unwrap().clone();
    let mut scenario = Scenario::new(model("thinkingmachines/Inkling-Small"), gpu);
    for (id, value) in [("gpus", "8"), ("tensor_parallel_size", "8")].iter().chain(set) {
        scenario.set(id, value).unwrap_or_else(|e| panic!("{e}"));
    }
    evaluate(&scenario)
}

#[test]
fn a_link_keeps_what_it_is_read_from() {
    for id in ["thinkingmachines/Inkling-Small", "thinkingmachines/Inkling"] {
        let model = model(id);
        let kept = ModelInput::from_object(id, &model.config).unwrap();
        assert_eq!(kept.spec, model.spec, "{id}");
    }
}

#[test]
fn what_vllms_class_does_not_take_is_refused() {
    assert_eq!(plan("B200 SXM", &[]).verdict.outcome, Outcome::Fits);
    assert_eq!(
        plan("H200 SXM", &[("block_size", "32")]).verdict.outcome,
        Outcome::Fits
    );
    for (gpu, set, words) in [
        ("B200 SXM", ("block_size", "64"), "#51951"),
        ("B200 SXM", ("kv_cache_dtype", "fp8"), "#54704"),
        (
            "B200 SXM",
            ("dtype", "float16"),
            "sconv SWA cache supports bfloat16 only, got torch.float16",
        ),
        ("B200 SXM", ("vllm_version", "0.25.1"), "has no class"),
        (
            "B200 SXM",
            ("disable_hybrid_kv_cache_manager", "true"),
            "disable_hybrid_kv_cache_manager",
        ),
        ("B200 SXM", ("quantization", "fp8"), "while it is loaded"),
        ("MI355X", ("gpus", "8"), "Hopper and Blackwell"),
        ("RTX PRO 6000 Blackwell Server", ("gpus", "8"), "#51405"),
        ("A100 SXM4 80GB", ("gpus", "8"), "Hopper and Blackwell"),
    ] {
        let verdict = plan(gpu, &[set]).verdict;
        assert_eq!(verdict.outcome, Outcome::Unsupported, "{set:?} {verdict:?}");
        assert!(verdict.reason.contains(words), "{}", verdict.reason);
    }
    let verdict = plan("B200 SXM", &[("gpus", "16"), ("tensor_parallel_size", "16")]).verdict;
    let words = "sconv SWA cache supports tp_size <= num_kv_heads (8), got 16";
    assert_eq!(verdict.vllm_error.as_deref(), Some(words));
}

/// `InklingForConditionalGeneration.__init__` builds its towers whatever is served: 0.13 GiB on each rank and stage.
#[test]
fn its_towers_are_loaded_with_the_language_model_alone_as_well() {
    let weights = |set: &[(&str, &str)]| {
        let memory = plan("B200 SXM", set).memory.unwrap();
        memory
            .terms
            .iter()
            .find(|term| term.id == "weights.vision")
            .map(|term| term.bytes)
    };
    let towers = 2 * (64_080_384 + 5_246_976);
    assert_eq!(weights(&[]), Some(towers));
    assert_eq!(weights(&[("language_model_only", "true")]), Some(towers));
    assert_eq!(
        weights(&[("tensor_parallel_size", "4"), ("pipeline_parallel_size", "2")]),
        Some(towers)
    );
}
