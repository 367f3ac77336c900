//! What vLLM's model classes add to the config's fields, one row per architecture.
//!
//! Mirrors `vllm/model_executor/models/<module>.py` at 0.33.0: which biases, norms and experts a class creates.
use super::{
    QkNorm, bert, classic, compressed,
    family::{Experts, Family, KvHeads, Pattern, Positions, Switch, Width},
    layouts::Layout,
    plain,
    positions::RopeKind,
    qwen4::QWEN4,
    removed, routed,
};

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
    own_gate: false,
    sinks: false,
    qkv_bias: Switch::Field("attention_bias"),
    o_bias: Switch::Field("attention_bias"),
    mlp_bias: Switch::Field("mlp_bias"),
    bare_up: false,
    lm_head_bias: Switch::Never,
    qk_norm: QkNorm::None,
    qk_norm_field: None,
    norms_per_layer: 2,
    sandwich: None,
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
    embedding_norm: Switch::Never,
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

pub(super) const QWEN3: Family = Family {
    architecture: "Qwen3ForCausalLM",
    qkv_bias: Switch::Field("attention_bias"),
    qk_norm: QkNorm::PerHead,
    ..QWEN2
};

const GEMMA: Family = Family {
    architecture: "GemmaForCausalLM",
    pattern: Pattern::None,
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

const NEMOTRON_H: Family = Family {
    architecture: "NemotronHForCausalLM",
    hybrid_pattern: true,
    layout: Layout::Nemotron,
    norms_per_layer: 1,
    pattern: Pattern::None,
    experts: Experts::NemotronH,
    rope: RopeKind::None,
    ..LLAMA
};

/// The decoder of `WhisperForConditionalGeneration`; its third norm of each layer is counted with the encoder.
const WHISPER: Family = Family {
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

const DEEPSEEK_V41: Family = Family {
    architecture: compressed::V41,
    unchecked: true,
    ..DEEPSEEK_V4
};

const DEEPSEEK_V32: Family = Family {
    architecture: "DeepseekV32ForCausalLM",
    indexer: true,
    rope: RopeKind::DeepSeekIndexer,
    ..DEEPSEEK
};

const MIMO_V2: Family = Family {
    architecture: "MiMoV2FlashForCausalLM",
    layout: Layout::Mimo,
    pattern: Pattern::None,
    o_bias: Switch::Never,
    rope: RopeKind::TwoThetas,
    ..LLAMA
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
        // Its norms of queries and keys, and of the embedding, have no weights.
        architecture: "MuseGlimmerForCausalLM",
        own_gate: true,
        qkv_bias: Switch::Never,
        o_bias: Switch::Never,
        mlp_bias: Switch::Never,
        norms_per_layer: 4,
        ..LLAMA
    },
    Family {
        architecture: "Gemma3ForCausalLM",
        norms_per_layer: 4,
        qk_norm: QkNorm::PerHead,
        pattern: Pattern::FullEvery(6),
        rope: RopeKind::TwoThetas,
        ..GEMMA
    },
    Family {
        architecture: "Rnj1ForCausalLM",
        unchecked: true,
        mlp_bias: Switch::Never,
        norms_per_layer: 4,
        qk_norm: QkNorm::PerHead,
        pattern: Pattern::Lookback,
        tied: true,
        scalar_buffers: 1,
        ..LLAMA
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
    NEMOTRON_H,
    Family {
        architecture: "NemotronHPuzzleForCausalLM",
        unchecked: true,
        ..NEMOTRON_H
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
        // Its norms are in what mixes the streams of hidden states.
        architecture: QWEN4,
        unchecked: true,
        norms_per_layer: 0,
        last_norm: Switch::Never,
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
    DEEPSEEK_V41,
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
    MIMO_V2,
    Family {
        architecture: "MiMoV2ForCausalLM",
        unchecked: true,
        ..MIMO_V2
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
    Family {
        architecture: "InklingForCausalLM",
        unchecked: true,
        layout: Layout::Inkling,
        qkv_bias: Switch::Field("q_bias"),
        o_bias: Switch::Field("o_bias"),
        qk_norm: QkNorm::PerHead,
        pattern: Pattern::None,
        // For the experts' names.
        experts: Experts::Glm,
        rope: RopeKind::None,
        embedding_norm: Switch::Field("use_embed_norm"),
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
    WHISPER,
    Family {
        // The decoder of `NemotronParseForConditionalGeneration`, whose widths stand in `decoder`.
        architecture: "MBartDecoderNoPos",
        unchecked: true,
        names: &[
            ("hidden_size", "d_model"),
            ("intermediate_size", "encoder_ffn_dim"),
            ("num_hidden_layers", "decoder_layers"),
            ("num_attention_heads", "decoder_attention_heads"),
        ],
        embedding_norm: Switch::Always,
        tied: false,
        ..WHISPER
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
        .chain(routed::FAMILIES)
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
