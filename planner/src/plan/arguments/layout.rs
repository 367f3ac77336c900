//! Tensor, pipeline and data parallel sizes.
use super::Refusal;
use crate::{
    engine::Chosen,
    gpu::is_slice,
    memory::{
        encoder::TowerSettings,
        shape::{RankShape, refusal},
    },
    model::ModelSpec,
    plan::{
        scenario::{Defaults, Scenario},
        tower,
    },
};
use std::fmt::Write as _;

pub(super) type Layout = (Chosen<u32>, Chosen<u32>, Chosen<u32>);

/// Tensor, pipeline and data parallel sizes.
pub(super) fn choose(
    scenario: &Scenario,
    spec: &ModelSpec,
    tower: Option<TowerSettings>,
) -> Result<Layout, Refusal> {
    let (engine, hardware) = (&scenario.engine, &scenario.hardware);
    let dp = engine
        .data_parallel_size
        .map_or_else(|| Chosen::default(1, "vLLM's default: one engine."), Chosen::user);
    let recommend = scenario.defaults == Defaults::Recommended;
    let stages = stages(scenario, spec, dp.value);
    let named = scenario.pp_layer_partition.as_ref();
    let pp = match engine.pipeline_parallel_size {
        Some(size) => Chosen::user(size),
        None if recommend && let Some(named) = named => Chosen::recommended(
            u32::try_from(named.len()).unwrap_or(u32::MAX),
            "As many stages as pp_layer_partition has counts.",
        ),
        None if recommend && stages > 1 => Chosen::recommended(
            stages,
            "GPUs of different kinds share layers only with their like: the others are stages of their own.",
        ),
        None if recommend && hardware.nodes > 1 => Chosen::recommended(
            hardware.nodes,
            "One stage per node, so that only stages talk over the network.",
        ),
        None => Chosen::default(1, "vLLM's default: one stage."),
    };
    let tp = match engine.tensor_parallel_size {
        Some(size) => Chosen::user(size),
        None if recommend => recommended_tp(scenario, spec, tower, pp.value, dp.value),
        None => Chosen::default(1, "vLLM's default: one GPU per layer."),
    };
    let needed = u64::from(tp.value) * u64::from(pp.value) * u64::from(dp.value);
    if needed > u64::from(hardware.total_gpus()) {
        return Err(Refusal::ours(format!(
            "tensor_parallel_size {} × pipeline_parallel_size {} × data_parallel_size {} needs {needed} GPUs; the scenario has {}",
            tp.value,
            pp.value,
            dp.value,
            hardware.total_gpus()
        )));
    }
    if tp.value * pp.value > 1 && is_slice(&hardware.gpu.name) {
        return Err(Refusal::ours(
            "vLLM cannot work on several MIG slices together (NCCL takes them for one GPU): plan one slice for each server",
        ));
    }
    Ok((tp, pp, dp))
}

/// Stages of GPUs that are alike, on a machine whose GPUs are not; 1 where the model cannot be cut into stages.
fn stages(scenario: &Scenario, spec: &ModelSpec, dp: u32) -> u32 {
    let hardware = &scenario.hardware;
    if !hardware.is_mixed() {
        return 1;
    }
    let tp = scenario.engine.tensor_parallel_size.unwrap_or(hardware.alike());
    let pp = (hardware.total_gpus() / tp.max(1) / dp.max(1)).max(1);
    let place = RankShape {
        pp,
        ..RankShape::SINGLE
    };
    if refusal(spec, &place).is_some() { 1 } else { pp }
}

/// The largest size that the model can be cut into and the GPUs allow.
fn recommended_tp(
    scenario: &Scenario,
    spec: &ModelSpec,
    tower: Option<TowerSettings>,
    pp: u32,
    dp: u32,
) -> Chosen<u32> {
    let share = (scenario.hardware.total_gpus() / pp.max(1) / dp.max(1)).max(1);
    let share = if is_slice(&scenario.hardware.gpu.name) {
        1
    } else {
        share.min(scenario.hardware.gpus.max(1))
    };
    let ep = scenario.engine.enable_expert_parallel.unwrap_or(false);
    let allowed = |tp: &u32| {
        refusal(
            spec,
            &RankShape {
                tp: *tp,
                pp: 1,
                pp_rank: 0,
                layers: None,
                dp,
                ep,
            },
        )
        .is_none()
            && tower::refusal(spec, tower, *tp).is_none()
    };
    let tp = (1..=share).rev().find(allowed).unwrap_or(1);
    if tp == 1 && share == 1 {
        return Chosen::default(1, "One GPU.");
    }
    let mut why =
        format!("The largest size up to {share} that this model's heads and layers can be split into");
    if tp < share {
        let _ = write!(why, "; {} of {share} GPUs stay unused", share - tp);
    }
    why.push('.');
    Chosen::recommended(tp, why)
}
