//! The KV cache as vLLM plans it: groups, bytes per block, blocks per request, tokens, concurrency.
//!
//! Mirrors `vllm/v1/kv_cache_interface.py` and `vllm/v1/core/kv_cache_planning.py` at 0.33.0, for full and
//! sliding-window attention. Sizes are never "bytes per token": a sliding window has no such figure.
use super::{packed, shape::RankShape};
use crate::{
    engine::ScaledCache,
    model::{AttentionSpan, Draft, LayerRun, Mixer, ModelSpec},
    units::{Bytes, FloatDtype},
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
    /// One block is kept back (from 0.29 on).
    pub null_block: bool,
    /// "GPU KV cache size" is concurrency times length (from 0.20 on).
    pub tokens_from_concurrency: bool,
    /// disable_hybrid_kv_cache_manager: every layer keeps the full length.
    pub no_hybrid: bool,
    /// The first engine: what it says of a request leaves attention to an encoder's output out, whose tokens take blocks
    /// of the same pool (`executor/executor_base.py: initialize_cache` at 0.10.0).
    pub one_table: bool,
    /// enable_prefix_caching.
    pub prefix_caching: bool,
    /// Bytes of an element of a recurrent state, where its config names no type.
    pub state_element: u64,
    /// Bytes of a token of sparse latent attention, where it is packed (`fp8_ds_mla`, `nvfp4_ds_mla`), else 0.
    pub packed_latent: u64,
    /// Sparse latent attention reads whole pages of rows (Blackwell).
    pub row_pages: bool,
    /// The linear attention's prefill runs in FlashInfer, which keeps a checkpoint and asks for blocks of 64.
    pub flashinfer_prefill: bool,
    /// Tokens that are proposed in a step: a recurrent layer keeps a state for each.
    pub speculative_tokens: u32,
    /// Elements that are no whole bytes, or bring scales.
    pub scaled: Option<ScaledCache>,
    /// decode_context_parallel_size: ranks of a group that share a sequence's tokens.
    pub dcp: u32,
}

/// How the blocks of a group grow with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GroupKind {
    /// With its length.
    Full,
    /// Up to a window.
    Sliding(u32),
    /// Up to a chunk.
    Chunked(u32),
    /// With the encoder's budget, whatever its length.
    Encoder,
    /// Not at all: a state, and so many blocks of it with prefix caching.
    State(u64),
    /// Not at all: one block for each request, whatever else is set (`CircularBufferSpec`).
    Ring,
}

/// Layers that share block tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) kind: GroupKind,
    /// Tokens of a block: more where a token is smaller than in the layers with the largest pages.
    pub(super) block: u64,
    /// Bytes of a block over the layers of this stage.
    pub(super) bytes: u64,
}

