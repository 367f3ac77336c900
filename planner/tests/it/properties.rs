//! Laws that hold for every scenario.
use planner::{
    Outcome, Scenario, evaluate, gpu,
    model::{ModelInput, models},
};
use proptest::prelude::*;

fn any_scenario() -> impl Strategy<Value = Scenario> {
    let numbers = (
        1_u32..=16,
        1_u32..=4,
        1_u32..=200_000,
        1_u32..=600,
        1_u32..=40_000,
    );
    (
        0..models().len(),
        0..gpu::gpus().len(),
        numbers,
        1_u32..=100,
        any::<(bool, bool, bool)>(),
    )
        .prop_map(
            |(model, gpu, (gpus, pp, length, seqs, tokens), percent, (as_is, fp8, eager))| {
                let model = ModelInput::from_catalog(models()[model].id).unwrap();
                let mut scenario = Scenario::new(model, gpu::gpus()[gpu].clone());
                let mut set = |id: &str, value: String| scenario.set(id, &value).unwrap();
                set("gpus", gpus.to_string());
                if pp <= gpus {
                    set("pipeline_parallel_size", pp.to_string());
                }
                set("max_num_seqs", seqs.to_string());
                set("gpu_memory_utilization", (f64::from(percent) / 100.0).to_string());
                set("enforce_eager", eager.to_string());
                if as_is {
                    set("defaults", "vllm".into());
                    set("max_model_len", length.to_string());
                    set("max_num_batched_tokens", tokens.max(seqs).to_string());
                }
                if fp8 {
                    set("kv_cache_dtype", "fp8".into());
                }
                scenario
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn terms_sum_to_the_gpu(scenario in any_scenario()) {
        let plan = evaluate(&scenario);
        if let Some(memory) = &plan.memory {
            let sum: i64 = memory.terms.iter().map(|term| term.bytes).sum();
            prop_assert_eq!(sum, memory.gpu_total_bytes.signed());
            let negative = memory.terms.iter().any(|t| t.bytes < 0 && t.id != "overrun" && t.id != "weights.rounding");
            prop_assert!(!negative, "{:?}", memory.terms);
        } else {
            prop_assert_eq!(plan.verdict.outcome, Outcome::Unsupported);
            prop_assert!(!plan.verdict.reason.is_empty());
        }
    }

    #[test]
    fn what_does_not_fit_says_by_how_much(scenario in any_scenario()) {
        let plan = evaluate(&scenario);
        if plan.verdict.outcome == Outcome::DoesNotFit {
            prop_assert!(plan.verdict.shortfall_bytes.get() > 0);
        }
    }

    #[test]
    fn a_remedy_changes_what_it_says_and_helps(scenario in any_scenario()) {
        let plan = evaluate(&scenario);
        for remedy in &plan.verdict.remedies {
            let mut changed = scenario.clone();
            for (id, value) in &remedy.change {
                prop_assert!(changed.set(id, value).is_ok(), "{:?}", remedy);
            }
            let outcome = evaluate(&changed).verdict.outcome;
            prop_assert_eq!(outcome, remedy.outcome, "{:?}", remedy);
            prop_assert!(outcome.starts(), "{:?}", remedy);
        }
    }

    #[test]
    fn a_longer_context_never_takes_less_cache(scenario in any_scenario(), length in 1_u32..100_000, more in 1_u32..100_000) {
        let needed = |length: u32| {
            let mut scenario = scenario.clone();
            scenario.set("max_model_len", &length.to_string()).unwrap();
            let memory = evaluate(&scenario).memory?;
            Some((memory.kv_cache_needed_bytes, memory.block_size))
        };
        if let (Some((short, block)), Some((long, same))) = (needed(length), needed(length + more))
            && block == same
        {
            prop_assert!(short <= long, "{} for {}, {} for {}", short, length, long, length + more);
        }
    }

    #[test]
    fn the_same_scenario_gives_the_same_plan(scenario in any_scenario()) {
        prop_assert_eq!(evaluate(&scenario), evaluate(&scenario.clone()));
    }

    #[test]
    fn no_config_panics(width in any::<u32>(), layers in any::<u32>(), heads in any::<u32>(), experts in any::<u32>(), vocab in any::<u32>()) {
        let text = format!(r#"{{"architectures":["Qwen3MoeForCausalLM"],"hidden_size":{width},"moe_intermediate_size":{width},"intermediate_size":{width},"num_hidden_layers":{layers},"num_attention_heads":{heads},"num_key_value_heads":{heads},"head_dim":128,"num_experts":{experts},"num_experts_per_tok":1,"vocab_size":{vocab},"max_position_embeddings":4096}}"#);
        if let Ok(model) = ModelInput::from_config("x", &text) {
            let _ = evaluate(&Scenario::new(model, gpu::find("H100 SXM").unwrap().clone()));
        }
    }
}

/// The largest values that the bounds let through.
#[test]
fn the_largest_model_overflows_nothing() {
    let text = r#"{"architectures":["Qwen3MoeForCausalLM"],"hidden_size":262144,"moe_intermediate_size":262144,"intermediate_size":1048576,"num_hidden_layers":1024,"num_attention_heads":4096,"num_key_value_heads":4096,"head_dim":4096,"num_experts":4096,"num_experts_per_tok":4096,"vocab_size":4194304,"max_position_embeddings":134217728}"#;
    let model = ModelInput::from_config("x", text).unwrap();
    let mut scenario = Scenario::new(model, gpu::find("H100 SXM").unwrap().clone());
    for (id, value) in [
        ("dtype", "float32"),
        ("defaults", "vllm"),
        ("max_num_batched_tokens", "134217728"),
        ("max_num_seqs", "65536"),
        ("concurrency", "65536"),
        ("prompt_tokens", "134217728"),
        ("gen_tokens", "134217728"),
    ] {
        scenario.set(id, value).unwrap();
    }
    let plan = evaluate(&scenario);
    assert_eq!(plan.verdict.outcome, Outcome::DoesNotFit);
    let memory = plan.memory.unwrap();
    assert_eq!(
        memory.terms.iter().map(|term| term.bytes).sum::<i64>(),
        memory.gpu_total_bytes.signed()
    );
}

#[test]
fn more_tensor_parallelism_never_raises_the_weights_of_a_gpu() {
    for model in models() {
        let mut last = u64::MAX;
        for tp in [1, 2, 4, 8, 16] {
            let mut scenario = Scenario::new(
                ModelInput::from_catalog(model.id).unwrap(),
                gpu::find("H200 SXM").unwrap().clone(),
            );
            scenario.set("gpus", "16").unwrap();
            scenario.set("tensor_parallel_size", &tp.to_string()).unwrap();
            let Some(memory) = evaluate(&scenario).memory else {
                continue;
            };
            assert!(memory.weights_tensor_bytes.get() <= last, "{} tp {tp}", model.id);
            last = memory.weights_tensor_bytes.get();
        }
    }
}
