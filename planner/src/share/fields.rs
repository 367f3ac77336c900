//! The fields that a scenario is written as.
use super::ShareError;
use crate::{
    bounds,
    gpu::{self, GpuSpec},
    plan::Scenario,
    units::Bytes,
};

/// Names and values of all fields but version, model and GPU that differ from a fresh scenario, in order.
/// A GPU that differs from the catalogue's brings its memory and compute capability.
pub(crate) fn entries(scenario: &Scenario) -> Vec<(&'static str, String)> {
    let fresh = Scenario::new(scenario.model.clone(), scenario.hardware.gpu.clone());
    let own = gpu_entries(&scenario.hardware.gpu);
    let rest = Scenario::ids()
        .filter(|id| !matches!(*id, "vllm_version" | "gpu" | "gpu_memory" | "compute_capability"))
        .filter_map(|id| {
            let value = scenario.get(id)?;
            (fresh.get(id).as_ref() != Some(&value)).then_some((id, value))
        });
    own.into_iter().chain(rest).collect()
}

fn gpu_entries(gpu: &GpuSpec) -> Vec<(&'static str, String)> {
    let known = gpu::find(&gpu.name);
    let mut entries = Vec::new();
    if let Some(visible) = gpu.memory_visible
        && known.is_none_or(|known| {
            known.memory_visible != gpu.memory_visible || known.visible_basis != gpu.visible_basis
        })
    {
        entries.push(("gpu_memory", visible.get().to_string()));
    }
    if let Some(capability) = gpu.compute_capability
        && known.is_none_or(|known| known.compute_capability != gpu.compute_capability)
    {
        entries.push(("compute_capability", capability.to_string()));
    }
    entries
}

/// The GPU of that name; one that the catalogue does not have needs its memory.
pub(crate) fn gpu(name: &str, memory: Option<&str>) -> Result<GpuSpec, ShareError> {
    if let Some(known) = gpu::find(name) {
        return Ok(known.clone());
    }
    let unknown = || ShareError::UnknownGpu {
        name: name.to_owned(),
    };
    if name.trim().is_empty() || bounds::parse_text("gpu", name).is_err() || memory.is_none() {
        return Err(unknown());
    }
    // The field itself, `gpu_memory`, is set and checked like any other.
    Ok(GpuSpec {
        name: name.to_owned(),
        ..GpuSpec::custom(Bytes::from_gib(1), None)
    })
}

/// `--flag=value`, or `--flag` for a switch.
pub(crate) fn arg_text(flag: &str, value: Option<&str>) -> String {
    match value {
        Some(value) => format!("{flag}={value}"),
        None => flag.to_owned(),
    }
}
