//! What can differ between vLLM's model classes: the columns of the table of families.
use super::{QkNorm, fields::Names, layouts::Layout, positions::RopeKind};

/// Where a switch comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Switch {
    /// The class always has it.
    Always,
    /// The class never has it.
    Never,
    /// This field says so; absent is `false`.
    Field(&'static str),
    /// This field says so; absent is `true`.
    Unless(&'static str),
    /// One of these fields says so.
    Either(&'static str, &'static str),
}

/// Where the number of key and value heads comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KvHeads {
    /// `num_key_value_heads`, as many as query heads where it is absent.
    Field,
    /// `num_key_value_heads`, one where it is absent (Step 1).
    FieldOrOne,
    /// One where this field says so (absent is `true`), else as many as query heads.
    OneWith(&'static str),
    /// `num_key_value_heads` where this field says so, else as many as query heads.
    FieldWith(&'static str),
    /// `num_key_value_heads` with `new_decoder_architecture`; else one with `multi_query` (absent is `true`).
    Falcon,
}

/// Where the width of a dense feed-forward comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Width {
    /// `intermediate_size`.
    Field,
    /// This field, `intermediate_size` where it is absent.
    FieldOrField(&'static str),
    /// Half of `intermediate_size`, which counts the gate as well (Molmo).
    Half,
    /// `intermediate_size`, four times the hidden size where it is absent.
    FieldOrFour,
    /// Four times the hidden size, whatever the config says.
    Four,
}

/// What stands behind the last layer of a model that pools.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Head {
    /// Nothing.
    None,
    /// A matrix of labels, without bias.
    Score,
    /// The same with biases: a label for each token (BERT).
    Labels,
    /// One value, from a matrix that the ranks share (InternLM 2's reward model).
    Value,
    /// A matrix to vectors of this many values, unless a field says how many (ColBERT).
    Vectors(u32),
    /// A square layer and the labels, with biases, whole on every rank (BERT).
    Dense,
    /// One square layer and one value, with biases (BGE-M3's sparse vectors).
    Sparse,
    /// What BERT guesses masked words with, in the model's type.
    Masked,
    /// Two layers to vectors of 512, in the model's type (Jina's reranker).
    Ranking,
    /// A matrix to vectors of `num_labels`, in the model's type (Voyage).
    Embedding,
    /// A square layer and so many labels, with biases, split over the ranks (Qwen 2's reward models).
    Reward(u32),
}

/// Position embeddings that are looked up, not computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Positions {
    /// None.
    None,
    /// `max_position_embeddings` rows and so many more, whole on every rank.
    Whole(u32),
    /// `max_position_embeddings` rows and `type_vocab_size` more for kinds of tokens, padded and split like the
    /// vocabulary (BERT).
    Split,
    /// Kinds of tokens alone: `type_vocab_size` rows, padded and split likewise.
    Types,
}

/// Which layers attend to a window only, where the config has a `sliding_window` but no `layer_types`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pattern {
    /// All of them.
    All,
    /// All, once `use_sliding_window` is on, from `max_window_layers` on.
    OnRequest,
    /// `attention_chunk_size`, but every `no_rope_layer_interval`-th layer attends to everything.
    Chunked,
    /// Every so-many-th layer attends to everything: 2 is alternating, the first one sliding.
    FullEvery(u32),
    /// Those that `layer_types` calls chunked, to their chunk and the one before, `sliding_window` in all.
    Lookback,
    /// None.
    None,
}

/// What a class asks its config for where it routes tokens to experts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Routing {
    /// How many experts; absent or 0 means none.
    pub(super) count: &'static str,
    pub(super) per_token: &'static str,
    pub(super) width: &'static str,
    pub(super) shared: Shared,
    pub(super) sparse: Sparse,
    /// The router is float32.
    pub(super) wide_router: Wide,
    pub(super) correction_bias: Switch,
    /// Width of as many experts more for tokens of images; empty without.
    pub(super) images: &'static str,
}

/// Experts that every token takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shared {
    None,
    /// So many times the width of a routed one, absent is this many; a field may hold the width of one instead.
    Times(&'static str, u32, &'static str),
    /// One of the width in this field, none where it is 0 or absent.
    Width(&'static str),
}

/// Which layers have experts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sparse {
    All,
    /// By `decoder_sparse_step` and `mlp_only_layers` (Qwen's names).
    Steps,
    /// From the layer in this field on, absent is this one.
    From(&'static str, u32),
    /// By `mlp_layer_types`; where the file has none, behind `first_k_dense_replace`, absent is this one.
    Types(u32),
    /// `moe_layer_start_index`, `moe_layer_end_index` and `moe_layer_interval` (ERNIE 4.5).
    Interval,
}

/// Whether a router is float32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wide {
    Never,
    Always,
    /// Where this field is `fp32`.
    Text(&'static str),
}

