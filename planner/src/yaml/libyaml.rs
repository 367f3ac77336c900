//! Where libyaml reads a text and this reader does too, both read the same.
use super::{Kind, Node, read};
use proptest::prelude::*;
use serde_yaml::{Deserializer, Value};

const SAMPLES: &[&str] = &[
    "services:\n  llm:\n    image: 'vllm/vllm-openai:v0.33.0'\n    command: [\"--model\", Qwen/Qwen3-8B]\n    environment:\n    - A=b # c\n    - \"C=d: e\"\n    deploy: {resources: {limits: {x: 1}}}\nvolumes:\n  cache:\n",
    "apiVersion: apps/v1\nkind: Deployment\nspec:\n  template:\n    spec:\n      containers:\n      - name: a\n        args:\n          - |-\n            vllm serve m \\\n              --port 80\n\n          - >\n            x\n            y\n      - &b\n        name: b\n---\nkind: Service\n",
    "a: &x [1, 2, {b: c}]\nd: *x\ne: \"q\\n\\\n  r\"\nf: it's # no\ng: long\n  text over\n\n  lines\nh: 'q''r\n  s'\n",
];

/// Texts alike; what libyaml's side took for a number, a switch or null has the same characters in most cases.
fn same(ours: &Node, theirs: &Value) -> bool {
    match (&ours.kind, theirs) {
        (Kind::Map(entries), Value::Mapping(map)) => {
            entries.len() == map.len()
                && entries.iter().zip(map).all(|(entry, (key, value))| {
                    let plain = key.as_str().is_none_or(|key| key == entry.key);
                    plain && same(&entry.node, value)
                })
        }
        (Kind::List(items), Value::Sequence(list)) => {
            items.len() == list.len() && items.iter().zip(list).all(|(a, b)| same(a, b))
        }
        (Kind::Scalar { text, .. }, Value::String(other)) => text == other,
        (Kind::Scalar { plain: true, .. }, Value::Number(_)) => true,
        (Kind::Scalar { .. }, Value::Bool(value)) => ours.switch() == Some(*value),
        (Kind::Scalar { .. } | Kind::Empty, Value::Null) => ours.is_null(),
        _ => false,
    }
}

fn hold(text: &str) -> Result<bool, TestCaseError> {
    // Where the last line has no end, libyaml takes one away from a literal.
    let text = &format!("{text}\n");
    let Ok(ours) = read(text) else { return Ok(false) };
    let mut theirs = Vec::new();
    for document in Deserializer::from_str(text) {
        match Value::deserialize(document) {
            Ok(value) => theirs.push(value),
            Err(_) => return Ok(false),
        }
    }
    let ours: Vec<Node> = ours;
    // An empty text is one null there and no document here.
    if ours.is_empty() {
        return Ok(false);
    }
    let alike = ours.len() == theirs.len() && ours.iter().zip(&theirs).all(|(a, b)| same(a, b));
    prop_assert!(
        alike,
        "{:?}\nours {:?}\ntheirs {:?}",
        text,
        ours.iter().map(Node::json).collect::<Vec<_>>(),
        theirs
    );
    Ok(true)
}

use serde::Deserialize as _;

#[test]
fn samples_are_read_alike() {
    for text in SAMPLES {
        assert!(hold(text).unwrap(), "{text}");
    }
}

fn fragment() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "a", "b: ", "c:", "- ", "-", "\n", "\n  ", "\n    ", "\n\n", " ", "  ", "# x", " # y", "[", "]", "{",
        "}", ",", ", ", "\"q\"", "'r'", "\"", "'", "|", ">", "|-", ">+", "|2", "&n ", "*n", "---", "\n---\n",
        "...", "x y", "d: e", "\n- f", "\ng: h", "\n  i: j", "\t", "\\", "\\n", ":", "http://x", "1", "null",
        "~", "true", "é", "%", "?", "!t ", "\n  k",
    ]);
    prop::collection::vec(words, 1..14).prop_map(|words| words.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn made_up_texts_are_read_alike(text in fragment()) {
        hold(&text)?;
    }

    #[test]
    fn changed_samples_are_read_alike(sample in 0..SAMPLES.len(), at in 0_usize..400, cut in 0_usize..6, text in fragment()) {
        let sample = SAMPLES[sample];
        let at = at % sample.len();
        let end = (at + cut).min(sample.len());
        hold(&format!("{}{}{}", &sample[..at], text, &sample[end..]))?;
        hold(&sample[..at])?;
    }

    #[test]
    fn no_text_panics(text in any::<String>()) {
        hold(&text)?;
    }
}

/// Quick; a hundred times as many were run by hand.
const CASES: u32 = 512;
