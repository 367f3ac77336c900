//! Plans beside each other, and lengths that people ask for.
use crate::support::scenario;
use planner::{
    Outcome, Plan, evaluate,
    plan::{Amount, Reach, beside, differences},
    share::{from_fragment, split_pins, to_fragment, with_pins},
};

fn plan(fields: &[(&str, &str)]) -> Plan {
    evaluate(&scenario("Qwen/Qwen3-8B", "H100 SXM", fields))
}

#[test]
fn only_what_differs_is_listed() {
    let (a, b) = (plan(&[]), plan(&[("kv_cache_dtype", "fp8")]));
    let found = differences(&[&a, &b]);
    let inputs: Vec<_> = found.inputs.iter().map(|row| row.id).collect();
    assert_eq!(inputs, ["kv_cache_dtype"]);
    assert_eq!(found.inputs[0].values, ["auto", "fp8"]);
    let tokens = found
        .outputs
        .iter()
        .find(|row| row.id == "kv_cache_tokens")
        .unwrap();
    let [Some(Amount::Count(before)), Some(Amount::Count(after))] = tokens.values[..] else {
        panic!("{tokens:?}")
    };
    // Half the bytes of an element hold twice the tokens.
    assert!(after.abs_diff(2 * before) < before / 50, "{before} {after}");
    assert_eq!(tokens.more_is_better, Some(true));
    assert!(found.outputs.iter().all(|row| row.id != "weights"));
    assert_eq!(beside("kv_cache_tokens", &[&a, &b]).as_ref(), Some(tokens));
    assert_eq!(beside("no_such_figure", &[&a, &b]), None);
    assert_eq!(differences(&[&a, &a]).inputs, []);
    assert_eq!(differences(&[&a, &a]).outputs, []);
}

#[test]
fn speed_stands_beside_memory() {
    // Half the bandwidth, by the data sheets: 1.555 TB/s against 3.35.
    let one = plan(&[]);
    let other = evaluate(&scenario("Qwen/Qwen3-8B", "A100 SXM4 40GB", &[]));
    let found = differences(&[&one, &other]);
    let values = |id: &str| {
        let row = found.outputs.iter().find(|row| row.id == id).unwrap();
        (row.values.clone(), row.more_is_better)
    };
    let ([Some(Amount::Millis(fast)), Some(Amount::Millis(slow))], Some(false)) =
        (&values("tpot").0[..], values("tpot").1)
    else {
        panic!("{:?}", values("tpot"))
    };
    assert!(slow > fast);
    let ([Some(Amount::PerSecond(fast)), Some(Amount::PerSecond(slow))], Some(true)) =
        (&values("output_rate").0[..], values("output_rate").1)
    else {
        panic!("{:?}", values("output_rate"))
    };
    assert!(slow < fast);
}

/// vLLM demands room for one sequence: the longest has it, one block more has not.
#[test]
fn longest_starts_and_a_block_more_does_not() {
    for (gpu, fields) in [
        ("L4", &[][..]),
        ("L4", &[("kv_cache_dtype", "fp8")]),
        ("RTX 4090", &[("gpu_memory_utilization", "0.8")]),
        ("H100 SXM", &[]),
    ] {
        let base = evaluate(&scenario("Qwen/Qwen3-8B", gpu, fields));
        let longest = base.longest().unwrap();
        let outcome = |length: u32| {
            let mut asked = base.scenario.clone();
            asked.set("max_model_len", &length.to_string()).unwrap();
            evaluate(&asked).verdict.outcome
        };
        assert_ne!(outcome(longest), Outcome::DoesNotFit, "{gpu} {longest}");
        if longest < 40_960 {
            assert_eq!(outcome(longest + 16), Outcome::DoesNotFit, "{gpu} {longest}");
        }
    }
    assert_eq!(
        evaluate(&scenario("meta-llama/Llama-3.3-70B-Instruct", "L4", &[])).longest(),
        None
    );
}

