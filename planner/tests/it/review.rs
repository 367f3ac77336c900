//! Commands that people have, against what would be better.
use planner::{
    Outcome, Plan, Scenario,
    artifact::{Line, Mark, Review, review, serve_words},
    evaluate, gpu,
    import::read_words,
    model::ModelInput,
    plan::{Defaults, Hardware},
};
use proptest::prelude::*;

const MODEL: &str = "Qwen/Qwen3-8B";

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

fn held(card: &str, words: &[String]) -> (Plan, Review) {
    let imported = read_words(words).unwrap();
    let gpu = gpu::find(card).unwrap().clone();
    let model = ModelInput::from_catalog(&imported.command.model).unwrap();
    let hardware: Hardware = Scenario::new(model.clone(), gpu).hardware;
    let plan = evaluate(&imported.scenario(model, hardware));
    let found = review(&imported.command.given, &plan);
    (plan, found)
}

fn line<'a>(review: &'a Review, mark: Mark, words: &str) -> &'a Line {
    let found = review
        .lines
        .iter()
        .find(|line| line.mark == mark && line.words == words);
    found.unwrap_or_else(|| panic!("no {mark:?} {words:?} in {:#?}", review.lines))
}

#[test]
fn a_command_that_does_not_start_is_made_to() {
    // 40 960 tokens of 36 layers × 8 heads × 128 × 2 × 2 bytes are 5.6 GiB, which 15.3 GiB of weights leave no room for.
    let (plan, review) = held("RTX 4080", &words("vllm serve Qwen/Qwen3-8B --max_model_len 40k"));
    assert_eq!(plan.verdict.outcome, Outcome::DoesNotFit);
    if let Some(better) = &review.better {
        assert_ne!(better.verdict.outcome, Outcome::Unsupported);
    }
    let (plan, review) = held(
        "L4",
        &words("vllm serve Qwen/Qwen3-8B -tp 1 --max-model-len=40960"),
    );
    assert_eq!(plan.verdict.outcome, Outcome::DoesNotFit);
    let better = review.better.as_ref().unwrap();
    assert!(better.verdict.outcome.starts(), "{:#?}", review.lines);
    line(&review, Mark::Same, "vllm serve Qwen/Qwen3-8B");
    line(&review, Mark::Same, "-tp 1");
}

#[test]
fn what_the_plan_does_not_count_stays_and_what_vllm_refuses_goes() {
    let text = "vllm serve Qwen/Qwen3-8B --max-model-len 8k --swap-space 4 --reasoning-parser qwen3 --max-num-seqs 16";
    let (_, review) = held("H100 SXM", &words(text));
    // `--swap-space` is in no parser from 0.18 on; `8k` is 8000 to vLLM's `human_readable_int`.
    let gone = line(&review, Mark::Removed, "--swap-space 4");
    assert!(gone.why.contains("last seen in"), "{gone:?}");
    assert_eq!(
        line(&review, Mark::Same, "--max-model-len 8k").why,
        "Counts as 8000."
    );
    assert_eq!(
        line(&review, Mark::Same, "--reasoning-parser qwen3").why,
        "Kept; not modelled."
    );
    assert_eq!(line(&review, Mark::Same, "--max-num-seqs 16").why, "");
    let better = review.better.unwrap();
    assert!(!serve_words(&better).contains(&"--swap-space".to_owned()));
    assert!(serve_words(&better).contains(&"--reasoning-parser".to_owned()));
}

#[test]
fn one_refused_size_is_replaced() {
    // 32 query heads are not divisible by 3: `Total number of attention heads (32) must be divisible by …`.
    let (plan, review) = held("H100 SXM", &words("vllm serve Qwen/Qwen3-8B -tp 3"));
    assert_eq!(plan.verdict.outcome, Outcome::Unsupported);
    line(&review, Mark::Removed, "-tp 3");
    line(&review, Mark::Added, "--tensor-parallel-size 2");
    assert_eq!(review.better.unwrap().verdict.outcome, Outcome::Fits);
    // Longer than the model: 40 960 by its config.json.
    let (plan, review) = held(
        "H100 SXM",
        &words("vllm serve Qwen/Qwen3-8B --max-model-len 200000"),
    );
    assert_eq!(plan.verdict.outcome, Outcome::Unsupported);
    line(&review, Mark::Removed, "--max-model-len 200000");
    assert_eq!(review.better.unwrap().args.unwrap().max_model_len.value, 40_960);
}

#[test]
fn secrets_are_in_no_line() {
    let text = "vllm serve Qwen/Qwen3-8B --api-key sk-1 --hf-token=hf_1 --max-num-seqs 16";
    let (_, review) = held("H100 SXM", &words(text));
    assert!(
        !review
            .lines
            .iter()
            .any(|line| line.words.contains("sk-1") || line.words.contains("hf_1"))
    );
}

fn rank(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Fits => 3,
        Outcome::Tight => 2,
        Outcome::DoesNotFit => 1,
        Outcome::Unsupported => 0,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn better_is_never_worse_and_has_nothing_better(
        card in prop::sample::select(&["T4", "L4", "RTX 4090", "A100 SXM4 80GB", "H100 SXM"][..]),
        tp in prop::option::of(1_u32..=4),
        len in prop::option::of(1_u32..50_000),
        part in prop::option::of(0.1_f64..1.0),
        seqs in prop::option::of(1_u32..2000),
        eager in any::<bool>(),
        kv in prop::sample::select(&["", "auto", "fp8"][..]),
    ) {
        let mut text = format!("vllm serve {MODEL}");
        for (flag, value) in [
            ("--tensor-parallel-size", tp.map(|n| n.to_string())),
            ("--max-model-len", len.map(|n| n.to_string())),
            ("--gpu-memory-utilization", part.map(|n| format!("{n:.2}"))),
            ("--max-num-seqs", seqs.map(|n| n.to_string())),
            ("--kv-cache-dtype", Some(kv.to_owned()).filter(|kv| !kv.is_empty())),
        ] {
            if let Some(value) = value {
                text = format!("{text} {flag} {value}");
            }
        }
        if eager {
            text.push_str(" --enforce-eager");
        }
        let (plan, found) = held(card, &words(&text));
        // Every word of the command is there, in order.
        let old: Vec<&str> = found.lines.iter().filter(|l| l.mark != Mark::Added).map(|l| l.words.as_str()).collect();
        prop_assert_eq!(&old.join(" "), &text);
        let Some(better) = found.better else { return Ok(()) };
        prop_assert!(rank(better.verdict.outcome) >= rank(plan.verdict.outcome), "{text}: {:#?}", found.lines);
        // Its own command starts the very same plan, and nothing is better than that.
        let mut again = vec!["vllm".to_owned(), "serve".to_owned()];
        again.extend(serve_words(&better));
        let imported = read_words(&again).unwrap();
        let mut scenario = better.scenario.clone();
        scenario.engine = imported.command.engine.clone();
        scenario.defaults = Defaults::Vllm;
        let same = evaluate(&scenario);
        prop_assert_eq!(&same.memory, &better.memory);
        if better.verdict.outcome == Outcome::Fits {
            let nothing = review(&imported.command.given, &same);
            prop_assert!(nothing.better.is_none(), "{text}: {:#?}", nothing.lines);
        }
    }
}
