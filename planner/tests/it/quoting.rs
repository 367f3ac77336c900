//! Whatever somebody types: the shell and YAML give it back unchanged.
use crate::hostile::{self, Taken};
use planner::{
    ArtifactKind, Plan, RenderOptions,
    artifact::{
        quote::{comment, dollars, shell_word},
        serve_words,
    },
    evaluate, render,
};
use proptest::prelude::*;
use std::process::{Command, Stdio};

/// What a shell makes of the words.
fn through_sh(shell: &str, words: &[String]) -> Vec<String> {
    let quoted: Vec<String> = words.iter().map(|word| shell_word(word)).collect();
    let script = format!("printf '%s\\0' {}", quoted.join(" "));
    let output = Command::new(shell)
        .arg("-c")
        .arg(script)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let mut back: Vec<String> = text.split('\0').map(str::to_owned).collect();
    back.pop();
    back
}

#[test]
fn known_traps_come_back() {
    let words: Vec<String> = [
        "'", "\"", "\\", "\\'", "a'b\"c", "$HOME", "`id`", "$(id)", "!!", "*", "?", "[a]", "{a,b}", "~",
        "-n", "--", "a\nb", "a\r\nb", "\t", " ", "", "#", "a #b", ";", "&", "|", ">", "<", "\u{7f}",
        "\u{85}", "é", "😀", "%s", "=x",
    ]
    .map(str::to_owned)
    .to_vec();
    assert_eq!(through_sh("sh", &words), words);
    assert_eq!(through_sh("bash", &words), words);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_shell_gives_any_words_back(words in prop::collection::vec("[^\0]{0,20}", 1..20)) {
        prop_assert_eq!(through_sh("sh", &words), words);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_comment_ends_its_line(text in any::<String>()) {
        let comment = comment(&text);
        prop_assert!(!comment.chars().any(char::is_control));
        // YAML 1.1 and JavaScript break lines at these two as well.
        let breaks = comment.contains(['\u{2028}', '\u{2029}']);
        prop_assert!(!breaks);
    }

    #[test]
    fn doubled_dollars_collapse_to_the_text(text in any::<String>()) {
        prop_assert_eq!(dollars(&text).replace("$$", "$"), text);
    }
}

/// What an argument in the plan's command line is.
fn is_there(words: &[String], text: &str) -> bool {
    words.iter().any(|word| {
        word == text
            || word
                .strip_prefix("--")
                .is_some_and(|word| word.ends_with(&format!("={text}")))
    })
}

/// Files of a plan with these texts; the arithmetic does not read them.
fn files(base: &Plan, scenario: planner::Scenario) -> (Vec<String>, planner::ArtifactSet) {
    let plan = Plan {
        scenario,
        ..base.clone()
    };
    (serve_words(&plan), render(&plan, &RenderOptions::default()))
}

/// The words of a command as a list in YAML, `$$` as Compose and Kubernetes take it.
fn words_in(document: &serde_yaml::Value, path: &[&str]) -> Vec<String> {
    let list = path.iter().fold(document, |node, key| &node[*key]);
    let words = list.as_sequence().unwrap().iter();
    words
        .map(|word| word.as_str().unwrap().replace("$$", "$"))
        .collect()
}

/// 10,000 texts through every door: a reader gives each back as it was, or it was refused with a message.
/// Readers that are no crates are in `cargo xtask check-artifacts`.
#[test]
fn ten_thousand_hostile_texts_come_back_or_are_refused() {
    const COUNT: usize = 10_000;
    let texts = hostile::texts(COUNT);
    let base = evaluate(&hostile::fresh());
    let (mut held, mut refused) = (0, 0);
    let mut judge = |door: &str, some: &[String]| {
        let mut scenario = hostile::fresh();
        if let Taken::Refused(message) = hostile::enter(&mut scenario, door, some) {
            assert!(message.len() > 20, "{door}: {message}");
            refused += 1;
            return;
        }
        let (words, set) = files(&base, scenario);
        for text in some {
            // Names lose the spaces around them; of an empty one the default is left.
            let text = match door {
                "model" | "served_model_name" => text.trim().to_owned(),
                "folder" => format!("/models/{text}").trim().to_owned(),
                _ => text.clone(),
            };
            let cleared = text.is_empty() && ["revision", "served_model_name"].contains(&door);
            assert!(cleared || is_there(&words, &text), "{door}: {text:?}");
            held += 1;
        }
        let name = base.scenario.deploy.name.as_str();
        for (kind, path) in [
            (ArtifactKind::Compose, &["services", name, "command"][..]),
            (ArtifactKind::Values, &["image", "command"]),
        ] {
            let Some(file) = set.get(kind) else {
                continue;
            };
            let document: serde_yaml::Value = serde_yaml::from_str(&file.text).unwrap();
            assert!(words_in(&document, path).ends_with(&words), "{door}: {kind:?}");
        }
    };
    for some in texts.chunks(500) {
        judge("list", some);
    }
    for (d, door) in hostile::DOORS.iter().filter(|door| **door != "list").enumerate() {
        for text in texts.iter().skip(d).step_by(60).chain(&texts[..88]) {
            judge(door, std::slice::from_ref(text));
        }
    }
    assert!(held > COUNT && refused > 200, "{held} held, {refused} refused");
}

/// The shell's answer for all of them.
#[test]
fn bash_gives_ten_thousand_hostile_texts_back() {
    for some in hostile::texts(10_000).chunks(500) {
        assert_eq!(through_sh("bash", some), some);
    }
}
