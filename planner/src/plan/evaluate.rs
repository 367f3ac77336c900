//! THE entry point.
use super::{
    arguments::{self, Refusal, Resolved},
    judge, limits, measured_speed, notes,
    output::{Feasibility, Memory, OomRisk, Outcome, Plan, RankMemory, Verdict},
    overrides, remedy,
    scenario::Scenario,
    speed,
};
use crate::{
    memory::{
        Correction, Segment, Term,
        budget::{RankBudget, checked_blocks, worst},
        overhead, packed,
        rank_weights::KnownWeights,
        terms,
    },
    performance::{Course, Question, Run, Scale, Simulation},
    units::Bytes,
};
use std::borrow::Cow;

/// Computes the plan of a scenario. Never fails: what does not fit or cannot be known is a verdict.
pub fn evaluate(scenario: &Scenario) -> Plan {
    match overrides::applied(scenario) {
        Cow::Borrowed(_) => as_is(scenario),
        Cow::Owned(changed) => Plan {
            scenario: scenario.clone(),
            ..as_is(&changed)
        },
    }
}

fn as_is(scenario: &Scenario) -> Plan {
    let mut known = KnownWeights::of(scenario.model.spec.as_ref().ok());
    let mut plan = match resolve(scenario, &mut known) {
        Err(refusal) => unsupported(scenario, &refusal),
        Ok(resolved) => planned(scenario, resolved, &mut known),
    };
    if plan.verdict.outcome == Outcome::DoesNotFit
        || (plan.verdict.outcome == Outcome::Tight && plan.memory.is_some())
    {
        plan.verdict.remedies = remedy::remedies(scenario, &plan, &mut known);
    }
    plan
}

/// The workload request by request; `None` where its speed cannot be said.
pub fn simulate(scenario: &Scenario, course: Course) -> Option<Run> {
    let mut simulation = simulation(scenario, course)?;
    while !simulation.advance(u32::MAX) {}
    Some(simulation.finish())
}

/// The same before its first step, for whoever has other things to do meanwhile.
pub fn simulation(scenario: &Scenario, course: Course) -> Option<Simulation> {
    asked(scenario, |question, scale| question.simulation(course, scale))
}

/// What the performance model is asked of a scenario.
pub fn speed_question(scenario: &Scenario) -> Option<Question> {
    asked(scenario, |question, _| question.clone())
}

/// What `answer` says of a scenario's question to the performance model, and of what a benchmark measured.
pub(super) fn asked<T>(scenario: &Scenario, answer: impl FnOnce(&Question, Option<Scale>) -> T) -> Option<T> {
    let scenario = overrides::applied(scenario);
    let mut known = KnownWeights::of(scenario.model.spec.as_ref().ok());
    let resolved = resolve(&scenario, &mut known).ok()?;
    let ranks = resolved.ranks(&mut known);
    let question = speed::question(&scenario, &resolved, &ranks, worst(&ranks)?)?;
    Some(answer(
        &question,
        measured_speed::applying(&scenario, &resolved.args),
    ))
}

pub(super) fn resolve<'a>(scenario: &'a Scenario, known: &mut KnownWeights) -> Result<Resolved<'a>, Refusal> {
    match &scenario.model.spec {
        Ok(spec) => arguments::resolve(scenario, spec, known),
        Err(error) => Err(Refusal::ours(error.to_string())),
    }
}

fn unsupported(scenario: &Scenario, refusal: &Refusal) -> Plan {
    let verdict = Verdict {
        outcome: Outcome::Unsupported,
        reason: refusal.reason.clone(),
        shortfall_bytes: Bytes::ZERO,
        vllm_error: refusal.vllm_error.clone(),
        remedies: Vec::new(),
    };
    Plan {
        scenario: scenario.clone(),
        verdict,
        feasibility: None,
        memory: None,
        args: None,
        performance: None,
        notes: Vec::new(),
        alternatives: Vec::new(),
    }
}

/// What the workload asks of the KV cache of one rank.
#[derive(Clone, Copy)]
pub(super) struct Need {
    /// For one sequence of max_model_len.
    pub(super) one: Bytes,
    /// For all sequences of the workload.
    pub(super) workload: Bytes,
    /// Blocks that vLLM counts before it starts.
    pub(super) checked: u64,
    /// One sequence over all stages, and the smallest stage's memory, where vLLM compares these.
    pub(super) whole: Option<(Bytes, Bytes)>,
    /// Sequences of the workload that fit at once.
    pub(super) sequences: u64,
}

