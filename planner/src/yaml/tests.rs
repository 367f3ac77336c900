//! What is read, what is refused, and where.
use super::{MAX_BYTES, Node, read};
use serde_json::{Value, json};
use std::fmt::Write as _;

fn one(text: &str) -> Value {
    let documents = read(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(documents.len(), 1, "{text}");
    documents[0].json()
}

#[test]
fn blocks_are_read() {
    for (text, value) in [
        (
            "a: 1\nb:\n  - x\n  - y: 2\n    z: 3\n",
            json!({"a": 1, "b": ["x", {"y": 2, "z": 3}]}),
        ),
        ("a:\n- x\n- y\nb: c", json!({"a": ["x", "y"], "b": "c"})),
        ("- - 1\n  - 2\n-\n  - 3\n", json!([[1, 2], [3]])),
        (
            "a:\nb: ~\nc: 'null'\n",
            json!({"a": null, "b": null, "c": "null"}),
        ),
        ("# x\n\na: b # c\n\n# d\n", json!({"a": "b"})),
        (
            "a: b c\n  d\n\n  e\nf: http://x:80/#y\n",
            json!({"a": "b c d\ne", "f": "http://x:80/#y"}),
        ),
        (
            "\"a b\": 'it''s'\n'c': \"\\u00e9\\n\"\n",
            json!({"a b": "it's", "c": "é\n"}),
        ),
        ("a: \"x\n  y\\\n  z\"\n", json!({"a": "x yz"})),
        ("--- # top\na: 1\n...\n", json!({"a": 1})),
        ("a:\r\n  b: c\r\n", json!({"a": {"b": "c"}})),
    ] {
        assert_eq!(one(text), value, "{text}");
    }
}

#[test]
fn flow_lists_and_maps_are_read() {
    for (text, value) in [
        ("[a, \"b\", 'c', 1, ]", json!(["a", "b", "c", 1])),
        (
            "a: {b: c, \"d\":[1,\n  2], e}",
            json!({"a": {"b": "c", "d": [1, 2], "e": null}}),
        ),
        ("a: []\nb: {}\n", json!({"a": [], "b": {}})),
        (
            "command: [\"sh\", \"-c\", # why\n  \"x\"]\n",
            json!({"command": ["sh", "-c", "x"]}),
        ),
    ] {
        assert_eq!(one(text), value, "{text}");
    }
}

#[test]
fn literal_and_folded_scalars_are_read() {
    for (text, value) in [
        (
            "a: |\n  x\n    y\n\n  z\n\nb: 1\n",
            json!({"a": "x\n  y\n\nz\n", "b": 1}),
        ),
        ("a: |-\n  x\n\n", json!({"a": "x"})),
        ("a: |+\n  x\n\n", json!({"a": "x\n\n"})),
        ("a: >\n  x\n  y\n\n  z\n", json!({"a": "x y\nz\n"})),
        ("a: >- # c\n  x\n  y\n", json!({"a": "x y"})),
        ("a: >\n  x\n    y\n  z\n", json!({"a": "x\n  y\nz\n"})),
        ("a: |2\n    x\n", json!({"a": "  x\n"})),
        (
            "- |\n x # not a comment\n- b\n",
            json!(["x # not a comment\n", "b"]),
        ),
    ] {
        assert_eq!(one(text), value, "{text}");
    }
}

#[test]
fn anchors_aliases_and_merges_are_read() {
    assert_eq!(
        one("x: &x\n  a: 1\n  b: 2\ny:\n  <<: *x\n  b: 3\nz: [*x]\n"),
        json!({"x": {"a": 1, "b": 2}, "y": {"a": 1, "b": 3}, "z": [{"a": 1, "b": 2}]})
    );
    assert_eq!(
        one("a: &a {x: 1}\nb: &b {x: 2, y: 2}\nc: {<<: [*a, *b]}\nd: *a\n")["c"],
        json!({"x": 1, "y": 2})
    );
    let documents = read("a: 1\n---\nb: 2\n---\n").unwrap();
    assert_eq!(
        documents.iter().map(Node::json).collect::<Vec<_>>(),
        [json!({"a": 1}), json!({"b": 2}), Value::Null]
    );
}

#[test]
fn what_is_not_read_is_named_with_its_line() {
    for (text, line, part) in [
        ("a: b: c", 1, "`:`"),
        ("a:\n  b: 1\n c: 2\n", 3, "indented"),
        ("a: 1\n  b: 2\n", 2, "`:`"),
        ("a: [1, 2", 1, "not closed"),
        ("a: \"x", 1, "not closed"),
        ("a: !!str 3", 1, "tag"),
        ("? a\n: b", 1, "`?`"),
        ("a: *b", 1, "*b"),
        ("\ta: 1", 1, "tab"),
        ("a:\n\tb: 1", 2, "tab"),
        ("a: 1\na: 2\n", 2, "twice"),
        ("a: {{ .Values.x }}", 1, "template"),
        ("a: \"\\q\"", 1, "\\q"),
        ("a: @x", 1, "`@`"),
        ("a: 1\nb\n", 2, "`key: value`"),
        ("a: \"x\" y", 1, "after"),
    ] {
        let error = read(text).expect_err(text);
        assert!(
            error.line == line && error.problem.contains(part),
            "{text}: {error}"
        );
    }
}

#[test]
fn hostile_sizes_are_refused() {
    assert!(read(&"[".repeat(100_000)).is_err());
    assert!(read(&"- ".repeat(100_000)).is_err());
    assert!(read(&"a:\n ".repeat(1000)).is_err());
    let mut keys = String::new();
    for key in 0..3000 {
        writeln!(keys, "k{key}:").unwrap();
    }
    assert!(read(&keys).unwrap_err().problem.contains("keys"));
    assert!(read(&"x".repeat(MAX_BYTES + 1)).is_err());
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let before = level - 1;
        let many = vec![format!("*a{before}"); 9].join(", ");
        writeln!(bomb, "a{level}: &a{level} [{many}]").unwrap();
    }
    assert!(read(&bomb).unwrap_err().problem.contains("too many"));
}
