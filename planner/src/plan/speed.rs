//! The plan's question to the performance model.
use super::{
    arguments::{Resolved, tokens_per_sequence},
    measured_speed,
    scenario::{Interconnect, Scenario},
};
use crate::{
    engine::{Method, ResolvedArgs},
    gpu::{GpuSpec, XPU},
    memory::{budget::RankBudget, tensors::TensorClass},
    model::{Drafter, DrafterKind},
    performance::{
        Arrivals, DraftPass, Drafting, Engine, Lengths, Limits, Link, Machine, Performance, Question,
        RUN_AT_A_RATE, RUN_AT_ONCE, Request, Work, cached_by, estimate,
    },
    units::real,
    workload::Workload,
};

/// The question; `None` where the GPU's rates are not known or not one request fits.
pub(super) fn question(
    scenario: &Scenario,
    resolved: &Resolved<'_>,
    ranks: &[RankBudget],
    worst: &RankBudget,
) -> Option<Question> {
    let (spec, args, workload) = (&resolved.spec, &resolved.args, &scenario.workload);
    let pools = spec.pooling.is_some();
    let sequence = u64::from(tokens_per_sequence(scenario, spec));
    let cached = match spec.keeps_no_cache() {
        true if worst.non_kv < worst.total => f64::INFINITY,
        true => 0.0,
        false => real(worst.num_blocks / worst.layout.blocks_per_request(sequence).max(1)),
    };
    if worst.available.is_none() || cached < 1.0 {
        return None;
    }
    let (lengths, gaps) = (lengths(workload), workload.shape.gaps());
    let prompt = f64::from(workload.prompt().max(1));
    let request = Request {
        prompt,
        generated: if pools {
            0.0
        } else {
            f64::from(workload.generated().max(1))
        },
        found: if spec.keeps_no_cache() {
            0.0
        } else {
            prompt * share(workload.shape.prefix_cache_hit_rate)
        },
        variation: lengths.variation(),
    };
    let hardware = &scenario.hardware;
    let tp = args.tensor_parallel_size.value;
    let nvlink = match hardware.interconnect {
        Interconnect::Unknown => None,
        Interconnect::Pcie => Some(false),
        Interconnect::Nvlink => Some(true),
    };
    let machine = |gpu: &GpuSpec| Machine::of(gpu, nvlink, tp > hardware.gpus);
    let engines = args.data_parallel_size.value.max(1);
    let stages = args.pipeline_parallel_size.value;
    // Of each stage the GPU that gives its memory slowest, over all replicas.
    let slowest = |stage: u32| {
        let gpus = hardware.gpus_of_stage(stage, [tp, stages, engines]);
        machine(gpus.min_by_key(|gpu| gpu.memory_bandwidth_gbps)?)
    };
    let machines = if hardware.is_mixed() {
        (0..stages).map(slowest).collect::<Option<_>>()?
    } else {
        Vec::new()
    };
    let machine = machine(&hardware.gpu)?;
    let replicas = f64::from(engines);
    let work = |rank: &RankBudget| Work::of(spec, rank, resolved.settings.kv_element, rank.capability);
    let engine = Engine {
        stages: ranks.iter().map(work).collect(),
        machine,
        machines,
        tp,
        dp: engines,
        exchange: if u64::from(engines) * u64::from(tp) * ranks.len() as u64 > u64::from(hardware.gpus) {
            Link::Network
        } else {
            machine.link
        },
        eager: resolved.settings.enforce_eager
            || (worst.capability == XPU && !resolved.settings.rules.graphs_on_xpu),
        largest_graph: Engine::largest_graph(args.max_num_seqs.value),
        version: args.version,
        drafting: drafting(workload, resolved, ranks),
        taking: if pools { Engine::taking(request) } else { 0.0 },
    };
    Some(Question {
        replicas,
        request,
        arrivals: match workload.rate_milli() {
            Some(milli) => Arrivals::Open {
                rate: real(milli) / 1000.0,
                requests: f64::from(RUN_AT_A_RATE),
                burstiness: burstiness(&gaps, workload),
            },
            None => Arrivals::Closed {
                sequences: f64::from(workload.concurrency.max(1)),
                requests: f64::from(RUN_AT_ONCE),
            },
        },
        limits: Limits {
            cached,
            max_num_seqs: f64::from(args.max_num_seqs.value),
            max_num_batched_tokens: f64::from(args.max_num_batched_tokens.value),
        },
        undrafted: engine.drafting.is_none() && resolved.settings.speculative.is_some(),
        longest: f64::from(args.max_model_len.value),
        lengths,
        gaps,
        engine,
    })
}

