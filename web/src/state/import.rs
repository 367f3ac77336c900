//! What a dropped, pasted or chosen text is, and what it does.
use super::{AppState, Banner, Import, Pasted, actions, held, link};
use crate::{browser, text};
use leptos::prelude::GetUntracked;
use planner::{
    bench_result,
    engine::VllmVersion,
    import::{self, ImportError},
    model::ModelInput,
    profile::{self, Supply},
    vllm_log,
};
use serde_json::Value;
use std::sync::Arc;

/// What a text looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A host report, an older list of GPUs, or nvidia-smi's CSV.
    Host,
    /// A scenario, or a plan that holds one.
    Scenario,
    /// A config.json.
    Config,
    /// What vLLM prints when it starts, or a benchmark of it measures.
    Run,
    /// What starts vLLM elsewhere: a command, a compose file, a manifest; or a profile.yaml.
    Deployment,
}

/// `None` where the text itself does not say.
fn classify(text: &str) -> Option<Kind> {
    let start = text.trim_start();
    if vllm_log::read(text).is_ok() {
        return Some(Kind::Run);
    }
    match serde_json::from_str::<Value>(start) {
        Ok(Value::Array(_)) => Some(Kind::Host),
        Ok(Value::Object(object)) => match object.get("schema").and_then(Value::as_str) {
            Some(schema) if schema.contains("/host/") => Some(Kind::Host),
            Some(schema) if schema.contains("/scenario/") || schema.contains("/plan/") => {
                Some(Kind::Scenario)
            }
            _ if object.contains_key("architectures") => Some(Kind::Config),
            _ if object.contains_key("apiVersion") => Some(Kind::Deployment),
            _ => measures(start),
        },
        Err(_) if start.starts_with("name,") || start.starts_with("index,") => Some(Kind::Host),
        Err(_) if !start.starts_with(['{', '[']) || start.starts_with("[Service") => {
            measures(start).or_else(|| starts_vllm(start))
        }
        _ => measures(start),
    }
}

/// Whether a text is a benchmark's result.
fn measures(text: &str) -> Option<Kind> {
    bench_result::read(text).is_ok().then_some(Kind::Run)
}

/// Whether a text that is no JSON starts vLLM, or nearly does.
fn starts_vllm(text: &str) -> Option<Kind> {
    match import::read(text) {
        Ok(_) | Err(ImportError::Profile | ImportError::Command { .. } | ImportError::UnsetModel { .. }) => {
            Some(Kind::Deployment)
        }
        Err(_) => None,
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
        (None, Some(Import::Scenario)) if !text.trim_start().starts_with('{') => take_deployment(state, text),
        (Some(Kind::Scenario), _) | (None, Some(Import::Scenario)) => {
            actions::replace(state, link::from_json(text)?, text::SCENARIO_LOADED.to_owned());
            Ok(())
        }
        (Some(Kind::Run), _) => {
            held::hold(state, text)?;
            browser::go_to("log-check");
            Ok(())
        }
        (Some(Kind::Config), _) | (None, Some(Import::Model)) => take_config(state, id, revision, text),
        (Some(Kind::Deployment), _) | (None, None) => take_deployment(state, text),
    }
}

/// Takes what starts vLLM elsewhere. The load stays, and the GPUs where the text does not say.
fn take_deployment(state: AppState, text: &str) -> Result<(), String> {
    let imported = match import::read(text) {
        Ok(imported) => imported,
        Err(ImportError::Profile) => return take_profile(state, text),
        Err(error) => return Err(text::with_help(&error.to_string(), error.help())),
    };
    let before = state.scenario.get_untracked();
    let model = known_model(&before.model, &imported.command.model)
        .ok_or_else(|| text::unknown_model(&imported.command.model))?;
    let kind = before.hardware.gpu.name.clone();
    let mut scenario = imported.scenario(model, before.hardware);
    scenario.workload = before.workload;
    let mut notes = imported.remarks();
    if !scenario.vllm_version.is_bundled() {
        notes.push(text::other_version(scenario.vllm_version));
        scenario.vllm_version = VllmVersion::latest();
    }
    if imported.gpu.is_none() {
        notes.push(text::gpu_not_named(&kind));
    }
    let title = text::deployment_read(imported.form, &imported.place);
    let pasted = Pasted {
        title,
        model: scenario.model.clone(),
        command: imported.command,
        notes,
    };
    actions::replace(state, scenario, text::form_read(imported.form));
    actions::review(state, Some(Arc::new(pasted)));
    Ok(())
}

/// Takes a profile.yaml; `gpu_name: auto` is the GPU that is chosen now.
fn take_profile(state: AppState, text: &str) -> Result<(), String> {
    let before = state.scenario.get_untracked();
    let model = |id: &str| known_model(&before.model, id);
    let supply = Supply {
        model: Some(&model),
        gpu: Some((&before.hardware.gpu, before.hardware.gpus)),
    };
    let profile = profile::read(text, &supply).map_err(|error| match error {
        profile::ProfileError::UnknownModel { id, .. } => text::unknown_model(&id),
        error => text::with_help(&error.to_string(), error.help()),
    })?;
    let notes = Banner {
        title: text::PROFILE_NOTES.to_owned(),
        items: profile.notes,
    };
    actions::replace_noting(state, profile.scenario, text::SCENARIO_LOADED.to_owned(), notes);
    Ok(())
}

/// The model that is chosen already, whose config may be somebody's own, or the catalogue's.
pub(super) fn known_model(chosen: &ModelInput, id: &str) -> Option<ModelInput> {
    if chosen.id == id {
        return Some(chosen.clone());
    }
    ModelInput::from_catalog(id)
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
            ("vllm serve Qwen/Qwen3-8B -tp 2", Some(Kind::Deployment)),
            ("vllm serve $MODEL", Some(Kind::Deployment)),
            (
                "services:\n  llm: {image: vllm/vllm-openai, command: [--model, Q/M]}",
                Some(Kind::Deployment),
            ),
            (
                r#"{"apiVersion":"apps/v1","kind":"Deployment"}"#,
                Some(Kind::Deployment),
            ),
            ("[Service]\nExecStart=vllm serve Q/M", Some(Kind::Deployment)),
            ("profile_version: 1\nmodel: {id: Q/M}", Some(Kind::Deployment)),
            ("INFO Model loading took 15.0 GiB memory", Some(Kind::Run)),
            (
                r#"{"completed":9,"output_throughput":100.5,"median_ttft_ms":20.1}"#,
                Some(Kind::Run),
            ),
            (
                "{\"output_throughput\":100.5}\n{\"output_throughput\":90.5}",
                Some(Kind::Run),
            ),
            (
                "Successful requests:  9\nMedian TTFT (ms):  20.1",
                Some(Kind::Run),
            ),
            ("hello", None),
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
