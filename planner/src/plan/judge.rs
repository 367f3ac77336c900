//! From figures to a verdict, in vLLM's words where it would refuse.
use super::{
    arguments::{Resolved, tokens_per_sequence},
    evaluate::Need,
    output::{Outcome, Verdict},
    scenario::Scenario,
};
use crate::{
    memory::{budget::RankBudget, overhead},
    units::{Bytes, GIB},
};

/// How much of the GPU the estimate may be off before "fits" is not sure any more: graphs, allocations outside torch
/// and the forward peak are fitted, together within about this share on the logs that they were held against.
const UNSURE_PERCENT: u64 = 2;

/// What the estimate may be off on a GPU of that size.
pub(super) fn unsure(total: Bytes) -> Bytes {
    Bytes::new(total.get() / 100 * UNSURE_PERCENT)
}

/// Judges a rank.
pub(super) fn verdict(
    scenario: &Scenario,
    resolved: &Resolved<'_>,
    rank: &RankBudget,
    need: &Need,
) -> Verdict {
    let settings = &resolved.settings;
    let taken = settings.used_by_others + overhead::context(settings.capability);
    let free = rank.free;
    if settings.kv_cache_memory.is_none() && free < rank.requested {
        return does_not_fit(
            format!(
                "Other processes and the CUDA context leave {free} of the GPU free; vLLM asks for {}.",
                rank.requested
            ),
            rank.requested.saturating_sub(free),
            Some(startup_error(
                free,
                rank.total,
                settings.utilization.get(),
                rank.requested,
            )),
        );
    }
    if let Some(peak) = rank.unquantised
        && peak + taken > rank.total
    {
        let reason = format!(
            "vLLM {} loads all weights in 16 bits, {peak}, before it quantises them (0.15 and later: one by one): CUDA out of memory.",
            scenario.vllm_version
        );
        return does_not_fit(reason, (peak + taken).saturating_sub(rank.total), None);
    }
    if let Some(set) = rank.fixed
        && rank.non_kv + set + taken > rank.total
    {
        let short = (rank.non_kv + set + taken).saturating_sub(rank.total);
        return does_not_fit(
            format!(
                "The KV cache of {set} does not fit beside the rest: CUDA out of memory while loading or allocating."
            ),
            short,
            None,
        );
    }
    if resolved.spec.keeps_no_cache() {
        return without_cache(scenario, resolved, rank, taken);
    }
    let Some(available) = rank.available.filter(|available| *available > Bytes::ZERO) else {
        let short = rank.non_kv.saturating_sub(rank.requested) + need.one;
        let reason = format!(
            "Weights, buffers and peaks take {}, more than the {} that vLLM may fill.",
            rank.non_kv, rank.requested
        );
        return does_not_fit(reason, short, Some(NO_CACHE_MEMORY.to_owned()));
    };
    let length = resolved.args.max_model_len.value;
    if !rank.kv_plan(need.checked, length).fits {
        let spare = Bytes::new(if settings.rules.null_block {
            rank.layout.bytes_per_block
        } else {
            0
        });
        let (one, available) = need.whole.unwrap_or((need.one, available));
        let short = (one + spare).saturating_sub(available);
        let held = if need.whole.is_some() {
            " on the smallest stage, and this vLLM holds the cache of all stages against it (0.14 to 0.16; later ones each against its own)"
        } else {
            ""
        };
        let reason =
            format!("One sequence of {length} tokens needs {one} of KV cache; {available} is left{held}.");
        let estimate = rank.layout.longest(need.checked, 1, u64::from(length));
        let shown = available.saturating_sub(spare);
        return does_not_fit(reason, short, Some(too_small_error(length, one, shown, estimate)));
    }
    starts(scenario, resolved, need, available, rank.total)
}

/// No cache is planned, and the budget is not held against what the model takes (`v1/engine/core.py:
/// _initialize_kv_caches`): it must fit the GPU.
fn without_cache(scenario: &Scenario, resolved: &Resolved<'_>, rank: &RankBudget, taken: Bytes) -> Verdict {
    let needed = rank.non_kv + taken;
    if needed > rank.total {
        let reason = format!(
            "Weights, buffers and peaks take {}, more than the GPU has: CUDA out of memory.",
            rank.non_kv
        );
        return does_not_fit(reason, needed.saturating_sub(rank.total), None);
    }
    let margin = rank.total.saturating_sub(needed);
    let unsure = unsure(rank.total);
    let (tokens, length) = (
        tokens_per_sequence(scenario, &resolved.spec),
        resolved.args.max_model_len.value,
    );
    let (outcome, reason) = if tokens > length {
        let reason =
            format!("vLLM starts, but a request of {tokens} tokens is longer than max_model_len ({length}).");
        (Outcome::Tight, reason)
    } else if margin < unsure {
        let reason = format!(
            "vLLM should start with {margin} to spare, less than the {unsure} that this estimate can be off."
        );
        (Outcome::Tight, reason)
    } else {
        let reason = format!(
            "vLLM starts. The model attends in both directions and keeps no KV cache; a step takes up to {} sequences and {} tokens.",
            resolved.args.max_num_seqs.value, resolved.args.max_num_batched_tokens.value
        );
        (Outcome::Fits, reason)
    };
    Verdict {
        outcome,
        reason,
        shortfall_bytes: Bytes::ZERO,
        vllm_error: None,
        remedies: Vec::new(),
    }
}

