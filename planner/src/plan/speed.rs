//! The plan's question to the performance model.
use super::{
    arguments::Resolved,
    measured_speed,
    scenario::{Interconnect, Scenario},
};
use crate::{
    engine::ResolvedArgs,
    memory::budget::RankBudget,
    performance::{
        Arrivals, Engine, Limits, Machine, Performance, Question, RUN_AT_A_RATE, RUN_AT_ONCE, Request, Work,
        estimate,
    },
    units::real,
};

/// The question; `None` where the GPU's rates are not known, nothing is generated, weights are not on the
/// GPU, or not one request fits.
pub(super) fn question(
    scenario: &Scenario,
    resolved: &Resolved<'_>,
    ranks: &[RankBudget],
    worst: &RankBudget,
) -> Option<Question> {
    let (spec, args, workload) = (&resolved.spec, &resolved.args, &scenario.workload);
    // Weights in the host's memory are read over PCIe, which the model of speed does not know.
    let offloads = worst.offloaded.get() > 0;
    if offloads || spec.pooling.is_some() || spec.keeps_no_cache() || workload.gen_tokens == 0 {
        return None;
    }
    let sequence = u64::from(workload.tokens_per_sequence());
    let cached = worst.num_blocks / worst.layout.blocks_per_request(sequence).max(1);
    if worst.available.is_none() || cached == 0 {
        return None;
    }
    let hardware = &scenario.hardware;
    let tp = args.tensor_parallel_size.value;
    let nvlink = match hardware.interconnect {
        Interconnect::Unknown => None,
        Interconnect::Pcie => Some(false),
        Interconnect::Nvlink => Some(true),
    };
    let machine = Machine::of(&hardware.gpu, nvlink, tp > hardware.gpus)?;
    let replicas = f64::from(args.data_parallel_size.value.max(1));
    let work = |rank| {
        Work::of(
            spec,
            rank,
            resolved.settings.kv_element,
            resolved.settings.capability,
        )
    };
    let engine = Engine {
        stages: ranks.iter().map(work).collect(),
        machine,
        tp,
        dp: replicas,
        eager: resolved.settings.enforce_eager,
        largest_graph: Engine::largest_graph(args.max_num_seqs.value),
        version: args.version,
    };
    Some(Question {
        engine,
        replicas,
        request: Request {
            prompt: f64::from(workload.prompt_tokens.max(1)),
            generated: f64::from(workload.gen_tokens),
        },
        arrivals: match workload.request_rate_milli {
            Some(milli) if milli > 0 => Arrivals::Open {
                rate: real(milli) / 1000.0,
                requests: f64::from(RUN_AT_A_RATE),
            },
            _ => Arrivals::Closed {
                sequences: f64::from(workload.concurrency.max(1)),
                requests: f64::from(RUN_AT_ONCE),
            },
        },
        limits: Limits {
            cached: real(cached),
            max_num_seqs: f64::from(args.max_num_seqs.value),
            max_num_batched_tokens: f64::from(args.max_num_batched_tokens.value),
        },
    })
}

/// The estimate, as that machine was measured where it was.
pub(super) fn answer(scenario: &Scenario, args: &ResolvedArgs, question: &Question) -> Performance {
    let mut found = estimate(question);
    if let Some(scale) = measured_speed::applying(scenario, args) {
        found.scale(scale, f64::from(scenario.workload.gen_tokens));
    }
    found
}
