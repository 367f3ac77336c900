//! What mixes the tokens of a layer, as shapes.
use super::{Compressed, GroupIndex, Kda, Ngrams};
use crate::units::FloatDtype;

/// How far back a layer attends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AttentionSpan {
    /// Everything.
    Full,
    /// The last so many tokens.
    Sliding(u32),
    /// The chunk of so many tokens that a token lies in (Llama 4).
    Chunked(u32),
    /// What the encoder made of the input (Whisper).
    Encoder,
    /// In both directions, within a step: nothing is cached.
    Both,
}

/// Multi-head latent attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mla {
    /// Query heads.
    pub num_attention_heads: u32,
    /// Width of the queries' latent, where they have one.
    pub q_lora_rank: Option<u32>,
    /// Width of the latent that is cached.
    pub kv_lora_rank: u32,
    /// Part of a head without positions.
    pub qk_nope_head_dim: u32,
    /// Part of a head with positions; cached beside the latent.
    pub qk_rope_head_dim: u32,
    /// Size of a value head.
    pub v_head_dim: u32,
    /// Keys and values are cached per head, not as the latent (MiniCPM 3).
    pub expanded: bool,
    /// A gate on the output, projected beside the latents (Kimi K3).
    pub output_gate: bool,
    /// Elements per head of a gate on the output with a projection of its own: 0 without one, 1 (Ling 3), or as many as a
    /// value has (Hy4).
    pub gate_per_head: u32,
    /// A learned sink per head (Hy4).
    pub sinks: bool,
    /// Kimi's own class, which keeps a scale more.
    pub unit_scale: bool,
    /// Attends only to what an indexer picks (DeepSeek V3.2).
    pub sparse: Option<SparseIndex>,
}

/// The lightning indexer: it picks the tokens that a layer of latent attention reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SparseIndex {
    /// Tokens that it picks.
    pub index_topk: u32,
    /// Query heads.
    pub index_n_heads: u32,
    /// Size of a head, and of the one key per token.
    pub index_head_dim: u32,
    /// Tokens that share a key: 1, or a pool of them (GLM-5.3-Flash).
    pub index_kpool: u32,
    /// The layer has an indexer of its own; else it reads what the one before it picked (GLM 5.2).
    pub own: bool,
}

impl SparseIndex {
    /// Bytes of a token's cached key: 8-bit floats with a float32 scale per 128
    /// (`models/deepseek_v32/attention.py: DeepseekV32Indexer`).
    pub fn key_bytes(&self) -> u64 {
        let dim = u64::from(self.index_head_dim);
        if self.own { dim + dim / 128 * 4 } else { 0 }
    }

    /// Weights of a layer's indexer: queries from their latent, key, weights of the heads, the key's norm.
    pub(super) fn parameters(&self, hidden_size: u64, q_lora_rank: u64) -> u64 {
        let (heads, dim) = (u64::from(self.index_n_heads), u64::from(self.index_head_dim));
        if !self.own {
            return 0;
        }
        let pool = u64::from(self.index_kpool);
        let pooling = if pool > 1 { (pool + hidden_size) * dim } else { 0 };
        q_lora_rank * heads * dim + hidden_size * (dim + heads) + 2 * dim + pooling
    }
}

/// Gated DeltaNet: linear attention with a state of constant size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GatedDeltaNet {
    /// Key heads.
    pub linear_num_key_heads: u32,
    /// Value heads.
    pub linear_num_value_heads: u32,
    /// Size of a key head.
    pub linear_key_head_dim: u32,
    /// Size of a value head.
    pub linear_value_head_dim: u32,
    /// Width of the convolution over time.
    pub linear_conv_kernel_dim: u32,
    /// Type of the state, where the config names one.
    pub ssm_dtype: Option<FloatDtype>,
    /// Tables of n-grams in front of it (Qwen 4).
    pub ngrams: Option<Ngrams>,
}

