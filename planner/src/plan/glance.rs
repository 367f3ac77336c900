//! Many scenarios of one model, judged without what explains a plan.
use super::{
    evaluate::{need, resolve},
    judge,
    output::Outcome,
    scenario::Scenario,
    speed,
};
use crate::{
    memory::{budget::worst, rank_weights::KnownWeights},
    model::ModelInput,
    performance::Performance,
    units::Bytes,
};

/// What a remedy is judged by: the verdict and the cache.
pub(super) struct Glance {
    pub(super) outcome: Outcome,
    pub(super) kv_cache_available: Bytes,
    pub(super) max_concurrency: f64,
}

/// As [`super::evaluate`] would judge it; `None` where there would be no figures.
pub(super) fn glance(scenario: &Scenario, known: &mut KnownWeights) -> Option<Glance> {
    let resolved = resolve(scenario, known).ok()?;
    let ranks = resolved.ranks(known);
    let rank = worst(&ranks)?;
    let need = need(scenario, &resolved, &ranks, rank);
    let length = resolved.args.max_model_len.value;
    Some(Glance {
        outcome: judge::verdict(scenario, &resolved, rank, &need).outcome,
        kv_cache_available: rank.available.unwrap_or(Bytes::ZERO),
        max_concurrency: rank.kv_plan(rank.num_blocks, length).max_concurrency,
    })
}

/// What a search compares layouts by.
#[derive(Clone, Debug, PartialEq)]
pub struct Look {
    /// The verdict's.
    pub outcome: Outcome,
    /// The verdict's, in one sentence.
    pub reason: String,
    /// What is missing on each GPU before vLLM starts.
    pub shortfall_bytes: Bytes,
    /// max_model_len, as it was chosen.
    pub max_model_len: u32,
    /// Where vLLM starts and the speed can be said.
    pub performance: Option<Performance>,
}

/// Looks at scenarios that share a model; what their weights have in common is computed once.
#[derive(Debug)]
pub struct Looks {
    known: KnownWeights,
}

impl Looks {
    /// Of scenarios with that model, cloned from it.
    pub fn new(model: &ModelInput) -> Self {
        Self {
            known: KnownWeights::of(model.spec.as_ref().ok()),
        }
    }

    /// Verdict, context and speed as [`super::evaluate`] finds them.
    pub fn look(&mut self, scenario: &Scenario) -> Look {
        let nothing = |outcome, reason| Look {
            outcome,
            reason,
            shortfall_bytes: Bytes::ZERO,
            max_model_len: 0,
            performance: None,
        };
        let resolved = match resolve(scenario, &mut self.known) {
            Ok(resolved) => resolved,
            Err(refusal) => return nothing(Outcome::Unsupported, refusal.reason),
        };
        let ranks = resolved.ranks(&mut self.known);
        let Some(rank) = worst(&ranks) else {
            return nothing(Outcome::Unsupported, "the layout has no ranks".to_owned());
        };
        let need = need(scenario, &resolved, &ranks, rank);
        let verdict = judge::verdict(scenario, &resolved, rank, &need);
        let starts = verdict.outcome.starts();
        let question = starts.then(|| speed::question(scenario, &resolved, &ranks, rank));
        Look {
            outcome: verdict.outcome,
            reason: verdict.reason,
            shortfall_bytes: verdict.shortfall_bytes,
            max_model_len: resolved.args.max_model_len.value,
            performance: question
                .flatten()
                .map(|question| speed::answer(scenario, &resolved.args, &question)),
        }
    }
}
