//! Scenarios as links and files. All of it is planner's; this only turns its errors into sentences.
use planner::{Scenario, bounds, gpu, model::ModelInput};

/// An item that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ignored {
    pub(crate) key: String,
    pub(crate) value: String,
    pub(crate) reason: String,
}

/// What is shown if not even the bundled example reads.
pub(crate) fn fallback() -> Scenario {
    let gpu = gpu::find("H100 SXM").or(gpu::gpus().first()).cloned();
    let gpu = gpu.unwrap_or_else(|| gpu::GpuSpec::custom(planner::units::Bytes::from_gib(80), None));
    let model = ModelInput::from_catalog("Qwen/Qwen3-8B")
        .or_else(|| ModelInput::from_object("none", &serde_json::Map::new()).ok());
    match model {
        Some(model) => Scenario::new(model, gpu),
        None => unreachable!("the catalogue is never empty"),
    }
}

/// STAND-IN until planner::share lands.
pub(crate) fn to_fragment(scenario: &Scenario) -> Result<String, String> {
    let fresh = Scenario::new(scenario.model.clone(), scenario.hardware.gpu.clone());
    let mut text = format!("s=1&model={}", scenario.model.id);
    for id in Scenario::ids() {
        if let Some(value) = scenario.get(id)
            && (fresh.get(id) != Some(value.clone()) || id == "gpu")
        {
            text.push_str(&format!("&{id}={}", value.replace(' ', "+")));
        }
    }
    Ok(text)
}

/// STAND-IN.
pub(crate) fn from_fragment(text: &str) -> Result<(Scenario, Vec<Ignored>), String> {
    let mut scenario = fallback();
    let mut ignored = Vec::new();
    for pair in text.split('&') {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = value.replace('+', " ");
        match key {
            "s" => {}
            "model" => match ModelInput::from_catalog(&value) {
                Some(model) => scenario.model = model,
                None => ignored.push(Ignored {
                    key: key.into(),
                    value,
                    reason: "not in the catalogue".into(),
                }),
            },
            key => {
                if let Err(error) = scenario.set(key, &value) {
                    ignored.push(Ignored {
                        key: key.into(),
                        value,
                        reason: error.problem,
                    });
                }
            }
        }
    }
    let _ = bounds::FIELDS;
    Ok((scenario, ignored))
}

/// STAND-IN.
pub(crate) fn from_json(_text: &str) -> Result<(Scenario, Vec<Ignored>), String> {
    Err("not yet".to_owned())
}

/// STAND-IN.
pub(crate) fn host_text(value: &str) -> Option<String> {
    Some(value.to_owned())
}

/// STAND-IN.
pub(crate) fn host(_text: &str) -> Result<(gpu::GpuSpec, u32, Vec<String>), String> {
    let mut gpu = gpu::GpuSpec::custom(planner::units::Bytes::new(84_000_000_123), "9.0".parse().ok());
    gpu.name = "NVIDIA H100 80GB HBM3".to_owned();
    Ok((gpu, 8, vec!["2 GPUs are in use by other processes.".to_owned()]))
}

/// STAND-IN.
pub(crate) fn zip(_files: &planner::ArtifactSet) -> Vec<u8> {
    Vec::new()
}
