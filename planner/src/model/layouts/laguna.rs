//! Laguna: query heads that differ by layer, and a gate with a projection of its own
//! (`model_executor/models/laguna.py` at 0.33.0).
use super::{per_layer, sparse_by_type};
use crate::model::{
    Attention, AttentionSpan, ConfigError, DenseMlp, FeedForward, Mixer, Moe, SharedExpert, attention,
    experts, family::Family, fields::Fields,
};
use serde_json::Value;

const MAX_HEADS: u64 = 1 << 12;
const MAX_WIDTH: u32 = 1 << 18;

pub(super) fn layers(
    fields: &Fields<'_>,
    family: &Family,
    hidden_size: u32,
    layers: u32,
) -> Result<(Vec<Mixer>, Vec<FeedForward>), ConfigError> {
    let common = attention::attention(fields, family, hidden_size)?;
    let common = Attention {
        gate_per_head: gate(fields, common.head_dim)?,
        ..common
    };
    let sinks = fields.flag("swa_attention_sink_enabled")?.unwrap_or(false);
    let spans = attention::spans(fields, family, layers)?;
    let key = "num_attention_heads_per_layer";
    let heads = match per_layer(fields, key, layers)? {
        Some(heads) => heads
            .iter()
            .map(|value| head_count(value).ok_or_else(|| fields.wrong(key, "a list of head counts", value)))
            .collect::<Result<_, _>>()?,
        None => vec![common.num_attention_heads; layers as usize],
    };
    let mixers = spans.iter().zip(heads).map(|(span, heads)| {
        let attention = Attention {
            num_attention_heads: heads,
            sinks: sinks && *span != AttentionSpan::Full,
            ..common
        };
        Mixer::Attention(attention, *span)
    });
    Ok((mixers.collect(), feed_forwards(fields, layers)?))
}

fn head_count(value: &Value) -> Option<u32> {
    let heads = value.as_u64().filter(|heads| (1..=MAX_HEADS).contains(heads))?;
    u32::try_from(heads).ok()
}

/// `gating` is a flag or the grain of the gate.
fn gate(fields: &Fields<'_>, head_dim: u32) -> Result<u32, ConfigError> {
    match fields.value("gating") {
        Some(Value::Bool(false)) => Ok(0),
        None | Some(Value::Bool(true)) => Ok(1),
        Some(Value::String(grain)) if grain == "per-head" => Ok(1),
        Some(Value::String(_)) => Ok(head_dim),
        Some(other) => Err(fields.wrong("gating", "true, false, per-head or per-element", other)),
    }
}

fn feed_forwards(fields: &Fields<'_>, layers: u32) -> Result<Vec<FeedForward>, ConfigError> {
    let expert = fields.required("moe_intermediate_size", MAX_WIDTH, "the experts")?;
    let shared = fields
        .count_in("shared_expert_intermediate_size", 0, MAX_WIDTH)?
        .unwrap_or(512);
    let moe = Moe {
        correction_bias: true,
        shared: (shared > 0).then_some(SharedExpert {
            intermediate_size: shared,
            gate: false,
        }),
        ..experts::routed(fields, "num_experts", expert)?
    };
    // The class makes all but the first sparse where the file does not say.
    let sparse = sparse_by_type(fields, layers)?.unwrap_or_else(|| (0..layers).map(|i| i > 0).collect());
    experts::either(&sparse, moe, || {
        let width = fields.required("intermediate_size", MAX_WIDTH, "the feed-forward layers")?;
        Ok(DenseMlp::gated(width))
    })
}