fn planned(scenario: &Scenario, resolved: Resolved<'_>, known: &mut KnownWeights) -> Plan {
    let ranks = resolved.ranks(known);
    let Some(rank) = worst(&ranks) else {
        return unsupported(scenario, &Refusal::ours("the layout has no ranks"));
    };
    let proposed = resolved
        .settings
        .speculative
        .map_or(0, |speculative| speculative.step_tokens());
    if let Some(message) = packed::ring_refusal(&resolved.spec, rank.layout.block_size(), proposed.into()) {
        return unsupported(scenario, &Refusal::vllms(message));
    }
    let need = need(scenario, &resolved, &ranks, rank);
    let terms = terms(&resolved.spec, rank, &resolved.settings, need.workload);
    let verdict = judge::verdict(scenario, &resolved, rank, &need);
    let memory = memory(scenario, &resolved, rank, &ranks, &need, terms);
    let feasibility = feasibility(scenario, &resolved, rank, &memory, &verdict);
    let mut notes = notes::notes(scenario, &resolved, rank, &need);
    let question = speed::question(scenario, &resolved, &ranks, rank);
    let performance = question
        .as_ref()
        .map(|question| speed::answer(scenario, &resolved.args, question));
    notes.extend(
        performance
            .as_ref()
            .and_then(|speed| limits::note(&scenario.workload, speed)),
    );
    let mut plan = Plan {
        scenario: scenario.clone(),
        verdict,
        feasibility: Some(feasibility),
        memory: Some(memory),
        args: Some(resolved.args),
        performance,
        notes,
        alternatives: Vec::new(),
    };
    if let Some(feasibility) = &mut plan.feasibility {
        feasibility.warnings = notes::warnings(&plan.notes);
    }
    plan
}

pub(super) fn need(
    scenario: &Scenario,
    resolved: &Resolved<'_>,
    ranks: &[RankBudget],
    rank: &RankBudget,
) -> Need {
    let length = u64::from(resolved.args.max_model_len.value);
    let sequence = u64::from(arguments::tokens_per_sequence(scenario, &resolved.spec)).min(length);
    let concurrency = u64::from(scenario.workload.concurrency);
    let per_sequence = rank.layout.blocks_per_request(sequence).max(1);
    // Each of the replicas carries its share.
    let share = concurrency.div_ceil(u64::from(resolved.args.data_parallel_size.value));
    let rules = &resolved.settings.rules;
    let whole = (rules.checks_whole_model && ranks.len() > 1).then(|| {
        let needed = ranks.iter().map(|rank| rank.layout.bytes_for(length, 1)).sum();
        let least = ranks.iter().filter_map(|rank| rank.available).min();
        (needed, least.unwrap_or(Bytes::ZERO))
    });
    Need {
        checked: checked_blocks(ranks, rules),
        whole,
        one: rank.layout.bytes_for(length, 1),
        workload: rank.layout.bytes_for(sequence, share),
        sequences: rank.num_blocks / per_sequence,
    }
}

/// The name of a stage's GPU; of several the smallest.
fn gpu_of(scenario: &Scenario, resolved: &Resolved<'_>, rank: &RankBudget) -> String {
    let (hardware, shape) = (&scenario.hardware, rank.shape);
    let sizes = [shape.tp, shape.pp, resolved.args.data_parallel_size.value];
    let own = hardware.gpus_of_stage(shape.pp_rank, sizes);
    let least = own.min_by_key(|gpu| gpu.memory_visible);
    least.unwrap_or(&hardware.gpu).name.clone()
}

