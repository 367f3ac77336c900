//! What a verdict hangs on: beside the turning point the verdict is the present one, at it the other.
use planner::{
    Outcome, Scenario, evaluate, gpu,
    model::ModelInput,
    recommend::{doublings, turning_points},
};

fn scenario(model: &str, gpu: &str, fields: &[(&str, &str)]) -> Scenario {
    let mut scenario = Scenario::new(
        ModelInput::from_catalog(model).unwrap(),
        gpu::find(gpu).unwrap().clone(),
    );
    for (id, value) in fields {
        scenario.set(id, value).unwrap();
    }
    scenario
}

fn outcome(scenario: &Scenario, id: &str, value: &str) -> Outcome {
    let mut changed = scenario.clone();
    changed.set(id, value).unwrap();
    evaluate(&changed).verdict.outcome
}

#[test]
fn the_verdict_turns_where_it_is_said_to() {
    let all = [
        scenario("Qwen/Qwen3-32B", "L40S", &[("gpus", "2")]),
        scenario(
            "meta-llama/Llama-3.3-70B-Instruct",
            "L4",
            &[("gpus", "8"), ("max_model_len", "8192")],
        ),
        scenario("meta-llama/Llama-3.3-70B-Instruct", "H100 SXM", &[]),
        scenario("Qwen/Qwen3-8B", "L4", &[("request_rate", "2")]),
    ];
    let mut seen = 0;
    for scenario in all {
        let present = evaluate(&scenario).verdict.outcome;
        for point in turning_points(&scenario) {
            let [now, at] = point.values();
            assert_eq!(outcome(&scenario, point.id, &now), present, "{} {now}", point.id);
            assert_eq!(
                outcome(&scenario, point.id, &at),
                point.outcome,
                "{} {at}",
                point.id
            );
            assert_ne!(point.outcome, present);
            if let Ok(at) = at.parse::<u64>() {
                let before = if point.is_below() { at + 1 } else { at - 1 };
                let beside = outcome(&scenario, point.id, &before.to_string());
                assert!(
                    beside == present || beside == Outcome::Unsupported,
                    "{} {before}",
                    point.id
                );
            }
            seen += 1;
        }
    }
    assert!(seen > 12, "{seen}");
}

#[test]
fn twice_the_load_is_judged_as_a_plan_is() {
    let scenario = scenario("Qwen/Qwen3-32B", "L40S", &[("gpus", "2")]);
    let doubled = doublings(&scenario);
    let load = doubled
        .iter()
        .find(|doubled| doubled.input == "requests at once")
        .unwrap();
    assert_eq!(load.values, ["32", "64"]);
    let mut changed = scenario.clone();
    changed.set("concurrency", "64").unwrap();
    let plan = evaluate(&changed);
    assert_eq!(load.outcome, plan.verdict.outcome);
    assert_eq!(
        load.speed.unwrap().output_tok_per_s,
        plan.performance.unwrap().output_tok_per_s
    );
}
