//! Gemma 4: full-attention layers of another shape, layers on the cached keys of earlier ones, an embedding per layer
//! (`model_executor/models/gemma4.py` at 0.33.0).
use super::sharing;
use crate::model::{
    Attention, AttentionSpan, ConfigError, DenseMlp, FeedForward, Mixer, PerLayerInput, attention, experts,
    family::Family, fields::Fields,
};

const MAX_HEADS: u32 = 1 << 12;
const MAX_WIDTH: u32 = 1 << 14;
const MAX_VOCAB: u32 = 1 << 22;

pub(super) fn layers(
    fields: &Fields<'_>,
    family: &Family,
    hidden_size: u32,
    layers: u32,
) -> Result<(Vec<Mixer>, Vec<FeedForward>), ConfigError> {
    let sliding = attention::attention(fields, family, hidden_size)?;
    let head_dim = fields
        .count("global_head_dim", MAX_HEADS)?
        .unwrap_or(sliding.head_dim);
    let full = Attention {
        head_dim,
        v_head_dim: head_dim,
        num_key_value_heads: fields
            .count("num_global_key_value_heads", MAX_HEADS)?
            .unwrap_or(sliding.num_key_value_heads),
        ..sliding
    };
    let shared = fields.count_in("num_kv_shared_layers", 0, layers)?.unwrap_or(0);
    let own = layers - shared;
    if own == 0 {
        return Err(fields.inconsistent("num_kv_shared_layers", "no layer is left to share from"));
    }
    let spans = attention::spans(fields, family, layers)?;
    let shape = |span| {
        if span == AttentionSpan::Full {
            full
        } else {
            sliding
        }
    };
    let mixers = sharing(spans, own, shape);
    let mut feed_forwards = experts::feed_forward(fields, family, hidden_size, layers)?;
    if fields.flag("use_double_wide_mlp")? == Some(true) {
        for mlp in feed_forwards.iter_mut().skip(own as usize) {
            mlp.dense = mlp.dense.map(|dense| DenseMlp {
                intermediate_size: dense.intermediate_size * 2,
                ..dense
            });
        }
    }
    Ok((mixers, feed_forwards))
}

/// The embedding per layer, if the model has one.
pub(in crate::model) fn per_layer_input(
    fields: &Fields<'_>,
    vocab_size: u32,
) -> Result<Option<PerLayerInput>, ConfigError> {
    let width = fields.count_in("hidden_size_per_layer_input", 0, MAX_WIDTH)?;
    let rows = fields.count("vocab_size_per_layer_input", MAX_VOCAB)?;
    Ok(width.filter(|width| *width > 0).map(|width| PerLayerInput {
        hidden_size_per_layer_input: width,
        vocab_size_per_layer_input: rows.unwrap_or(vocab_size),
    }))
}