fn memory(
    scenario: &Scenario,
    resolved: &Resolved<'_>,
    rank: &RankBudget,
    ranks: &[RankBudget],
    need: &Need,
    terms: Vec<Term>,
) -> Memory {
    let kv = rank.kv_plan(rank.num_blocks, resolved.args.max_model_len.value);
    let baseline = terms
        .iter()
        .filter(|term| term.segment == Segment::Baseline)
        .map(|term| term.bytes)
        .sum::<i64>();
    let terms_of = |rank: &RankBudget| {
        let own = self::need(scenario, resolved, ranks, rank);
        self::terms(&resolved.spec, rank, &resolved.settings, own.workload)
    };
    let summary = |rank: &RankBudget| RankMemory {
        pipeline_rank: rank.shape.pp_rank,
        gpu: gpu_of(scenario, resolved, rank),
        num_hidden_layers: rank.layers,
        gpu_total_bytes: rank.total,
        weights_bytes: Correction::applied(rank.loaded_bytes, rank.correction.weights),
        kv_cache_available_bytes: rank.available.unwrap_or(Bytes::ZERO),
        num_blocks: rank.num_blocks,
        terms: terms_of(rank).iter().map(|term| (term.id, term.bytes)).collect(),
    };
    Memory {
        gpu: gpu_of(scenario, resolved, rank),
        gpu_total_bytes: rank.total,
        requested_bytes: rank.requested,
        weights_bytes: Correction::applied(rank.loaded_bytes, rank.correction.weights),
        weights_tensor_bytes: rank.tensor_bytes,
        persistent_bytes: Correction::applied(
            rank.runner.persistent() + rank.non_torch,
            rank.correction.rest,
        ),
        activation_peak_bytes: Correction::applied(
            rank.runner.activation_peak(),
            rank.correction.activation_peak,
        ),
        cuda_graph_bytes: Correction::applied(rank.graphs, rank.correction.cuda_graphs),
        baseline_bytes: Bytes::new(u64::try_from(baseline).unwrap_or(0)),
        kv_cache_available_bytes: rank.available.unwrap_or(Bytes::ZERO),
        kv_cache_available_logged: rank
            .available
            .map_or(rank.requested.signed() - rank.non_kv.signed(), Bytes::signed),
        kv_cache_needed_bytes: need.one,
        kv_cache_workload_bytes: need.workload,
        block_size: rank.layout.block_size(),
        bytes_per_block: Bytes::new(rank.layout.bytes_per_block),
        num_blocks: rank.num_blocks,
        kv_cache_tokens: kv.tokens,
        max_concurrency: kv.max_concurrency,
        terms,
        ranks: if ranks.len() > 1 {
            ranks.iter().map(summary).collect()
        } else {
            Vec::new()
        },
    }
}

fn feasibility(
    scenario: &Scenario,
    resolved: &Resolved<'_>,
    rank: &RankBudget,
    memory: &Memory,
    verdict: &Verdict,
) -> Feasibility {
    let length = u64::from(resolved.args.max_model_len.value);
    let concurrency = u64::from(scenario.workload.concurrency.max(1));
    let (at_context, at_concurrency) = if resolved.spec.keeps_no_cache() {
        // Nothing outlives a step, and a step takes so many.
        let step = u64::from(resolved.args.max_num_batched_tokens.value) / length.max(1);
        (step.min(u64::from(resolved.args.max_num_seqs.value)), length)
    } else {
        (
            rank.num_blocks / rank.layout.blocks_per_request(length).max(1),
            rank.layout.longest(rank.num_blocks, concurrency, length),
        )
    };
    let overhead = rank.non_kv.saturating_sub(rank.loaded_bytes) + overhead::context(rank.capability);
    Feasibility {
        fits: verdict.outcome.starts(),
        oom_risk: match verdict.outcome {
            Outcome::Fits => OomRisk::Low,
            Outcome::Tight => OomRisk::Medium,
            Outcome::DoesNotFit | Outcome::Unsupported => OomRisk::High,
        },
        vram_total_gib: memory.gpu_total_bytes.gib_f64(),
        vram_target_alloc_gib: memory.requested_bytes.gib_f64(),
        weights_gib: memory.weights_bytes.gib_f64(),
        kv_cache_gib: memory.kv_cache_available_bytes.gib_f64(),
        overhead_gib: overhead.gib_f64(),
        headroom_gib: memory
            .kv_cache_available_bytes
            .saturating_sub(memory.kv_cache_workload_bytes)
            .gib_f64(),
        max_concurrency_at_context: at_context,
        max_context_at_concurrency: at_concurrency,
        warnings: Vec::new(),
    }
}
