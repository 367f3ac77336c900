//! Fleets: what one replica carries, and the counts and sums that follow.
use planner::{
    Outcome, RenderOptions, Scenario, evaluate, gpu,
    model::ModelInput,
    plan::Course,
    plan::simulate,
    recommend::{
        Counted, Demand, Fleet, Goal, Objective, Price, Search, Slo, USE_CASES, UseCase, fitting, fleet_on,
        fleets, on_hardware, ways,
    },
    render, share,
};

fn scenario(model: &str) -> Scenario {
    Scenario::new(
        ModelInput::from_catalog(model).unwrap(),
        gpu::find("H100 SXM").unwrap().clone(),
    )
}

const DEMAND: Demand = Demand {
    average_milli: 20_000,
    peak_milli: 60_000,
    spare: 2,
    load_percent: 80,
};

fn counted(demand: Demand) -> Counted {
    Counted {
        demand,
        node: 8,
        change_formats: false,
    }
}

#[test]
fn a_replica_serves_its_rate_and_not_much_more() {
    let mut scenario = scenario("Qwen/Qwen3-32B");
    let offers = fitting(&scenario.hardware.gpu.clone(), 4, 1, None);
    for slo in [
        Slo::default(),
        Slo {
            tpot_ms: Some(25),
            ..Slo::default()
        },
    ] {
        let goal = Goal {
            objective: Objective::Gpus,
            slo,
        };
        let found = fleets(&scenario, &offers, &goal, &counted(DEMAND));
        assert!(!found.is_empty());
        for fleet in found {
            let at = |scenario: &mut Scenario, milli: u64| {
                scenario.workload.request_rate_milli = Some(milli);
                let mut search = Search::new(scenario, offers.clone(), goal, false);
                search.judge(fleet.replica.offer, fleet.replica.layout).unwrap()
            };
            assert!(at(&mut scenario, fleet.capacity_milli).serves());
            assert!(!at(&mut scenario, fleet.capacity_milli * 105 / 100).serves());
        }
    }
}

#[test]
fn what_a_replica_carries_is_carried_request_by_request() {
    let mut scenario = scenario("Qwen/Qwen3-8B");
    let offers = fitting(&scenario.hardware.gpu.clone(), 1, 1, None);
    let fleet = fleets(&scenario, &offers, &Goal::default(), &counted(DEMAND)).remove(0);
    // At the share that it is given, the simulation keeps up: as many are done each second as come.
    let given = fleet.capacity_milli * 80 / 100;
    scenario.set("tensor_parallel_size", "1").unwrap();
    scenario.workload.request_rate_milli = Some(given);
    let run = simulate(
        &scenario,
        Course {
            requests: 2000,
            spread: 0.2,
            seed: 7,
        },
    )
    .unwrap();
    let done = f64::from(run.requests) / run.duration * 1000.0;
    assert!(done > given as f64 * 0.9, "{done} of {given}");
}

#[test]
fn counts_and_money_follow_from_the_rate() {
    let scenario = scenario("Qwen/Qwen3-32B");
    let offers = fitting(&scenario.hardware.gpu, 4, 1, Some(Price(2500)));
    let goal = Goal {
        objective: Objective::Cost,
        ..Goal::default()
    };
    for fleet in fleets(&scenario, &offers, &goal, &counted(DEMAND)) {
        let given = fleet.capacity_milli as f64 * 0.8;
        let needed = |rate: f64| (rate / given).ceil();
        assert!((fleet.for_average as f64 - needed(20_000.0)).abs() < 0.5);
        assert!((fleet.for_peak as f64 - needed(60_000.0)).abs() < 0.5);
        assert_eq!(fleet.replicas, fleet.for_peak + 2);
        assert_eq!(
            fleet.total_gpus,
            fleet.replicas * u64::from(fleet.replica.total_gpus)
        );
        assert_eq!(fleet.nodes, fleet.total_gpus.div_ceil(8));
        let hour = fleet.total_gpus as f64 * 2.5;
        assert!((fleet.price_per_hour.unwrap() - hour).abs() < 1e-6);
        // 20 requests of 512 tokens a second.
        let expected = hour / (20.0 * 512.0 * 3600.0 / 1e6);
        assert!((fleet.cost_per_million.unwrap() - expected).abs() < 1e-6);
    }
}

