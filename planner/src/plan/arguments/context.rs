//! How long a sequence may be: as asked, the model's own length, or what fits.
use super::{Refusal, resolve, shape};
use crate::{
    engine::{Chosen, MaxModelLen, ResolvedArgs},
    memory::{
        budget::{BudgetSettings, RankBudget, Stage, checked_blocks, ranks, worst},
        rank_weights::KnownWeights,
    },
    model::ModelSpec,
    plan::{
        judge::unsure,
        scenario::{Defaults, Scenario},
    },
    units::Bytes,
};

pub(super) fn max_model_len(
    scenario: &Scenario,
    spec: &ModelSpec,
    args: &ResolvedArgs,
    settings: &mut BudgetSettings,
    stages: &[Stage],
    known: &mut KnownWeights,
) -> Result<Chosen<u32>, Refusal> {
    let longest = spec.derived_max_model_len;
    if let Some(MaxModelLen::Tokens(tokens)) = scenario.engine.max_model_len {
        if tokens > longest {
            return Err(Refusal::vllms(format!(
                "User-specified max_model_len ({tokens}) is greater than the derived max_model_len ({}={longest} or model_max_length=None in model's config.json). To allow overriding this maximum, set the env var VLLM_ALLOW_LONG_MAX_MODEL_LEN=1.",
                spec.derived_max_model_len_key
            )));
        }
        return Ok(Chosen::user(tokens));
    }
    let default = spec.default_max_model_len;
    let why_default = format!("The model's own length ({}).", spec.derived_max_model_len_key);
    let auto = scenario.engine.max_model_len == Some(MaxModelLen::Auto);
    if !auto && scenario.defaults == Defaults::Vllm {
        return Ok(Chosen::default(default, why_default));
    }
    let ranks = ranks(spec, shape(args), settings, stages, known);
    let fits = longest_that_fits(spec, settings, &ranks, default, Bytes::ZERO);
    if auto {
        return Ok(Chosen {
            why: "auto: the longest that fits.".to_owned(),
            ..Chosen::user(fits.max(1))
        });
    }
    // As far as the estimate is sure of it.
    let fits = match longest_that_fits(spec, settings, &ranks, default, unsure(settings.total)) {
        0 => fits,
        sure => sure,
    };
    if fits >= default {
        return Ok(Chosen::default(default, why_default));
    }
    let needed = tokens_per_sequence(scenario, spec).min(default);
    let round = if fits >= 4096 {
        fits / 1024 * 1024
    } else {
        fits / 16 * 16
    };
    if round < needed || round == 0 {
        let why = "What your prompt and answer need; even this does not fit.".to_owned();
        return Ok(Chosen::recommended(
            needed,
            if fits >= needed {
                "What your prompt and answer need.".to_owned()
            } else {
                why
            },
        ));
    }
    Ok(Chosen::recommended(
        round,
        format!("The longest that surely fits; the model could take {default}."),
    ))
}

/// Tokens of one typical request: nothing is generated where the model pools.
pub(in crate::plan) fn tokens_per_sequence(scenario: &Scenario, spec: &ModelSpec) -> u32 {
    if spec.pooling.is_some() {
        scenario.workload.prompt()
    } else {
        scenario.workload.tokens_per_sequence()
    }
}

/// The longest context of which one sequence fits on every rank, with so much to spare.
fn longest_that_fits(
    spec: &ModelSpec,
    settings: &BudgetSettings,
    ranks: &[RankBudget],
    limit: u32,
    spare: Bytes,
) -> u32 {
    if spec.keeps_no_cache() {
        return limit;
    }
    let blocks = checked_blocks(ranks, &settings.rules);
    let longest = worst(ranks).map_or(0, |rank| {
        let kept = spare.get().div_ceil(rank.layout.bytes_per_block.max(1));
        rank.layout
            .longest(blocks.saturating_sub(kept), 1, u64::from(limit))
    });
    u32::try_from(longest).unwrap_or(u32::MAX)
}

/// The longest context up to `limit` that one sequence can have in this scenario.
pub(in crate::plan) fn longest_for(scenario: &Scenario, limit: u64, known: &mut KnownWeights) -> Option<u64> {
    let spec = scenario.model.spec.as_ref().ok()?;
    let resolved = resolve(scenario, spec, known).ok()?;
    let limit = u32::try_from(limit).unwrap_or(u32::MAX);
    let ranks = resolved.ranks(known);
    Some(u64::from(longest_that_fits(
        &resolved.spec,
        &resolved.settings,
        &ranks,
        limit,
        Bytes::ZERO,
    )))
}
