//! Step 3.5: sliding layers with more query heads, a gate per head, a shared expert
//! (`model_executor/models/step3p5.py` at 0.33.0). Step 3: one key head, queries from one latent (`step3_text.py`).
use super::{needed, sparse_by_type};
use crate::{
    model::{
        Attention, AttentionSpan, ConfigError, DenseMlp, FeedForward, Mixer, Moe, SharedExpert, attention,
        experts, family::Family, fields::Fields,
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
    let groups = fields.count("num_attention_groups", MAX_HEADS)?;
    let gated = fields.flag("use_head_wise_attn_gate")?.unwrap_or(false);
    let full = Attention {
        num_key_value_heads: groups.unwrap_or(full.num_key_value_heads),
        gate_per_head: u32::from(gated),
        ..full
    };
    let sliding = Attention {
        num_attention_heads: sliding_heads(fields)?.unwrap_or(full.num_attention_heads),
        ..full
    };
    let window = fields.count("sliding_window", 1 << 27)?;
    let key = "layer_types";
    let mixer = |name: &Value| match (name.as_str(), window) {
        (Some("full_attention"), _) => Ok(Mixer::Attention(full, AttentionSpan::Full)),
        (Some("sliding_attention"), Some(window)) => {
            Ok(Mixer::Attention(sliding, AttentionSpan::Sliding(window)))
        }
        _ => Err(fields.wrong(
            key,
            "full_attention, or sliding_attention with a sliding_window",
            name,
        )),
    };
    let mixers = needed(fields, key, layers)?.iter().map(mixer);
    let routed = Moe {
        correction_bias: true,
        router_dtype: FloatDtype::Float32,
        ..moe(fields)?
    };
    Ok((
        mixers.collect::<Result<_, _>>()?,
        feed_forwards(fields, routed, 3, layers)?,
    ))
}

pub(super) fn layers3(
    fields: &Fields<'_>,
    family: &Family,
    hidden_size: u32,
    layers: u32,
) -> Result<(Vec<Mixer>, Vec<FeedForward>), ConfigError> {
    let attention = attention::attention(fields, family, hidden_size)?;
    let attention = Attention {
        num_key_value_heads: 1,
        query_rank: fields
            .count("share_q_dim", 1 << 16)?
            .unwrap_or(attention.head_dim),
        ..attention
    };
    let mixer = Mixer::Attention(attention, AttentionSpan::Full);
    let mlps = feed_forwards(fields, moe(fields)?, 1, layers)?;
    Ok((vec![mixer; layers as usize], mlps))
}

fn sliding_heads(fields: &Fields<'_>) -> Result<Option<u32>, ConfigError> {
    if let Some(heads) = fields.count("num_sliding_attention_heads", MAX_HEADS)? {
        return Ok(Some(heads));
    }
    let Some(other) = fields.object("attention_other_setting")? else {
        return Ok(None);
    };
    let other = Fields::new(other, "attention_other_setting");
    if other.text("attention_type")? == Some("sliding_attention") {
        return other.count("num_attention_heads", MAX_HEADS);
    }
    Ok(None)
}

/// The older files' name of a field, else the newer one.
fn either(fields: &Fields<'_>, old: &'static str, new: &'static str) -> &'static str {
    if fields.has(old) { old } else { new }
}

fn moe(fields: &Fields<'_>) -> Result<Moe, ConfigError> {
    let expert = fields.required("moe_intermediate_size", MAX_WIDTH, "the experts")?;
    let shared = fields.required("share_expert_dim", MAX_WIDTH, "the shared expert")?;
    Ok(Moe {
        shared: Some(SharedExpert {
            intermediate_size: shared,
            gate: false,
        }),
        ..experts::routed_as(
            fields,
            either(fields, "moe_num_experts", "n_routed_experts"),
            either(fields, "moe_top_k", "num_experts_per_tok"),
            expert,
        )?
    })
}

/// `dense` layers come first where the file names none.
fn feed_forwards(
    fields: &Fields<'_>,
    moe: Moe,
    dense: u32,
    layers: u32,
) -> Result<Vec<FeedForward>, ConfigError> {
    let listed: Option<Vec<u32>> = match fields.value("moe_layers_enum") {
        Some(Value::String(list)) => Some(list.split(',').filter_map(|i| i.trim().parse().ok()).collect()),
        _ => None,
    };
    let sparse = match (sparse_by_type(fields, layers)?, listed) {
        (Some(sparse), _) => sparse,
        (None, Some(listed)) => (0..layers).map(|i| listed.contains(&i)).collect(),
        // `transformers`' Step3p7TextConfig; Step 3's class.
        (None, None) => (0..layers).map(|i| i >= dense).collect(),
    };
    experts::either(&sparse, moe, || {
        let width = fields.required("intermediate_size", MAX_WIDTH, "the feed-forward layers")?;
        Ok(DenseMlp::gated(width))
    })
}