#[test]
fn a_use_is_found_by_its_name_and_serves_its_load() {
    for case in USE_CASES {
        assert_eq!(UseCase::find(case.id), Some(case));
        assert!(!case.source.is_empty());
        let mut scenario = scenario("Qwen/Qwen3-8B");
        for (id, text) in case.fields() {
            scenario.set(id, &text).unwrap();
        }
        assert!(case.is_of(&scenario), "{}", case.id);
        scenario.set("request_rate", "1").unwrap();
        let goal = Goal {
            objective: Objective::Gpus,
            slo: Slo::of(&scenario.workload),
        };
        assert_eq!(goal.slo, case.slo, "{}", case.id);
        let offers = fitting(&scenario.hardware.gpu.clone(), 8, 1, None);
        let found = Search::new(&scenario, offers, goal, false).run(false);
        assert!(found.best[0].serves(), "{}: {:?}", case.id, found.best[0]);
        let simulated = case.slo.percentile > 50;
        assert_eq!(found.best[0].tail.is_some(), simulated, "{}", case.id);
    }
    assert_eq!(UseCase::find("nothing"), None);
}

/// `examples/uses` has a whole scenario for each.
#[test]
fn every_use_is_an_example_that_fits() {
    for case in USE_CASES {
        let path = format!("{}/../examples/uses/{}.json", env!("CARGO_MANIFEST_DIR"), case.id);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        let value = serde_json::from_str(&text).unwrap();
        let scenario = share::scenario_from_json(&value).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert!(case.is_of(&scenario), "{path}");
        let plan = evaluate(&scenario);
        assert_eq!(
            plan.verdict.outcome,
            Outcome::Fits,
            "{path}: {}",
            plan.verdict.reason
        );
    }
}

/// The autoscaler's file has the fleet's own counts, and says where its numbers are from.
#[test]
fn the_autoscaler_has_the_replicas_of_the_fleet() {
    let mut scenario = scenario("Qwen/Qwen3-8B");
    let file = |scenario: &Scenario| {
        let files = render(&evaluate(scenario), &RenderOptions::default());
        let file = files
            .files
            .into_iter()
            .find(|file| file.kind.path() == "k8s-autoscale.yaml");
        file.unwrap().text
    };
    let unknown = file(&scenario);
    assert!(unknown.contains("names no request rate"), "{unknown}");
    assert!(
        unknown.contains("maxReplicas: 4") && !unknown.contains("cache_usage"),
        "{unknown}"
    );
    for (id, value) in [
        ("request_rate", "20"),
        ("peak_rate", "60"),
        ("slo_ttft_ms", "500"),
    ] {
        scenario.set(id, value).unwrap();
    }
    let goal = Goal {
        slo: Slo::of(&scenario.workload),
        ..Goal::default()
    };
    let offers = fitting(&scenario.hardware.gpu.clone(), 1, 1, None);
    let demand = Demand { spare: 1, ..DEMAND };
    let fleet = fleets(&scenario, &offers, &goal, &counted(demand)).remove(0);
    let known = file(&scenario);
    assert!(
        known.contains(&format!("minReplicas: {}", fleet.for_average + 1)),
        "{known}"
    );
    assert!(
        known.contains(&format!("maxReplicas: {}", fleet.replicas)),
        "{known}"
    );
    assert!(known.contains("vllm_kv_cache_usage_perc"), "{known}");
    // The share that the file gives is about what a run of one replica at that rate shows.
    scenario.workload.request_rate_milli = Some(fleet.capacity_milli * 80 / 100);
    let course = Course {
        requests: 2000,
        spread: 0.2,
        seed: 7,
    };
    let run = simulate(&scenario, course).unwrap();
    let line = known
        .lines()
        .find(|line| line.contains("in thousandths"))
        .unwrap();
    let digits: String = line.chars().filter(char::is_ascii_digit).collect();
    let usage = digits.parse::<f64>().unwrap() / 1000.0;
    assert!(
        (usage / run.cache_mean - 1.0).abs() < 0.3,
        "{usage} of {}",
        run.cache_mean
    );
}

