//! Rows of the families that came before Llama's shape: biases, `LayerNorm`s, no gate.
//!
//! Mirrors `vllm/model_executor/models/<module>.py` at 0.33.0. GPT-NeoX, GPTBigCode, StarCoder 2 and Phi run there
//! through Transformers' own classes (`models/transformers/`), whose rotary embeddings keep their frequencies and no
//! cache.
use super::{
    ConfigError,
    families::LLAMA,
    family::{Family, KvHeads, Pattern, Positions, Switch, Width},
    fields::{Fields, Names},
    positions::RopeKind,
    routed::K2_HORIZON,
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

/// Biases and `LayerNorm`s everywhere, learned positions, no gate.
const GPT2: Family = Family {
    architecture: "GPT2LMHeadModel",
    names: GPT_NAMES,
    qkv_bias: Switch::Always,
    o_bias: Switch::Always,
    mlp_bias: Switch::Always,
    norm_bias: true,
    tied: true,
    rope: RopeKind::None,
    width: Width::FieldOrFour,
    gated: false,
    positions: Positions::Whole(0),
    ..LLAMA
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
        pattern: Pattern::None,
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
        embedding_norm: Switch::Always,
        alibi: Switch::Always,
        width: Width::Four,
        positions: Positions::None,
        ..GPT2
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
        "ModernBertModel" | "ModernBertForSequenceClassification"
            if fields.flag("norm_bias")? == Some(true) =>
        {
            refuse("`norm_bias`")
        }
        K2_HORIZON
            if fields.count_in("mova_num_experts", 0, 1 << 12)?.unwrap_or(0) > 0
                || fields.text("attention_gate_func")?.is_some()
                || fields.count("rope_head_dim", 1 << 12)? < fields.count("head_dim", 1 << 12)?
                    && fields.has("rope_head_dim") =>
        {
            refuse(
                "K2 Horizon with experts for values, a gate on its attention or positions on a part of a head",
            )
        }
        // `models/config.py: NomicBertModelConfig` asserts it.
        "NomicBertModel"
            if fields
                .text("activation_function")?
                .is_some_and(|name| !matches!(name, "swiglu" | "gelu")) =>
        {
            refuse("Nomic's BERT with neither `swiglu` nor `gelu`")
        }
        // One for all layers is all that a published file has.
        "HunYuanMoEV1ForCausalLM"
            if ["moe_topk", "moe_intermediate_size", "num_shared_expert"]
                .iter()
                .filter_map(|key| fields.value(key)?.as_array())
                .any(|list| list.windows(2).any(|pair| pair[0] != pair[1])) =>
        {
            refuse("Hunyuan with experts that differ from layer to layer")
        }
        // Its class keeps the experts in 16 bits.
        "MiniCPMForCausalLM"
            if fields.count_in("num_experts", 0, 1 << 12)?.unwrap_or(0) > 0
                && fields.has("quantization_config") =>
        {
            refuse("quantised MiniCPM with experts (`num_experts`)")
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
