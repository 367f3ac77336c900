//! Links of every form that was ever written still open, and mean what they meant.
//!
//! `tests/links` has one for each, with what it says written out. A new form brings a file; no file is ever changed.
use crate::support::folder;
use planner::{
    Scenario,
    share::{SCHEMA, from_fragment, split_pins, wishes_of, with_wishes},
};
use serde_json::{Map, Value};

/// Each file's name and content.
fn links() -> Vec<(String, Value)> {
    let files = folder("links");
    files
        .into_iter()
        .map(|(name, text)| {
            let link = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{name}: {e}"));
            (name, link)
        })
        .collect()
}

#[track_caller]
fn means(name: &str, fragment: &str, expected: &Value) -> Scenario {
    let (scenario, ignored) = from_fragment(fragment).unwrap_or_else(|e| panic!("{name}: {e}"));
    // Other figures than those of then are said, and are no other question.
    let ignored: Vec<_> = ignored.iter().filter(|item| item.key != "data").collect();
    assert!(ignored.is_empty(), "{name}: {ignored:?}");
    for (id, value) in expected.as_object().unwrap() {
        let now = match id.as_str() {
            "model" => Some(scenario.model.id.clone()),
            "revision" => scenario.model.revision.clone(),
            id => scenario.get(id),
        };
        assert_eq!(now.as_deref(), value.as_str(), "{name}: {id}");
    }
    // What nobody set then, nobody has set now.
    for id in planner::engine::EngineArgs::ids() {
        if expected.get(*id).is_none() {
            assert_eq!(scenario.get(id), None, "{name}: {id}");
        }
    }
    scenario
}

fn holds(name: &str, config: Option<&Map<String, Value>>, expected: &Value) {
    let config = config.unwrap_or_else(|| panic!("{name}: no config"));
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(config.get(key), Some(value), "{name}: {key}");
    }
}

#[test]
fn each_means_what_it_meant() {
    let links = links();
    for schema in 1..=SCHEMA {
        let prefix = format!("schema-{schema}");
        assert!(
            links.iter().any(|(name, _)| name.starts_with(&prefix)),
            "{prefix}"
        );
    }
    for (name, link) in links {
        let fragment = link["link"].as_str().unwrap();
        if fragment.starts_with("#host=") {
            continue; // a machine, which the page reads
        }
        let scenario = means(&name, fragment, &link["scenario"]);
        let flags = scenario.engine.vllm_args.iter().map(|(flag, value)| match value {
            Some(value) => format!("{flag}={value}"),
            None => flag.clone(),
        });
        let expected = link
            .get("flags")
            .map_or(&[][..], |flags| flags.as_array().unwrap());
        assert_eq!(flags.map(Value::from).collect::<Vec<_>>(), expected, "{name}");
        if let Some(config) = link.get("config") {
            holds(&name, Some(&scenario.model.config), config);
        }
        if let Some(draft) = link.get("draft") {
            holds(&name, scenario.draft(), draft);
        }
        let wishes = wishes_of(fragment);
        let expected = link.get("wishes").and_then(Value::as_object);
        assert_eq!(wishes.len(), expected.map_or(0, Map::len), "{name}");
        for (key, value) in &wishes {
            assert_eq!(
                expected.and_then(|all| all[key].as_str()),
                Some(&**value),
                "{name}: {key}"
            );
        }
        assert!(
            wishes.is_empty() || fragment.ends_with(&with_wishes("", &wishes)),
            "{name}"
        );
        let (_, pins) = split_pins(fragment);
        let expected = link.get("pins").map_or(&[][..], |pins| pins.as_array().unwrap());
        assert_eq!(pins.len(), expected.len(), "{name}");
        for (pin, expected) in pins.iter().zip(expected) {
            means(&name, pin, expected);
        }
    }
}
