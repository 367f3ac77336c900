//! The figures that were fitted or measured, each with what it stands on.
//!
//! What is marked *fitted* was fitted over all published runs of vLLM that a plan could be made for, each group of runs
//! (who measured, which model, which GPU) weighing the same. Every figure was held near a first value: published tables
//! of operators (matrix products, streaming reads, attention, all-reduce on A100, H100, H200, B200 and L40S; other
//! generations follow their nearest relative) or vLLM's own code. docs/methodology.md has the errors of groups that the
//! fit had not seen.
use super::{machine::Generation, work::Arithmetic};
use crate::engine::VllmVersion;

/// Share of the peak memory bandwidth when reading 16-bit weights. *Fitted.*
pub(super) fn bandwidth(generation: Generation) -> f64 {
    match generation {
        Generation::Volta => 0.782,
        Generation::Ampere => 0.701,
        Generation::Ada => 0.840,
        Generation::Hopper => 0.818,
        Generation::Blackwell => 0.717,
        Generation::SmallBlackwell => 0.790,
        Generation::Rocm => 0.641,
    }
}

/// Share of that, by how the weights are packed: a kernel that unpacks or scales reads less steadily, and the bytes
/// counted for 4-bit floats hold what is read rarely. *Fitted.*
pub(super) fn packed_bandwidth(arithmetic: Arithmetic) -> f64 {
    match arithmetic {
        Arithmetic::Half => 1.0,
        Arithmetic::Fp8 | Arithmetic::Fp8Block | Arithmetic::Int8 => 0.836,
        Arithmetic::Unpacked => 0.934,
        Arithmetic::Fp4 => 1.235,
    }
}

/// Share of the peak arithmetic rate in large products of a whole model. *Fitted.*
pub(super) fn compute(arithmetic: Arithmetic, generation: Generation) -> f64 {
    let [half, fp8, block, int8, unpacked, fp4] = match generation {
        Generation::Volta => [0.475, 0.499, 0.499, 0.356, 0.333, 0.302],
        Generation::Ampere => [0.609, 0.570, 0.570, 0.356, 0.492, 0.302],
        Generation::Ada => [0.422, 0.356, 0.285, 0.321, 0.345, 0.272],
        Generation::Hopper => [0.385, 0.413, 0.399, 0.356, 0.283, 0.302],
        Generation::Blackwell => [0.475, 0.328, 0.299, 0.356, 0.343, 0.242],
        Generation::SmallBlackwell => [0.521, 0.321, 0.271, 0.285, 0.426, 0.212],
        Generation::Rocm => [0.352, 0.285, 0.249, 0.285, 0.277, 0.242],
    };
    match arithmetic {
        Arithmetic::Half => half,
        Arithmetic::Unpacked => unpacked,
        Arithmetic::Fp8 => fp8,
        Arithmetic::Fp8Block => block,
        Arithmetic::Int8 => int8,
        Arithmetic::Fp4 => fp4,
    }
}

/// Cards whose 16-bit products are listed at half rate, since they add in 32 bits, reach more of it. *Fitted.*
pub(super) const HALF_RATE_CARDS: f64 = 1.81;
/// Share of the peak memory bandwidth of a copy (published tables: 0.74 to 0.92).
pub(super) const COPY: f64 = 0.85;
/// What norms, activations and rotations of one layer read and write for a token, in its hidden states. *Fitted.*
pub(super) const PASSES: f64 = 17.7;

/// Routed experts against dense products of the same format. *Fitted.*
pub(super) fn expert_compute(arithmetic: Arithmetic) -> f64 {
    match arithmetic {
        Arithmetic::Fp8Block => 0.677,
        Arithmetic::Fp4 => 0.446,
        _ => 0.915,
    }
}

/// A kernel computes an expert's rows in tiles, so that each expert costs about so many more, at most as many as it
/// has. *Fitted* around half a tile of 128.
pub(super) const EXPERT_TILE: f64 = 66.4;
/// Reading experts against reading dense weights. *Fitted.*
pub(super) const EXPERT_BANDWIDTH: f64 = 1.172;
/// Experts on AMD's workstation cards, where vLLM has no tuned kernel. *Fitted on one card.*
pub(super) const EXPERTS_ON_WORKSTATION_ROCM: f64 = 0.396;
/// Tokens choose alike: of the experts that others would add to a token's own so many. *Fitted*, as a share of all.
pub(super) const EXPERTS_HIT: f64 = 0.837;

/// Routing, sorting and combining in one layer, in seconds. *Fitted.*
pub(super) fn expert_layer(arithmetic: Arithmetic, version: VllmVersion) -> f64 {
    if arithmetic == Arithmetic::Fp4 {
        27.7e-6
    } else if version < VllmVersion::new(14, 0) {
        43.4e-6
    } else {
        59.1e-6
    }
}

/// Share of the peak memory bandwidth when reading the cache. *Fitted.*
pub(super) const CACHE_BANDWIDTH: f64 = 0.609;
/// Attention within a prompt against the peak of 16-bit products. *Fitted.*
pub(super) const PROMPT_ATTENTION: f64 = 0.550;

