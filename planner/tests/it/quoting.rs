//! Whatever somebody types: the shell and YAML give it back unchanged.
use planner::artifact::quote::{comment, dollars, shell_word};
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
