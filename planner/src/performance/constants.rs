//! The figures that were fitted or measured, each with what it stands on.
//!
//! The shares by generation are fractions of the vendor's peak that large operations reach in published tables of
//! operators (matrix products and streaming reads on A100, H100, H200, B200 and L40S; other generations follow their
//! nearest relative). What is marked *fitted* was fitted over all published runs of vLLM that a plan could be made
//! for, each group of runs (who measured, which model, which GPU) weighing the same; docs/methodology.md has the
//! errors of groups that the fit had not seen.
use super::{machine::Generation, work::Arithmetic};
use crate::engine::VllmVersion;

/// Share of the peak memory bandwidth.
pub(super) fn bandwidth(generation: Generation) -> f64 {
    FITTED_BANDWIDTH
        * match generation {
            Generation::Volta | Generation::SmallBlackwell => 0.85,
            Generation::Ampere => 0.80,
            Generation::Ada => 0.90,
            Generation::Hopper => 0.86,
            Generation::Blackwell => 0.77,
            Generation::Rocm => 0.70,
        }
}

/// Share of that, by how the weights are packed: a kernel that unpacks or scales reads less steadily. *Fitted.*
pub(super) fn packed_bandwidth(arithmetic: Arithmetic) -> f64 {
    match arithmetic {
        Arithmetic::Fp8 | Arithmetic::Fp8Block | Arithmetic::Int8 => 0.812,
        Arithmetic::Half | Arithmetic::Unpacked | Arithmetic::Fp4 => 1.0,
    }
}

/// Share of the peak arithmetic rate in large products of a whole model.
pub(super) fn compute(arithmetic: Arithmetic, generation: Generation) -> f64 {
    let [half, fp8, block, int8, unpacked, fp4] = match generation {
        Generation::Volta => [0.70, 0.70, 0.70, 0.50, 0.50, 0.50],
        Generation::Ampere => [0.85, 0.80, 0.80, 0.50, 0.70, 0.50],
        Generation::Ada => [0.66, 0.50, 0.40, 0.45, 0.55, 0.45],
        Generation::Hopper => [0.80, 0.58, 0.56, 0.50, 0.60, 0.50],
        Generation::Blackwell => [0.68, 0.46, 0.42, 0.50, 0.50, 0.40],
        Generation::SmallBlackwell => [0.60, 0.45, 0.38, 0.40, 0.50, 0.35],
        Generation::Rocm => [0.50, 0.40, 0.35, 0.40, 0.40, 0.40],
    };
    match arithmetic {
        Arithmetic::Half => FITTED_HALF * half,
        Arithmetic::Unpacked => FITTED_UNPACKED * unpacked,
        Arithmetic::Fp8 => FITTED_NARROW * fp8,
        Arithmetic::Fp8Block => FITTED_NARROW * block,
        Arithmetic::Int8 => FITTED_NARROW * int8,
        Arithmetic::Fp4 => FITTED_NARROW * fp4,
    }
}

/// Bandwidth over all generations. *Fitted.*
const FITTED_BANDWIDTH: f64 = 0.892;
/// Products of 16-bit floats over all generations. *Fitted.*
const FITTED_HALF: f64 = 0.576;
/// The same over weights that are unpacked on the way. *Fitted.*
const FITTED_UNPACKED: f64 = 0.708;
/// Products of narrower numbers. *Fitted.*
const FITTED_NARROW: f64 = 0.694;
/// Cards whose 16-bit products are listed at half rate, since they add in 32 bits, reach more of it. *Fitted.*
pub(super) const HALF_RATE_CARDS: f64 = 1.50;

/// Routed experts against dense products of the same format: small groups of rows. *Fitted.*
pub(super) const EXPERT_COMPUTE: f64 = 0.544;
/// Reading experts against reading dense weights. *Fitted.*
pub(super) const EXPERT_BANDWIDTH: f64 = 0.886;
/// Experts on AMD's workstation cards, where vLLM has no tuned kernel. *Fitted on one card.*
pub(super) const EXPERTS_ON_WORKSTATION_ROCM: f64 = 0.435;
/// Tokens choose alike: fewer distinct experts are hit than by chance. *Fitted.*
pub(super) const EXPERTS_HIT: f64 = 0.880;
/// Routing, sorting and combining in one layer, in seconds. *Fitted.*
pub(super) const EXPERT_LAYER: f64 = 64.5e-6;

/// Share of the peak memory bandwidth when reading the cache. *Fitted.*
pub(super) const CACHE_BANDWIDTH: f64 = 0.730;
/// Attention within a prompt against the peak of 16-bit products. *Fitted.*
pub(super) const PROMPT_ATTENTION: f64 = 0.498;

/// Norms, rotary embedding, activation and gaps of one layer, in seconds. *Fitted.*
pub(super) const LAYER: f64 = 11.8e-6;
/// More of it where ranks wait for each other. *Fitted.*
pub(super) const LAYER_IN_PARALLEL: f64 = 16.3e-6;
/// More of it for latent attention: its many small products. *Fitted on two runs of DeepSeek R1.*
pub(super) const LATENT_LAYER: f64 = 75.8e-6;
/// Launching one layer's kernels without CUDA graphs: about ten at 8 µs (published traces of eager runs).
pub(super) const EAGER_LAYER: f64 = 80.0e-6;
/// The shortest step: preparing inputs on the host hides behind the GPU only so far. *Fitted.*
pub(super) const SHORTEST_STEP: f64 = 1.95e-3;
/// Sampling and bookkeeping of one sequence in a step, in seconds. *Fitted.*
pub(super) const SEQUENCE: f64 = 4.1e-6;
/// Of a request outside the engine: HTTP, tokens, hand-over. *Fitted.*
pub(super) const REQUEST: f64 = 10.4e-3;
/// In a closed loop the first requests come all at once: on average over a run, a prompt waits for this share of the
/// others. *Fitted on runs of four to ten waves.*
pub(super) const FIRST_WAVE: f64 = 0.104;

/// What the host adds to each step. *Fitted* for the first engine, for the second before it scheduled ahead of the GPU,
/// and since.
pub(super) fn host(version: VllmVersion) -> f64 {
    if version < VllmVersion::new(8, 0) {
        2.53e-3
    } else if version < VllmVersion::new(11, 0) {
        1.66e-3
    } else {
        0.53e-3
    }
}

/// An all-reduce of small messages in a CUDA graph over NVLink, in seconds (published tables: 4.2 to 7.3 µs).
pub(super) const NVLINK_LATENCY: f64 = 4.5e-6;
/// Share of NVLink's rate in one direction that large messages reach (the same tables).
pub(super) const NVLINK_SHARE: f64 = 0.75;
/// Between nodes, per GPU: latency in seconds and bytes per second of a usual 400 Gb/s adapter.
pub(super) const NETWORK: (f64, f64) = (25.0e-6, 50.0e9);

/// Over PCIe without direct access: latency in seconds, and share of the slot's rate (published tables of L40S).
pub(super) fn pcie(tp: u32) -> (f64, f64) {
    let (latency, share) = match tp {
        ..=2 => (5.0e-6, 0.80),
        3..=4 => (13.0e-6, 0.13),
        _ => (25.0e-6, 0.06),
    };
    (latency, FITTED_PCIE * share)
}

/// *Fitted.*
const FITTED_PCIE: f64 = 1.15;

/// Bytes per second of a slot of 16 lanes, one direction.
pub(super) fn slot(generation: u8) -> f64 {
    match generation {
        ..=3 => 12.0e9,
        4 => 24.0e9,
        5 => 48.0e9,
        _ => 96.0e9,
    }
}
