//! What a dropped, pasted or chosen text is, and what it does.
use super::{AppState, actions, link};
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
    /// Everything else: a config.json, or nothing that is known, which its reader says best.
    Config,
}

fn classify(text: &str) -> Kind {
    let start = text.trim_start();
    match serde_json::from_str::<Value>(start) {
        Ok(Value::Array(_)) => Kind::Host,
        Ok(Value::Object(object)) => match object.get("schema").and_then(Value::as_str) {
            Some(schema) if schema.contains("/host/") => Kind::Host,
            Some(schema) if schema.contains("/scenario/") || schema.contains("/plan/") => Kind::Scenario,
            _ => Kind::Config,
        },
        Err(_) if !start.starts_with(['{', '[']) && start.lines().next().is_some_and(|l| l.contains(',')) => {
            Kind::Host
        }
        _ => Kind::Config,
    }
}

/// Takes the text into the scenario. `id` names the model where the text is a config.json.
pub(crate) fn take(state: AppState, id: &str, revision: Option<String>, text: &str) -> Result<(), String> {
    match classify(text) {
        Kind::Host => take_host(state, text),
        Kind::Scenario => {
            let (scenario, ignored) = link::from_json(text)?;
            actions::replace(state, scenario, &ignored, text::SCENARIO_LOADED.to_owned());
            Ok(())
        }
        Kind::Config => take_config(state, id, revision, text),
    }
}

/// Takes a host report into the scenario.
pub(crate) fn take_host(state: AppState, text: &str) -> Result<(), String> {
    let (gpu, gpus, notes) = link::host(text)?;
    actions::set_host(state, gpu, gpus, notes);
    Ok(())
}

fn take_config(state: AppState, id: &str, revision: Option<String>, text: &str) -> Result<(), String> {
    let id = if id.trim().is_empty() {
        named_in(text)
    } else {
        id.to_owned()
    };
    let id = ModelInput::check_id(&id).map_err(|error| error.problem)?;
    let mut model =
        ModelInput::from_config(&id, text).map_err(|error| format!("{error}. {}", error.help()))?;
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
            (r#"{"schema":"vllm-wizard/host/v1"}"#, Kind::Host),
            (r#"[{"name":"H100"}]"#, Kind::Host),
            (
                "name, memory.total [MiB], compute_cap\nNVIDIA L4, 23034 MiB, 8.9",
                Kind::Host,
            ),
            (r#"{"schema":"vllm-wizard/plan/v1"}"#, Kind::Scenario),
            (r#"{"schema":"vllm-wizard/scenario/v1"}"#, Kind::Scenario),
            (r#"{"architectures":["LlamaForCausalLM"]}"#, Kind::Config),
            ("{ broken", Kind::Config),
            ("", Kind::Config),
            ("3", Kind::Config),
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