#[test]
fn an_unsupported_plan_has_no_figures_beside() {
    let (a, b) = (plan(&[]), evaluate(&scenario("Qwen/Qwen3-8B", "Gaudi 3", &[])));
    let found = differences(&[&a, &b]);
    assert_eq!(found.outcomes, [Outcome::Fits, Outcome::Unsupported]);
    assert!(found.outputs.iter().all(|row| row.values[1].is_none()));
}

/// vLLM's own planner at 0.33.0 gives a full-attention model of 144 KiB a token, in blocks of 16.
#[test]
fn reach_falls_with_length_and_agrees_with_the_plan() {
    let plan = plan(&[("max_model_len", "32768")]);
    let reach = plan.reach();
    assert_eq!(reach.first().map(|reach| reach.tokens), Some(1024));
    assert_eq!(reach.last().map(|reach| reach.tokens), Some(40_960));
    for pair in reach.windows(2) {
        assert!(pair[0].tokens < pair[1].tokens && pair[0].sequences >= pair[1].sequences);
    }
    let memory = plan.memory.as_ref().unwrap();
    let available = memory.kv_cache_available_bytes.get();
    for Reach { tokens, sequences } in reach {
        let each = tokens.div_ceil(16) * 16 * 147_456;
        assert!(sequences * each <= available, "{tokens}");
        assert!((sequences + 1) * each > available - 16 * 147_456, "{tokens}");
    }
    assert_eq!(plan.load().map(|load| load.sequences), Some(32));
}

#[test]
fn tiers_name_the_gpus_that_hold_the_load() {
    let plan = plan(&[("concurrency", "16")]);
    let tiers = plan.tiers();
    let lengths: Vec<_> = tiers.iter().map(|tier| tier.tokens).collect();
    assert_eq!(lengths, [8192, 32_768, 40_960]);
    for tier in &tiers {
        assert_eq!(tier.outcome, Outcome::Fits);
        // 56 GiB hold about 410 000 tokens: 16 sequences of 8 192, but not of 32 768.
        assert_eq!(tier.gpus == Some(1), tier.tokens == 8192, "{tier:?}");
        if let Some(gpus) = tier.gpus.filter(|gpus| *gpus > 1) {
            let tokens = tier.tokens.to_string();
            let gpus = gpus.to_string();
            let held = evaluate(&scenario(
                "Qwen/Qwen3-8B",
                "H100 SXM",
                &[("gpus", gpus.as_str()), ("max_model_len", tokens.as_str())],
            ));
            let at_once = held
                .reach()
                .into_iter()
                .find(|reach| reach.tokens == u64::from(tier.tokens));
            assert!(at_once.is_some_and(|reach| reach.sequences >= 16), "{tier:?}");
        }
    }
    let big = evaluate(&scenario("meta-llama/Llama-3.3-70B-Instruct", "H100 SXM", &[]));
    let first = &big.tiers()[0];
    assert_eq!((first.outcome, first.sequences), (Outcome::DoesNotFit, 0));
    assert!(first.gpus.is_some_and(|gpus| gpus > 1), "{first:?}");
}

#[test]
fn a_link_carries_what_is_pinned() {
    let here = scenario(
        "Qwen/Qwen3-8B",
        "H100 SXM",
        &[("concurrency", "48"), ("enforce_eager", "true")],
    );
    let a = scenario("Qwen/Qwen3-14B", "L40S", &[("gpus", "2"), ("concurrency", "48")]);
    let link = to_fragment(&here).unwrap();
    let pins = [to_fragment(&a).unwrap(), link.clone()];
    let whole = with_pins(&link, &pins);
    assert!(
        whole.contains("&a.model=Qwen/Qwen3-14B") && whole.contains("&a.-enforce_eager"),
        "{whole}"
    );
    assert!(!whole.contains("a.concurrency"), "{whole}");
    let (own, read) = split_pins(&whole);
    assert_eq!(own, link);
    assert_eq!(from_fragment(&read[0]).unwrap(), (a, vec![]));
    assert_eq!(from_fragment(&read[1]).unwrap(), (here, vec![]));
    // A program that reads no pins reads the rest.
    assert_eq!(split_pins(&link), (link.clone(), vec![]));
    let long = "x".repeat(3990);
    assert_eq!(with_pins(&long, &[link]), long);
}
