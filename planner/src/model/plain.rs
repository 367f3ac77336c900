//! Rows of families near Llama's shape: ChatGLM, MiniCPM, EXAONE, Cohere and the like.
//!
//! Mirrors `vllm/model_executor/models/<module>.py` at 0.33.0. GLM, OLMo, Seed-OSS, Arcee, Hunyuan, CWM and Jais 2 run
//! there through Transformers' own classes (`models/transformers/`), whose rotary embeddings keep their frequencies and
//! no cache.
use super::{
    QkNorm,
    families::{DEEPSEEK, LLAMA, MIXTRAL, QWEN2},
    family::{Family, KvHeads, Pattern, Switch, Width},
    fields::Names,
    positions::RopeKind,
};

const CHATGLM_NAMES: Names = &[
    ("vocab_size", "padded_vocab_size"),
    ("num_hidden_layers", "num_layers"),
    ("num_key_value_heads", "multi_query_group_num"),
    ("intermediate_size", "ffn_hidden_size"),
    ("max_position_embeddings", "seq_length"),
];

const TELECHAT2_NAMES: Names = &[
    ("num_hidden_layers", "n_layer"),
    ("num_attention_heads", "n_head"),
    ("intermediate_size", "ffn_hidden_size"),
    ("max_position_embeddings", "seq_length"),
];

const DBRX_NAMES: Names = &[
    ("hidden_size", "d_model"),
    ("num_hidden_layers", "n_layers"),
    ("num_attention_heads", "n_heads"),
    ("num_key_value_heads", "attn_config.kv_n_heads"),
    ("num_local_experts", "ffn_config.moe_num_experts"),
    ("num_experts_per_tok", "ffn_config.moe_top_k"),
    ("intermediate_size", "ffn_config.ffn_hidden_size"),
    ("max_position_embeddings", "max_seq_len"),
];

/// The language model of Molmo 2 (`models/molmo2.py: Molmo2TextModel`).
pub(super) const MOLMO2: &str = "Molmo2TextModel";

/// No biases beside those the config asks for in the attention.
pub(super) const PLAIN: Family = Family {
    o_bias: Switch::Never,
    mlp_bias: Switch::Never,
    ..LLAMA
};

const CHATGLM: Family = Family {
    architecture: "ChatGLMModel",
    names: CHATGLM_NAMES,
    qkv_bias: Switch::Either("add_bias_linear", "add_qkv_bias"),
    o_bias: Switch::Field("add_bias_linear"),
    mlp_bias: Switch::Field("add_bias_linear"),
    kv_heads: KvHeads::FieldWith("multi_query_attention"),
    last_norm: Switch::Unless("post_layer_norm"),
    rotary_fraction: 0.5,
    ..PLAIN
};

pub(super) const MINICPM: Family = Family {
    architecture: "MiniCPMForCausalLM",
    qkv_bias: Switch::Never,
    tied: true,
    ..PLAIN
};

const GLM: Family = Family {
    architecture: "GlmForCausalLM",
    rope: RopeKind::Frequencies(1),
    rotary_fraction: 0.5,
    ..PLAIN
};

pub(super) const COHERE2: Family = Family {
    architecture: "Cohere2ForCausalLM",
    qkv_bias: Switch::Never,
    norms_per_layer: 1,
    tied: true,
    pattern: Pattern::FullEvery(4),
    window_more: 1,
    ..PLAIN
};

