//! The KV cache as vLLM plans it: groups, bytes per block, blocks per request, tokens, concurrency.
//!
//! Mirrors `vllm/v1/kv_cache_interface.py` and `vllm/v1/core/kv_cache_planning.py` at 0.33.0, for full and
//! sliding-window attention. Sizes are never "bytes per token": a sliding window has no such figure.
use super::shape::{RankShape, layers_per_stage};
use crate::{
    model::{AttentionSpan, Mixer, ModelSpec},
    units::Bytes,
};

/// What the cache depends on besides the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KvSettings {
    /// Place in the layout.
    pub shape: RankShape,
    /// Bytes of one element.
    pub element: u64,
    /// Tokens of a block.
    pub block_size: u32,
    /// max_num_batched_tokens.
    pub max_num_batched_tokens: u32,
    /// Steps that may be in flight: one more than the stages, because scheduling is asynchronous.
    pub concurrent_batches: u32,
    /// disable_hybrid_kv_cache_manager: every layer keeps the full length.
    pub no_hybrid: bool,
}

/// Layers that share block tables.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Group {
    span: AttentionSpan,
    /// Layers of this stage.
    layers: u64,
}

/// The layout of a rank's cache, before its size is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KvLayout {
    settings: KvSettings,
    groups: Vec<Group>,
    /// Bytes of one block in one layer.
    pub page_bytes: u64,
    /// Bytes of one block over all layers of this stage.
    pub bytes_per_block: u64,
}

/// A cache of a known size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KvPlan {
    /// Blocks.
    pub num_blocks: u64,
    /// vLLM's "GPU KV cache size".
    pub tokens: u64,
    /// vLLM's "Maximum concurrency for N tokens per request".
    pub max_concurrency: f64,
    /// One block is kept back for padding; the rest must hold one request.
    pub fits: bool,
}

impl KvLayout {
    /// Lays out the cache of one rank.
    pub fn new(spec: &ModelSpec, settings: KvSettings) -> Self {
        let per_token = spec
            .layers
            .first()
            .map_or(0, |run| bytes_per_token(&run.mixer, &settings));
        let page_bytes = u64::from(settings.block_size) * per_token;
        let groups = groups(spec, &settings);
        let widest = groups.iter().map(|group| group.layers).max().unwrap_or(0);
        Self {
            settings,
            groups,
            page_bytes,
            bytes_per_block: widest.saturating_mul(page_bytes),
        }
    }

    /// How many groups of layers there are.
    pub fn group_count(&self) -> usize {
        self.groups.len()
    }

    /// Blocks that one request of `tokens` takes over all groups.
    pub fn blocks_per_request(&self, tokens: u64) -> u64 {
        let block = u64::from(self.settings.block_size);
        let in_flight =
            u64::from(self.settings.concurrent_batches) * u64::from(self.settings.max_num_batched_tokens);
        let blocks = |group: &Group| match group.span {
            AttentionSpan::Full => tokens.div_ceil(block),
            AttentionSpan::Sliding(window) => {
                (u64::from(window).saturating_sub(1) + in_flight)
                    .min(tokens)
                    .div_ceil(block)
                    + 1
            }
        };
        self.groups.iter().map(blocks).sum()
    }

    /// What `sequences` requests of `tokens` need.
    pub fn bytes_for(&self, tokens: u64, sequences: u64) -> Bytes {
        let blocks = u128::from(self.blocks_per_request(tokens)) * u128::from(sequences);
        Bytes::new(u64::try_from(blocks * u128::from(self.bytes_per_block)).unwrap_or(u64::MAX))
    }

    /// Blocks in that much memory.
    pub fn blocks_in(&self, available: Bytes) -> u64 {
        available.get().checked_div(self.bytes_per_block).unwrap_or(0)
    }

    /// A cache of that many blocks.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "mirrors Python's float division and int(); all figures are far below 2^53"
    )]
    pub fn plan(&self, num_blocks: u64, max_model_len: u64) -> KvPlan {
        let per_request = self.blocks_per_request(max_model_len).max(1);
        let max_concurrency = num_blocks as f64 / per_request as f64;
        KvPlan {
            num_blocks,
            tokens: (max_concurrency * max_model_len as f64) as u64,
            max_concurrency,
            fits: per_request < num_blocks,
        }
    }

    /// The longest request that fits `sequences` times, at most `limit`; 0 where not even one token does.
    pub fn longest(&self, num_blocks: u64, sequences: u64, limit: u64) -> u64 {
        let fits = |tokens: u64| {
            self.blocks_per_request(tokens)
                .checked_mul(sequences)
                .is_some_and(|blocks| blocks < num_blocks)
        };
        let (mut low, mut high) = (0, limit);
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            if fits(middle) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        low
    }
}

/// Bytes of one token in one layer on one rank.
fn bytes_per_token(mixer: &Mixer, settings: &KvSettings) -> u64 {
    match mixer {
        Mixer::Attention(attention, _) => {
            let heads = u64::from((attention.num_key_value_heads / settings.shape.tp).max(1));
            heads * 2 * u64::from(attention.head_dim) * settings.element
        }
        // One latent for all heads, whole on every rank.
        Mixer::Mla(mla) => u64::from(mla.kv_lora_rank + mla.qk_rope_head_dim) * settings.element,
    }
}

/// How far back a layer attends.
fn span(mixer: &Mixer) -> AttentionSpan {
    match mixer {
        Mixer::Attention(_, span) => *span,
        Mixer::Mla(_) => AttentionSpan::Full,
    }
}

/// Groups of the whole model, reduced to the layers of this stage.
fn groups(spec: &ModelSpec, settings: &KvSettings) -> Vec<Group> {
    let mut buckets: Vec<(AttentionSpan, Vec<u32>)> = Vec::new();
    let mixed = spec
        .layers
        .iter()
        .any(|run| span(&run.mixer) == AttentionSpan::Full)
        && spec
            .layers
            .iter()
            .any(|run| span(&run.mixer) != AttentionSpan::Full);
    let mut index = 0;
    for run in &spec.layers {
        let span = if settings.no_hybrid && mixed {
            AttentionSpan::Full
        } else {
            span(&run.mixer)
        };
        let layers = index..index + run.count;
        index = layers.end;
        match buckets.iter_mut().find(|(known, _)| *known == span) {
            Some((_, members)) => members.extend(layers),
            None => buckets.push((span, layers.collect())),
        }
    }
    let size = group_size(&buckets);
    let stages = layers_per_stage(spec.num_hidden_layers(), settings.shape.pp);
    let start: u32 = stages.iter().take(settings.shape.pp_rank as usize).sum();
    let end = start + stages.get(settings.shape.pp_rank as usize).copied().unwrap_or(0);
    let mut groups = Vec::new();
    for (span, members) in buckets {
        let count = members.len().div_ceil(size);
        for group in 0..count {
            // Every count-th layer, so that stages get their share of each group.
            let inside = members
                .iter()
                .skip(group)
                .step_by(count)
                .filter(|layer| (start..end).contains(*layer));
            groups.push(Group {
                span,
                layers: inside.count() as u64,
            });
        }
    }
    groups
}

/// The smallest bucket's size, or the largest's if it is less than half as large again.
fn group_size(buckets: &[(AttentionSpan, Vec<u32>)]) -> usize {
    let sizes = || buckets.iter().map(|(_, members)| members.len());
    let (least, most) = (sizes().min().unwrap_or(1), sizes().max().unwrap_or(1));
    if 2 * most < 3 * least { most } else { least }.max(1)
}
