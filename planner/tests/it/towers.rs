//! Plans of models with a vision tower: with it, without it, and where its sizes are not given.
use crate::support::scenario;
use planner::{
    Outcome, evaluate,
    memory::{
        activations::{RunSettings, RunnerMemory},
        encoder::TowerSettings,
        shape::RankShape,
    },
    model::ModelInput,
};

const MODEL: &str = "Qwen/Qwen3-VL-8B-Instruct";

fn term(plan: &planner::Plan, id: &str) -> i64 {
    let terms = &plan.memory.as_ref().unwrap().terms;
    terms
        .iter()
        .filter(|term| term.id == id)
        .map(|term| term.bytes)
        .sum()
}

#[test]
fn the_tower_is_part_of_the_plan_unless_it_is_left_out() {
    let with = evaluate(&scenario(MODEL, "H100 SXM", &[]));
    assert_eq!(with.verdict.outcome, Outcome::Fits, "{:?}", with.verdict);
    // vLLM's own classes: 1153366496 bytes.
    assert_eq!(term(&with, "weights.vision"), 1_153_366_496);
    assert!(term(&with, "persistent.embeddings") > 0);
    let without = evaluate(&scenario(MODEL, "H100 SXM", &[("language_model_only", "true")]));
    assert_eq!(term(&without, "weights.vision"), 0);
    assert_eq!(term(&without, "persistent.embeddings"), 0);
    let mut limited = scenario(MODEL, "H100 SXM", &[]);
    limited.engine.vllm_args = vec![(
        "--limit-mm-per-prompt".to_owned(),
        Some(r#"{"image":0,"video":0}"#.to_owned()),
    )];
    let limited = evaluate(&limited);
    assert_eq!(
        limited.memory.unwrap().kv_cache_available_bytes,
        without.memory.unwrap().kv_cache_available_bytes
    );
}

#[test]
fn terms_sum_to_the_gpu() {
    for model in planner::model::models() {
        if !model.spec().as_ref().unwrap().has_tower {
            continue;
        }
        for gpus in ["1", "4"] {
            let plan = evaluate(&scenario(model.id, "H200", &[("gpus", gpus)]));
            let memory = plan
                .memory
                .unwrap_or_else(|| panic!("{} {:?}", model.id, plan.verdict));
            let sum: i64 = memory.terms.iter().map(|term| term.bytes).sum();
            assert_eq!(sum, memory.gpu_total_bytes.signed(), "{}", model.id);
        }
    }
}

#[test]
fn a_tower_cut_unevenly_is_refused_as_vllm_does() {
    let plan = evaluate(&scenario(
        "google/gemma-3-27b-it",
        "H200",
        &[("gpus", "32"), ("tensor_parallel_size", "32")],
    ));
    assert_eq!(
        plan.verdict.vllm_error.as_deref(),
        Some("16 is not divisible by 32")
    );
}

/// `supports_encoder_tp_data` of the classes at 0.33.0: the others warn and fall back to cutting (`config/model.py`).
#[test]
fn a_tower_is_whole_on_every_rank_only_where_its_class_heeds_the_flag() {
    for (model, heeds) in [(MODEL, true), ("google/gemma-3-27b-it", false)] {
        let of = |flags: &[&str]| {
            let mut scenario = scenario(model, "H200", &[("gpus", "2"), ("tensor_parallel_size", "2")]);
            let passed = flags
                .iter()
                .map(|mode| ("--mm-encoder-tp-mode".to_owned(), Some((*mode).to_owned())));
            scenario.engine.vllm_args = passed.collect();
            term(&evaluate(&scenario), "weights.vision")
        };
        assert_eq!(of(&["data"]) > of(&[]), heeds, "{model}");
    }
}

#[test]
fn without_its_sizes_only_the_language_model_is_planned() {
    let text = r#"{"architectures":["Qwen2VLForConditionalGeneration"],"hidden_size":3584,"intermediate_size":18944,"max_position_embeddings":32768,"num_attention_heads":28,"num_hidden_layers":28,"num_key_value_heads":4,"torch_dtype":"bfloat16","vision_config":{},"vocab_size":152064}"#;
    let mut scenario = scenario(MODEL, "H100 SXM", &[]);
    scenario.model = ModelInput::from_config("x/y", text).unwrap();
    insta::assert_snapshot!(evaluate(&scenario).verdict.reason, @"`vision_config` is empty: it was left out of this link or file, and with it the sizes of the tower; with --language-model-only vLLM leaves the tower out, and the plan is of the language model alone");
    scenario.set("language_model_only", "true").unwrap();
    assert_eq!(evaluate(&scenario).verdict.outcome, Outcome::Fits);
}

#[test]
fn links_keep_what_towers_are_read_from() {
    let file = crate::support::json("oracle/weights_tower.json");
    for id in file["configs"].as_object().unwrap().keys() {
        let model = crate::support::model(&file, id);
        let again = ModelInput::from_object(id, &model.config).unwrap();
        assert_eq!(again, model, "{id}");
        assert!(again.spec.unwrap().tower.is_ok(), "{id}");
    }
}

/// vLLM 0.33.0's own runner for google/gemma-3-27b-it on one GPU: max_num_batched_tokens, max_num_seqs, bytes that it keeps.
const KEPT: &[(u32, u32, u64)] = &[
    (8192, 1024, 1_247_719_936),
    (8192, 64, 160_778_240),
    (2048, 256, 312_986_112),
    (16_384, 64, 248_965_120),
];

#[test]
fn the_runner_keeps_embeddings_for_a_step() {
    let model = ModelInput::from_catalog("google/gemma-3-27b-it").unwrap();
    for (tokens, seqs, theirs) in KEPT {
        let run = RunSettings {
            shape: RankShape::SINGLE,
            max_num_seqs: *seqs,
            max_num_batched_tokens: *tokens,
            capability: 90,
            rules: planner::engine::VllmVersion::latest().memory_rules(),
            tower: Some(TowerSettings {
                data_parallel: false,
                profiled: false,
                item_limit: 999,
                video_limit: 999,
                max_pixels: None,
                max_model_len: 32_768,
            }),
            speculative: None,
        };
        let memory = RunnerMemory::new(model.spec.as_ref().unwrap(), &run);
        let ours = memory.persistent().get();
        // The allocator leaves rests of up to 1 MiB on large blocks.
        assert!(
            theirs.abs_diff(ours) < 2 << 20,
            "{tokens} {seqs}: {ours} of {theirs}"
        );
    }
}
