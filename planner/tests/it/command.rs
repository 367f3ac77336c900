//! Existing commands, as vLLM's own parser reads them.
use planner::{
    command::{Command, parse},
    engine::VllmVersion,
};
use serde_json::json;

fn read(text: &str) -> Command {
    parse(VllmVersion::latest(), &text.split(' ').collect::<Vec<_>>()).unwrap()
}

fn error(words: &[&str]) -> String {
    parse(VllmVersion::latest(), words).unwrap_err().to_string()
}

#[test]
fn forms_of_a_flag_are_alike() {
    for text in [
        "vllm serve Q/M --tensor-parallel-size 4 --max-model-len 32768",
        "vllm serve Q/M --tensor-parallel-size=4 --max-model-len=32768",
        "vllm serve Q/M -tp 4 --max_model_len 32K",
        "vllm serve --tensor_parallel_size=4 --max-model-len 32768 Q/M",
        "/opt/venv/bin/vllm serve --model Q/M -tp=4 --max-model-l 32768",
        "python3 -m vllm.entrypoints.openai.api_server --model Q/M -tp 4 --max-model-len 32768",
        "serve Q/M -tp 2 -tp 4 --max-model-len 32768",
        "Q/M -tp 4 --max-model-len 32768",
    ] {
        let command = read(text);
        assert_eq!(command.model, "Q/M", "{text}");
        assert_eq!(
            command.engine.get("tensor_parallel_size").as_deref(),
            Some("4"),
            "{text}"
        );
        assert_eq!(
            command.engine.get("max_model_len").as_deref(),
            Some("32768"),
            "{text}"
        );
        assert!(
            command.unknown.is_empty() && command.unmodelled.is_empty(),
            "{text}"
        );
    }
}

#[test]
fn switches_have_two_sides() {
    let command = read(
        "vllm serve Q/M --no-enable-prefix-caching --disable-chunked-prefill --enforce-eager --no-trust-remote-code -ep",
    );
    for (id, value) in [
        ("enable_prefix_caching", "false"),
        ("enable_chunked_prefill", "false"),
        ("enforce_eager", "true"),
        ("trust_remote_code", "false"),
        ("enable_expert_parallel", "true"),
    ] {
        assert_eq!(command.engine.get(id).as_deref(), Some(value), "{id}");
    }
}

