//! Scenarios as links and files. All of it is planner's; here its errors become sentences.
use crate::text;
use planner::{
    Scenario,
    gpu::{self, GpuSpec},
    host_report::{self, Detected},
    model::ModelInput,
    share::{self, Ignored, ShareError},
    units::Bytes,
};
use serde_json::{Map, Value};

/// The scenario as the fragment of a link, or why it has none.
pub(crate) fn to_fragment(scenario: &Scenario) -> Result<String, String> {
    share::to_fragment(scenario).map_err(explain)
}

/// The scenario of a fragment, and what of it was left out.
pub(crate) fn from_fragment(fragment: &str) -> Result<(Scenario, Vec<Ignored>), String> {
    share::from_fragment(fragment).map_err(explain)
}

/// The scenario as a file.
pub(crate) fn to_json(scenario: &Scenario) -> String {
    share::scenario_json(scenario).to_string()
}

/// The scenario of a scenario file or a plan.json.
pub(crate) fn from_json(text: &str) -> Result<Scenario, String> {
    let document: Value = serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))?;
    share::scenario_from_json(&document).map_err(explain)
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn explain(error: ShareError) -> String {
    text::with_help(&error.to_string(), error.help())
}

/// The GPUs of a host report, an older list, or nvidia-smi's CSV.
pub(crate) fn host(text: &str) -> Result<Detected, String> {
    host_report::read(text)
        .and_then(|report| host_report::to_hardware(&report))
        .map_err(|error| text::with_help(&error.to_string(), error.help()))
}

/// What the page shows if not even the bundled example reads, which a test proves it does.
pub(crate) fn last_resort() -> Scenario {
    let model = ModelInput::from_catalog("Qwen/Qwen3-8B").unwrap_or_else(|| ModelInput {
        id: text::UNNAMED_MODEL.to_owned(),
        revision: None,
        origin: planner::model::ModelOrigin::Config,
        config: Map::new().into(),
        spec: Err(planner::model::ConfigError::Unsupported {
            why: text::NO_MODEL.to_owned(),
        }),
    });
    let gpu = gpu::find("H100 SXM").cloned();
    Scenario::new(
        model,
        gpu.unwrap_or_else(|| GpuSpec::custom(Bytes::from_gib(80), None)),
    )
}
