//! plan.json and profile.yaml against the published schemas, `docs/schema`. The page's own few words of JSON Schema are read
//! here; validators proper hold the same files on demand.
use crate::{
    artifacts::{TRAPS, nasty, options, text},
    share::FIELDS,
    support::scenario,
};
use planner::{
    ArtifactKind, ArtifactSet, Plan,
    artifact::{plan_json, plan_line},
    evaluate,
    plan::{Course, simulate},
    recommend::{Goal, Price, Search, Slo, on_hardware},
    render,
    share::scenario_json,
};
use serde_json::Value;
use std::{fs, path::Path};

fn schema(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../docs/schema")
        .join(name);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// Panics at the first place that the schema does not allow.
fn holds(schema: &Value, value: &Value, at: &str) {
    if let Some(only) = schema.get("const") {
        assert_eq!(value, only, "{at}");
    }
    if let Some(list) = schema["enum"].as_array() {
        assert!(list.contains(value), "{at}: {value}");
    }
    if let Some(types) = schema.get("type") {
        let is = |name: &Value| match name.as_str().unwrap() {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "boolean" => value.is_boolean(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            "null" => value.is_null(),
            other => panic!("{other} is not read here"),
        };
        let one = std::slice::from_ref(types);
        assert!(
            types.as_array().map_or(one, Vec::as_slice).iter().any(is),
            "{at}: {value}"
        );
    }
    if let (Some(least), Some(number)) = (schema["minimum"].as_f64(), value.as_f64()) {
        assert!(number >= least, "{at}: {value}");
    }
    for item in value.as_array().into_iter().flatten() {
        holds(&schema["items"], item, &format!("{at}[]"));
    }
    let Some(entries) = value.as_object() else { return };
    for key in schema["required"].as_array().into_iter().flatten() {
        assert!(entries.contains_key(key.as_str().unwrap()), "{at} lacks {key}");
    }
    for (key, value) in entries {
        let at = format!("{at}.{key}");
        match (schema["properties"].get(key), &schema["additionalProperties"]) {
            (Some(own), _) => holds(own, value, &at),
            (None, Value::Bool(false)) => panic!("{at} is not in the schema"),
            (None, more) => holds(more, value, &at),
        }
    }
}

fn plans() -> Vec<Plan> {
    let cases = [
        scenario("Qwen/Qwen3-8B", "L4", &[]),
        scenario(
            "Qwen/Qwen3-32B",
            "L4",
            &[("gpus", "2"), ("pipeline_parallel_size", "2")],
        ),
        scenario(
            "meta-llama/Llama-3.3-70B-Instruct",
            "H100 SXM",
            &[
                ("gpus", "8"),
                ("nodes", "2"),
                ("request_rate", "2.5"),
                ("gpu_memory_used", "1GiB"),
                ("image", "a/b:c"),
            ],
        ),
        nasty(TRAPS),
    ];
    let mut pools = scenario("Qwen/Qwen3-8B", "L4", &[]);
    let flags = ["vllm", "serve", "x", "--runner", "pooling"];
    pools.engine = planner::command::parse(pools.vllm_version, &flags)
        .unwrap()
        .engine;
    cases.iter().chain([&pools]).map(evaluate).collect()
}

#[test]
fn plans_hold_their_schema() {
    let schema = schema("plan.schema.json");
    let unsupported = evaluate(&scenario("Qwen/Qwen3-8B", "Gaudi 3", &[]));
    for plan in plans().iter().chain([&unsupported]) {
        let text = plan_json(plan, &render(plan, &options()));
        holds(&schema, &serde_json::from_str(&text).unwrap(), "plan");
    }
    let scenario = scenario("Qwen/Qwen3-8B", "L4", &[]);
    let mut plan = evaluate(&scenario);
    let course = Course {
        requests: 20,
        spread: 0.2,
        seed: 1,
    };
    let run = simulate(&scenario, course).unwrap();
    plan.take_simulated(run);
    let value: Value = serde_json::from_str(&plan_json(&plan, &render(&plan, &options()))).unwrap();
    assert_eq!(value["performance"]["simulated_requests"], 20);
    holds(&schema, &value, "plan");
}

#[test]
fn a_plan_in_one_line_is_the_same_plan() {
    let value = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    for plan in plans() {
        let line = plan_line(&plan);
        assert_eq!(line.find('\n'), Some(line.len() - 1));
        assert_eq!(value(&line), value(&plan_json(&plan, &ArtifactSet::default())));
        // Reading sorts the keys: the length tells whether a blank is left.
        assert_eq!(value(&line).to_string().len(), line.len() - 1);
    }
}

#[test]
fn profiles_hold_their_schema() {
    let schema = schema("profile.schema.json");
    for plan in plans() {
        let value: serde_yaml::Value = serde_yaml::from_str(&text(&plan, ArtifactKind::Profile)).unwrap();
        holds(&schema, &serde_json::to_value(value).unwrap(), "profile");
    }
    for (id, values) in FIELDS {
        let plan = evaluate(&scenario("Qwen/Qwen3-8B", "H100 SXM", &[(id, values[0])]));
        // What cannot be planned has no files.
        if let Some(file) = render(&plan, &options()).get(ArtifactKind::Profile) {
            let value: serde_yaml::Value = serde_yaml::from_str(&file.text).unwrap();
            holds(&schema, &serde_json::to_value(value).unwrap(), id);
        }
    }
    let names = schema["properties"]["outputs"]["properties"]["emit"]["items"]["enum"]
        .as_array()
        .unwrap();
    for kind in ArtifactKind::ALL {
        assert!(names.iter().any(|name| name == kind.name()), "{}", kind.name());
    }
}

#[test]
fn searches_hold_their_schema() {
    let schema = schema("explore.schema.json");
    let scenario = scenario(
        "Qwen/Qwen3-32B",
        "H100 SXM",
        &[("gpus", "4"), ("request_rate", "1")],
    );
    let offers = on_hardware(&scenario, |_| Some(Price(2500)));
    for percentile in [50, 99] {
        let slo = Slo {
            ttft_ms: Some(2000),
            percentile,
            ..Slo::default()
        };
        let goal = Goal {
            slo,
            ..Goal::default()
        };
        let found = Search::new(&scenario, offers.clone(), goal, true).run(true);
        let rows: Vec<_> = found.all.iter().collect();
        let text = found.json(&scenario_json(&scenario), &goal, &offers, &rows, "USD");
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["answers"][0]["simulated"].is_object(), percentile > 50);
        holds(&schema, &value, "explore");
    }
}