/// The rows.
pub(super) const FAMILIES: &[Family] = &[
    Family {
        // The language model of `CohereCompassForConditionalGeneration`.
        architecture: "CohereCompassForCausalLM",
        unchecked: true,
        qkv_bias: Switch::Field("attention_bias"),
        o_bias: Switch::Field("attention_bias"),
        pattern: Pattern::None,
        rope: RopeKind::OfContext,
        window_more: 0,
        ..COHERE2
    },
    Family {
        architecture: "NemotronForCausalLM",
        qkv_bias: Switch::Either("attention_bias", "bias"),
        o_bias: Switch::Either("attention_bias", "bias"),
        mlp_bias: Switch::Field("mlp_bias"),
        norm_bias: true,
        rotary_fraction: 0.5,
        gated: false,
        ..PLAIN
    },
    CHATGLM,
    Family {
        architecture: "ChatGLMForConditionalGeneration",
        ..CHATGLM
    },
    GLM,
    Family {
        architecture: "Glm4ForCausalLM",
        norms_per_layer: 4,
        rope: RopeKind::Common,
        ..GLM
    },
    Family {
        architecture: "OlmoForCausalLM",
        o_bias: Switch::Field("attention_bias"),
        // Its norms have no weights.
        norms_per_layer: 0,
        last_norm: Switch::Never,
        rope: RopeKind::Frequencies(1),
        ..PLAIN
    },
    Family {
        architecture: "SeedOssForCausalLM",
        qkv_bias: Switch::Unless("attention_bias"),
        o_bias: Switch::Field("attention_out_bias"),
        mlp_bias: Switch::Field("mlp_bias"),
        rope: RopeKind::Frequencies(1),
        ..PLAIN
    },
    Family {
        architecture: "ArceeForCausalLM",
        o_bias: Switch::Field("attention_bias"),
        mlp_bias: Switch::Field("mlp_bias"),
        rope: RopeKind::Frequencies(1),
        gated: false,
        ..PLAIN
    },
    Family {
        architecture: "OrionForCausalLM",
        qkv_bias: Switch::Never,
        norm_bias: true,
        ..PLAIN
    },
    Family {
        architecture: "InternLM2ForCausalLM",
        qkv_bias: Switch::Never,
        ..PLAIN
    },
    Family {
        architecture: "InternLM3ForCausalLM",
        qkv_bias: Switch::Field("qkv_bias"),
        o_bias: Switch::Either("attention_bias", "bias"),
        mlp_bias: Switch::Field("mlp_bias"),
        ..PLAIN
    },
    Family {
        architecture: "ExaoneForCausalLM",
        names: &[("num_hidden_layers", "num_layers")],
        qkv_bias: Switch::Either("attention_bias", "bias"),
        o_bias: Switch::Either("attention_bias", "bias"),
        mlp_bias: Switch::Field("mlp_bias"),
        ..PLAIN
    },
    Family {
        architecture: "MiniCPM3ForCausalLM",
        latent: true,
        expanded: true,
        ..MINICPM
    },
    Family {
        // Its layers for predicting several tokens are left out (`models/mimo.py: load_weights`).
        architecture: "MiMoForCausalLM",
        ..QWEN2
    },
    Family {
        architecture: "LLaMAForCausalLM",
        ..LLAMA
    },
    Family {
        architecture: "IQuestCoderForCausalLM",
        ..LLAMA
    },
    Family {
        architecture: "TeleChat3ForCausalLM",
        ..LLAMA
    },
    Family {
        architecture: "TeleFLMForCausalLM",
        ..LLAMA
    },
    Family {
        // The class takes the bias of the output projection out again.
        architecture: "Ernie4_5ForCausalLM",
        qkv_bias: Switch::Either("attention_bias", "bias"),
        mlp_bias: Switch::Field("mlp_bias"),
        tied: true,
        ..PLAIN
    },
    Family {
        architecture: "SolarForCausalLM",
        qkv_bias: Switch::Either("attention_bias", "bias"),
        o_bias: Switch::Either("attention_bias", "bias"),
        mlp_bias: Switch::Field("mlp_bias"),
        ..PLAIN
    },
    COHERE2,
    Family {
        // Biases behind the attention and the feed-forward alone (`models/telechat2.py`).
        architecture: "TeleChat2ForCausalLM",
        unchecked: true,
        names: TELECHAT2_NAMES,
        qkv_bias: Switch::Never,
        o_bias: Switch::Always,
        mlp_bias: Switch::Always,
        bare_up: true,
        ..PLAIN
    },
    Family {
        architecture: "HunYuanDenseV1ForCausalLM",
        o_bias: Switch::Field("attention_bias"),
        qk_norm: QkNorm::PerHead,
        rope: RopeKind::Frequencies(1),
        ..PLAIN
    },
    Family {
        architecture: "CwmForCausalLM",
        qkv_bias: Switch::Never,
        mlp_bias: Switch::Field("mlp_bias"),
        pattern: Pattern::FullEvery(4),
        rope: RopeKind::Frequencies(1),
        ..PLAIN
    },
    Family {
        architecture: "Jais2ForCausalLM",
        qkv_bias: Switch::Unless("attention_bias"),
        o_bias: Switch::Unless("attention_bias"),
        mlp_bias: Switch::Unless("mlp_bias"),
        norm_bias: true,
        rope: RopeKind::Frequencies(1),
        gated: false,
        ..PLAIN
    },
    Family {
        architecture: "OlmoeForCausalLM",
        names: &[("num_local_experts", "num_experts")],
        qk_norm: QkNorm::AllHeads,
        ..MIXTRAL
    },
    Family {
        architecture: "MolmoForCausalLM",
        names: &[
            ("vocab_size", "embedding_size"),
            ("tie_word_embeddings", "weight_tying"),
        ],
        qkv_bias: Switch::Field("qkv_bias"),
        o_bias: Switch::Never,
        mlp_bias: Switch::Never,
        qk_norm: QkNorm::AllHeads,
        qk_norm_field: Some("attention_layer_norm"),
        width: Width::Half,
        ..LLAMA
    },
    Family {
        architecture: MOLMO2,
        qkv_bias: Switch::Field("qkv_bias"),
        o_bias: Switch::Never,
        mlp_bias: Switch::Never,
        qk_norm: QkNorm::AllHeads,
        qk_norm_field: Some("use_qk_norm"),
        pattern: Pattern::None,
        ..LLAMA
    },
    Family {
        architecture: "DeepseekForCausalLM",
        latent: false,
        qkv_bias: Switch::Never,
        o_bias: Switch::Never,
        rope: RopeKind::Common,
        ..DEEPSEEK
    },
    Family {
        architecture: "DbrxForCausalLM",
        names: DBRX_NAMES,
        ..MIXTRAL
    },
];
