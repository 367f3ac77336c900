//! What is neither weights nor KV cache nor activations: CUDA graphs, allocations outside torch, the context.
//!
//! None of this follows from shapes; the constants and what they were fitted on stand beside each.
use super::{activations::RunSettings, shape::RankShape};
use crate::engine::MemoryRules;
use crate::gpu::XPU;
use crate::model::{Mixer, ModelSpec};
use crate::units::{Bytes, KIB, MIB};

/// Bytes of one captured graph per layer. Fitted by eye on a dozen start-up logs of 0.10 to 0.26 (dense and MoE, 28 to
/// 94 layers, 2 to 1024 sequences); single runs lie between a third and twice of it.
const GRAPH_BYTES_PER_LAYER: u64 = 200 * KIB;

/// Outside torch on one GPU, above what vLLM finds: kernels and the profile's leftovers. 0.02 to 0.09 GiB in ten logs
/// of 0.8 to 0.17 (T4, L4, A100, H100, RTX 3090, 4080, 4090, PRO 6000), and in stages of 0.19.0 before the last.
const NON_TORCH_SINGLE: u64 = 64 * MIB;

/// The same where graphs are captured on trial: 0.24 to 0.25 GiB in 0.19.0 logs on H100, 0.23 GiB in a 0.26 log on A100.
const NON_TORCH_SINGLE_NEWER: u64 = 246 * MIB;

/// With FlashInfer's fused all-reduce, whose workspace is allocated outside torch: 2.06 to 2.13 GiB in 0.19.0 logs on H100 SXM.
const NON_TORCH_FUSED: u64 = 2_140 * MIB;

/// With NCCL inside the budget, on modules with NVLink switches: 2.2 to 2.3 GiB in two logs of 0.10.0 on 8 H100 SXM.
const NON_TORCH_COMMUNICATORS: u64 = 2_300 * MIB;

/// With tensor parallelism elsewhere: 0.1 to 0.4 GiB in eight logs of 0.11 to 0.19 (R9700, RTX 3090, H100).
const NON_TORCH_PAIRED: u64 = 256 * MIB;

/// The same with NCCL inside the budget: 0.12 GiB in two logs of 0.10.1 on a pair of A100.
const NON_TORCH_PAIRED_OLDER: u64 = 128 * MIB;

/// Where CPU and GPU share one memory: what vLLM takes for free is the system's available memory, so the engine's own
/// processes count as they grow (`utils/mem_utils.py: MemorySnapshot.measure`). 1.64 to 1.91 GiB in three logs of 0.13 to
/// 0.25 on GB10.
const NON_TORCH_UNIFIED: u64 = 1_790 * MIB;

/// On an Intel GPU, with the second runner and with the first, and more where torch compiles: in logs of 0.29.0 and 0.28.0
/// on one Arc Pro B60 1.03 GiB, 0.2 of it the sampler's state, 1.50 and 1.73 GiB.
const NON_TORCH_XPU: [u64; 3] = [850 * MIB, 1_536 * MIB, 236 * MIB];

/// The CUDA context and what else a process takes before vLLM looks: 0.53 GiB in a log on H100 (78.66 of 79.19 GiB free).
const CONTEXT: u64 = 543 * MIB;

/// The same on an Intel GPU: 22.33 of 22.71 GiB were free on an Arc Pro B60 with 0.29.0.
const CONTEXT_XPU: u64 = 389 * MIB;

/// Batch sizes that vLLM captures (`vllm/config/vllm.py: _set_cudagraph_sizes` at 0.33.0).
pub fn capture_sizes(run: &RunSettings, blackwell: bool) -> Vec<u32> {
    let ceiling = if blackwell { 1024 } else { 512 };
    let query = run.decode_tokens();
    let wanted = run
        .max_num_seqs
        .saturating_mul(2)
        .saturating_mul(query)
        .min(ceiling);
    let largest = wanted.min(run.max_num_batched_tokens);
    let mut sizes: Vec<u32> = [1, 2, 4].into_iter().collect();
    sizes.extend((8..256).step_by(8));
    sizes.extend((256..=largest).step_by(16));
    sizes.retain(|size| *size <= largest);
    let mut add = |size: u32| match sizes.binary_search(&size) {
        Err(at) if size <= largest => sizes.insert(at, size),
        _ => {}
    };
    add(run.max_num_batched_tokens);
    if query == 1 {
        add(run.max_num_seqs);
    } else {
        // Whole requests with what is proposed for each.
        let most = run.max_num_seqs.min(ceiling);
        let counts = [1, 2, 4].into_iter().chain((8..256).step_by(8));
        let counts = counts
            .chain((256..=most).step_by(16))
            .filter(|count| *count <= most);
        counts
            .chain([most])
            .for_each(|count| add(count.saturating_mul(query)));
    }
    sizes
}