/// The shape of a gamma distribution that spreads as those gaps do, else what is stated.
fn burstiness(gaps: &[f64], workload: &Workload) -> f64 {
    if gaps.is_empty() {
        return real(workload.shape.burstiness.unwrap_or(1000)) / 1000.0;
    }
    let squares: f64 = gaps.iter().map(|gap| (gap - 1.0) * (gap - 1.0)).sum();
    (real(gaps.len() as u64) / squares).clamp(0.01, 1000.0)
}

/// The estimate, as that machine was measured where it was.
pub(super) fn answer(scenario: &Scenario, args: &ResolvedArgs, question: &Question) -> Performance {
    let mut found = estimate(question);
    if let Some(scale) = measured_speed::applying(scenario, args) {
        found.scale(scale, f64::from(scenario.workload.generated()));
    }
    found
}

/// Of thousandths; nothing is none.
fn share(thousandths: Option<u32>) -> f64 {
    f64::from(thousandths.unwrap_or(0)) / 1000.0
}

/// A trace goes before percentiles, and they before a range.
fn lengths(workload: &Workload) -> Lengths {
    let shape = &workload.shape;
    if !shape.trace.is_empty() {
        return Lengths::Trace(shape.trace.clone());
    }
    if shape.prompt_p95.is_some() || shape.gen_p95.is_some() {
        let of = |p95: Option<u32>, mean: u32| {
            p95.map_or(0.0, |p95| {
                Lengths::deviation(f64::from(p95) / f64::from(mean.max(1)))
            })
        };
        return Lengths::Lognormal([
            of(shape.prompt_p95, workload.prompt()),
            of(shape.gen_p95, workload.generated()),
        ]);
    }
    shape
        .length_range
        .map_or(Lengths::Stated, |range| Lengths::Even(share(Some(range))))
}

/// What the draft does, where it is said how much of it is accepted.
fn drafting(workload: &Workload, resolved: &Resolved<'_>, ranks: &[RankBudget]) -> Option<Drafting> {
    let speculative = resolved.settings.speculative?;
    let accepted = share(Some(workload.shape.spec_acceptance_rate?));
    let (spec, version) = (&resolved.spec, resolved.args.version);
    let proposed = f64::from(speculative.step_tokens());
    let last = ranks.last()?;
    let weights = last.weights.iter();
    let own = weights
        .filter(|(class, _)| *class == TensorClass::Draft)
        .map(|(_, bytes)| real(bytes.get()));
    let pass = match (speculative.method, &spec.drafter) {
        (Method::Lookup, _) => DraftPass::None,
        (_, Some(drafter)) => DraftPass::Own {
            bytes: (own.sum::<f64>() - looked_up(drafter, resolved)).max(0.0),
            layers: real(u64::from(drafter.spec.num_hidden_layers())),
            shares_head: drafter.kind != DrafterKind::Model && drafter.head_rows == 0,
            cached_bytes: cached_by(
                &drafter.spec,
                &last.shape,
                drafter.kv_element.unwrap_or(resolved.settings.kv_element),
            ),
        },
        _ => DraftPass::Layer,
    };
    Some(Drafting {
        proposed,
        accepted: accepted * proposed,
        // DFlash proposes a block at once.
        passes: if speculative.method == Method::Dflash {
            1.0
        } else {
            proposed
        },
        pass,
        launched: !version.has_second_runner(&spec.architecture, spec.moe().is_some()),
    })
}

/// Bytes of an embedding that only rows are read of: not one that is the output projection too.
fn looked_up(drafter: &Drafter, resolved: &Resolved<'_>) -> f64 {
    let (spec, args) = (&drafter.spec, &resolved.args);
    let read_whole = drafter.kind == DrafterKind::Model && spec.tie_word_embeddings;
    if read_whole || !drafter.own_embedding {
        return 0.0;
    }
    let elements = u64::from(spec.vocab_size) * u64::from(spec.hidden_size);
    real(elements * args.dtype.value.size()) / f64::from(args.tensor_parallel_size.value)
}

/// Requests for each place in the batch, so that the batch is full most of the time.
const WAVES: u32 = 4;

/// Requests of a benchmark with that load: those of a trace that says when they came, else at least enough for
/// percentiles and no more than the estimate is of.
pub fn requests(workload: &Workload) -> u32 {
    if !workload.shape.times.is_empty() && workload.rate_milli().is_some() {
        return u32::try_from(workload.shape.times.len()).unwrap_or(u32::MAX);
    }
    if workload.rate_milli().is_some() {
        return RUN_AT_A_RATE;
    }
    let waves = workload.concurrency.saturating_mul(WAVES).clamp(100, RUN_AT_ONCE);
    waves.max(workload.concurrency)
}
