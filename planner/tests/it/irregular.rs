//! Models whose layers differ: hostile numbers in their own fields never panic or overflow.
use planner::{
    Scenario, evaluate, gpu,
    model::{ModelInput, ModelSpec},
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::sync::Arc;

const ARCHITECTURES: &[&str] = &[
    "NemotronHForCausalLM",
    "NemotronHPuzzleForCausalLM",
    "DeciLMForCausalLM",
    "MiMoV2FlashForCausalLM",
    "LagunaForCausalLM",
    "Step3p5ForCausalLM",
    "Lfm2ForCausalLM",
    "Lfm2MoeForCausalLM",
    "GraniteMoeHybridForCausalLM",
    "FalconH1ForCausalLM",
    "Ernie4_5_MoeForCausalLM",
    "MambaForCausalLM",
    "Mamba2ForCausalLM",
    "JambaForCausalLM",
    "Gemma3nForCausalLM",
    "Gemma4ForCausalLM",
];

/// Every number that one of them reads.
const NUMBERS: &[&str] = &[
    "hidden_size",
    "vocab_size",
    "num_attention_heads",
    "num_key_value_heads",
    "head_dim",
    "global_head_dim",
    "intermediate_size",
    "moe_intermediate_size",
    "moe_latent_size",
    "n_routed_experts",
    "num_experts",
    "num_local_experts",
    "moe_num_experts",
    "moe_k",
    "moe_top_k",
    "num_experts_per_tok",
    "share_expert_dim",
    "shared_intermediate_size",
    "shared_expert_intermediate_size",
    "moe_shared_expert_intermediate_size",
    "mamba_num_heads",
    "mamba_head_dim",
    "mamba_n_heads",
    "moe_num_experts",
    "moe_k",
    "moe_layer_end_index",
    "mamba_d_head",
    "mamba_d_state",
    "mamba_expand",
    "n_groups",
    "ssm_state_size",
    "state_size",
    "conv_kernel",
    "conv_dim",
    "conv_L_cache",
    "block_ff_dim",
    "block_multiple_of",
    "expand",
    "time_step_rank",
    "num_heads",
    "num_kv_shared_layers",
    "hidden_size_per_layer_input",
    "vocab_size_per_layer_input",
    "altup_num_inputs",
    "laurel_rank",
    "swa_num_attention_heads",
    "swa_num_key_value_heads",
    "swa_head_dim",
    "swa_v_head_dim",
    "v_head_dim",
    "sliding_window",
    "sliding_window_size",
    "attn_layer_period",
    "expert_layer_period",
    "max_position_embeddings",
];

/// A config of all these fields, each taken from `numbers` in turn.
fn config(architecture: &str, numbers: &[u32]) -> Map<String, Value> {
    let types = |one: &str, other: &str| json!([one, other, one, one]);
    let mut config = Map::new();
    config.insert("architectures".to_owned(), json!([architecture]));
    for (field, number) in NUMBERS.iter().zip(numbers.iter().cycle()) {
        config.insert((*field).to_owned(), json!(number));
    }
    let block = |no_op: bool| json!({"attention": {"n_heads_in_group": 1, "no_op": no_op}, "ffn": {"ffn_mult": 1e9, "no_op": !no_op}});
    let mamba = matches!(architecture, "GraniteMoeHybridForCausalLM");
    let conv = architecture.starts_with("Lfm2");
    let (one, other) = match (mamba, conv) {
        (true, _) => ("mamba", "attention"),
        (_, true) => ("conv", "full_attention"),
        _ => ("sliding_attention", "full_attention"),
    };
    for (field, value) in [
        ("num_hidden_layers", json!(4)),
        ("hybrid_override_pattern", json!("ME*-")),
        ("layer_types", types(one, other)),
        ("mlp_layer_types", types("sparse", "dense")),
        ("hybrid_layer_pattern", json!([0, 1, 1, 0])),
        ("moe_layer_freq", json!([0, 1, 1, 0])),
        ("use_double_wide_mlp", json!(true)),
        ("block_ffn_dim_multiplier", json!(1e300)),
    ] {
        config.insert(field.to_owned(), value);
    }
    let blocks = match architecture {
        "DeciLMForCausalLM" => json!([block(true), block(false), block(false), block(true)]),
        "NemotronHPuzzleForCausalLM" => json!([
            {"block_type": "mamba"},
            {"block_type": "moe", "moe_intermediate_size": numbers.first(), "num_experts_per_tok": 1},
            {"block_type": "attention"},
            {"block_type": "moe", "n_routed_experts": numbers.last()},
        ]),
        _ => return config,
    };
    config.insert("block_configs".to_owned(), blocks);
    config
}

fn spec(config: &Map<String, Value>) -> Option<Arc<ModelSpec>> {
    ModelInput::from_object("x", config).ok()?.spec.ok()
}

fn plan(config: &Map<String, Value>, tp: &str) {
    let Ok(model) = ModelInput::from_object("x", config) else {
        return;
    };
    let mut scenario = Scenario::new(model, gpu::find("H100 SXM").unwrap().clone());
    scenario.set("gpus", "8").unwrap();
    scenario.set("tensor_parallel_size", tp).unwrap();
    let plan = evaluate(&scenario);
    if let Some(memory) = plan.memory {
        let sum: i64 = memory.terms.iter().map(|term| term.bytes).sum();
        assert_eq!(sum, memory.gpu_total_bytes.signed());
    }
}

#[test]
fn small_numbers_give_a_plan_in_every_architecture() {
    for architecture in ARCHITECTURES {
        // Two heads of two over a width of two, doubled, so that they divide each other.
        let small = config(architecture, &[2]);
        assert!(
            spec(&small).is_some(),
            "{architecture} {:?}",
            ModelInput::from_object("x", &small).unwrap().spec
        );
        plan(&small, "1");
        plan(&small, "2");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_numbers_panic(which in 0..ARCHITECTURES.len(), numbers in proptest::collection::vec(prop_oneof![0_u32..16, Just(64), Just(4096), Just(1 << 18), any::<u32>()], 1..60), tp in prop_oneof![Just("1"), Just("2"), Just("8")]) {
        plan(&config(ARCHITECTURES[which], &numbers), tp);
    }

    #[test]
    fn no_powers_of_two_panic(which in 0..ARCHITECTURES.len(), powers in proptest::collection::vec(0_u32..14, 1..60), tp in prop_oneof![Just("1"), Just("4")]) {
        let numbers: Vec<u32> = powers.into_iter().map(|power| 1 << power).collect();
        plan(&config(ARCHITECTURES[which], &numbers), tp);
    }
}