/// vLLM starts: is it sure, and is it enough?
fn starts(
    scenario: &Scenario,
    resolved: &Resolved<'_>,
    need: &Need,
    available: Bytes,
    total: Bytes,
) -> Verdict {
    let concurrency = u64::from(scenario.workload.concurrency);
    let replicas = u64::from(resolved.args.data_parallel_size.value);
    let holds = need.sequences.saturating_mul(replicas);
    let tokens = tokens_per_sequence(scenario, &resolved.spec);
    let too_long = tokens > resolved.args.max_model_len.value;
    let (one, available) = need.whole.unwrap_or((need.one, available));
    let margin = available.saturating_sub(one);
    let unsure = unsure(total);
    let verdict = |outcome, reason| Verdict {
        outcome,
        reason,
        shortfall_bytes: Bytes::ZERO,
        vllm_error: None,
        remedies: Vec::new(),
    };
    if too_long {
        return verdict(
            Outcome::Tight,
            format!(
                "vLLM starts, but prompt and answer ({tokens} tokens) are longer than max_model_len ({}).",
                resolved.args.max_model_len.value
            ),
        );
    }
    if holds < concurrency {
        return verdict(
            Outcome::Tight,
            format!(
                "vLLM starts, but the KV cache holds {holds} of your {concurrency} sequences at once; the others wait."
            ),
        );
    }
    if margin < unsure && resolved.settings.kv_cache_memory.is_none() {
        return verdict(
            Outcome::Tight,
            format!(
                "vLLM should start with {margin} to spare, less than the {unsure} that this estimate can be off."
            ),
        );
    }
    verdict(
        Outcome::Fits,
        format!(
            "vLLM starts, and the KV cache holds {holds} sequences of your workload; you asked for {concurrency}."
        ),
    )
}

fn does_not_fit(reason: String, short: Bytes, vllm_error: Option<String>) -> Verdict {
    Verdict {
        outcome: Outcome::DoesNotFit,
        reason,
        shortfall_bytes: short,
        vllm_error,
        remedies: Vec::new(),
    }
}

/// `v1/worker/utils.py: request_memory`.
fn startup_error(free: Bytes, total: Bytes, utilization: f64, requested: Bytes) -> String {
    format!(
        "Free memory on device cuda:0 ({}/{} GiB) on startup is less than desired GPU memory utilization ({utilization}, {} GiB). Decrease GPU memory utilization or reduce GPU memory used by other processes.",
        python_gib(free),
        python_gib(total),
        python_gib(requested)
    )
}

/// `v1/core/kv_cache_utils.py: _check_enough_kv_cache_memory`.
const NO_CACHE_MEMORY: &str = "No available memory for the cache blocks. Try increasing `gpu_memory_utilization` when initializing the engine (this flag also controls CPU memory reservation on the CPU backend, despite its name).";

fn too_small_error(length: u32, needed: Bytes, available: Bytes, estimate: u64) -> String {
    let estimated = if estimate > 0 {
        format!("Based on the available memory, the estimated maximum model length is {estimate}. ")
    } else {
        String::new()
    };
    format!(
        "To serve at least one request with the model's max seq len ({length}), ({} GiB KV cache is needed, which is larger than the available KV cache memory ({} GiB). {estimated}Try increasing `gpu_memory_utilization` (which also controls CPU memory on the CPU backend) or decreasing `max_model_len` when initializing the engine.",
        python_gib(needed),
        python_gib(available)
    )
}

/// GiB as Python prints `round(x, 2)`: half to even, no trailing zero beyond the first decimal.
fn python_gib(bytes: Bytes) -> String {
    let hundredths = u128::from(bytes.get()) * 100;
    let unit = u128::from(GIB);
    let (whole, rest) = (hundredths / unit, hundredths % unit);
    let up = rest * 2 > unit || (rest * 2 == unit && whole % 2 == 1);
    let rounded = whole + u128::from(up);
    let (gib, cents) = (rounded / 100, rounded % 100);
    if cents.is_multiple_of(10) {
        format!("{gib}.{}", cents / 10)
    } else {
        format!("{gib}.{cents:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gib_prints_as_python_rounds() {
        for (bytes, shown) in [
            (5 * GIB, "5.0"),
            (6_039_797_760, "5.62"),
            (GIB / 2, "0.5"),
            (GIB / 100, "0.01"),
            (85_019_000_000, "79.18"),
        ] {
            assert_eq!(python_gib(Bytes::new(bytes)), shown);
        }
    }
}
