//! A load's limits and what a plan says of them.
use planner::{
    Plan, Scenario, evaluate, gpu,
    model::ModelInput,
    plan::{Course, simulate},
};

fn scenario(changes: &[(&str, &str)]) -> Scenario {
    let model = ModelInput::from_catalog("Qwen/Qwen3-8B").unwrap();
    let mut scenario = Scenario::new(model, gpu::find("L4").unwrap().clone());
    for (field, value) in changes {
        scenario.set(field, value).unwrap();
    }
    scenario
}

fn said(plan: &Plan) -> Option<&str> {
    let mut notes = plan.notes.iter().filter(|note| note.code == "load.limits");
    let found = notes.next().map(|note| note.message.as_str());
    assert!(notes.next().is_none(), "said once");
    found
}

#[test]
fn a_limit_that_the_estimate_misses_is_a_warning_with_both_figures() {
    assert_eq!(said(&evaluate(&scenario(&[]))), None);
    let kept = scenario(&[("slo_ttft_ms", "600000"), ("slo_tpot_ms", "600000")]);
    assert_eq!(said(&evaluate(&kept)), None);
    // 16 GB of weights over 300 GB a second are no less than 50 ms.
    let plan = evaluate(&scenario(&[("slo_ttft_ms", "600000"), ("slo_tpot_ms", "20")]));
    let text = said(&plan).unwrap();
    assert!(
        text.starts_with("The estimate misses the load's limits: TPOT "),
        "{text}"
    );
    assert!(text.contains(" ms instead of 20. "), "{text}");
    assert!(
        plan.feasibility
            .as_ref()
            .unwrap()
            .warnings
            .iter()
            .any(|warning| warning == text)
    );
}

#[test]
fn a_limit_of_a_percentile_is_held_against_the_run_that_was_simulated() {
    // Loads whose middle keeps what its slowest requests miss.
    let tight = evaluate(&scenario(&[("concurrency", "4")]));
    let middle = tight.performance.unwrap().ttft_ms.estimate;
    let asked = scenario(&[
        ("concurrency", "4"),
        ("slo_ttft_ms", &format!("{:.0}", middle * 1.01 + 1.0)),
        ("slo_percentile", "99"),
    ]);
    let mut plan = evaluate(&asked);
    let unknown = said(&plan).unwrap();
    assert!(
        unknown.starts_with("The middle of the requests keeps "),
        "{unknown}"
    );
    assert!(
        plan.feasibility
            .as_ref()
            .unwrap()
            .warnings
            .iter()
            .all(|warning| warning != unknown)
    );
    let course = Course {
        requests: 200,
        spread: 0.2,
        seed: 1,
    };
    let run = simulate(&asked, course).unwrap();
    let slowest = run.ttft.at(99) * 1e3;
    plan.take_simulated(run);
    let text = said(&plan).unwrap();
    assert!(
        text.starts_with(&format!(
            "For 99 % of 200 simulated requests, the run misses the load's limits: TTFT {slowest:.0} ms"
        )),
        "{text}"
    );
}