#[test]
fn what_the_plan_does_not_model_is_kept_as_it_is() {
    let words = [
        "vllm",
        "serve",
        "Q/M",
        "--revision",
        "main",
        "--speculative-config",
        r#"{"method": "ngram", "x": [1, 2]}"#,
        "-O3",
        "--lora-modules",
        "a=b",
        "c=d",
        "--compilation-config.mode",
        "3",
        "--no-enable-log-requests",
        "--served-model-name",
        "one",
    ];
    let command = parse(VllmVersion::latest(), &words).unwrap();
    assert_eq!(command.revision.as_deref(), Some("main"));
    assert_eq!(command.engine.served_model_name.as_deref(), Some("one"));
    let args: Vec<(&str, Option<&str>)> = command
        .engine
        .vllm_args
        .iter()
        .map(|(flag, value)| (flag.as_str(), value.as_deref()))
        .collect();
    assert_eq!(
        args,
        [
            (
                "--speculative-config",
                Some(r#"{"method": "ngram", "x": [1, 2]}"#)
            ),
            ("--optimization-level", Some("3")),
            ("--lora-modules", Some(r#"["a=b","c=d"]"#)),
            ("--compilation-config.mode", Some("3")),
            ("--no-enable-log-requests", None),
        ]
    );
    assert_eq!(command.unmodelled.len(), 3, "{:?}", command.unmodelled);
}

#[test]
fn sizes_have_vllms_suffixes() {
    for (text, bytes) in [
        ("25G", "26843545600"),
        ("25g", "25000000000"),
        ("512M", "536870912"),
        ("1073741824", "1073741824"),
    ] {
        let command = read(&format!("vllm serve Q/M --kv-cache-memory-bytes {text}"));
        assert_eq!(
            command.engine.get("kv_cache_memory_bytes").as_deref(),
            Some(bytes),
            "{text}"
        );
    }
    let command = read("vllm serve Q/M --max-model-len -1");
    assert_eq!(command.engine.get("max_model_len").as_deref(), Some("auto"));
}

#[test]
fn a_flag_that_vllm_would_refuse_is_named_and_kept() {
    let command = read("vllm serve Q/M --swap-space 4 --max-model-length 5 --enforce-eager");
    let unknown: Vec<String> = command.unknown.iter().map(ToString::to_string).collect();
    assert!(
        unknown[0].contains("--swap-space") && unknown[0].contains("last seen"),
        "{unknown:?}"
    );
    assert!(
        unknown[1].contains("--max-model-len,") || unknown[1].contains("--max-model-len"),
        "{unknown:?}"
    );
    assert_eq!(
        command.engine.vllm_args[0],
        ("--swap-space".to_owned(), Some("4".to_owned()))
    );
    assert_eq!(command.engine.enforce_eager, Some(true));
}

#[test]
fn secrets_are_not_kept() {
    let command = read("vllm serve Q/M --api-key sk-123 --hf-token hf_456");
    assert!(command.engine.vllm_args.is_empty());
    assert_eq!(command.notes.len(), 2);
    assert!(!format!("{command:?}").contains("sk-123") && !format!("{command:?}").contains("hf_456"));
}

#[test]
fn errors_name_the_flag() {
    for (words, part) in [
        (&["vllm", "serve"][..], "names no model"),
        (&["vllm", "bench", "serve"], "only `vllm serve`"),
        (&["vllm", "serve", "Q/M", "Q/N"], "Q/N"),
        (&["vllm", "serve", "Q/M", "--max-model-len"], "--max-model-len"),
        (
            &["vllm", "serve", "Q/M", "--max-model-len", "--enforce-eager"],
            "--max-model-len",
        ),
        (
            &["vllm", "serve", "Q/M", "--max-num-seqs", "many"],
            "--max-num-seqs",
        ),
        (
            &["vllm", "serve", "Q/M", "--enforce-eager=yes"],
            "--enforce-eager",
        ),
        (
            &["vllm", "serve", "Q/M", "--kv-cache-dtype", "fp9"],
            "--kv-cache-dtype",
        ),
        (
            &["vllm", "serve", "Q/M", "--gpu-memory-utilization", "1.5"],
            "--gpu-memory-utilization",
        ),
        (
            &["vllm", "serve", "Q/M", "--tool-strict-level", "nope"],
            "--tool-strict-level",
        ),
        (&["vllm", "serve", ""], "model"),
    ] {
        let message = error(words);
        assert!(message.contains(part), "{words:?}: {message}");
    }
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config { failure_persistence: None, ..Default::default() })]

    #[test]
    fn no_command_panics(words in proptest::collection::vec("(--?[a-z_.=-]{0,12}|[^a]{0,8}|-tp|-O|--served-model-name|--api-key)", 0..10)) {
        let _ = parse(VllmVersion::latest(), &words);
    }
}

#[test]
fn flags_that_the_plan_reads_in_passing_are_not_called_unmodelled() {
    for line in [
        "vllm serve x --runner pooling --convert embed",
        r#"vllm serve x --limit-mm-per-prompt {"image":1} --mm-encoder-tp-mode data --skip-mm-profiling"#,
        "vllm serve x --limit-mm-per-prompt.image 1",
        "vllm serve x --enable-lora --max-loras 2",
    ] {
        let command = read(line);
        assert_eq!(command.unmodelled, Vec::<String>::new(), "{line}");
        assert!(!command.engine.vllm_args.is_empty());
    }
}

/// The examples of `FlexibleArgumentParser._json_tip`, and what its `parse_args` makes of others, at 0.33.0.
#[test]
fn keys_one_by_one_are_the_json_that_vllm_makes_of_them() {
    for (words, expected) in [
        (
            "-x.key1 value1 -x.key2.key3 value2",
            json!({"key1": "value1", "key2": {"key3": "value2"}}),
        ),
        (
            "-x.key4+ value3 -x.key4+=value4,value5",
            json!({"key4": ["value3", "value4", "value5"]}),
        ),
        ("-x.a 1 -x.b true -x.c 2k", json!({"a": 1, "b": true, "c": 2000})),
        (r#"-x.a {"b":1} -x.a.c 2"#, json!({"a": {"b": 1, "c": 2}})),
        (r#"-x {"a":1} -x.b 2"#, json!({"b": 2})),
        (r#"-x {"a":1}"#, json!({"a": 1})),
        ("-x.max_pixels 1003520", json!({"max_pixels": 1_003_520})),
    ] {
        let words = words.replace("-x", "--mm_processor-kwargs");
        let argv: Vec<&str> = "vllm serve m".split(' ').chain(words.split(' ')).collect();
        let command = parse(VllmVersion::latest(), &argv).unwrap();
        assert_eq!(
            command.engine.json("--mm-processor-kwargs"),
            Some(expected),
            "{words}"
        );
        assert!(
            command.unmodelled.is_empty() && command.unknown.is_empty(),
            "{words}"
        );
    }
}