/// Graphs: one per size for mixed batches, and one per size up to max_num_seqs for pure decoding.
/// A request decodes `query` tokens at once. With adapters each comes twice.
pub fn graph_count(sizes: &[u32], max_num_seqs: u32, query: u32, adapters: bool) -> u64 {
    let mut requests: Vec<u32> = sizes.iter().map(|size| size.div_ceil(query.max(1))).collect();
    requests.retain(|count| *count <= max_num_seqs);
    requests.dedup();
    (sizes.len() + requests.len()) as u64 * if adapters { 2 } else { 1 }
}

/// What the first runner sets aside: it captures the two largest graphs of a kind and multiplies the second, which grows
/// with the batch (`v1/worker/gpu_model_runner.py: profile_cudagraph_memory` at 0.25.1). Fitted on six logs of 0.19 to
/// 0.26 that print the estimate, 0.13 to 4.8 GiB (32 to 512 tokens, 30 to 48 layers): within 45 %.
pub fn sampled_graphs(graphs: u64, largest: u32) -> Bytes {
    let each = 6 * MIB + u64::from(largest) * 50 * KIB;
    Bytes::new(graphs * each)
}

/// What the second runner sets aside for that many CUDA graphs over that many layers.
pub fn cuda_graphs(graphs: u64, layers: u32) -> Bytes {
    Bytes::new(graphs * u64::from(layers) * GRAPH_BYTES_PER_LAYER)
}

/// Grows outside torch between vLLM's first look at the memory and the end of the profile run.
pub fn non_torch(shape: &RankShape, capability: u16, rules: &MemoryRules, eager: bool) -> Bytes {
    let module = (90..110).contains(&capability);
    // `config/vllm.py: enable_allreduce_rms_fusion`, a pass of torch.compile: one eager 0.19 log on 8 H200 has 0.5 GiB.
    // Orin, Thor and GB10.
    let unified = matches!(capability, 87 | 110 | 121);
    let alone = shape.pp == 1 && shape.dp == 1;
    let fused = rules.fused_all_reduce && !eager && (alone || rules.fused_beside_stages);
    let [second, first, compiled] = NON_TORCH_XPU;
    let compiled = if eager { 0 } else { compiled };
    Bytes::new(match shape.tp {
        _ if capability == XPU && rules.sampler_state => second + compiled,
        _ if capability == XPU => first + compiled,
        1 if unified => NON_TORCH_UNIFIED,
        1 if rules.profile_leaves_more && shape.pp == 1 && !eager => NON_TORCH_SINGLE_NEWER,
        1 => NON_TORCH_SINGLE,
        _ if module && fused => NON_TORCH_FUSED,
        _ if module && rules.communicators_in_budget => NON_TORCH_COMMUNICATORS,
        _ if rules.communicators_in_budget => NON_TORCH_PAIRED_OLDER,
        _ if unified => NON_TORCH_UNIFIED + NON_TORCH_PAIRED,
        _ => NON_TORCH_PAIRED,
    })
}

/// What Inkling's fused collectives keep on each of 2, 4 or 8 GPUs: two buffers of three steps, in torch's symmetric memory,
/// which is outside its allocator (`models/inkling/nvidia/ops/lamport.py`; its pages of 2 MiB and what it adds for
/// signals are from memory).
pub fn symmetric(spec: &ModelSpec, tp: u32, max_num_batched_tokens: u32) -> Bytes {
    let relative = spec
        .layers
        .iter()
        .any(|run| matches!(run.mixer, Mixer::Attention(a, _) if a.relative.is_some_and(|r| r.kernel == 4)));
    if !relative || !matches!(tp, 2 | 4 | 8) {
        return Bytes::ZERO;
    }
    let steps = 3 * 2 * u64::from(max_num_batched_tokens.min(16_384));
    let buffer = steps * u64::from(spec.hidden_size) + KIB;
    Bytes::new(2 * buffer.next_multiple_of(2 * MIB))
}

/// Taken before vLLM looks: outside its budget, but on the card.
pub fn context(capability: u16) -> Bytes {
    Bytes::new(if capability == XPU { CONTEXT_XPU } else { CONTEXT })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::VllmVersion;

    #[test]
    fn a_default_h100_captures_51_sizes_and_a_b200_83() {
        let run = RunSettings {
            shape: RankShape::SINGLE,
            max_num_seqs: 1024,
            max_num_batched_tokens: 8192,
            capability: 90,
            rules: VllmVersion::latest().memory_rules(),
            tower: None,
            speculative: None,
        };
        assert_eq!(capture_sizes(&run, false).len(), 51);
        assert_eq!(capture_sizes(&run, true).len(), 83);
    }

    #[test]
    fn few_sequences_capture_few_sizes() {
        let run = RunSettings {
            shape: RankShape::SINGLE,
            max_num_seqs: 16,
            max_num_batched_tokens: 2048,
            capability: 90,
            rules: VllmVersion::latest().memory_rules(),
            tower: None,
            speculative: None,
        };
        assert_eq!(capture_sizes(&run, false), [1, 2, 4, 8, 16, 24, 32]);
    }
}
