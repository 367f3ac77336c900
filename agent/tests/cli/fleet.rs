//! `fleet`: replicas for a rate, and what is missing to count them.
use crate::support::Run;

#[test]
fn replicas_and_money_for_a_rate() {
    let ended = Run::new(
        "fleet --model Qwen/Qwen3-32B --request-rate 20 --peak 2 --price 2.50 --api-price 0.10,0.30 --gpu",
    )
    .arg("H100 SXM")
    .code(0);
    ended.has(&[
        "20.0 requests a second, 40.0 at peak, 1 spare",
        "USD/month",
        "First: ",
        "may fail",
        "at the other price",
    ]);
    for line in ended.stdout.lines() {
        assert!(line.chars().count() <= 100, "{line}");
    }
}

#[test]
fn json_is_alone_on_stdout() {
    let json =
        Run::new("fleet --json --model Qwen/Qwen3-8B --request-rate 20 --use-case chat --among L4,L40S")
            .code(0)
            .json();
    assert_eq!(json["schema"], "vllm-wizard/fleet/v1");
    assert_eq!(json["scenario"]["prompt_tokens"], 512);
    assert!(json["fleets"][0]["replicas"].as_u64().unwrap() >= 2);
}

#[test]
fn what_is_missing_or_wrong_is_named() {
    for (args, message) in [
        ("", "--request-rate is missing"),
        ("--request-rate 5 --peak 0.5", "--peak: expected 1 to 1000"),
        (
            "--request-rate 5 --api-price 1",
            "--api-price: expected two prices",
        ),
        (
            "--request-rate 5 --use-case chats",
            "--use-case: \"chats\" is not known",
        ),
    ] {
        let ended = Run::new("fleet --model Qwen/Qwen3-8B --gpu L4")
            .args(args)
            .code(2);
        assert!(ended.stderr.contains(message), "{args}: {}", ended.stderr);
    }
}

#[test]
fn a_model_that_no_gpu_holds_ends_with_3() {
    Run::new("fleet --model deepseek-ai/DeepSeek-R1 --request-rate 5 --gpu L4")
        .code(3)
        .has(&["No GPU of those that were tried"]);
}

/// `docs/schema/fleet.schema.json` names every key, and no other.
#[test]
fn a_fleet_has_the_keys_of_its_schema() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/schema/fleet.schema.json");
    let schema: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let fleet = Run::new("fleet --json --among L40S,L4 --model Qwen/Qwen3-8B --request-rate 2")
        .code(0)
        .json();
    let keys = |value: &serde_json::Value| {
        let mut keys: Vec<String> = value.as_object().unwrap().keys().cloned().collect();
        keys.sort();
        keys
    };
    assert_eq!(keys(&fleet), keys(&schema["properties"]));
    let way = &schema["properties"]["ways"]["items"]["properties"];
    assert_eq!(keys(&fleet["ways"][0]), keys(way));
    let row = &schema["properties"]["fleets"]["items"]["properties"];
    assert_eq!(keys(&fleet["fleets"][0]), keys(row));
    assert_eq!(fleet["schema"], schema["properties"]["schema"]["const"]);
}

/// Replicas that share nothing find less in their prefix caches: said where that takes more of them, and only there.
#[test]
fn routing_by_prefix_is_advised_where_it_saves_replicas() {
    let fleet = |load: &str| {
        Run::new(&format!(
            "fleet --model Qwen/Qwen3-8B --gen-tokens 64 --request-rate 40 {load} --gpus 1 --gpu"
        ))
        .arg("H100 SXM")
        .code(0)
        .stdout
    };
    let long = fleet("--prompt-tokens 8000 --prefix-cache-hit-rate 0.9");
    assert!(
        long.contains("Route by prefix") && long.contains("instead of 90.0 %"),
        "{long}"
    );
    assert!(!fleet("--prompt-tokens 8000").contains("Route by prefix"));
    assert!(!fleet("--prompt-tokens 16 --prefix-cache-hit-rate 0.01").contains("Route by prefix"));
}
