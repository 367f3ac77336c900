//! The smallest single changes that make it fit. Each is evaluated; none is offered that does not help.
use super::{
    arguments::best_partition,
    glance::{Glance, glance},
    output::{Outcome, Plan, Remedy},
    scenario::Scenario,
};
use crate::{
    engine::{NO_ITEMS, ResolvedArgs},
    gpu::ComputeCapability,
    memory::rank_weights::KnownWeights,
    text::commas,
    units::Utilization,
};

/// How many are offered at most.
const MOST: usize = 5;

/// Remedies for a plan that does not fit, or is tight; the cheapest first.
pub(super) fn remedies(scenario: &Scenario, plan: &Plan, known: &mut KnownWeights) -> Vec<Remedy> {
    let mut remedies = Vec::new();
    for (change, label) in candidates(scenario, plan, known) {
        let mut changed = scenario.clone();
        if change.iter().any(|(id, value)| changed.set(id, value).is_err()) {
            continue;
        }
        let after = glance(&changed, known).filter(|after| rank(after.outcome) > rank(plan.verdict.outcome));
        if let Some(after) = after {
            remedies.push(Remedy {
                change,
                label,
                outcome: after.outcome,
                effect: effect(&after),
            });
        }
        if remedies.len() == MOST {
            break;
        }
    }
    remedies
}

fn rank(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Fits => 3,
        Outcome::Tight => 2,
        Outcome::DoesNotFit => 1,
        Outcome::Unsupported => 0,
    }
}

fn effect(after: &Glance) -> String {
    format!(
        "{}, {} of KV cache for {:.1} full-length sequences",
        after.outcome.words().to_ascii_lowercase(),
        after.kv_cache_available,
        after.max_concurrency
    )
}

type Candidate = (Vec<(String, String)>, String);

fn one(id: &str, value: String, label: String) -> Candidate {
    (vec![(id.to_owned(), value)], label)
}

/// Changes that may help, in the order of what they cost.
fn candidates(scenario: &Scenario, plan: &Plan, known: &mut KnownWeights) -> Vec<Candidate> {
    let Some(args) = &plan.args else {
        let tower = scenario.model.spec.as_ref().is_ok_and(|spec| spec.has_tower);
        let label = format!("Plan the language model alone: {}", leaving_out(scenario));
        return (tower && scenario.vllm_version.memory_rules().zero_limits_leave_out)
            .then(|| one("language_model_only", "true".to_owned(), label))
            .into_iter()
            .collect();
    };
    let mut all = Vec::new();
    if let Some(counts) = best_partition(scenario, known) {
        let counts = commas(&counts);
        let label = format!("Share the layers out by the GPUs' memory: `VLLM_PP_LAYER_PARTITION={counts}`");
        all.push(one("pp_layer_partition", counts, label));
    }
    if !weights_alone_are_too_large(plan, 1) {
        all.extend(around_the_weights(scenario, plan, args, known));
    }
    // Whisper's decoder is nothing without its encoder.
    let spec = scenario.model.spec.as_ref();
    let optional_tower = scenario.vllm_version.memory_rules().zero_limits_leave_out
        && spec.is_ok_and(|spec| spec.has_tower && !spec.whole_embedding);
    if optional_tower && !args.language_model_only.value {
        all.push(one(
            "language_model_only",
            "true".to_owned(),
            format!("Leave the tower out, text only: {}", leaving_out(scenario)),
        ));
    }
    all.extend(wider(scenario, plan, args.tensor_parallel_size.value));
    if args.quantization.is_none() && computes_in_fp8(scenario) {
        all.push(one(
            "quantization",
            "fp8_per_tensor".to_owned(),
            "Quantise while loading: `--quantization fp8_per_tensor`".to_owned(),
        ));
    }
    all
}

/// What leaves a tower out in this version.
fn leaving_out(scenario: &Scenario) -> String {
    if scenario.vllm_version.memory_rules().language_model_only {
        "`--language-model-only`".to_owned()
    } else {
        format!("`--limit-mm-per-prompt '{NO_ITEMS}'`")
    }
}

