//! What vLLM's model classes add to the config's fields, one row per architecture.
//!
//! Mirrors `vllm/model_executor/models/<module>.py` at 0.33.0: which biases, norms and experts a class creates.
use super::{QkNorm, bert, classic, fields::Names, layouts::Layout, plain, positions::RopeKind, removed};

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
    /// A square layer and the labels, with biases, whole on every rank (BERT).
    Dense,
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
    /// None.
    None,
}

/// How a family writes its experts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Experts {
    /// No experts.
    None,
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
    /// A learned sink per head.
    pub(super) sinks: bool,
    pub(super) qkv_bias: Switch,
    pub(super) o_bias: Switch,
    pub(super) mlp_bias: Switch,
    pub(super) lm_head_bias: Switch,
    pub(super) qk_norm: QkNorm,
    /// The field that switches the norm of queries and keys on, if there is one.
    pub(super) qk_norm_field: Option<&'static str>,
    pub(super) norms_per_layer: u32,
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
    pub(super) embedding_norm: bool,
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

pub(super) const LLAMA: Family = Family {
    architecture: "LlamaForCausalLM",
    latent: false,
    kda: false,
    compressed: false,
    indexer: false,
    linear: false,
    hybrid_pattern: false,
    unchecked: false,
    layout: Layout::Regular,
    output_gate: Switch::Never,
    sinks: false,
    qkv_bias: Switch::Field("attention_bias"),
    o_bias: Switch::Field("attention_bias"),
    mlp_bias: Switch::Field("mlp_bias"),
    lm_head_bias: Switch::Never,
    qk_norm: QkNorm::None,
    qk_norm_field: None,
    norms_per_layer: 2,
    scalars_per_layer: 0,
    norm_bias: false,
    tied: false,
    pattern: Pattern::All,
    experts: Experts::None,
    rope: RopeKind::Common,
    scalar_buffers: 0,
    behind_encoder: false,
    residual_copies: 3,
    names: &[],
    kv_heads: KvHeads::Field,
    width: Width::Field,
    gated: true,
    whole_mlp: false,
    last_norm: Switch::Always,
    embedding_norm: false,
    positions: Positions::None,
    alibi: Switch::Never,
    mask: false,
    rotary_fraction: 1.0,
    default_positions: 0,
    expanded: false,
    window_more: 0,
    pools: None,
};

pub(super) const QWEN2: Family = Family {
    architecture: "Qwen2ForCausalLM",
    qkv_bias: Switch::Always,
    o_bias: Switch::Never,
    mlp_bias: Switch::Never,
    pattern: Pattern::OnRequest,
    residual_copies: 4,
    ..LLAMA
};

const QWEN3: Family = Family {
    architecture: "Qwen3ForCausalLM",
    qkv_bias: Switch::Field("attention_bias"),
    qk_norm: QkNorm::PerHead,
    ..QWEN2
};

const GEMMA: Family = Family {
    architecture: "GemmaForCausalLM",
    mlp_bias: Switch::Never,
    tied: true,
    scalar_buffers: 1,
    residual_copies: 5,
    ..LLAMA
};

const OLMO2: Family = Family {
    architecture: "Olmo2ForCausalLM",
    qkv_bias: Switch::Field("attention_bias"),
    o_bias: Switch::Never,
    mlp_bias: Switch::Never,
    qk_norm: QkNorm::AllHeads,
    pattern: Pattern::None,
    rope: RopeKind::Frequencies(1),
    residual_copies: 4,
    ..LLAMA
};

const PHI3: Family = Family {
    architecture: "Phi3ForCausalLM",
    qkv_bias: Switch::Never,
    o_bias: Switch::Never,
    mlp_bias: Switch::Never,
    ..LLAMA
};

pub(super) const MIXTRAL: Family = Family {
    architecture: "MixtralForCausalLM",
    qkv_bias: Switch::Never,
    o_bias: Switch::Never,
    experts: Experts::Mixtral,
    ..LLAMA
};