/// The layout of a rank's cache, before its size is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KvLayout {
    settings: KvSettings,
    groups: Vec<Group>,
    state_bytes: u64,
    /// Tokens behind a window that are kept for layers which draft one behind the other
    /// (`v1/core/kv_cache_planning.py: get_global_kv_cache_groups`).
    retained: u64,
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
        let settings = if spec.kv_in_model_type {
            KvSettings {
                element: settings.element.max(spec.dtype.size()),
                ..settings
            }
        } else {
            settings
        };
        let pooled = packed::pooled(spec).is_some();
        let token = |run: &LayerRun| match run.mixer {
            // The keys of pools are no part of a page of latent attention.
            Mixer::Mla(_) if pooled => token_bytes(&run.mixer, &settings),
            _ => bytes_per_token(&run.mixer, &settings),
        };
        let per_token = spec.layers.iter().map(token).max().unwrap_or(0);
        let own_draft = draft_settings(spec, settings);
        let draft = spec.drafter.iter().flat_map(|drafter| &drafter.spec.layers);
        let draft_token = draft.map(|run| bytes_per_token(&run.mixer, &own_draft)).max();
        let state = spec
            .layers
            .iter()
            .map(|run| state_bytes(&run.mixer, &settings))
            .max()
            .unwrap_or(0);
        let gated = spec
            .layers
            .iter()
            .any(|run| matches!(run.mixer, Mixer::GatedDeltaNet(_)));
        let latent = spec
            .layers
            .iter()
            .any(|run| matches!(run.mixer, Mixer::Mla(mla) if !mla.expanded));
        let block_size = block_size(&settings, per_token, state, (gated, latent));
        let settings = KvSettings {
            block_size,
            // Off by default where there is no attention (`config/model.py: is_prefix_caching_supported`).
            prefix_caching: settings.prefix_caching && (per_token > 0 || state == 0),
            ..settings
        };
        // A draft's page may be larger than what the target's blocks were made for.
        let per_token = per_token.max(draft_token.unwrap_or(0));
        let convolved = spec
            .layers
            .iter()
            .filter_map(|run| convolved(&run.mixer, &settings));
        let convolved = convolved.map(|like| like.page()).max().unwrap_or(0);
        let largest = (u64::from(block_size) * per_token).max(convolved);
        let page_bytes = largest.max(state);
        let groups = groups(spec, &settings, largest, page_bytes);
        let bytes_per_block = groups.iter().map(|group| group.bytes).max().unwrap_or(0);
        Self {
            settings,
            groups,
            state_bytes: state,
            retained: match spec.draft {
                Some(Draft::Chain { depths: 2.., .. }) => {
                    u64::from(settings.speculative_tokens.saturating_sub(1))
                }
                _ => 0,
            },
            page_bytes,
            bytes_per_block,
        }
    }

    /// Tokens of a block: the backend's, or as many as a recurrent state is large.
    pub fn block_size(&self) -> u32 {
        self.settings.block_size
    }

    /// Bytes of one recurrent layer's state, before it is padded to a block; 0 where there is none.
    pub fn state_bytes(&self) -> u64 {
        self.state_bytes
    }

    /// How many groups of layers there are.
    pub fn group_count(&self) -> usize {
        self.groups.len()
    }

    /// Blocks that one request of `tokens` takes over all groups.
    pub fn blocks_per_request(&self, tokens: u64) -> u64 {
        let in_flight =
            u64::from(self.settings.concurrent_batches) * u64::from(self.settings.max_num_batched_tokens);
        let speculated = u64::from(self.settings.speculative_tokens);
        let blocks = |group: &Group| match group.kind {
            GroupKind::Full => tokens.div_ceil(group.block * u64::from(self.settings.dcp.max(1))),
            GroupKind::Chunked(chunk) => (u64::from(chunk) + in_flight).min(tokens).div_ceil(group.block),
            GroupKind::Encoder => u64::from(self.settings.max_num_batched_tokens).div_ceil(group.block),
            GroupKind::State(blocks) if self.settings.prefix_caching => blocks + speculated,
            GroupKind::State(_) => 1 + speculated,
            GroupKind::Ring => 1,
            GroupKind::Sliding(window) => {
                (u64::from(window).saturating_sub(1) + self.retained + in_flight)
                    .min(tokens)
                    .div_ceil(group.block)
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
            tokens: if self.settings.tokens_from_concurrency {
                (max_concurrency * max_model_len as f64) as u64
            } else {
                num_blocks / self.groups.len().max(1) as u64
                    * u64::from(self.settings.block_size)
                    * u64::from(self.settings.dcp.max(1))
            },
            max_concurrency,
            fits: per_request + u64::from(self.settings.null_block) <= num_blocks,
        }
    }

    /// The longest request that fits `sequences` times, at most `limit`; 0 where not even one token does.
    pub fn longest(&self, num_blocks: u64, sequences: u64, limit: u64) -> u64 {
        let fits = |tokens: u64| {
            self.blocks_per_request(tokens)
                .checked_mul(sequences)
                .is_some_and(|blocks| blocks + u64::from(self.settings.null_block) <= num_blocks)
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
    let index = match mixer {
        Mixer::Mla(mla) => mla.sparse.map_or(0, |index| index.key_bytes()),
        _ => 0,
    };
    token_bytes(mixer, settings) + index
}

/// The same without the key of a sparse index.
pub(super) fn token_bytes(mixer: &Mixer, settings: &KvSettings) -> u64 {
    match mixer {
        Mixer::Attention(_, AttentionSpan::Both) => 0,
        Mixer::Attention(attention, _) if attention.shares_kv => 0,
        Mixer::Attention(attention, _) => {
            let heads = u64::from((attention.num_key_value_heads / settings.shape.tp).max(1));
            let dims = [attention.head_dim, attention.v_head_dim].map(u64::from);
            let one = match settings.scaled {
                Some(ScaledCache { sixteen, scale, .. }) => {
                    let side = |at: usize| (dims[at] * sixteen[at]).div_ceil(16) + scale[at];
                    (side(0) + side(1)).next_multiple_of(2)
                }
                None => (dims[0] + dims[1]) * settings.element,
            };
            // An index keeps one 16-bit key.
            heads * one + 2 * u64::from(attention.index_dim)
        }
        Mixer::Mla(mla) if mla.expanded => {
            let heads = u64::from(mla.num_attention_heads / settings.shape.tp);
            heads * 2 * u64::from(mla.qk_nope_head_dim + mla.qk_rope_head_dim) * settings.element
        }
        // One latent for all heads, whole on every rank.
        Mixer::Mla(mla) => {
            if settings.packed_latent > 0 && mla.sparse.is_some() {
                settings.packed_latent
            } else {
                u64::from(mla.kv_lora_rank + mla.qk_rope_head_dim) * settings.element
            }
        }
        // Compressed tokens have groups of their own.
        _ => 0,
    }
}

/// Bytes of a recurrent layer's state on one rank (`layers/mamba/mamba_utils.py`).
fn state_bytes(mixer: &Mixer, settings: &KvSettings) -> u64 {
    let tp = u64::from(settings.shape.tp);
    // The convolution looks back from every token that is proposed.
    let proposed = u64::from(settings.speculative_tokens);
    let gdn = match mixer {
        Mixer::GatedDeltaNet(gdn) => gdn,
        Mixer::Mamba2(mamba) => {
            let (channels, matrices) = mamba.widths(tp);
            let history = u64::from(mamba.conv_kernel).saturating_sub(1) + proposed;
            let conv = history * (channels + 2 * matrices) * settings.state_element;
            return conv + channels * u64::from(mamba.ssm_state_size) * mamba.ssm_dtype.size();
        }
        Mixer::Mamba1(mamba) => {
            let history = u64::from(mamba.conv_kernel).saturating_sub(1);
            let channels = u64::from(mamba.intermediate_size) / tp;
            return channels * (history + u64::from(mamba.state_size)) * settings.state_element;
        }
        Mixer::ShortConv(conv) => {
            let history = u64::from(conv.conv_l_cache).saturating_sub(1) + proposed;
            return history * (u64::from(conv.conv_dim) / tp) * settings.state_element;
        }
        Mixer::Kda(kda) => {
            let width = kda.width() / tp;
            let state = width * u64::from(kda.head_dim);
            // Lightning attention's has the model's type and no convolution (`linear_attention_state_shape`).
            if kda.lightning_groups > 0 {
                return state * settings.state_element;
            }
            let history = u64::from(kda.short_conv_kernel_size).saturating_sub(1) + proposed;
            let state = state * FloatDtype::Float32.size();
            return history * 3 * width * settings.state_element + state;
        }
        _ => return 0,
    };
    let (key, value) = gdn.widths();
    let history = u64::from(gdn.linear_conv_kernel_dim).saturating_sub(1) + proposed;
    let conv = history * (2 * key + value) / tp * settings.state_element;
    let element = gdn.ssm_dtype.map_or(settings.state_element, FloatDtype::size);
    let heads = u64::from(gdn.linear_num_value_heads) / tp;
    let states = heads * u64::from(gdn.linear_value_head_dim) * u64::from(gdn.linear_key_head_dim);
    // The convolution over tables of n-grams keeps a state of its own, whole on every rank.
    let beside = gdn.ngrams.map_or(0, |ngrams| {
        (ngrams.history() + proposed) * u64::from(ngrams.streams) * settings.state_element
    });
    (conv + states * element).max(beside)
}

/// Beside recurrent layers a block of attention is made at least as large as a state
/// (`vllm/platforms/interface.py: _align_hybrid_block_size`).
fn block_size(settings: &KvSettings, per_token: u64, state: u64, (gated, latent): (bool, bool)) -> u32 {
    let base = u64::from(settings.block_size);
    if state == 0 || per_token == 0 {
        return settings.block_size;
    }
    let align = if settings.prefix_caching && settings.flashinfer_prefill && gated {
        base.next_multiple_of(64)
    } else if latent {
        base.max(128)
    } else {
        base
    };
    let size = align * state.div_ceil(align * per_token);
    u32::try_from(size.max(base)).unwrap_or(u32::MAX)
}

/// `None` where a layer caches nothing.
pub(super) fn kind(mixer: &Mixer, settings: &KvSettings) -> Option<GroupKind> {
    match mixer {
        Mixer::Attention(attention, _) if attention.shares_kv => None,
        Mixer::Attention(_, AttentionSpan::Encoder) if settings.one_table => None,
        Mixer::Attention(_, AttentionSpan::Full) | Mixer::Mla(_) => Some(GroupKind::Full),
        Mixer::Attention(_, AttentionSpan::Chunked(chunk)) => Some(GroupKind::Chunked(*chunk)),
        Mixer::Attention(_, AttentionSpan::Sliding(window)) => Some(GroupKind::Sliding(*window)),
        Mixer::Attention(_, AttentionSpan::Encoder) => Some(GroupKind::Encoder),
        Mixer::GatedDeltaNet(_) => Some(GroupKind::State(2 + u64::from(settings.flashinfer_prefill))),
        Mixer::Kda(kda) => Some(GroupKind::State(
            2 + u64::from(settings.flashinfer_prefill && kda.fast_prefill),
        )),
        // Prefill keeps a checkpoint.
        Mixer::Mamba2(_) => Some(GroupKind::State(3)),
        Mixer::Mamba1(_) | Mixer::ShortConv(_) => Some(GroupKind::State(2)),
        Mixer::Compressed(_) | Mixer::Attention(_, AttentionSpan::Both) | Mixer::None => None,
    }
}

/// Groups of the whole model, reduced to the layers of this stage.
fn groups(spec: &ModelSpec, settings: &KvSettings, largest: u64, page_bytes: u64) -> Vec<Group> {
    let buckets = buckets(spec, settings);
    let mut stage = settings.shape.stage(spec.num_hidden_layers());
    // A draft's layers are behind the target's last.
    if settings.shape.is_last() {
        stage.end = u32::MAX;
    }
    let inside = |layer: &u32| stage.contains(layer);
    let block = u64::from(settings.block_size);
    if let Some(groups) = packed::groups(spec, settings, inside) {
        return groups;
    }
    if !buckets.is_empty() && buckets.iter().all(|bucket| bucket.like.kind == GroupKind::Full) {
        // Layers that all grow with the length share a block, whatever their pages.
        let bytes = |bucket: &Bucket| {
            let layers = bucket.members.iter().filter(|layer| inside(layer)).count() as u64;
            layers.saturating_mul(bucket.like.page())
        };
        return vec![Group {
            kind: GroupKind::Full,
            block,
            bytes: buckets.iter().map(bytes).sum(),
        }];
    }
    let size = group_size(&buckets);
    let mut groups = Vec::new();
    for bucket in buckets {
        let count = bucket.members.len().div_ceil(size);
        // All pages are equally large: smaller ones hold more tokens if that is even, else they are padded.
        let page = bucket.like.page();
        let times = match largest.checked_div(page) {
            Some(times) if times * page == largest => times,
            _ => 1,
        };
        let block = bucket.like.block * times;
        for group in 0..count {
            // Every count-th layer, so that stages get their share of each group.
            let members = bucket.members.iter().skip(group).step_by(count);
            let layers = members.filter(|layer| inside(layer)).count() as u64;
            groups.push(Group {
                kind: bucket.like.kind,
                block,
                bytes: layers.saturating_mul(page_bytes),
            });
        }
    }
    groups
}

/// What a draft's own layers depend on: their cache may have another type.
fn draft_settings(spec: &ModelSpec, settings: KvSettings) -> KvSettings {
    let own = spec.drafter.as_ref().and_then(|drafter| drafter.kv_element);
    KvSettings {
        element: own.unwrap_or(settings.element),
        scaled: settings.scaled.filter(|_| own.is_none()),
        ..settings
    }
}

/// What layers that cache alike have in common.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Like {
    kind: GroupKind,
    /// Tokens of a block, before it grows to the largest page.
    block: u64,
    per_token: u64,
    /// Heads that a convolution's cache is cut into: pages of other shapes do not go together.
    heads: u64,
}

impl Like {
    fn page(&self) -> u64 {
        self.block * self.per_token
    }
}

/// Layers that cache alike.
struct Bucket {
    like: Like,
    members: Vec<u32>,
}

/// What the short convolutions of a layer cache: the inputs of all four in 16 bits, as a sliding window of blocks as long as
/// they see (`models/inkling/nvidia/sconv_swa_attn.py: InklingConvState`).
fn convolved(mixer: &Mixer, settings: &KvSettings) -> Option<Like> {
    let Mixer::Attention(attention, _) = mixer else {
        return None;
    };
    let relative = attention.relative?;
    let heads = u64::from(attention.num_key_value_heads / settings.shape.tp);
    Some(Like {
        kind: GroupKind::Sliding(relative.kernel),
        block: u64::from(relative.kernel),
        per_token: heads * u64::from(relative.cached_width) * 2,
        heads,
    })
}

fn buckets(spec: &ModelSpec, settings: &KvSettings) -> Vec<Bucket> {
    let mut buckets: Vec<Bucket> = Vec::new();
    let kinds = || spec.cached_layers().filter_map(|run| kind(&run.mixer, settings));
    let mixed = kinds().any(|kind| kind == GroupKind::Full) && kinds().any(|kind| kind != GroupKind::Full);
    let own_draft = draft_settings(spec, *settings);
    let count = spec.num_hidden_layers();
    let recurrent = spec.layers.iter().any(|run| run.mixer.keeps_state());
    // `layers/quantization/turboquant/config.py: get_boundary_skip_layers`
    let edges = (settings.scaled.is_some_and(|cache| cache.bare_edges) && !recurrent).then(|| {
        let edge = (count / 2).min(2);
        (edge, count - edge)
    });
    let mut add = |like: Like, layers: Vec<u32>| match buckets.iter_mut().find(|bucket| bucket.like == like) {
        _ if layers.is_empty() => {}
        Some(bucket) => bucket.members.extend(layers),
        None => buckets.push(Bucket {
            like,
            members: layers,
        }),
    };
    let mut index = 0;
    for (at, run) in spec.cached_layers().enumerate() {
        let layers = index..index + run.count;
        index = layers.end;
        let kind = match kind(&run.mixer, settings) {
            None => continue,
            Some(GroupKind::Sliding(_) | GroupKind::Chunked(_)) if settings.no_hybrid && mixed => {
                GroupKind::Full
            }
            Some(kind) => kind,
        };
        let its = if at < spec.layers.len() {
            settings
        } else {
            &own_draft
        };
        if let Some(like) = convolved(&run.mixer, settings) {
            add(like, layers.clone().collect());
        }
        let like = |its: &KvSettings| Like {
            kind,
            block: u64::from(its.block_size),
            per_token: bytes_per_token(&run.mixer, its),
            heads: 0,
        };
        let (bare, packed): (Vec<u32>, Vec<u32>) = layers.partition(|layer| {
            edges.is_some_and(|(first, last)| *layer < first || (last..count).contains(layer))
        });
        add(like(its), packed);
        add(like(&KvSettings { scaled: None, ..*its }), bare);
    }
    buckets
}

/// The smallest bucket's size, or the largest's if it is less than half as large again.
fn group_size(buckets: &[Bucket]) -> usize {
    let sizes = || buckets.iter().map(|bucket| bucket.members.len());
    let (least, most) = (sizes().min().unwrap_or(1), sizes().max().unwrap_or(1));
    if 2 * most < 3 * least { most } else { least }.max(1)
}
