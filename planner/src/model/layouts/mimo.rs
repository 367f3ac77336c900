//! MiMo V2: sliding layers with head counts of their own and sinks (`model_executor/models/mimo_v2.py` at 0.33.0).
use super::needed;
use crate::{
    model::{
        Attention, AttentionSpan, ConfigError, DenseMlp, FeedForward, Mixer, Moe, attention, experts,
        family::Family, fields::Fields,
    },
    units::FloatDtype,
};
use serde_json::Value;

const MAX_HEADS: u32 = 1 << 12;
const MAX_WIDTH: u32 = 1 << 18;

pub(super) fn layers(
    fields: &Fields<'_>,
    family: &Family,
    hidden_size: u32,
    layers: u32,
) -> Result<(Vec<Mixer>, Vec<FeedForward>), ConfigError> {
    let full = attention::attention(fields, family, hidden_size)?;
    let full = Attention {
        v_head_dim: fields.count("v_head_dim", MAX_HEADS)?.unwrap_or(full.head_dim),
        ..full
    };
    let needs = |key| fields.required(key, MAX_HEADS, "the sliding layers");
    let head_dim = needs("swa_head_dim")?;
    let sliding = Attention {
        num_attention_heads: needs("swa_num_attention_heads")?,
        num_key_value_heads: needs("swa_num_key_value_heads")?,
        head_dim,
        v_head_dim: fields.count("swa_v_head_dim", MAX_HEADS)?.unwrap_or(head_dim),
        sinks: fields.flag("add_swa_attention_sink_bias")?.unwrap_or(false),
        ..full
    };
    if fields.text("attention_projection_layout")? == Some("fused_qkv") {
        return Err(ConfigError::unsupported(
            "checkpoints whose queries, keys and values are fused (`attention_projection_layout`) are not modelled yet",
        ));
    }
    let window = fields.required("sliding_window_size", 1 << 27, "the sliding layers")?;
    let key = "hybrid_layer_pattern";
    let mixer = |value: &Value| match value.as_u64() {
        Some(0) => Ok(Mixer::Attention(full, AttentionSpan::Full)),
        Some(1) => Ok(Mixer::Attention(sliding, AttentionSpan::Sliding(window))),
        _ => Err(fields.wrong(key, "0 or 1", value)),
    };
    let mixers = needed(fields, key, layers)?.iter().map(mixer);
    let width = fields.required("intermediate_size", MAX_WIDTH, "the feed-forward layers")?;
    let expert = fields.required("moe_intermediate_size", MAX_WIDTH, "the experts")?;
    let router_dtype = fields.text("moe_router_dtype")?.and_then(FloatDtype::parse);
    let moe = Moe {
        correction_bias: true,
        router_dtype: router_dtype.unwrap_or(FloatDtype::Float32),
        ..experts::routed(fields, "n_routed_experts", expert)?
    };
    let sparse = needed(fields, "moe_layer_freq", layers)?;
    let sparse: Vec<bool> = sparse.iter().map(|v| v.as_u64() != Some(0)).collect();
    let feed_forwards = experts::either(&sparse, moe, || Ok(DenseMlp::gated(width)))?;
    Ok((mixers.collect::<Result<_, _>>()?, feed_forwards))
}
