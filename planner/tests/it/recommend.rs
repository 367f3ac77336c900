//! The search: its first answer is the best of all layouts, as the whole evaluation judges them.
use planner::{
    Outcome, Scenario, evaluate, gpu,
    model::{ModelInput, models},
    recommend::{
        Answer, Goal, Layout, Objective, Offer, Price, Search, Slo, fitting, left_open, on_hardware,
    },
    share,
};
use proptest::prelude::*;

fn h100s(model: &str, gpus: u32) -> Scenario {
    let mut scenario = Scenario::new(
        ModelInput::from_catalog(model).unwrap(),
        gpu::find("H100 SXM").unwrap().clone(),
    );
    scenario.set("gpus", &gpus.to_string()).unwrap();
    scenario
}

fn any_question() -> impl Strategy<Value = (Scenario, Goal, bool)> {
    let load = (1_u32..=8000, 1_u32..=2000, 1_u32..=400, 0_u32..=40);
    let limits = (
        proptest::option::of(20_u32..3000),
        proptest::option::of(3_u32..120),
        proptest::option::of(200_u32..60_000),
    );
    (
        0..models().len(),
        0..gpu::gpus().len(),
        (1_u32..=9, 1_u32..=2),
        load,
        limits,
        0..Objective::ALL.len(),
        any::<(bool, bool)>(),
    )
        .prop_map(
            |(
                model,
                gpu,
                (gpus, nodes),
                (prompt, generated, at_once, rate),
                limits,
                objective,
                (fp8, tp),
            )| {
                let model = ModelInput::from_catalog(models()[model].id).unwrap();
                let mut scenario = Scenario::new(model, gpu::gpus()[gpu].clone());
                let mut set = |id: &str, value: u32| scenario.set(id, &value.to_string()).unwrap();
                set("gpus", gpus);
                set("nodes", nodes);
                set("prompt_tokens", prompt);
                set("gen_tokens", generated);
                set("concurrency", at_once);
                if rate > 0 {
                    set("request_rate", rate);
                }
                if tp {
                    set("tensor_parallel_size", gpus);
                }
                let goal = Goal {
                    objective: Objective::ALL[objective],
                    slo: Slo {
                        ttft_ms: limits.0,
                        tpot_ms: limits.1,
                        end_to_end_ms: limits.2,
                        percentile: 50,
                    },
                };
                (scenario, goal, fp8)
            },
        )
}

/// Every layout of an offer, written down without the search's own list.
fn every_layout(scenario: &Scenario, offer: &Offer, fp8: bool) -> Vec<Layout> {
    let spec = scenario.model.spec.as_ref().unwrap();
    let total = offer.total_gpus();
    let mut all = Vec::new();
    for bits in 0..8_u8 {
        let [experts, weights, cache] = [1, 2, 4].map(|bit| bits & bit != 0);
        // A group of tensor parallel ranks stays within a node.
        for tp in (1..=offer.gpus).filter(|tp| offer.gpus.is_multiple_of(*tp)) {
            for pp in 1..=total {
                let set = scenario.engine.tensor_parallel_size.is_some_and(|set| set != tp);
                let layout = Layout {
                    tensor_parallel_size: tp,
                    pipeline_parallel_size: pp,
                    data_parallel_size: total / (tp * pp).min(total),
                    enable_expert_parallel: experts,
                    fp8_weights: weights,
                    fp8_cache: cache,
                };
                let whole = tp * pp * layout.data_parallel_size == total;
                let formats = (weights && spec.quantization.is_some()) || ((weights || cache) && !fp8);
                let alone = tp * layout.data_parallel_size == 1;
                if whole && !set && !formats && !(experts && (spec.moe().is_none() || alone)) {
                    all.push(layout);
                }
            }
        }
    }
    all
}