/// Norms, rotary embedding, activation and gaps of one layer, in seconds. *Fitted.*
pub(super) const LAYER: f64 = 16.8e-6;
/// More of it where ranks wait for each other. *Fitted.*
pub(super) const LAYER_IN_PARALLEL: f64 = 18.3e-6;
/// More of it for latent attention: its many small products. *Fitted on two runs of DeepSeek R1.*
pub(super) const LATENT_LAYER: f64 = 130.8e-6;
/// Launching one layer's kernels without CUDA graphs: about ten at 8 µs (published traces of eager runs).
pub(super) const EAGER_LAYER: f64 = 80.0e-6;
/// Tokens of the largest CUDA graph, unless twice max_num_seqs is less (`vllm/config/vllm.py:
/// _set_cudagraph_sizes`): a longer step is launched piece by piece.
pub(super) const LARGEST_GRAPH: f64 = 512.0;

/// Launching one layer piece by piece, in seconds: on up to four ranks, and on a whole node of eight. *Fitted.*
pub(super) fn piecewise_layer(tp: u32) -> f64 {
    if tp < 8 { 281.7e-6 } else { 752.9e-6 }
}

/// A pass of a draft where the host launches it, at least: sampling, positions, slots and what attention wants are small
/// kernels, which are launched in turn. *Fitted* on one series of EAGLE and EAGLE-3.
pub(super) const LAUNCHED_DRAFT: f64 = 0.85e-3;
/// The shortest step: preparing inputs on the host hides behind the GPU only so far. *Fitted.*
pub(super) const SHORTEST_STEP: f64 = 1.71e-3;
/// Sampling and bookkeeping of one sequence in a step, in seconds. *Fitted.*
pub(super) const SEQUENCE: f64 = 4.8e-6;
/// Of a request outside the engine: HTTP, tokens, hand-over. *Fitted.*
pub(super) const REQUEST: f64 = 5.81e-3;
/// In a closed loop the first requests come all at once and stay close: on average over a run, a prompt waits for this
/// share of the others. *Fitted.*
pub(super) const LOOP_WAIT: f64 = 0.055;
/// The same where all come at once and no more follow. Half would wait for the other half; a fifth of published runs of
/// that many are loops all the same. *Fitted.*
pub(super) const BURST_WAIT: f64 = 0.621;
/// The wait of a prompt for others that come by chance, against that of a queue with one place. *Fitted.*
pub(super) const QUEUE_WAIT: f64 = 0.880;
/// The longest answer of a run against the average: with a rate, published runs send conversations. *Fitted.*
pub(super) const LONGEST_ANSWER: f64 = 3.35;

/// What the host adds to each step. *Fitted* for the first engine, for the second before it scheduled ahead of the GPU,
/// and since.
pub(super) fn host(version: VllmVersion) -> f64 {
    if version < VllmVersion::new(8, 0) {
        2.48e-3
    } else if version < VllmVersion::new(11, 0) {
        2.06e-3
    } else {
        0.96e-3
    }
}

/// An all-reduce of small messages in a CUDA graph over NVLink, in seconds (published tables of A100, H100 and B200;
/// the others follow).
pub(super) fn nvlink_latency(generation: Generation) -> f64 {
    match generation {
        Generation::Ampere => 5.2e-6,
        Generation::Hopper => 4.5e-6,
        Generation::Ada | Generation::SmallBlackwell => 5.0e-6,
        Generation::Volta | Generation::Blackwell => 7.0e-6,
        Generation::Rocm => 8.0e-6,
    }
}

/// Share of NVLink's rate in one direction that large messages reach (the same tables).
pub(super) const NVLINK_SHARE: f64 = 0.75;
/// Between nodes, per GPU: latency in seconds and bytes per second of a usual 400 Gb/s adapter.
pub(super) const NETWORK: (f64, f64) = (25.0e-6, 50.0e9);

/// Over PCIe: latency in seconds, and share of the slot's rate. Consumer cards reach each other through the host's
/// memory alone. *Fitted* around published tables of L40S.
pub(super) fn pcie(tp: u32, direct: bool) -> (f64, f64) {
    match (tp, direct) {
        (..=2, true) => (20.4e-6, 0.881),
        (..=2, false) => (20.4e-6, 0.136),
        (3..=4, true) => (15.6e-6, 0.125),
        (3..=4, false) => (15.6e-6, 0.102),
        _ => (77.7e-6, 0.148),
    }
}

/// Of a request to a model that pools, the one process that takes requests needs so many seconds, and for each token of its
/// prompt: two published runs of `vllm bench serve` on small models (vllm#39113: 1089 requests a second of 32 tokens;
/// vllm#23000: 415 of 512, where 16 prompts in a request gave 2.4 times the tokens).
pub(super) const POOLED_REQUEST: (f64, f64) = (0.82e-3, 3.1e-6);
/// Bytes per second from the host's memory where NVLink-C2C joins it, one direction: GH200 has a Grace for itself, two GPUs
/// of GB200 and GB300 share one (NVIDIA's data sheets: 900 GB/s both ways for a Grace), less what copies lose.
pub(super) const CHIP_TO_CHIP: (f64, f64) = (380.0e9, 190.0e9);

/// Bytes per second of a slot of 16 lanes, one direction.
pub(super) fn slot(generation: u8) -> f64 {
    match generation {
        ..=3 => 12.0e9,
        4 => 24.0e9,
        5 => 48.0e9,
        _ => 96.0e9,
    }
}
