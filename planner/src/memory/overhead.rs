//! What is neither weights nor KV cache nor activations: CUDA graphs, allocations outside torch, the context.
//!
//! None of this follows from shapes; the constants and what they were fitted on stand beside each.
use super::activations::RunSettings;
use crate::units::{Bytes, KIB, MIB};

/// Bytes of one captured graph per layer. Fitted by eye on a dozen start-up logs of 0.10 to 0.26 (dense and MoE, 28 to
/// 94 layers, 2 to 1024 sequences); single runs lie between a third and twice of it.
const GRAPH_BYTES_PER_LAYER: u64 = 200 * KIB;

/// Outside torch on one GPU, above the snapshot: cuBLAS, kernels, the profile's leftovers. 0.19.0 logs on H100 say 0.24
/// to 0.25 GiB, a 0.26 log on A100 0.23 GiB.
const NON_TORCH_SINGLE: u64 = 246 * MIB;

/// The same with tensor parallelism on Hopper and Blackwell modules, where communicators and fused all-reduce keep buffers: 2.06 to
/// 2.13 GiB in 0.19.0 logs on H100 SXM; one 0.12 log there had about 0.3 GiB.
const NON_TORCH_NVLINK: u64 = 2_140 * MIB;

/// The same elsewhere: 0.15 GiB in 0.10 logs on A100, 0.36 GiB in 0.19 logs on RTX 3090, 0.4 GiB in 0.13 logs on R9700.
const NON_TORCH_PAIRED: u64 = 400 * MIB;

/// The CUDA context and what else a process takes before vLLM looks: 0.53 GiB in a log on H100 (78.66 of 79.19 GiB free).
const CONTEXT: u64 = 543 * MIB;

/// Batch sizes that vLLM captures (`vllm/config/vllm.py: _set_cudagraph_sizes` at 0.33.0).
pub fn capture_sizes(run: &RunSettings, blackwell: bool) -> Vec<u32> {
    let ceiling = if blackwell { 1024 } else { 512 };
    let largest = run
        .max_num_seqs
        .saturating_mul(2)
        .min(ceiling)
        .min(run.max_num_batched_tokens);
    let mut sizes: Vec<u32> = [1, 2, 4].into_iter().collect();
    sizes.extend((8..256).step_by(8));
    sizes.extend((256..=largest).step_by(16));
    sizes.retain(|size| *size <= largest);
    for extra in [run.max_num_batched_tokens, run.max_num_seqs] {
        if extra <= largest && !sizes.contains(&extra) {
            sizes.push(extra);
        }
    }
    sizes.sort_unstable();
    sizes
}

/// Graphs: one per size for mixed batches, and one per size up to max_num_seqs for pure decoding.
pub fn graph_count(run: &RunSettings, blackwell: bool) -> u64 {
    let sizes = capture_sizes(run, blackwell);
    let decode = sizes.iter().filter(|size| **size <= run.max_num_seqs).count();
    (sizes.len() + decode) as u64
}

/// What vLLM sets aside for that many CUDA graphs over that many layers.
pub fn cuda_graphs(graphs: u64, layers: u32) -> Bytes {
    Bytes::new(graphs * u64::from(layers) * GRAPH_BYTES_PER_LAYER)
}

/// Grows outside torch between vLLM's first look at the memory and the end of the profile run.
pub fn non_torch(tp: u32, capability: u16) -> Bytes {
    Bytes::new(match (tp, capability) {
        (1, _) => NON_TORCH_SINGLE,
        (_, 90..110) => NON_TORCH_NVLINK,
        _ => NON_TORCH_PAIRED,
    })
}

/// Taken before vLLM looks: outside its budget, but on the card.
pub fn context() -> Bytes {
    Bytes::new(CONTEXT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::shape::RankShape;

    #[test]
    fn a_default_h100_captures_51_sizes_and_a_b200_83() {
        let run = RunSettings {
            shape: RankShape::SINGLE,
            max_num_seqs: 1024,
            max_num_batched_tokens: 8192,
            sampler_state: true,
            tower: None,
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
            sampler_state: true,
            tower: None,
        };
        assert_eq!(capture_sizes(&run, false), [1, 2, 4, 8, 16, 24, 32]);
    }
}