/// Whether a GPU could not hold a rank's weights, even cut into so many parts.
fn weights_alone_are_too_large(plan: &Plan, parts: u32) -> bool {
    plan.memory
        .as_ref()
        .is_some_and(|memory| memory.weights_bytes > memory.gpu_total_bytes * u64::from(parts))
}

fn computes_in_fp8(scenario: &Scenario) -> bool {
    let needed = ComputeCapability { major: 8, minor: 9 };
    let capability = scenario.hardware.gpu.compute_capability;
    capability.is_some_and(|c| c >= needed)
}

/// What leaves the weights as they are.
fn around_the_weights(
    scenario: &Scenario,
    plan: &Plan,
    args: &ResolvedArgs,
    known: &mut KnownWeights,
) -> Vec<Candidate> {
    let mut all = Vec::new();
    let used = scenario.hardware.memory_used.get() > 0;
    if args.gpu_memory_utilization.value < Utilization::from_percent(95)
        && !used
        && args.kv_cache_memory_bytes.is_none()
    {
        all.push(one(
            "gpu_memory_utilization",
            "0.95".to_owned(),
            "Raise `--gpu-memory-utilization` to 0.95".to_owned(),
        ));
    }
    let seqs = args.max_num_seqs.value;
    let wanted = scenario.workload.concurrency.next_multiple_of(8).max(16);
    if wanted < seqs {
        all.push(one(
            "max_num_seqs",
            wanted.to_string(),
            format!("Lower `--max-num-seqs` to {wanted}"),
        ));
    }
    if let Some(length) = shorter(plan, known) {
        all.push(one(
            "max_model_len",
            length.to_string(),
            format!("Lower `--max-model-len` to {length}"),
        ));
    }
    if !args.kv_cache_dtype.value.is_fp8() && computes_in_fp8(scenario) {
        all.push(one(
            "kv_cache_dtype",
            "fp8".to_owned(),
            "Use `--kv-cache-dtype fp8`".to_owned(),
        ));
    }
    let tokens = args.max_num_batched_tokens.value;
    if tokens > 2048 {
        all.push(one(
            "max_num_batched_tokens",
            "2048".to_owned(),
            "Lower `--max-num-batched-tokens` to 2048".to_owned(),
        ));
    }
    if !args.enforce_eager.value {
        all.push(one(
            "enforce_eager",
            "true".to_owned(),
            "Use `--enforce-eager` (no CUDA graphs, slower)".to_owned(),
        ));
    }
    all
}

/// A context that fits, if a useful one does.
fn shorter(plan: &Plan, known: &mut KnownWeights) -> Option<u64> {
    let args = plan.args.as_ref()?;
    let memory = plan.memory.as_ref()?;
    let length = u64::from(args.max_model_len.value);
    if plan.verdict.outcome != Outcome::DoesNotFit || memory.num_blocks < 2 {
        return None;
    }
    // Found by the same search as vLLM's own suggestion; a round figure reads better.
    let fits = super::arguments::longest_for(&plan.scenario, length, known)?;
    let round = if fits >= 4096 {
        fits / 1024 * 1024
    } else {
        fits / 16 * 16
    };
    (round > 0 && round < length).then_some(round)
}

/// More GPUs per layer: first those that are there, then the next sizes that could be.
fn wider(scenario: &Scenario, plan: &Plan, tp: u32) -> Vec<Candidate> {
    let mut all = Vec::new();
    for factor in [2, 4, 8] {
        let next = tp.saturating_mul(factor);
        if next > 16 {
            break;
        }
        if weights_alone_are_too_large(plan, factor) {
            continue;
        }
        let needed = next * scenario.engine.data_parallel_size.unwrap_or(1);
        let mut change = vec![("tensor_parallel_size".to_owned(), next.to_string())];
        let label = if needed <= scenario.hardware.gpus {
            format!("Split over {next} GPUs: `--tensor-parallel-size {next}`")
        } else {
            change.insert(0, ("gpus".to_owned(), needed.to_string()));
            format!("Use {needed} GPUs with `--tensor-parallel-size {next}`")
        };
        all.push((change, label));
    }
    all
}
