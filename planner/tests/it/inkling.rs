//! Inkling: attention with positions by distance beside short convolutions, whose inputs are a cache of their own.
use crate::support;
use planner::{
    Outcome, Plan, Scenario, evaluate, gpu,
    memory::{
        kv_cache::{KvLayout, KvSettings},
        shape::RankShape,
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
        shape: RankShape {
            tp,
            pp,
            pp_rank,
            ..RankShape::SINGLE
        },
        element: 2,
        block_size: 16,
        max_num_batched_tokens: tokens,
        concurrent_batches: pp + 1,
        null_block: true,
        tokens_from_concurrency: true,
        no_hybrid: false,
        one_table: false,
        prefix_caching: true,
        state_element: 2,
        row_pages: false,
        packed_latent: 0,
        flashinfer_prefill: true,
        speculative_tokens: 0,
        dcp: 1,
        scaled: None,
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

fn plan(gpu: &str, set: &[(&str, &str)]) -> Plan {
    let gpu = gpu::find(gpu).unwrap().clone();
    let mut scenario = Scenario::new(model("thinkingmachines/Inkling-Small"), gpu);
    for (id, value) in [("gpus", "8"), ("tensor_parallel_size", "8")].iter().chain(set) {
        scenario.set(id, value).unwrap_or_else(|e| panic!("{e}"));
    }
    evaluate(&scenario)
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