const QWEN3_NEXT: Family = Family {
    architecture: "Qwen3NextForCausalLM",
    linear: true,
    output_gate: Switch::Always,
    experts: Experts::QwenShared,
    ..QWEN3
};

const LFM2: Family = Family {
    architecture: "Lfm2ForCausalLM",
    layout: Layout::Lfm2,
    qkv_bias: Switch::Never,
    o_bias: Switch::Never,
    mlp_bias: Switch::Never,
    qk_norm: QkNorm::PerHead,
    tied: true,
    pattern: Pattern::None,
    ..LLAMA
};

const MAMBA: Family = Family {
    architecture: "MambaForCausalLM",
    unchecked: true,
    layout: Layout::Mamba,
    norms_per_layer: 1,
    tied: true,
    pattern: Pattern::None,
    rope: RopeKind::None,
    ..LLAMA
};

pub(super) const DEEPSEEK: Family = Family {
    architecture: "DeepseekV3ForCausalLM",
    latent: true,
    mlp_bias: Switch::Never,
    pattern: Pattern::None,
    experts: Experts::DeepSeek,
    rope: RopeKind::DeepSeek,
    ..LLAMA
};

const DEEPSEEK_V4: Family = Family {
    architecture: "DeepseekV4ForCausalLM",
    latent: false,
    compressed: true,
    experts: Experts::DeepSeekV4,
    rope: RopeKind::Compressed,
    ..DEEPSEEK
};

const DEEPSEEK_V32: Family = Family {
    architecture: "DeepseekV32ForCausalLM",
    indexer: true,
    rope: RopeKind::DeepSeekIndexer,
    ..DEEPSEEK
};

