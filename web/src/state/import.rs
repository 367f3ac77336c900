//! What a dropped, pasted or chosen text is, and what it does.
use super::{AppState, Import, actions, link};
use crate::text;
use planner::model::ModelInput;
use serde_json::Value;

/// What a text looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A host report, an older list of GPUs, or nvidia-smi's CSV.
    Host,
    /// A scenario, or a plan that holds one.
    Scenario,
    /// A config.json.
    Config,
}

/// `None` where the text itself does not say.
fn classify(text: &str) -> Option<Kind> {
    let start = text.trim_start();
    match serde_json::from_str::<Value>(start) {
        Ok(Value::Array(_)) => Some(Kind::Host),
        Ok(Value::Object(object)) => match object.get("schema").and_then(Value::as_str) {
            Some(schema) if schema.contains("/host/") => Some(Kind::Host),
            Some(schema) if schema.contains("/scenario/") || schema.contains("/plan/") => {
                Some(Kind::Scenario)
            }
            _ => object.contains_key("architectures").then_some(Kind::Config),
        },
        Err(_) if start.starts_with("name,") || start.starts_with("index,") => Some(Kind::Host),
        _ => None,
    }
}

/// Takes the text into the scenario. `id` names the model where the text is a config.json; `wanted` is what somebody
/// said it is, which decides where the text does not.
pub(crate) fn take(
    state: AppState,
    wanted: Option<Import>,
    id: &str,
    revision: Option<String>,
    text: &str,
) -> Result<(), String> {
    match (classify(text), wanted) {
        (Some(Kind::Host), _) | (None, Some(Import::Hardware)) => take_host(state, text),
        (Some(Kind::Scenario), _) | (None, Some(Import::Scenario)) => {
            actions::replace(state, link::from_json(text)?, text::SCENARIO_LOADED.to_owned());
            Ok(())
        }
        (Some(Kind::Config) | None, _) => take_config(state, id, revision, text),
    }
}

/// Takes a host report into the scenario.
pub(crate) fn take_host(state: AppState, text: &str) -> Result<(), String> {
    actions::set_host(state, link::host(text)?);
    Ok(())
}

fn take_config(state: AppState, id: &str, revision: Option<String>, text: &str) -> Result<(), String> {
    let id = if id.trim().is_empty() {
        named_in(text)
    } else {
        id.to_owned()
    };
    let id = ModelInput::check_id(&id).map_err(|error| error.problem)?;
    let mut model = ModelInput::from_config(&id, text)
        .map_err(|error| text::with_help(&error.to_string(), error.help()))?;
    model.revision = revision.filter(|revision| !revision.trim().is_empty());
    actions::set_model(state, model);
    Ok(())
}

/// A name for a config.json that came without one: its `_name_or_path` where it looks like a repository.
fn named_in(text: &str) -> String {
    serde_json::from_str::<Value>(text)
        .ok()
        .and_then(|config| Some(config.get("_name_or_path")?.as_str()?.to_owned()))
        .filter(|name| name.split('/').count() == 2 && !name.starts_with(['/', '.', '-']))
        .unwrap_or_else(|| text::UNNAMED_MODEL.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_told_apart() {
        for (text, kind) in [
            (r#"{"schema":"vllm-wizard/host/v1"}"#, Some(Kind::Host)),
            (r#"[{"name":"H100"}]"#, Some(Kind::Host)),
            (
                "name, memory.total [MiB], compute_cap\nNVIDIA L4, 23034 MiB, 8.9",
                Some(Kind::Host),
            ),
            (r#"{"schema":"vllm-wizard/plan/v1"}"#, Some(Kind::Scenario)),
            (r#"{"schema":"vllm-wizard/scenario/v1"}"#, Some(Kind::Scenario)),
            (r#"{"architectures":["LlamaForCausalLM"]}"#, Some(Kind::Config)),
            ("{ broken", None),
            ("", None),
            ("3", None),
        ] {
            assert_eq!(classify(text), kind, "{text}");
        }
    }

    #[test]
    fn an_unnamed_config_takes_the_name_it_carries() {
        assert_eq!(named_in(r#"{"_name_or_path":"Qwen/Qwen3-8B"}"#), "Qwen/Qwen3-8B");
        assert_eq!(
            named_in(r#"{"_name_or_path":"/data/model"}"#),
            text::UNNAMED_MODEL
        );
        assert_eq!(named_in("nonsense"), text::UNNAMED_MODEL);
    }
}
