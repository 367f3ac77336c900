//! What vLLM 0.33.0 refuses, we refuse with its words.
use crate::support;
use planner::{Outcome, Scenario, evaluate, gpu::GpuSpec, units::Bytes};

#[test]
fn what_vllm_refuses_is_refused_in_its_words() {
    let file = support::json("oracle/refusals.json");
    let rows = file["rows"].as_array().unwrap();
    assert!(rows.len() >= 12);
    for row in rows {
        let model = support::model(&file, row[0].as_str().unwrap());
        let gpu = GpuSpec::custom(Bytes::from_gib(1000), row[3].as_str().map(|c| c.parse().unwrap()));
        let mut scenario = Scenario::new(model, gpu);
        scenario.set("gpus", "8").unwrap();
        scenario.set("defaults", "vllm").unwrap();
        scenario.set("tensor_parallel_size", &row[1].to_string()).unwrap();
        scenario
            .set("enable_expert_parallel", &row[2].to_string())
            .unwrap();
        scenario
            .set("quantization", row[4].as_str().unwrap_or(""))
            .unwrap();
        let plan = evaluate(&scenario);
        assert_eq!(plan.verdict.outcome, Outcome::Unsupported, "{row}");
        let ours = plan.verdict.vllm_error.unwrap_or_default();
        let theirs = row[5].as_str().unwrap();
        assert!(!ours.is_empty() && theirs.ends_with(&ours), "{row}\nours: {ours}");
    }
}

#[test]
fn architectures_that_vllm_dropped_are_refused_in_its_words() {
    let file = support::json("oracle/refusals.json");
    for row in file["unsupported_architectures"].as_array().unwrap() {
        let architecture = row[1].as_str().unwrap();
        let config = format!(r#"{{"architectures":["{architecture}"]}}"#);
        let model = planner::model::ModelInput::from_config("x", &config).unwrap();
        let why = model.spec.unwrap_err().to_string();
        let theirs = row[2].as_str().unwrap();
        assert!(
            why.starts_with(theirs) || why.contains("not modelled"),
            "{theirs}\nours: {why}"
        );
    }
}
