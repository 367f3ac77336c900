//! What encoding images, videos or sound takes while vLLM profiles, and what it leaves for the rest of the profile run.
//!
//! Mirrors `vllm/v1/core/encoder_cache_manager.py: compute_mm_encoder_budget`, `multimodal/encoder_budget.py` and
//! `v1/worker/gpu/mm/encoder_runner.py: profile_encoder_cache` at 0.33.0: as many of the largest items as the budget
//! takes are encoded at once, and their outputs stay while the language model is profiled. The tensors alive at the
//! widest point of a block follow from the classes' forward passes, without kernels' workspaces.
use super::activations::RunSettings;
use crate::{
    model::{Encoder, ModelSpec},
    units::Bytes,
};

/// How a tower is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TowerSettings {
    /// `--mm-encoder-tp-mode data`.
    pub data_parallel: bool,
    /// Encoding is profiled: not with `--skip-mm-profiling`.
    pub profiled: bool,
    /// Images, chunks of vision or sounds that a prompt may have.
    pub item_limit: u32,
    /// Videos that a prompt may have.
    pub video_limit: u32,
    /// `max_pixels` of `--mm-processor-kwargs`.
    pub max_pixels: Option<u32>,
    /// max_model_len.
    pub max_model_len: u32,
}

/// What is encoded, and what it takes on one rank.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EncoderMemory {
    /// Items that are encoded at once.
    pub items: u64,
    /// Tokens of one.
    pub tokens: u64,
    /// Peak while encoding.
    pub peak: Bytes,
    /// The encoded tokens.
    pub outputs: Bytes,
}

impl EncoderMemory {
    /// Computes it; nothing where nothing is profiled or the largest item is not known.
    pub fn new(spec: &ModelSpec, run: &RunSettings) -> Self {
        let (Some(settings), Ok(tower)) = (run.tower, &spec.tower) else {
            return Self::default();
        };
        let encoder = &tower.encoder;
        let (tokens, limit) = encoder.largest(
            settings.max_model_len,
            settings.item_limit,
            settings.video_limit,
            settings.max_pixels,
        );
        if !settings.profiled || !run.shape.is_first() || tokens == 0 {
            return Self::default();
        }
        let budget = run.max_num_batched_tokens.max(tokens);
        let per_prompt = limit.min(settings.max_model_len / tokens).max(1);
        let items = u64::from(budget / tokens).min(u64::from(run.max_num_seqs) * u64::from(per_prompt));
        let items = items.max(1);
        let tp = run.shape.tp;
        // Data-parallel encoders share the items out.
        let mine = if settings.data_parallel {
            items.div_ceil(u64::from(tp))
        } else {
            items
        };
        let ranks = tower.ranks(tp, settings.data_parallel).unwrap_or((tp, tp));
        let tokens = u64::from(tokens);
        let at_once = match encoder.at_once {
            0 => mine * tokens,
            most => (mine * tokens).min(u64::from(most)),
        };
        Self {
            items,
            tokens,
            peak: Bytes::new(peak(encoder, at_once, ranks, spec.hidden_size)),
            outputs: Bytes::new(2 * items * tokens * u64::from(encoder.output)),
        }
    }
}

/// Bytes alive at the widest point, for so many tokens; elements have two bytes.
fn peak(encoder: &Encoder, tokens: u64, (attention, rest): (u32, u32), hidden: u32) -> u64 {
    let patches = tokens * u64::from(encoder.patches_per_token);
    let width = u64::from(encoder.width);
    // Queries, keys, values and the result; where they are rotated, queries and keys in two more copies.
    let heads = if encoder.rotary { 8 } else { 4 } * width / u64::from(attention);
    let wide = u64::from(encoder.intermediate_size) / u64::from(rest);
    let feed_forward = if encoder.gated { 3 * wide } else { 2 * wide };
    // Beside either: what the block began with, its norm, and for attention the output.
    let block = (3 * width + heads).max(2 * width + feed_forward);
    let output = u64::from(encoder.output);
    // Deepstack's levels are kept until the end, where all are joined.
    let levels = output.saturating_sub(u64::from(hidden));
    let inside = patches * block + tokens * levels;
    let joined = patches * width + 2 * tokens * output;
    2 * (patches * u64::from(encoder.patch) + inside.max(joined))
}
