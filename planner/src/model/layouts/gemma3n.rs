//! Gemma 3n: the last layers on the cached keys of earlier ones, an embedding per layer, several copies of the hidden
//! states (AltUp), a low-rank residual (Laurel) (`model_executor/models/gemma3n.py` at 0.33.0).
use super::{per_layer, sharing};
use crate::model::{
    AltUp, ConfigError, DenseMlp, FeedForward, Mixer, attention, family::Family, fields::Fields,
};
use serde_json::Value;

const MAX_WIDTH: u32 = 1 << 20;

pub(super) fn layers(
    fields: &Fields<'_>,
    family: &Family,
    hidden_size: u32,
    layers: u32,
) -> Result<(Vec<Mixer>, Vec<FeedForward>), ConfigError> {
    let shape = attention::attention(fields, family, hidden_size)?;
    let shared = fields.count_in("num_kv_shared_layers", 0, layers)?.unwrap_or(15);
    let spans = attention::spans(fields, family, layers)?;
    let own = layers.checked_sub(shared).filter(|own| *own > 0);
    let own =
        own.ok_or_else(|| fields.inconsistent("num_kv_shared_layers", "no layer is left to share from"))?;
    let mixers = sharing(spans, own, |_| shape);
    Ok((mixers, feed_forwards(fields, layers)?))
}

/// `intermediate_size` is one width or a list of them.
fn feed_forwards(fields: &Fields<'_>, layers: u32) -> Result<Vec<FeedForward>, ConfigError> {
    let key = "intermediate_size";
    let of = |width| FeedForward {
        dense: Some(DenseMlp::gated(width)),
        moe: None,
    };
    if !fields.value(key).is_some_and(Value::is_array) {
        let width = fields.required(key, MAX_WIDTH, "the feed-forward layers")?;
        return Ok(vec![of(width); layers as usize]);
    }
    let widths = per_layer(fields, key, layers)?.unwrap_or_default().iter();
    let width = |value: &Value| {
        let width = value.as_u64().and_then(|width| u32::try_from(width).ok());
        let width = width.filter(|width| (1..=MAX_WIDTH).contains(width));
        width
            .map(of)
            .ok_or_else(|| fields.wrong(key, "a list of widths", value))
    };
    widths.map(width).collect()
}

/// AltUp and Laurel.
pub(in crate::model) fn alt_up(fields: &Fields<'_>) -> Result<AltUp, ConfigError> {
    Ok(AltUp {
        altup_num_inputs: fields.count("altup_num_inputs", 64)?.unwrap_or(4),
        laurel_rank: fields.count("laurel_rank", 1 << 14)?.unwrap_or(64),
    })
}