impl GatedDeltaNet {
    /// Widths of all key heads and of all value heads.
    pub fn widths(&self) -> (u64, u64) {
        let key = u64::from(self.linear_num_key_heads) * u64::from(self.linear_key_head_dim);
        let value = u64::from(self.linear_num_value_heads) * u64::from(self.linear_value_head_dim);
        (key, value)
    }
}

/// Mamba 2: a state space layer with a state of constant size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mamba2 {
    /// Heads.
    pub mamba_num_heads: u32,
    /// Size of a head.
    pub mamba_head_dim: u32,
    /// Groups that share their input and output matrices.
    pub n_groups: u32,
    /// Size of the state of one channel.
    pub ssm_state_size: u32,
    /// Width of the convolution over time.
    pub conv_kernel: u32,
    /// A norm behind the states.
    pub norm: bool,
    /// A bias on the convolution.
    pub conv_bias: bool,
    /// Type of the state.
    pub ssm_dtype: FloatDtype,
}

impl Mamba2 {
    /// Channels and width of the groups' matrices on one of `tp` ranks; groups are replicated where there are fewer.
    pub fn widths(&self, tp: u64) -> (u64, u64) {
        let channels = u64::from(self.mamba_num_heads) * u64::from(self.mamba_head_dim) / tp;
        let groups = (u64::from(self.n_groups) / tp).max(1);
        (channels, groups * u64::from(self.ssm_state_size))
    }
}

/// Mamba 1: a state space layer with a state per channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mamba1 {
    /// Channels.
    pub intermediate_size: u32,
    /// Size of the state of one channel.
    pub state_size: u32,
    /// Width of the convolution over time.
    pub conv_kernel: u32,
    /// Rank of the time step's projection.
    pub time_step_rank: u32,
    /// A bias on the convolution.
    pub conv_bias: bool,
    /// Biases on the projections into and out of it.
    pub proj_bias: bool,
    /// Norms with weights on time step and matrices (Jamba).
    pub norms: bool,
}

/// A short convolution over time, gated on both sides (LFM2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ShortConv {
    /// Channels.
    pub conv_dim: u32,
    /// Width of the convolution over time.
    pub conv_l_cache: u32,
    /// Biases on the convolution and both projections.
    pub conv_bias: bool,
}

/// What mixes the tokens of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mixer {
    /// Multi-head, grouped-query or multi-query attention.
    Attention(Attention, AttentionSpan),
    /// Multi-head latent attention.
    Mla(Mla),
    /// A window beside compressed tokens.
    Compressed(Compressed),
    /// Kimi's linear attention.
    Kda(Kda),
    /// Gated DeltaNet.
    GatedDeltaNet(GatedDeltaNet),
    /// Mamba 2.
    Mamba2(Mamba2),
    /// Mamba 1.
    Mamba1(Mamba1),
    /// Short convolution.
    ShortConv(ShortConv),
    /// Nothing: the layer is a feed-forward alone (Nemotron-H).
    None,
}

impl Mixer {
    /// Its tables of n-grams.
    pub const fn ngrams(&self) -> Option<&Ngrams> {
        match self {
            Self::GatedDeltaNet(gdn) => gdn.ngrams.as_ref(),
            Self::Compressed(layer) => layer.ngrams.as_ref(),
            _ => None,
        }
    }

    /// Keeps a state of constant size instead of keys and values.
    pub const fn keeps_state(&self) -> bool {
        matches!(
            self,
            Self::Kda(_) | Self::GatedDeltaNet(_) | Self::Mamba1(_) | Self::Mamba2(_) | Self::ShortConv(_)
        )
    }
}

/// Normalisation of queries and keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum QkNorm {
    /// None.
    None,
    /// One vector of head_dim each for queries and keys.
    PerHead,
    /// Over all heads, whole on every rank (OLMo 2 and 3).
    AllHeads,
    /// Over all heads, split over the ranks (MiniMax M2).
    AllHeadsSharded,
    /// One vector per head, split over the ranks (Cohere).
    EachHead,
}

