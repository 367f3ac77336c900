//! LFM2: short convolutions with full attention in between (`model_executor/models/{lfm2,lfm2_moe}.py` at 0.33.0).
use super::per_layer;
use crate::model::{
    AttentionSpan, ConfigError, DenseMlp, FeedForward, Mixer, Moe, ShortConv, attention, experts,
    family::{Experts, Family},
    fields::Fields,
};
use serde_json::Value;

const MAX_LAYERS: u32 = 1 << 10;
const MAX_WIDTH: u32 = 1 << 20;

pub(super) fn layers(
    fields: &Fields<'_>,
    family: &Family,
    hidden_size: u32,
    layers: u32,
) -> Result<(Vec<Mixer>, Vec<FeedForward>), ConfigError> {
    let attention = attention::attention(fields, family, hidden_size)?;
    let conv = ShortConv {
        conv_dim: fields.count("conv_dim", 1 << 18)?.unwrap_or(hidden_size),
        conv_l_cache: fields.count("conv_L_cache", 64)?.unwrap_or(3),
        conv_bias: fields.flag("conv_bias")?.unwrap_or(false),
    };
    let mixer = |full: bool| {
        if full {
            Mixer::Attention(attention, AttentionSpan::Full)
        } else {
            Mixer::ShortConv(conv)
        }
    };
    let mixers = full_layers(fields, layers)?.into_iter().map(mixer).collect();
    let mlp = FeedForward {
        dense: Some(DenseMlp::gated(width(fields, family)?)),
        moe: None,
    };
    if family.experts == Experts::None {
        return Ok((mixers, vec![mlp; layers as usize]));
    }
    let expert = fields.required("moe_intermediate_size", MAX_WIDTH, "the experts")?;
    let moe = Moe {
        correction_bias: fields.flag("use_expert_bias")?.unwrap_or(true),
        ..experts::routed(fields, "num_experts", expert)?
    };
    let first = fields.count_in("num_dense_layers", 0, layers)?.unwrap_or(2);
    let sparse: Vec<bool> = (0..layers).map(|i| i >= first).collect();
    let feed_forwards = experts::either(&sparse, moe, || Ok(DenseMlp::gated(width(fields, family)?)))?;
    Ok((mixers, feed_forwards))
}

/// Which layers attend: `layer_types`, else the indices in `full_attn_idxs`, else all.
fn full_layers(fields: &Fields<'_>, layers: u32) -> Result<Vec<bool>, ConfigError> {
    if let Some(types) = per_layer(fields, "layer_types", layers)? {
        let full = types.iter().map(|name| match name.as_str() {
            Some("full_attention") => Ok(true),
            Some("conv" | "short_conv") => Ok(false),
            _ => Err(fields.wrong("layer_types", "full_attention or conv", name)),
        });
        return full.collect();
    }
    let Some(indices) = fields.list("full_attn_idxs")? else {
        return Ok(vec![true; layers as usize]);
    };
    let indices: Vec<u64> = indices.iter().filter_map(Value::as_u64).collect();
    Ok((0..layers).map(|i| indices.contains(&u64::from(i))).collect())
}

/// Two thirds of `block_ff_dim`, stretched and rounded up, unless `block_auto_adjust_ff_dim` is off.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the bound"
)]
fn width(fields: &Fields<'_>, family: &Family) -> Result<u32, ConfigError> {
    let stated = match fields.count("block_ff_dim", MAX_WIDTH)? {
        Some(width) => width,
        None => fields.required("intermediate_size", MAX_WIDTH, "the feed-forward layers")?,
    };
    let adjusted = fields.flag("block_auto_adjust_ff_dim")?.unwrap_or(true);
    if !adjusted || family.experts != Experts::None {
        return Ok(stated);
    }
    let multiple = fields.count("block_multiple_of", MAX_LAYERS)?.unwrap_or(256);
    let stretch = fields.number("block_ffn_dim_multiplier")?.unwrap_or(1.0);
    let width = (stretch * f64::from(2 * stated / 3)).clamp(1.0, f64::from(MAX_WIDTH)) as u32;
    Ok(width.next_multiple_of(multiple))
}
