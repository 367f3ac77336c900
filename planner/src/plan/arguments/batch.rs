//! The batch: sequences and tokens of one step.
//!
//! Mirrors `vllm/engine/arg_utils.py: get_batch_defaults` at 0.33.0.
use super::Refusal;
use crate::{
    engine::{Chosen, ResolvedArgs, SetBy},
    model::ModelSpec,
    plan::scenario::{Defaults, Scenario},
    units::Bytes,
    workload::BatchingMode,
};

pub(super) struct Batch {
    pub(super) max_num_seqs: Chosen<u32>,
    pub(super) max_num_batched_tokens: Chosen<u32>,
}

impl Batch {
    pub(super) fn new(scenario: &Scenario, spec: &ModelSpec, total: Bytes, first_engine: bool) -> Self {
        let gpu = &scenario.hardware.gpu;
        let gb10 = gpu.compute_capability.is_some_and(|c| c.number() == 121);
        let a100 = gpu.name.to_ascii_lowercase().contains("a100");
        let rules = scenario.vllm_version.memory_rules();
        // GB10 by name from 0.31 on; before, NVML does not tell its memory, which vLLM takes for none (its pull request
        // 57378).
        let small = a100 || gb10;
        let big = total >= Bytes::from_gib(70) && !small;
        let (tokens, seqs, class) = match total {
            // `config.py: SchedulerConfig.__post_init__` at 0.8.5 to 0.10.1.
            _ if first_engine => {
                let least = match spec.pooling {
                    Some(_) => 32_768,
                    None if spec.has_tower => 5120,
                    None => 2048,
                };
                (least, 256, "any size in the first engine")
            }
            total if total >= Bytes::from_gib(160) && rules.large_gpu_batches => {
                (16_384, 1024, "160 GiB or more")
            }
            _ if big => (8192, 1024, "70 GiB or more"),
            _ => (2048, 256, "its size"),
        };
        let why = format!("vLLM's default for `vllm serve` on a GPU of {class}.");
        let recommend = scenario.defaults == Defaults::Recommended;
        let wanted = scenario
            .workload
            .concurrency
            .saturating_mul(2)
            .next_multiple_of(16)
            .max(32);
        let max_num_seqs = match scenario.engine.max_num_seqs {
            Some(set) => Chosen::user(set),
            // How many run at once follows from a rate where one is stated, not from the concurrency.
            None if recommend
                && scenario.workload.rate_milli().is_none()
                && wanted < seqs
                && spec.pooling.is_none() =>
            {
                let saved = Bytes::new(u64::from(seqs - wanted) * 18 * u64::from(spec.vocab_size));
                Chosen::recommended(
                    wanted,
                    format!(
                        "Twice your concurrency; the default of {seqs} would keep {saved} more for the sampler."
                    ),
                )
            }
            None => Chosen::default(seqs, why.clone()),
        };
        let mode = scenario.workload.batching_mode;
        let max_num_batched_tokens = match scenario.engine.max_num_batched_tokens {
            Some(set) => Chosen::user(set),
            None if recommend && mode == BatchingMode::Throughput && tokens < 16_384 => Chosen::recommended(
                tokens * 2,
                "Larger steps raise throughput and cost activation memory.",
            ),
            None if recommend && mode == BatchingMode::Latency && tokens > 2048 => {
                Chosen::recommended(2048, "Shorter steps keep the time between two tokens even.")
            }
            None => Chosen::default(tokens, why),
        };
        Self {
            max_num_seqs,
            max_num_batched_tokens,
        }
    }
}

/// vLLM's last adjustments of the batch, once the context is known.
/// `cuts`: the first engine cuts long prompts by itself.
pub(super) fn finish(args: &mut ResolvedArgs, scenario: &Scenario, cuts: bool) -> Result<(), Refusal> {
    let (seqs, length) = (args.max_num_seqs.value, args.max_model_len.value);
    let limit = u64::from(seqs) * u64::from(length);
    let set = scenario.engine.max_num_batched_tokens;
    let tokens = args.max_num_batched_tokens.value;
    let whole = !args.enable_chunked_prefill.value;
    if whole && cuts && length > 32_768 && args.enable_chunked_prefill.set_by == SetBy::VllmDefault {
        args.enable_chunked_prefill =
            Chosen::default(true, "The first engine's default beyond 32768 tokens.");
    } else if whole && tokens < length {
        if set.is_some() {
            return Err(Refusal::vllms(format!(
                "max_num_batched_tokens ({tokens}) is smaller than max_model_len ({length}). This effectively limits the maximum sequence length to max_num_batched_tokens and makes vLLM reject longer sequences. Please increase max_num_batched_tokens or decrease max_model_len."
            )));
        }
        args.max_num_batched_tokens = Chosen::default(
            length,
            "Without chunked prefill a whole prompt must fit in one step.",
        );
    }
    if set.is_none() && u64::from(args.max_num_batched_tokens.value) > limit {
        let value = u32::try_from(limit).unwrap_or(u32::MAX);
        args.max_num_batched_tokens = Chosen::default(value, "No more than max_num_seqs × max_model_len.");
    }
    let tokens = args.max_num_batched_tokens.value;
    if seqs > tokens {
        if scenario.engine.max_num_seqs.is_some() {
            return Err(Refusal::vllms(format!(
                "max_num_batched_tokens ({tokens}) must be greater than or equal to max_num_seqs ({seqs})."
            )));
        }
        args.max_num_seqs = Chosen::default(tokens, "No more than max_num_batched_tokens.");
    }
    Ok(())
}
