//! Rows of the older families and their plain relatives: GPT, Falcon, BLOOM, ChatGLM and what came of them.
//!
//! Mirrors `vllm/model_executor/models/<module>.py` at 0.33.0. GPT-NeoX, GPTBigCode, StarCoder 2, Phi, OLMo, GLM,
//! Seed-OSS and Arcee run there through Transformers' own classes (`models/transformers/`), whose rotary embeddings keep
//! their frequencies and no cache.
use super::{
    ConfigError,
    families::{DEEPSEEK, Family, KvHeads, LLAMA, MIXTRAL, Pattern, Positions, QWEN2, Switch, Width},
    fields::{Fields, Names},
    positions::RopeKind,
    spec::QkNorm,
};

const GPT_NAMES: Names = &[
    ("hidden_size", "n_embd"),
    ("num_hidden_layers", "n_layer"),
    ("num_attention_heads", "n_head"),
    ("num_key_value_heads", "n_head_kv"),
    ("intermediate_size", "n_inner"),
    ("max_position_embeddings", "n_positions"),
];

const FALCON_NAMES: Names = &[
    ("hidden_size", "n_embed"),
    ("num_hidden_layers", "n_layer"),
    ("num_attention_heads", "n_head"),
    ("num_key_value_heads", "num_kv_heads"),
    ("num_key_value_heads", "n_head_kv"),
];

const CHATGLM_NAMES: Names = &[
    ("vocab_size", "padded_vocab_size"),
    ("num_hidden_layers", "num_layers"),
    ("num_key_value_heads", "multi_query_group_num"),
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

/// Biases and `LayerNorm`s everywhere, learned positions, no gate.
const GPT2: Family = Family {
    architecture: "GPT2LMHeadModel",
    names: GPT_NAMES,
    qkv_bias: Switch::Always,
    o_bias: Switch::Always,
    mlp_bias: Switch::Always,
    norm_bias: true,
    tied: true,
    pattern: Pattern::None,
    rope: RopeKind::None,
    width: Width::FieldOrFour,
    gated: false,
    positions: Positions::Whole(0),
    ..LLAMA
};

/// No biases beside those the config asks for in the attention.
const PLAIN: Family = Family {
    o_bias: Switch::Never,
    mlp_bias: Switch::Never,
    pattern: Pattern::None,
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

const MINICPM: Family = Family {
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

/// The rows.
pub(super) const FAMILIES: &[Family] = &[
    GPT2,
    Family {
        architecture: "GPTJForCausalLM",
        qkv_bias: Switch::Never,
        o_bias: Switch::Never,
        lm_head_bias: Switch::Always,
        norms_per_layer: 1,
        tied: false,
        rope: RopeKind::Common,
        positions: Positions::None,
        ..GPT2
    },
    Family {
        architecture: "GPTBigCodeForCausalLM",
        kv_heads: KvHeads::OneWith("multi_query"),
        whole_mlp: true,
        mask: true,
        ..GPT2
    },
    Family {
        architecture: "OPTForCausalLM",
        names: &[("intermediate_size", "ffn_dim")],
        qkv_bias: Switch::Unless("enable_bias"),
        o_bias: Switch::Unless("enable_bias"),
        mlp_bias: Switch::Unless("enable_bias"),
        last_norm: Switch::Unless("do_layer_norm_before"),
        width: Width::Field,
        positions: Positions::Whole(2),
        ..GPT2
    },
    Family {
        architecture: "GPTNeoXForCausalLM",
        names: &[],
        qkv_bias: Switch::Unless("attention_bias"),
        o_bias: Switch::Unless("attention_bias"),
        tied: false,
        rope: RopeKind::Frequencies(1),
        rotary_fraction: 0.25,
        width: Width::Field,
        positions: Positions::None,
        ..GPT2
    },
    Family {
        architecture: "PhiForCausalLM",
        lm_head_bias: Switch::Always,
        norms_per_layer: 1,
        tied: false,
        rope: RopeKind::Frequencies(1),
        rotary_fraction: 0.5,
        positions: Positions::None,
        ..GPT2
    },
    Family {
        architecture: "Starcoder2ForCausalLM",
        names: &[],
        qkv_bias: Switch::Unless("use_bias"),
        o_bias: Switch::Unless("use_bias"),
        mlp_bias: Switch::Unless("use_bias"),
        pattern: Pattern::All,
        rope: RopeKind::Frequencies(1),
        width: Width::Field,
        positions: Positions::None,
        ..GPT2
    },
    Family {
        architecture: "FalconForCausalLM",
        names: FALCON_NAMES,
        qkv_bias: Switch::Field("bias"),
        o_bias: Switch::Field("bias"),
        mlp_bias: Switch::Field("bias"),
        kv_heads: KvHeads::Falcon,
        rope: RopeKind::Common,
        alibi: Switch::Field("alibi"),
        width: Width::Four,
        positions: Positions::None,
        default_positions: 2048,
        ..GPT2
    },
    Family {
        architecture: "BloomForCausalLM",
        names: FALCON_NAMES,
        embedding_norm: true,
        alibi: Switch::Always,
        width: Width::Four,
        positions: Positions::None,
        ..GPT2
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
    MINICPM,
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
    Family {
        architecture: "Cohere2ForCausalLM",
        qkv_bias: Switch::Never,
        norms_per_layer: 1,
        tied: true,
        pattern: Pattern::FullEvery(4),
        window_more: 1,
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
        pattern: Pattern::None,
        ..MIXTRAL
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
        pattern: Pattern::None,
        ..MIXTRAL
    },
];

/// What of these families' options is not computed.
pub(super) fn unsupported(fields: &Fields<'_>, family: &Family) -> Result<(), ConfigError> {
    let refuse = |what: &str| Err(ConfigError::unsupported(format!("{what} is not modelled yet")));
    match family.architecture {
        "PhiForCausalLM" | "StableLmForCausalLM" if fields.flag("qk_layernorm")? == Some(true) => {
            refuse("`qk_layernorm`")
        }
        "ChatGLMModel" | "ChatGLMForConditionalGeneration" if fields.flag("rmsnorm")? == Some(false) => {
            refuse("ChatGLM without `rmsnorm`")
        }
        "MiniCPMForCausalLM" if fields.count_in("num_experts", 0, 1 << 12)?.unwrap_or(0) > 0 => {
            refuse("MiniCPM with experts (`num_experts`)")
        }
        "OPTForCausalLM" => {
            let projected = fields.count("word_embed_proj_dim", 1 << 18)?;
            let same = projected.is_none() || projected == fields.count("hidden_size", 1 << 18)?;
            if same {
                Ok(())
            } else {
                refuse("`word_embed_proj_dim` other than `hidden_size`")
            }
        }
        _ => Ok(()),
    }
}

/// Norms in a layer of Falcon: `num_ln_in_parallel_attn`, two with `new_decoder_architecture` or without `parallel_attn`.
pub(super) fn falcon_norms(fields: &Fields<'_>) -> Result<u32, ConfigError> {
    if fields.flag("parallel_attn")? == Some(false) {
        return Ok(2);
    }
    let new = fields.flag("new_decoder_architecture")? == Some(true);
    let norms = fields.count("num_ln_in_parallel_attn", 2)?;
    Ok(norms.unwrap_or(if new { 2 } else { 1 }))
}