/// The scenario as that answer has it.
fn as_answered(scenario: &Scenario, offer: &Offer, layout: &Layout) -> Scenario {
    let mut changed = scenario.clone();
    changed.hardware.gpus = offer.gpus;
    changed.hardware.nodes = offer.nodes;
    for (id, value) in layout.change() {
        changed.set(&id, &value).unwrap();
    }
    for id in ["pipeline_parallel_size", "data_parallel_size"] {
        if changed.get(id).is_none() {
            changed.set(id, "1").unwrap();
        }
    }
    changed
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_layout_is_better_than_the_first((scenario, goal, fp8) in any_question()) {
        prop_assume!(scenario.model.spec.is_ok());
        let offers = on_hardware(&scenario, |_| Some(Price(2500)));
        let found = Search::new(&scenario, offers.clone(), goal, fp8).run(true);
        let every: usize = offers.iter().map(|offer| every_layout(&scenario, offer, fp8).len()).sum();
        prop_assert_eq!(found.judged, every);
        prop_assert_eq!(found.all.len(), every);
        let Some(first) = found.best.first() else {
            prop_assert_eq!(every, 0);
            return Ok(());
        };
        for (at, offer) in offers.iter().enumerate() {
            for layout in every_layout(&scenario, offer, fp8) {
                let answer = found.all.iter().find(|answer| answer.offer == at && answer.layout == layout);
                let answer = answer.unwrap();
                prop_assert!(goal.order(first, answer).is_le(), "{:?} is better than {:?}", answer, first);
                let plan = evaluate(&as_answered(&scenario, offer, &layout));
                prop_assert_eq!(answer.outcome, plan.verdict.outcome, "{}", layout);
                prop_assert_eq!(&answer.reason, &plan.verdict.reason);
                let starts = answer.outcome.starts();
                let whole = plan.performance.filter(|_| starts);
                prop_assert_eq!(
                    answer.speed.map(|speed| (speed.ttft_ms, speed.tpot_ms, speed.output_tok_per_s)),
                    whole.map(|speed| (speed.ttft_ms, Some(speed.tpot_ms), speed.output_tok_per_s))
                );
            }
        }
    }
}

#[test]
fn slices_of_any_size_find_the_same() {
    let scenario = h100s("Qwen/Qwen3-30B-A3B-FP8", 8);
    let offers = || fitting(&scenario.hardware.gpu, 8, 2, None);
    let whole = Search::new(&scenario, offers(), Goal::default(), true).run(true);
    for size in [0, 1, 7, 100] {
        let mut search = Search::new(&scenario, offers(), Goal::default(), true);
        let mut slices = 1;
        while search.step(size, true) {
            slices += 1;
        }
        assert_eq!(search.finish(), whole, "{size}");
        assert!(slices > 1 || size == 100, "{size}");
    }
}

#[test]
fn limits_come_before_the_objective() {
    let scenario = h100s("meta-llama/Llama-3.3-70B-Instruct", 8);
    let first = |slo| {
        let goal = Goal {
            objective: Objective::Gpus,
            slo,
        };
        Search::new(&scenario, on_hardware(&scenario, |_| None), goal, false)
            .run(false)
            .best
            .remove(0)
    };
    let free = first(Slo::default());
    let limit = free.speed.unwrap().tpot_ms.unwrap().estimate.round() - 1.0;
    let fast = first(Slo {
        tpot_ms: format!("{limit}").parse().ok(),
        ..Slo::default()
    });
    assert!(fast.serves() && fast.total_gpus > free.total_gpus, "{fast:?}");
    assert!(fast.speed.unwrap().tpot_ms.unwrap().estimate <= limit);
    let never = first(Slo {
        ttft_ms: Some(1),
        ..Slo::default()
    });
    assert!(!never.serves());
    assert!(
        never
            .lacks(&Goal {
                slo: Slo {
                    ttft_ms: Some(1),
                    ..Slo::default()
                },
                ..Goal::default()
            })
            .starts_with("TTFT ")
    );
}

#[test]
fn half_the_price_wins_by_cost() {
    let scenario = h100s("Qwen/Qwen3-32B", 8);
    let offers = |h100: u64, h200: u64| -> Vec<Offer> {
        [("H100 SXM", h100), ("H200 SXM", h200)]
            .into_iter()
            .flat_map(|(name, price)| fitting(gpu::find(name).unwrap(), 2, 1, Some(Price(price))))
            .collect()
    };
    let goal = Goal {
        objective: Objective::Cost,
        ..Goal::default()
    };
    let winner = |h100, h200| {
        let offers = offers(h100, h200);
        let found = Search::new(&scenario, offers.clone(), goal, false).run(false);
        let first: &Answer = &found.best[0];
        let rate = first.speed.unwrap().output_tok_per_s.estimate;
        let hour = first.price_per_hour.unwrap();
        // Money for an hour over the millions of tokens of an hour.
        let expected = hour / (rate * 3600.0 / 1e6);
        assert!((first.cost_per_million.unwrap() / expected - 1.0).abs() < 1e-9);
        offers[first.offer].gpu.name.clone()
    };
    assert_eq!(winner(1000, 9000), "H100 SXM");
    assert_eq!(winner(9000, 1000), "H200 SXM");
}

#[test]
fn what_was_set_is_not_varied() {
    let mut scenario = h100s("Qwen/Qwen3-30B-A3B-FP8", 8);
    for (id, value) in [
        ("tensor_parallel_size", "2"),
        ("kv_cache_dtype", "fp8"),
        ("enable_expert_parallel", "true"),
    ] {
        scenario.set(id, value).unwrap();
    }
    let found = Search::new(&scenario, on_hardware(&scenario, |_| None), Goal::default(), true).run(true);
    assert!(!found.all.is_empty());
    for answer in &found.all {
        assert_eq!(answer.layout.tensor_parallel_size, 2);
        assert!(!answer.layout.fp8_cache && !answer.layout.enable_expert_parallel);
    }
}

