//! Flags that a version does not have are not written for it, and said where somebody passes them.
use crate::support::scenario;
use planner::{
    artifact::serve_words,
    command,
    engine::{NO_ITEMS, VllmVersion},
    evaluate,
    plan::Outcome,
};

const TOWER: &str = "Qwen/Qwen3-VL-8B-Instruct";

fn version(text: &str) -> VllmVersion {
    text.parse().unwrap()
}

/// Releases that mend another have a fourth number or `.postN` (0.9.0.1, 0.10.1.1, 0.8.5.post1), images the same tag.
#[test]
fn releases_are_read_as_they_are_named_and_builds_between_them_are_not() {
    for (text, name) in [
        ("v0.33.0", "0.33.0"),
        ("0.33", "0.33.0"),
        ("0.10.1.1", "0.10.1.1"),
        ("0.8.5.post1", "0.8.5.post1"),
    ] {
        assert_eq!(version(text).to_string(), name);
    }
    for text in [
        "",
        "0",
        "0.",
        "1.0.0",
        "0.33.x",
        "0.13.0rc2",
        "0.11.2.dev690+g67475a6",
        "0.8.5.post",
    ] {
        let error = text.parse::<VllmVersion>().unwrap_err();
        assert!(
            error.starts_with("expected a released vLLM version"),
            "{text}: {error}"
        );
    }
    assert!(version("0.10.1") < version("0.10.1.1") && version("0.10.1.1") < version("0.10.2"));
}

/// engine/arg_utils.py of 0.16.0 has no `--language-model-only`, that of 0.17.0 has; limits of 0 leave the tower out since
/// 0.10.1 (vllm#22299).
#[test]
fn the_language_model_alone_is_asked_for_in_the_versions_way() {
    for (at, words) in [
        ("0.33.0", &["--language-model-only"][..]),
        ("0.17.0", &["--language-model-only"]),
        ("0.16.0", &["--limit-mm-per-prompt", NO_ITEMS]),
        ("0.11.2", &["--limit-mm-per-prompt", NO_ITEMS]),
    ] {
        let fields = [("vllm_version", at), ("language_model_only", "true")];
        let plan = evaluate(&scenario(TOWER, "H100 SXM", &fields));
        let all = serve_words(&plan);
        assert!(
            all.windows(words.len()).any(|some| some == words),
            "{at}: {all:?}"
        );
        assert_eq!(
            all.contains(&"--language-model-only".to_owned()),
            words.len() == 1,
            "{at}"
        );
        let back = command::parse(version(at), &all).unwrap();
        assert!(back.unknown.is_empty(), "{at}: {:?}", back.unknown);
        assert_eq!(back.engine.language_model_only, Some(true), "{at}");
        assert!(
            back.engine.vllm_args.is_empty(),
            "{at}: {:?}",
            back.engine.vllm_args
        );
        let whole = evaluate(&scenario(TOWER, "H100 SXM", &[("vllm_version", at)]));
        let weights = |plan: &planner::Plan| plan.memory.as_ref().unwrap().weights_bytes;
        assert!(weights(&plan) < weights(&whole), "{at}");
    }
}

#[test]
fn models_without_a_tower_are_not_told_of_one() {
    let fields = [("vllm_version", "0.11.2"), ("language_model_only", "true")];
    let words = serve_words(&evaluate(&scenario("Qwen/Qwen3-8B", "H100 SXM", &fields)));
    assert!(!words.iter().any(|word| word.contains("limit-mm")), "{words:?}");
}

#[test]
fn before_0_10_1_a_tower_is_always_loaded() {
    let fields = [("vllm_version", "0.10.0"), ("language_model_only", "true")];
    let plan = evaluate(&scenario("google/gemma-3-4b-it", "H100 SXM", &fields));
    assert_eq!(plan.verdict.outcome, Outcome::Unsupported);
    assert!(
        plan.verdict.reason.contains("came with 0.10.1"),
        "{}",
        plan.verdict.reason
    );
}

#[test]
fn flags_are_taken_as_the_version_takes_them() {
    for (at, line, unknown) in [
        ("0.10.2", "m/m --swap-space 4 --task generate", ""),
        (
            "0.33.0",
            "m/m --swap-space 4",
            "no longer has it (last seen in 0.17.1)",
        ),
        ("0.10.2", "m/m --nnodes 2", "has no such flag yet"),
        ("0.10.2", "m/m -O3", ""),
        ("0.33.0", "m/m -O3", ""),
        ("0.11.2", "m/m --language-model-only", "has no such flag yet"),
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        let command = command::parse(version(at), &words).unwrap();
        let said: Vec<String> = command.unknown.iter().map(ToString::to_string).collect();
        assert_eq!(said.is_empty(), unknown.is_empty(), "{at} {line}: {said:?}");
        assert!(
            said.iter().all(|said| said.contains(unknown)),
            "{at} {line}: {said:?}"
        );
    }
}

#[test]
fn another_version_says_which_flags_it_lacks() {
    let mut scenario = scenario("Qwen/Qwen3-8B", "H100 SXM", &[("vllm_version", "0.11.2")]);
    let version = scenario.vllm_version;
    command::set_flag(&mut scenario.engine, version, "--swap-space", Some("4")).unwrap();
    let noted = |scenario: &planner::Scenario| {
        let notes = evaluate(scenario).notes;
        notes.into_iter().find(|note| note.code == "args.unknown_flag")
    };
    assert!(noted(&scenario).is_none());
    scenario.set("vllm_version", "0.33.0").unwrap();
    let note = noted(&scenario).unwrap();
    assert!(
        note.message
            .contains("`--swap-space`: vLLM 0.33.0 no longer has it"),
        "{}",
        note.message
    );
}