/// Other ways are counted as the fleet itself is, and are only called better where they take fewer GPUs.
#[test]
fn other_ways_are_counted_as_the_first() {
    let demand = Demand {
        average_milli: 200_000,
        peak_milli: 400_000,
        ..DEMAND
    };
    let mut seen = Vec::new();
    for (model, prompt, answer, ttft, tpot) in [
        ("Qwen/Qwen3-32B", 4000, 250, 2000, 25),
        ("Qwen/Qwen3-32B", 100, 1000, 2000, 60),
        ("meta-llama/Llama-3.3-70B-Instruct", 3000, 500, 2000, 40),
        ("Qwen/Qwen3-8B", 8000, 200, 4000, 12),
    ] {
        let mut scenario = scenario(model);
        scenario.workload.prompt_tokens = prompt;
        scenario.workload.gen_tokens = answer;
        let offers = fitting(&scenario.hardware.gpu.clone(), 8, 1, None);
        let goal = Goal {
            objective: Objective::Gpus,
            slo: Slo {
                ttft_ms: Some(ttft),
                tpot_ms: Some(tpot),
                ..Slo::default()
            },
        };
        let counted = counted(demand);
        let Some(first) = fleets(&scenario, &offers, &goal, &counted).into_iter().next() else {
            panic!("{model} is not served");
        };
        let again = fleet_on(
            &scenario,
            &offers[first.replica.offer],
            first.replica.layout,
            &goal,
            &counted,
        );
        assert_eq!(again.unwrap().total_gpus, first.total_gpus);
        for way in ways(&scenario, &offers, &goal, &first, &counted) {
            println!("{model} {}: {} GPUs; {}", way.id, first.total_gpus, way.reason);
            let fewer = way
                .total_gpus
                .is_some_and(|gpus| gpus * 5 <= first.total_gpus * 4);
            assert_eq!(way.favoured, fewer, "{way:?}");
            // The first is the best of its own kind of search.
            assert!(!way.favoured || way.id == "disaggregated_prefill", "{way:?}");
            seen.push((prompt, way.id, way.favoured));
        }
    }
    let apart = |prompt, favoured| seen.contains(&(prompt, "disaggregated_prefill", favoured));
    // Long prompts hold up answers that have to come fast; short ones do not.
    assert!(apart(8000, true) && apart(100, false), "{seen:?}");
    assert!(seen.iter().any(|(_, id, _)| *id == "larger_tensor_parallel"));
    assert!(seen.iter().any(|(_, id, _)| *id == "data_parallel"));
}

#[test]
fn a_node_of_several_kinds_has_so_many_of_each() {
    let mut scenario = scenario("Qwen/Qwen3-8B");
    for (id, value) in [("gpu", "L40S"), ("gpus", "2"), ("other_gpus", "RTX 5090")] {
        scenario.set(id, value).unwrap();
    }
    let offers = on_hardware(&scenario, |_| None);
    let counted = Counted {
        node: 3,
        ..counted(DEMAND)
    };
    let found = fleets(&scenario, &offers, &Goal::default(), &counted);
    let nodes = |name: &str| {
        let of = |fleet: &&Fleet| offers[fleet.replica.offer].to_string() == name;
        let fleet = found.iter().find(of).unwrap();
        (fleet.nodes, fleet.replicas)
    };
    let (one, ones) = nodes("1 × RTX 5090");
    assert_eq!(one, ones, "a node has one");
    let (two, twos) = nodes("1 × L40S");
    assert_eq!(two, twos.div_ceil(2), "a node has two");
    let (all, whole) = nodes("2 × L40S + 1 × RTX 5090");
    assert_eq!(all, whole);
}
