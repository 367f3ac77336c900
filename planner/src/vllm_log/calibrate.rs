//! A log taken over: what it measured beyond the plan of its start.
use super::VllmLog;
use crate::{
    memory::Correction,
    plan::{Measured, Plan, Scenario, evaluate},
    units::Bytes,
};

/// The scenario with what the log measured on the start that it describes: the GPU as the process saw it, and the
/// differences to the plan. `None` where the log holds none of a plan's figures, or there is no plan.
pub fn calibrated(scenario: &Scenario, log: &VllmLog) -> Option<Scenario> {
    let figures = &log.figures;
    let mut scenario = Scenario {
        measured: None,
        ..scenario.clone()
    };
    if let Some(total) = figures.gpu_total
        && total >= Bytes::from_gib(1).signed()
    {
        scenario.set("gpu_memory", &total.to_string()).ok()?;
    }
    let plan = evaluate(&scenario);
    let memory = plan.memory.as_ref()?;
    let beyond = |measured: Option<i64>, planned: Bytes| {
        measured.map_or(0, |measured| measured.saturating_sub(planned.signed()))
    };
    let mut correction = Correction {
        weights: beyond(figures.weights, memory.weights_bytes),
        activation_peak: beyond(figures.activation_peak, memory.activation_peak_bytes),
        cuda_graphs: if memory.cuda_graph_bytes == Bytes::ZERO {
            0
        } else {
            beyond(figures.graphs_estimated, memory.cuda_graph_bytes)
        },
        rest: 0,
    };
    if let Some(available) = available(&plan, log) {
        let taken_more = memory.kv_cache_available_logged.saturating_sub(available);
        correction.rest = taken_more.saturating_sub(correction.total());
    }
    if correction == Correction::default() && available(&plan, log).is_none() && figures.weights.is_none() {
        return None;
    }
    scenario.measured = Some(Measured {
        correction,
        on: plan.subject()?,
    });
    Some(scenario)
}

/// "Available KV cache memory", where it was what the budget left and not what somebody set.
fn available(plan: &Plan, log: &VllmLog) -> Option<i64> {
    let set = plan.scenario.engine.kv_cache_memory_bytes.is_some();
    log.figures.kv_cache_available.filter(|_| !set)
}