/// Every architecture that is modelled.
const FAMILIES: &[Family] = &[
    LLAMA,
    Family {
        architecture: "MistralForCausalLM",
        ..LLAMA
    },
    Family {
        architecture: "Ministral3ForCausalLM",
        ..LLAMA
    },
    Family {
        architecture: "GraniteForCausalLM",
        pattern: Pattern::None,
        ..LLAMA
    },
    Family {
        architecture: "SmolLM3ForCausalLM",
        tied: true,
        pattern: Pattern::OnRequest,
        ..LLAMA
    },
    QWEN2,
    QWEN3,
    Family {
        architecture: "Qwen2MoeForCausalLM",
        experts: Experts::QwenShared,
        ..QWEN2
    },
    Family {
        architecture: "Qwen3MoeForCausalLM",
        experts: Experts::Qwen,
        ..QWEN3
    },
    MIXTRAL,
    Family {
        architecture: "GraniteMoeForCausalLM",
        pattern: Pattern::None,
        ..MIXTRAL
    },
    Family {
        architecture: "PhiMoEForCausalLM",
        qkv_bias: Switch::Field("attention_bias"),
        o_bias: Switch::Field("attention_bias"),
        lm_head_bias: Switch::Field("lm_head_bias"),
        norm_bias: true,
        ..MIXTRAL
    },
    PHI3,
    GEMMA,
    Family {
        architecture: "Gemma2ForCausalLM",
        norms_per_layer: 4,
        pattern: Pattern::FullEvery(2),
        ..GEMMA
    },
    Family {
        architecture: "Gemma3ForCausalLM",
        norms_per_layer: 4,
        qk_norm: QkNorm::PerHead,
        pattern: Pattern::FullEvery(6),
        rope: RopeKind::TwoThetas,
        ..GEMMA
    },
    OLMO2,
    Family {
        architecture: "Olmo3ForCausalLM",
        pattern: Pattern::FullEvery(4),
        rope: RopeKind::Frequencies(2),
        ..OLMO2
    },
    Family {
        architecture: "CohereForCausalLM",
        o_bias: Switch::Field("attention_bias"),
        mlp_bias: Switch::Never,
        qk_norm: QkNorm::EachHead,
        qk_norm_field: Some("use_qk_norm"),
        norms_per_layer: 1,
        tied: true,
        pattern: Pattern::None,
        ..LLAMA
    },
    Family {
        architecture: "Exaone4ForCausalLM",
        qkv_bias: Switch::Never,
        o_bias: Switch::Never,
        mlp_bias: Switch::Never,
        qk_norm: QkNorm::PerHead,
        pattern: Pattern::FullEvery(4),
        ..LLAMA
    },
    Family {
        architecture: "StableLmForCausalLM",
        qkv_bias: Switch::Field("use_qkv_bias"),
        o_bias: Switch::Never,
        mlp_bias: Switch::Never,
        norm_bias: true,
        pattern: Pattern::None,
        ..LLAMA
    },
    Family {
        architecture: "Glm4MoeForCausalLM",
        o_bias: Switch::Never,
        mlp_bias: Switch::Never,
        qk_norm: QkNorm::PerHead,
        qk_norm_field: Some("use_qk_norm"),
        pattern: Pattern::None,
        experts: Experts::Glm,
        ..LLAMA
    },
    Family {
        architecture: "NemotronHForCausalLM",
        hybrid_pattern: true,
        layout: Layout::Nemotron,
        norms_per_layer: 1,
        pattern: Pattern::None,
        experts: Experts::NemotronH,
        rope: RopeKind::None,
        ..LLAMA
    },
    Family {
        architecture: "Llama4ForCausalLM",
        mlp_bias: Switch::Never,
        pattern: Pattern::Chunked,
        experts: Experts::Llama4,
        ..LLAMA
    },
    Family {
        architecture: "Gemma4ForCausalLM",
        norms_per_layer: 4,
        scalars_per_layer: 1,
        layout: Layout::Gemma4,
        qk_norm: QkNorm::PerHead,
        pattern: Pattern::FullEvery(6),
        experts: Experts::Gemma4,
        rope: RopeKind::TwoShapes,
        ..GEMMA
    },
    Family {
        architecture: "Gemma3nForCausalLM",
        unchecked: true,
        layout: Layout::Gemma3n,
        norms_per_layer: 4,
        qk_norm: QkNorm::PerHead,
        pattern: Pattern::FullEvery(5),
        rope: RopeKind::TwoThetas,
        ..GEMMA
    },
    QWEN3_NEXT,
    Family {
        architecture: "Qwen3_5MoeForCausalLM",
        ..QWEN3_NEXT
    },
    Family {
        architecture: "Qwen3_5ForCausalLM",
        experts: Experts::None,
        ..QWEN3_NEXT
    },
    Family {
        architecture: "GptOssForCausalLM",
        qkv_bias: Switch::Always,
        o_bias: Switch::Always,
        mlp_bias: Switch::Never,
        sinks: true,
        pattern: Pattern::FullEvery(2),
        experts: Experts::GptOss,
        rope: RopeKind::DeepSeek,
        ..LLAMA
    },
    DEEPSEEK,
    Family {
        architecture: "DeepseekV2ForCausalLM",
        ..DEEPSEEK
    },
    Family {
        architecture: "KimiLinearForCausalLM",
        kda: true,
        experts: Experts::Kimi,
        rope: RopeKind::None,
        ..DEEPSEEK
    },
    Family {
        architecture: "Glm5NextForCausalLM",
        kda: true,
        experts: Experts::Glm5Next,
        rope: RopeKind::None,
        ..DEEPSEEK
    },
    DEEPSEEK_V4,
    DEEPSEEK_V32,
    Family {
        architecture: "GlmMoeDsaForCausalLM",
        ..DEEPSEEK_V32
    },
    Family {
        architecture: "Glm4MoeLiteForCausalLM",
        experts: Experts::Glm,
        rope: RopeKind::Common,
        ..DEEPSEEK
    },
    Family {
        architecture: "DeciLMForCausalLM",
        layout: Layout::Nas,
        pattern: Pattern::None,
        ..LLAMA
    },
    Family {
        architecture: "MiMoV2FlashForCausalLM",
        layout: Layout::Mimo,
        pattern: Pattern::None,
        o_bias: Switch::Never,
        rope: RopeKind::TwoThetas,
        ..LLAMA
    },
    Family {
        architecture: "LagunaForCausalLM",
        layout: Layout::Laguna,
        pattern: Pattern::None,
        qk_norm: QkNorm::PerHead,
        rope: RopeKind::ByLayerType,
        ..LLAMA
    },
    Family {
        architecture: "Step3p5ForCausalLM",
        unchecked: true,
        layout: Layout::Step,
        pattern: Pattern::None,
        o_bias: Switch::Never,
        qk_norm: QkNorm::PerHead,
        rope: RopeKind::ByLayerType,
        ..LLAMA
    },
    LFM2,
    MAMBA,
    Family {
        architecture: "FalconMambaForCausalLM",
        ..MAMBA
    },
    Family {
        architecture: "Mamba2ForCausalLM",
        layout: Layout::Mamba2,
        tied: false,
        ..MAMBA
    },
    Family {
        architecture: "JambaForCausalLM",
        unchecked: true,
        layout: Layout::Jamba,
        qkv_bias: Switch::Never,
        o_bias: Switch::Never,
        pattern: Pattern::None,
        // For the experts' names.
        experts: Experts::Lfm2,
        rope: RopeKind::None,
        ..LLAMA
    },
    Family {
        architecture: "GraniteMoeHybridForCausalLM",
        unchecked: true,
        layout: Layout::Granite,
        pattern: Pattern::None,
        // For the experts' names.
        experts: Experts::Mixtral,
        rope: RopeKind::OnRequest,
        ..LLAMA
    },
    Family {
        architecture: "Lfm2MoeForCausalLM",
        unchecked: true,
        experts: Experts::Lfm2,
        ..LFM2
    },
    Family {
        // The decoder of `WhisperForConditionalGeneration`; its third norm of each layer is counted with the encoder.
        architecture: "WhisperDecoder",
        gated: false,
        qkv_bias: Switch::Always,
        o_bias: Switch::Always,
        mlp_bias: Switch::Always,
        norms_per_layer: 1,
        norm_bias: true,
        tied: true,
        pattern: Pattern::None,
        rope: RopeKind::None,
        behind_encoder: true,
        ..LLAMA
    },
    Family {
        architecture: "MiniMaxM3SparseForCausalLM",
        qkv_bias: Switch::Never,
        o_bias: Switch::Never,
        mlp_bias: Switch::Never,
        qk_norm: QkNorm::PerHead,
        pattern: Pattern::None,
        experts: Experts::MiniMaxM3,
        ..LLAMA
    },
    Family {
        architecture: "MiniMaxM2ForCausalLM",
        qkv_bias: Switch::Never,
        o_bias: Switch::Never,
        mlp_bias: Switch::Never,
        qk_norm: QkNorm::AllHeadsSharded,
        pattern: Pattern::None,
        experts: Experts::MiniMax,
        ..LLAMA
    },
];

/// The row of that architecture.
pub(super) fn find(architecture: &str) -> Option<&'static Family> {
    FAMILIES
        .iter()
        .chain(classic::FAMILIES)
        .chain(plain::FAMILIES)
        .chain(bert::FAMILIES)
        .find(|family| family.architecture == architecture)
}

/// Why an architecture without a row is refused.
pub(super) fn refusal(architecture: &str) -> String {
    let shown: String = architecture.chars().take(60).collect();
    removed::refusal(architecture).unwrap_or_else(|| {
        format!(
            "the architecture `{shown}` is not modelled yet: its layers are of kinds whose sizes are not computed here"
        )
    })
}
