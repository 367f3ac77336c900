//! How long the context may be at how many sequences, and what lengths that people ask for take.
use super::{
    Outcome, Plan, Scenario,
    arguments::{self, Resolved},
    evaluate::resolve,
    overrides::applied,
};
use crate::memory::{
    budget::{RankBudget, worst},
    rank_weights::KnownWeights,
};

/// At that length so many sequences fit at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// Tokens of each sequence.
    pub tokens: u64,
    /// Sequences that fit, over all replicas.
    pub sequences: u64,
}

/// A length that people ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tier {
    /// `max_model_len`.
    pub tokens: u32,
    /// Whether vLLM starts with it.
    pub outcome: Outcome,
    /// vLLM's "GPU KV cache size".
    pub kv_cache_tokens: u64,
    /// Sequences of that length that fit at once.
    pub sequences: u64,
    /// GPUs of this kind on one node that hold the load's concurrency at that length; `None` where eight do not.
    pub gpus: Option<u32>,
}

/// Numbers of GPUs on one node that are tried.
const GPUS: [u32; 4] = [1, 2, 4, 8];
/// Lengths that people ask for, beside the model's own.
const TIERS: [u32; 3] = [8 << 10, 32 << 10, 128 << 10];

impl Plan {
    /// The most sequences for each length, from 1024 tokens to the model's own; empty where no cache is planned.
    pub fn reach(&self) -> Vec<Reach> {
        let scenario = applied(&self.scenario);
        let Ok(spec) = &scenario.model.spec else {
            return Vec::new();
        };
        let mut known = KnownWeights::of(Some(spec));
        let Some((resolved, rank)) = placed(&scenario, &mut known) else {
            return Vec::new();
        };
        if resolved.spec.keeps_no_cache() {
            return Vec::new();
        }
        let most = u64::from(spec.derived_max_model_len).max(u64::from(resolved.args.max_model_len.value));
        let mut lengths: Vec<u64> = (10..40)
            .flat_map(|bits| [2_u64 << bits, 3 << bits].map(|length| length / 2))
            .filter(|length| *length < most)
            .collect();
        lengths.push(most);
        lengths
            .into_iter()
            .map(|tokens| Reach {
                tokens,
                sequences: sequences(&resolved, &rank, tokens),
            })
            .collect()
    }

    /// Where the load stands: tokens of a sequence, and how many at once.
    pub fn load(&self) -> Option<Reach> {
        let spec = self.scenario.model.spec.as_ref().ok()?;
        Some(Reach {
            tokens: u64::from(arguments::tokens_per_sequence(&self.scenario, spec)),
            sequences: u64::from(self.scenario.workload.concurrency),
        })
    }

    /// The longest `max_model_len` that vLLM starts with here; `None` where it starts with none, or keeps no cache.
    pub fn longest(&self) -> Option<u32> {
        let mut asked = applied(&self.scenario).into_owned();
        asked.set("max_model_len", "auto").ok()?;
        let spec = asked.model.spec.as_ref().ok()?;
        let resolved = resolve(&asked, &mut KnownWeights::of(Some(spec))).ok()?;
        // The smallest block is 16 tokens: less is none.
        let longest = resolved.args.max_model_len.value;
        (longest >= 16 && !resolved.spec.keeps_no_cache()).then_some(longest)
    }

    /// What the usual lengths take, up to the model's own.
    pub fn tiers(&self) -> Vec<Tier> {
        let scenario = applied(&self.scenario);
        let Ok(spec) = &scenario.model.spec else {
            return Vec::new();
        };
        let own = spec.derived_max_model_len;
        let mut lengths: Vec<u32> = TIERS.into_iter().filter(|length| *length < own).collect();
        lengths.push(own);
        let mut known = KnownWeights::of(Some(spec));
        lengths
            .into_iter()
            .filter_map(|tokens| tier(&scenario, tokens, &mut known))
            .collect()
    }
}

/// The worst rank of a scenario.
fn placed<'a>(scenario: &'a Scenario, known: &mut KnownWeights) -> Option<(Resolved<'a>, RankBudget)> {
    let resolved = resolve(scenario, known).ok()?;
    let ranks = resolved.ranks(known);
    let rank = worst(&ranks)?.clone();
    Some((resolved, rank))
}

/// Sequences of that length that fit at once, over all replicas.
fn sequences(resolved: &Resolved<'_>, rank: &RankBudget, tokens: u64) -> u64 {
    let spare = u64::from(resolved.settings.rules.null_block);
    let blocks = rank.num_blocks.saturating_sub(spare);
    let replicas = u64::from(resolved.args.data_parallel_size.value);
    blocks / rank.layout.blocks_per_request(tokens).max(1) * replicas
}

fn tier(scenario: &Scenario, tokens: u32, known: &mut KnownWeights) -> Option<Tier> {
    let mut asked = scenario.clone();
    asked.set("max_model_len", &tokens.to_string()).ok()?;
    let outcome = super::glance::glance(&asked, known)?.outcome;
    let (resolved, rank) = placed(&asked, known)?;
    let length = u64::from(tokens);
    let kv = rank.kv_plan(rank.num_blocks, tokens);
    Some(Tier {
        tokens,
        outcome,
        kv_cache_tokens: kv.tokens,
        sequences: sequences(&resolved, &rank, length),
        gpus: GPUS
            .into_iter()
            .find(|gpus| holds(&asked, *gpus, length, known) == Some(true)),
    })
}

/// Whether so many GPUs on one node hold the load's concurrency at that length, in the layout that is recommended.
fn holds(asked: &Scenario, gpus: u32, tokens: u64, known: &mut KnownWeights) -> Option<bool> {
    let mut scenario = asked.clone();
    for id in [
        "nodes",
        "tensor_parallel_size",
        "pipeline_parallel_size",
        "data_parallel_size",
        "defaults",
    ] {
        scenario.set(id, "").ok()?;
    }
    scenario.set("gpus", &gpus.to_string()).ok()?;
    let (resolved, rank) = placed(&scenario, known)?;
    let starts = super::glance::glance(&scenario, known)?.outcome.starts();
    Some(starts && sequences(&resolved, &rank, tokens) >= u64::from(asked.workload.concurrency))
}
