//! What pipeline stages have of their own: the GPUs that they run on, and how many layers each has.
//!
//! vLLM gives rank after rank the next GPU, the stages of an engine one behind the other
//! (`vllm/distributed/parallel_state.py: initialize_model_parallel`), and shares layers out evenly unless
//! `VLLM_PP_LAYER_PARTITION` says how many each stage has (`vllm/distributed/utils.py: get_pp_indices`).
use super::{Refusal, capability, number_types, shape, visible};
use crate::{
    engine::{Chosen, ResolvedArgs},
    memory::{
        budget::{BudgetSettings, Stage, rank},
        rank_weights::KnownWeights,
        shape::{RankShape, layers_per_stage},
    },
    model::ModelSpec,
    plan::scenario::{Defaults, Scenario},
    units::FloatDtype,
};

/// The stages, where they differ; the partition goes into the arguments.
pub(super) fn choose(
    scenario: &Scenario,
    spec: &ModelSpec,
    args: &mut ResolvedArgs,
    settings: &BudgetSettings,
    known: &mut KnownWeights,
) -> Result<Vec<Stage>, Refusal> {
    let (pp, layers) = (args.pipeline_parallel_size.value, spec.num_hidden_layers());
    let given = scenario.pp_layer_partition.as_ref();
    if let Some(given) = given {
        let sum: u64 = given.iter().copied().map(u64::from).sum();
        if u32::try_from(given.len()) != Ok(pp) {
            return Err(Refusal::vllms(format!(
                "len(partitions)={} does not match pp_size={pp}.",
                given.len()
            )));
        }
        if sum != u64::from(layers) {
            return Err(Refusal::vllms(format!(
                "sum(partitions)={sum} does not match num_hidden_layers={layers}."
            )));
        }
    }
    let mixed = scenario.hardware.is_mixed();
    if !mixed && given.is_none() {
        return Ok(Vec::new());
    }
    let mut stages = on_their_gpus(scenario, args)?;
    let own = layers_per_stage(layers, pp);
    let chosen = match given {
        Some(given) => Some(Chosen::user(given.clone())),
        None if mixed && scenario.defaults == Defaults::Recommended => {
            let found = best(spec, shape(args), settings, &stages, known);
            let why = "By the memory of each stage's GPU: of all ways to share the layers out, the most KV cache on the stage that has least.";
            (found != own).then(|| Chosen::recommended(found, why))
        }
        None => None,
    };
    put(&mut stages, chosen.as_ref().map_or(&own, |chosen| &chosen.value));
    args.pp_layer_partition = chosen;
    Ok(stages)
}

/// The partition that leaves most room for the cache, where the GPUs differ and it is not the scenario's already.
pub(in crate::plan) fn best_partition(scenario: &Scenario, known: &mut KnownWeights) -> Option<Vec<u32>> {
    let spec = scenario.model.spec.as_ref().ok()?;
    let found = super::resolve(scenario, spec, known).ok()?;
    if !scenario.hardware.is_mixed() {
        return None;
    }
    let best = best(&found.spec, found.shape(), &found.settings, &found.stages, known);
    let now = found
        .stages
        .iter()
        .map(|stage| stage.layers.map_or(0, |(_, count)| count));
    (!now.eq(best.iter().copied())).then_some(best)
}

/// The least of each stage's GPUs, over all replicas.
fn on_their_gpus(scenario: &Scenario, args: &ResolvedArgs) -> Result<Vec<Stage>, Refusal> {
    let hardware = &scenario.hardware;
    let sizes @ [_, pp, _] = [
        &args.tensor_parallel_size,
        &args.pipeline_parallel_size,
        &args.data_parallel_size,
    ]
    .map(|size| size.value);
    let mut stages = Vec::new();
    for stage in 0..pp {
        let mut least: Option<Stage> = None;
        for gpu in hardware.gpus_of_stage(stage, sizes) {
            let (total, capability) = (visible(gpu)?, capability(gpu));
            if gpu.vendor != hardware.gpu.vendor {
                return Err(Refusal::ours("one vLLM runs on GPUs of one maker"));
            }
            if args.dtype.value == FloatDtype::Bfloat16 && (1..80).contains(&capability) {
                return Err(number_types::no_bfloat16(&gpu.name, capability));
            }
            let least = least.get_or_insert(Stage {
                layers: None,
                total,
                capability,
            });
            least.total = least.total.min(total);
            least.capability = least.capability.min(capability);
        }
        stages.extend(least);
    }
    Ok(stages)
}

fn put(stages: &mut [Stage], counts: &[u32]) {
    let mut first = 0;
    for (stage, count) in stages.iter_mut().zip(counts) {
        stage.layers = Some((first, *count));
        first += count;
    }
}

/// Moves layers from the tightest stage to others while that helps it, or the next tightest.
fn best(
    spec: &ModelSpec,
    shape: RankShape,
    settings: &BudgetSettings,
    stages: &[Stage],
    known: &mut KnownWeights,
) -> Vec<u32> {
    let layers = spec.num_hidden_layers();
    let memory: u64 = stages.iter().map(|stage| stage.total.get()).sum();
    let share = |stage: &Stage| {
        let part = u128::from(stage.total.get()) * u128::from(layers) / u128::from(memory.max(1));
        u32::try_from(part).unwrap_or(1).max(1)
    };
    let mut counts: Vec<u32> = stages.iter().map(share).collect();
    // Rounding: to a whole model again.
    while counts.iter().sum::<u32>() != layers {
        let less = counts.iter().sum::<u32>() < layers;
        let Some(most) = (0..counts.len()).max_by_key(|at| counts[*at]) else {
            return counts;
        };
        counts[most] = if less { counts[most] + 1 } else { counts[most] - 1 };
    }
    let mut seen: Vec<((usize, u32, u32), i64)> = Vec::new();
    let mut room = |counts: &[u32]| {
        let mut placed = stages.to_vec();
        put(&mut placed, counts);
        let mut one = |at: usize, stage: &Stage| {
            let (first, count) = stage.layers.unwrap_or_default();
            let key = (at, first, count);
            if let Some((_, known)) = seen.iter().find(|(other, _)| *other == key) {
                return *known;
            }
            let pp_rank = u32::try_from(at).unwrap_or(0);
            let rank = rank(spec, RankShape { pp_rank, ..shape }, settings, Some(stage), known);
            let found = match rank.available {
                Some(_) if !spec.keeps_no_cache() => i64::try_from(rank.num_blocks).unwrap_or(i64::MAX),
                _ => rank.requested.signed() - rank.non_kv.signed(),
            };
            seen.push((key, found));
            found
        };
        placed
            .iter()
            .enumerate()
            .map(|(at, stage)| one(at, stage))
            .collect::<Vec<i64>>()
    };
    let sorted = |mut room: Vec<i64>| {
        crate::order::sort(&mut room, i64::cmp);
        room
    };
    let mut now = room(&counts);
    loop {
        let from = (0..now.len())
            .filter(|at| counts[*at] > 1)
            .min_by_key(|at| now[*at]);
        let Some(from) = from else { return counts };
        let mut better: Option<(Vec<i64>, Vec<u32>)> = None;
        for to in (0..counts.len()).filter(|to| *to != from) {
            let mut other = counts.clone();
            other[from] -= 1;
            other[to] += 1;
            let found = room(&other);
            let than = better.as_ref().map_or(&now, |(found, _)| found);
            if sorted(found.clone()) > sorted(than.clone()) {
                better = Some((found, other));
            }
        }
        let Some((found, other)) = better else {
            return counts;
        };
        (now, counts) = (found, other);
    }
}