#[test]
fn an_answer_makes_the_scenario_it_was_judged_by() {
    let scenario = h100s("Qwen/Qwen3-235B-A22B", 8);
    let offers = on_hardware(&scenario, |_| None);
    let goal = Goal::default();
    let found = Search::new(&scenario, offers.clone(), goal, true).run(true);
    let first = &found.best[0];
    let mut changed = scenario.clone();
    for (id, value) in first.change(&offers[first.offer]) {
        changed.set(&id, &value).unwrap();
    }
    let plan = evaluate(&changed);
    assert_eq!(plan.verdict.outcome, first.outcome);
    assert_eq!(
        plan.performance.unwrap().output_tok_per_s,
        first.speed.unwrap().output_tok_per_s
    );
    let rows: Vec<&Answer> = found.best.iter().collect();
    let text = found.json(&share::scenario_json(&scenario), &goal, &offers, &rows, "USD");
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["schema"], "vllm-wizard/explore/v1");
    assert_eq!(document["answers"].as_array().unwrap().len(), rows.len());
    assert_eq!(
        share::scenario_from_json(&document["scenario"]).unwrap(),
        scenario
    );
}

#[test]
fn every_answer_of_two_nodes_makes_the_layout_that_it_names() {
    let mut scenario = h100s("Qwen/Qwen3-30B-A3B-FP8", 8);
    scenario.set("nodes", "2").unwrap();
    let offers = on_hardware(&scenario, |_| None);
    let found = Search::new(&scenario, offers.clone(), Goal::default(), true).run(true);
    assert!(found.all.iter().any(|answer| offers[answer.offer].nodes == 2));
    for answer in &found.all {
        let mut changed = left_open(&scenario, true);
        for (id, value) in answer.change(&offers[answer.offer]) {
            changed.set(&id, &value).unwrap();
        }
        let plan = evaluate(&changed);
        assert_eq!(plan.verdict.outcome, answer.outcome, "{}", answer.layout);
        if answer.outcome == Outcome::Fits {
            assert_eq!(Layout::of(&plan, true), Some(answer.layout));
        }
        // Whichever answer is taken, the next search asks the same of the same GPUs.
        let mut again = left_open(&changed, true);
        again.hardware = scenario.hardware.clone();
        assert_eq!(again, scenario, "{}", answer.layout);
    }
}

/// What is asked of 99 of a hundred is seen in a run, request by request, not in the middle.
#[test]
fn a_percentile_is_held_by_a_run_of_the_first_answer() {
    let mut scenario = h100s("Qwen/Qwen3-8B", 4);
    scenario.set("request_rate", "5").unwrap();
    let offers = on_hardware(&scenario, |_| None);
    let search = |percentile, ttft_ms| {
        let slo = Slo {
            ttft_ms,
            percentile,
            ..Slo::default()
        };
        let goal = Goal {
            objective: Objective::Gpus,
            slo,
        };
        let found = Search::new(&scenario, offers.clone(), goal, false).run(true);
        (goal, found)
    };
    // The first answer's own tail, from a run of it.
    let (_, plain) = search(50, None);
    assert!(plain.best[0].tail.is_none());
    let times = |answer: &Answer| {
        let mut changed = scenario.clone();
        for (id, value) in answer.change(&offers[answer.offer]) {
            changed.set(&id, &value).unwrap();
        }
        let course = planner::plan::Course {
            requests: 300,
            spread: 0.2,
            seed: 1,
        };
        planner::plan::simulate(&changed, course).unwrap().ttft
    };
    let first = times(&plain.best[0]);
    assert!(first.p50 < first.p90 && first.p90 < first.p95 && first.p95 < first.p99);
    // Below its tail: the middle keeps it, 99 of a hundred do not.
    let limit = format!("{:.0}", first.p99 * 970.0).parse().ok();
    let (_, middle) = search(50, limit);
    assert_eq!(middle.best[0].layout, plain.best[0].layout);
    let (goal, tail) = search(99, limit);
    let kept = tail.best[0].tail.unwrap();
    assert!(kept.times_ms[0] <= f64::from(limit.unwrap()), "{kept:?}");
    assert!((kept.times_ms[0] - times(&tail.best[0]).p99 * 1e3).abs() < 1e-6);
    let missed = tail
        .all
        .iter()
        .find(|answer| (answer.offer, answer.layout) == (plain.best[0].offer, plain.best[0].layout));
    assert!(!missed.unwrap().serves());
    assert!(
        missed.unwrap().lacks(&goal).contains("for 99 % of requests"),
        "{}",
        missed.unwrap().lacks(&goal)
    );
    assert!(tail.best[0].total_gpus > plain.best[0].total_gpus);
}