/// What a hybrid layer of Zamba 2 adds to its Mamba: attention over hidden states and embeddings side by side, with a
/// feed-forward, both of which several layers share, and adapters of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SharedBlock {
    /// The first layer that has these weights; the feed-forward itself stands in its layer.
    pub owner: bool,
    /// Width of the feed-forward.
    pub intermediate_size: u32,
    /// Rank of the adapters.
    pub adapter_rank: u32,
    /// Adapters on queries, keys and values too.
    pub attention_adapters: bool,
}

impl SharedBlock {
    /// Weights of the layer, without the feed-forward.
    pub(super) fn parameters(&self, hidden_size: u64) -> u64 {
        let (rank, width) = (u64::from(self.adapter_rank), u64::from(self.intermediate_size));
        let own = if self.owner {
            14 * hidden_size * hidden_size + 3 * hidden_size
        } else {
            0
        };
        let attention = if self.attention_adapters {
            3 * 4 * hidden_size * rank
        } else {
            0
        };
        own + attention + rank * (hidden_size + 2 * width) + hidden_size * hidden_size
    }
}

/// Attention shapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Attention {
    /// Query heads.
    pub num_attention_heads: u32,
    /// Key and value heads.
    pub num_key_value_heads: u32,
    /// Size of a head.
    pub head_dim: u32,
    /// Biases on query, key and value.
    pub qkv_bias: bool,
    /// Bias on the output.
    pub o_bias: bool,
    /// Normalisation of queries and keys.
    pub qk_norm: QkNorm,
    /// A gate on the output, projected beside the queries (Qwen3-Next).
    pub output_gate: bool,
    /// A learned sink per head (gpt-oss).
    pub sinks: bool,
    /// Size of a value head; the size of a head almost everywhere.
    pub v_head_dim: u32,
    /// Outputs per head of a gate with a projection of its own (Laguna, Step 3.5); 0 without one.
    pub gate_per_head: u32,
    /// Keys and values are those of an earlier layer: only queries are projected and nothing is cached (Gemma 4).
    pub shares_kv: bool,
    /// A slope per head instead of positions (BLOOM).
    pub alibi: bool,
    /// Weights that several layers share (Zamba 2).
    pub block: Option<SharedBlock>,
    /// Width of a latent that all queries come from, whole on every rank (Step 3); 0 without.
    pub query_rank: u32,
    /// Size of the heads of an index that picks blocks of tokens (MiniMax M3): as many queries as key heads, one
    /// 16-bit key per token; 0 where there is none.
    pub index_dim: u32,
    /// Positions by distance, and short convolutions (Inkling).
    pub relative: Option<Relative>,
    /// An index over groups of tokens that picks what it reads (Qwen 4).
    pub groups: Option<GroupIndex>,
    /// Weights of each head that scale queries and values by their token and its position (Moondream 3).
    pub tau: bool,
}

/// What Inkling's layers have beside attention: a branch of each query head for distances with a table of them, and short
/// convolutions over keys, values and the outputs of attention and feed-forward, whose inputs are cached
/// (`models/inkling/nvidia/{attention,short_conv,sconv_swa_attn}.py`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Relative {
    /// Width of a head's branch.
    pub d_rel: u32,
    /// Distances in the table.
    pub extent: u32,
    /// Tokens that a convolution sees.
    pub kernel: u32,
    /// Elements that the convolutions cache for a token beside each key head: a power of two.
    pub cached_width: u32,
}

impl Relative {
    /// Weights of a layer with so many query heads and so wide keys.
    pub(super) fn parameters(&self, hidden_size: u64, heads: u64, keys: u64) -> u64 {
        let (branch, kernel) = (u64::from(self.d_rel), u64::from(self.kernel));
        branch * (hidden_size * heads + u64::from(self.extent)) + 2 * kernel * (keys + hidden_size)
    }
}