/// How a family writes its experts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Experts {
    /// No experts.
    None,
    /// Under these names, without anything else.
    Named(&'static Routing),
    /// `num_local_experts` of `intermediate_size` in every layer.
    Mixtral,
    /// `num_experts` of `moe_intermediate_size`, `decoder_sparse_step`, `mlp_only_layers`.
    Qwen,
    /// As Qwen, with a shared expert and its gate.
    QwenShared,
    /// `n_routed_experts`, `n_shared_experts`, `first_k_dense_replace`, a correction bias, a float32 router.
    Glm,
    /// As Mixtral, with a correction bias and a float32 router.
    MiniMax,
    /// `num_local_experts` of `intermediate_size` and shared ones by `moe_layer_freq`, else `dense_intermediate_size`.
    MiniMaxM3,
    /// As Mixtral, with biases on experts and router.
    GptOss,
    /// `num_local_experts` of `intermediate_size` and a shared one in every `interleave_moe_layer_step`-th layer;
    /// `intermediate_size_mlp` in the others.
    Llama4,
    /// `num_experts` of `moe_intermediate_size` beside the dense feed-forward of every layer, with `enable_moe_block`.
    Gemma4,
    /// By `hybrid_override_pattern`, without gates.
    NemotronH,
    /// Nomic's BERT: in the second version experts in some layers, and no gates.
    Nomic,
    /// As Mixtral behind `num_dense_layers`, with a correction bias.
    Lfm2,
    /// As DeepSeek, by `mlp_layer_types`.
    Glm5Next,
    /// `num_experts`, `num_experts_per_token`, `num_shared_experts`, perhaps in a narrower space.
    Kimi,
    /// As DeepSeek in every layer; the first `num_hash_layers` look their experts up in a table.
    DeepSeekV4,
    /// As GLM, with a router in the model's type; the correction bias only with `topk_method` noaux_tc.
    DeepSeek,
}

/// One architecture.
#[derive(Clone, Copy, Debug)]
pub(super) struct Family {
    pub(super) architecture: &'static str,
    /// Multi-head latent attention.
    pub(super) latent: bool,
    /// Kimi's linear attention between its layers of latent attention.
    pub(super) kda: bool,
    /// A window beside compressed tokens, and hyper-connections.
    pub(super) compressed: bool,
    /// An indexer picks what latent attention reads.
    pub(super) indexer: bool,
    /// Gated DeltaNet between the attention layers.
    pub(super) linear: bool,
    /// Mamba, attention and feed-forward are layers of their own, by `hybrid_override_pattern`.
    pub(super) hybrid_pattern: bool,
    /// It follows from vLLM's code alone: no figures of vLLM's own classes lie in the tests.
    pub(super) unchecked: bool,
    /// How the layers are described.
    pub(super) layout: Layout,
    /// A gate on the attention's output.
    pub(super) output_gate: Switch,
    /// A gate on the attention's output as wide as all heads, with a projection of its own.
    pub(super) own_gate: bool,
    /// A learned sink per head.
    pub(super) sinks: bool,
    pub(super) qkv_bias: Switch,
    pub(super) o_bias: Switch,
    pub(super) mlp_bias: Switch,
    /// Gate and up of the feed-forward never have one.
    pub(super) bare_up: bool,
    pub(super) lm_head_bias: Switch,
    pub(super) qk_norm: QkNorm,
    /// The field that switches the norm of queries and keys on, if there is one.
    pub(super) qk_norm_field: Option<&'static str>,
    pub(super) norms_per_layer: u32,
    /// Two norms more in each layer where this field is true.
    pub(super) sandwich: Option<&'static str>,
    pub(super) scalars_per_layer: u32,
    pub(super) norm_bias: bool,
    /// `tie_word_embeddings` where the config does not say.
    pub(super) tied: bool,
    pub(super) pattern: Pattern,
    pub(super) experts: Experts,
    pub(super) rope: RopeKind,
    pub(super) scalar_buffers: u32,
    /// The embedding is whole on every rank, and attention to an encoder's output follows each layer's own (Whisper).
    pub(super) behind_encoder: bool,
    /// Copies of the hidden states alive at the peak: read off the profile runs of vLLM's own runner for Llama, Phi-3,
    /// Qwen and Gemma; the other rows inherit them.
    pub(super) residual_copies: u32,
    /// What the family's files call their fields.
    pub(super) names: Names,
    pub(super) kv_heads: KvHeads,
    pub(super) width: Width,
    /// Gate and up in the feed-forward, or up alone.
    pub(super) gated: bool,
    /// The feed-forward is whole on every rank: the class has no plan for it.
    pub(super) whole_mlp: bool,
    /// A norm behind the last layer.
    pub(super) last_norm: Switch,
    /// A norm behind the embedding.
    pub(super) embedding_norm: Switch,
    pub(super) positions: Positions,
    /// Slopes per head instead of positions.
    pub(super) alibi: Switch,
    /// A mask over all pairs of positions, in bytes (GPTBigCode).
    pub(super) mask: bool,
    /// The part of a head that has positions, where the config does not say.
    pub(super) rotary_fraction: f64,
    /// `max_position_embeddings` where the config does not say; 0 where that is an error.
    pub(super) default_positions: u32,
    /// Latent attention whose keys and values are cached per head, not as the latent (MiniCPM 3).
    pub(super) expanded: bool,
    /// Tokens that a sliding layer sees beyond `sliding_window`.
    pub(super) window_more: u32,
    /// The class pools and does nothing else, with this head.
    pub(super) pools: Option<Head>,
}
