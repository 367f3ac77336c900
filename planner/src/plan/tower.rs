//! Whether a model's tower is loaded, and how it is run.
use super::{arguments::Refusal, scenario::Scenario};
use crate::{
    memory::encoder::TowerSettings,
    model::{ModelSpec, Tower},
};
use serde_json::Value;

/// What vLLM takes where nothing is set (`config/multimodal.py: get_limit_per_prompt` at 0.33.0).
const DEFAULT_LIMIT: u32 = 999;

/// The tower's settings in a context of that length; `None` where there is none or it is left out.
pub(super) fn settings(
    scenario: &Scenario,
    spec: &ModelSpec,
    max_model_len: u32,
) -> Result<Option<TowerSettings>, Refusal> {
    if !spec.has_tower {
        return Ok(None);
    }
    let version = scenario.vllm_version;
    let can_leave_out = version.memory_rules().zero_limits_leave_out;
    if scenario.engine.language_model_only == Some(true) {
        return if can_leave_out {
            Ok(None)
        } else {
            Err(Refusal::ours(format!(
                "vLLM {version} loads the tower in any case: leaving it out came with 0.10.1"
            )))
        };
    }
    let tower = spec.tower.as_ref().map_err(|why| {
        Refusal::ours(format!(
            "{why}; with --language-model-only vLLM leaves the tower out, and the plan is of the language model alone"
        ))
    })?;
    let limit = |modality: &str| limit(scenario, modality);
    if can_leave_out && tower.modalities.iter().all(|modality| limit(modality) == 0) {
        return Ok(None);
    }
    let settings = TowerSettings {
        data_parallel: tower.by_data && scenario.engine.passed("--mm-encoder-tp-mode") == Some("data"),
        profiled: !scenario.engine.switched("--skip-mm-profiling"),
        item_limit: tower.modalities.first().map_or(0, |modality| limit(modality)),
        video_limit: tower.modalities.get(1).map_or(0, |modality| limit(modality)),
        max_pixels: max_pixels(scenario),
        max_model_len,
    };
    Ok(Some(settings))
}

/// vLLM's words where it cannot cut the tower over so many ranks.
pub(super) fn refusal(spec: &ModelSpec, settings: Option<TowerSettings>, tp: u32) -> Option<String> {
    let settings = settings?;
    let tower: &Tower = spec.tower.as_ref().ok()?;
    tower
        .ranks(tp, settings.data_parallel)
        .is_none()
        .then(|| format!("{} is not divisible by {tp}", tower.heads))
}

/// The preprocessor's limit, where the flag sets it: `max_pixels`, or `size.longest_edge`, which Qwen's classes take for it
/// (`models/qwen2_vl.py: _get_vision_size` at 0.33.0).
fn max_pixels(scenario: &Scenario) -> Option<u32> {
    let all = scenario.engine.json("--mm-processor-kwargs")?;
    let scopes = [all.get("images_kwargs"), Some(&all)];
    let found = scopes.into_iter().flatten().find_map(|scope| {
        let own = scope.get("max_pixels").and_then(Value::as_u64);
        own.or_else(|| scope.get("size")?.get("longest_edge")?.as_u64())
    })?;
    u32::try_from(found).ok()
}

/// Items of a modality in a prompt: `--limit-mm-per-prompt` takes JSON, `image=2,video=0`, or a flag for each modality.
fn limit(scenario: &Scenario, modality: &str) -> u32 {
    let count = |value: &Value| {
        let value = value.get("count").unwrap_or(value);
        value.as_u64().and_then(|count| u32::try_from(count).ok())
    };
    let found = match scenario.engine.json("--limit-mm-per-prompt") {
        Some(limits) => limits.get(modality).and_then(count),
        None => scenario
            .engine
            .passed("--limit-mm-per-prompt")
            .unwrap_or_default()
            .split(',')
            .find_map(|part| {
                let (name, count) = part.split_once('=')?;
                (name.trim() == modality).then(|| count.trim().parse().ok())?
            }),
    };
    found.unwrap_or(DEFAULT_LIMIT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{gpu, model::ModelInput};

    #[test]
    fn the_preprocessors_limit_is_read() {
        let model = ModelInput::from_catalog("Qwen/Qwen3-VL-8B-Instruct").unwrap();
        let mut scenario = Scenario::new(model, gpu::find("H100 SXM").unwrap().clone());
        for (text, pixels) in [
            (r#"{"max_pixels": 1003520}"#, Some(1_003_520)),
            (
                r#"{"images_kwargs": {"size": {"longest_edge": 602112}}}"#,
                Some(602_112),
            ),
            ("{}", None),
        ] {
            scenario.engine.vllm_args = vec![("--mm-processor-kwargs".to_owned(), Some(text.to_owned()))];
            assert_eq!(max_pixels(&scenario), pixels, "{text}");
        }
    }

    #[test]
    fn limits_are_read_in_each_form() {
        let model = ModelInput::from_catalog("Qwen/Qwen3-VL-8B-Instruct").unwrap();
        let mut scenario = Scenario::new(model, gpu::find("H100 SXM").unwrap().clone());
        for (text, image, video) in [
            (r#"{"image": 2, "video": 0}"#, 2, 0),
            (r#"{"image": {"count": 3}}"#, 3, 999),
            ("image=0,video=1", 0, 1),
            ("nonsense", 999, 999),
        ] {
            scenario.engine.vllm_args = vec![("--limit-mm-per-prompt".to_owned(), Some(text.to_owned()))];
            assert_eq!(
                (limit(&scenario, "image"), limit(&scenario, "video")),
                (image, video),
                "{text}"
            );
        }
    }
}
