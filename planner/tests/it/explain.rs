//! Every figure explains itself, and its own numbers give its result.
use planner::{Scenario, evaluate, gpu, model::ModelInput};

fn scenario() -> Scenario {
    let mut scenario = Scenario::new(
        ModelInput::from_catalog("Qwen/Qwen3-8B").unwrap(),
        gpu::find("H100 SXM").unwrap().clone(),
    );
    scenario.set("max_model_len", "32768").unwrap();
    scenario
}

fn inputs(plan: &planner::Plan, id: &str) -> Vec<f64> {
    let explanation = plan.explain(id).unwrap();
    explanation
        .inputs
        .iter()
        .map(|(_, value)| value.parse().unwrap())
        .collect()
}

#[test]
fn every_term_and_figure_is_explained() {
    let plan = evaluate(&scenario());
    let memory = plan.memory.as_ref().unwrap();
    for term in &memory.terms {
        let explanation = plan.explain(term.id).unwrap();
        assert_eq!(explanation.label, term.label);
        assert!(explanation.result.ends_with(" bytes"), "{}", explanation.result);
    }
    for id in [
        "gpu_total",
        "requested",
        "kv_cache_available",
        "kv_cache_tokens",
        "max_concurrency",
        "longest",
    ] {
        let explanation = plan.explain(id).unwrap();
        assert_eq!(explanation.id, id);
        assert!(!explanation.formula.is_empty() && !explanation.source.is_empty());
    }
    assert_eq!(plan.explain("no_such_figure"), None);
}

/// A reader with a pocket calculator gets what the plan says.
#[test]
fn values_in_the_formula_give_the_result() {
    let plan = evaluate(&scenario());
    let memory = plan.memory.as_ref().unwrap();
    let budget = inputs(&plan, "kv_cache_available");
    assert_eq!(budget.len(), 5);
    let rest = budget[0] - budget[1..].iter().sum::<f64>();
    assert_eq!(format!("{rest}"), memory.kv_cache_available_logged.to_string());
    let [blocks, per_sequence] = inputs(&plan, "max_concurrency").try_into().unwrap();
    assert!((blocks / per_sequence - memory.max_concurrency).abs() < 1e-9);
    let [concurrency, length] = inputs(&plan, "kv_cache_tokens").try_into().unwrap();
    assert!((concurrency * length - memory.kv_cache_tokens as f64).abs() < 2.0);
}

#[test]
fn names_are_replaced_as_whole_words() {
    let plan = evaluate(&scenario());
    let shown = plan.explain("requested").unwrap().with_values().unwrap();
    let memory = plan.memory.as_ref().unwrap();
    assert_eq!(shown, format!("{} × 0.92", memory.gpu_total_bytes.get()));
    // A formula in words has no values to show twice.
    assert_eq!(plan.explain("gpu_total").unwrap().with_values(), None);
}

#[test]
fn an_older_version_counts_tokens_by_blocks() {
    let mut scenario = scenario();
    scenario.set("vllm_version", "0.11.2").unwrap();
    let plan = evaluate(&scenario);
    let [block_size, blocks] = inputs(&plan, "kv_cache_tokens").try_into().unwrap();
    let memory = plan.memory.as_ref().unwrap();
    assert!((block_size * blocks - memory.kv_cache_tokens as f64).abs() < 0.5);
}
