//! Families whose layers differ from each other by more than how far they look back: one file per family.
mod falcon_h1;
mod gemma3n;
mod gemma4;
mod granite;
mod hy4;
mod inkling;
mod laguna;
mod lfm2;
mod longcat;
mod mamba;
mod mimo;
mod nas;
mod nemotron;
mod step;
mod zamba;

use super::{
    Attention, AttentionSpan, ConfigError, FeedForward, Mixer, attention, experts, family::Family,
    fields::Fields,
};
use serde_json::Value;

pub(super) use gemma3n::alt_up;
pub(super) use gemma4::per_layer_input;
pub(super) use hy4::streams;
pub(super) use inkling::{drafts, vocabulary};
pub(super) use nemotron::{BLOCKS, blocks, pattern};

const MAX_LAYERS: u32 = 1 << 10;

/// How a family describes its layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// `num_hidden_layers` with one shape of attention.
    Regular,
    /// By `block_configs`, `layers_block_type` or `hybrid_override_pattern` (Nemotron-H).
    Nemotron,
    /// By `block_configs` (Nemotron NAS).
    Nas,
    /// By `hybrid_layer_pattern` and `moe_layer_freq` (MiMo V2).
    Mimo,
    /// By `num_attention_heads_per_layer` and `mlp_layer_types` (Laguna).
    Laguna,
    /// By `layer_types` and `attention_other_setting` (Step 3.5).
    Step,
    /// Short convolutions with attention in between (LFM2).
    Lfm2,
    /// Mamba 1 alone.
    Mamba,
    /// Mamba 2 alone.
    Mamba2,
    /// Mamba 1 with attention in between (Jamba).
    Jamba,
    /// Mamba 2 and attention side by side in every layer (Falcon-H1).
    FalconH1,
    /// Mamba 2 and attention by `layer_types` (Granite 4).
    Granite,
    /// The last layers on cached keys of earlier ones, an embedding per layer (Gemma 3n).
    Gemma3n,
    /// Twice attention and feed-forward in every layer (LongCat-Flash).
    Longcat,
    /// Mamba 2, and blocks with shared weights in some layers (Zamba 2).
    Zamba,
    /// All queries from one latent (Step 3).
    Step3,
    /// By `local_layer_ids` and `dense_mlp_idx` (Inkling).
    Inkling,
    /// By `indexer_types` (Hy4).
    Hy4,
    /// Full-attention layers of another shape, the last layers on cached keys of earlier ones (Gemma 4).
    Gemma4,
}

/// Mixer and feed-forward of each layer.
pub(super) fn layers(
    fields: &Fields<'_>,
    family: &Family,
    hidden_size: u32,
) -> Result<(Vec<Mixer>, Vec<FeedForward>), ConfigError> {
    let count = || fields.required("num_hidden_layers", MAX_LAYERS, "weights and KV cache");
    let layers = match family.layout {
        Layout::Nemotron => nemotron::count(fields)?,
        _ => count()?,
    };
    match family.layout {
        Layout::Regular | Layout::Nemotron => Ok((
            attention::mixers(fields, family, hidden_size, layers)?,
            experts::feed_forward(fields, family, hidden_size, layers)?,
        )),
        Layout::Nas => nas::layers(fields, family, hidden_size, layers),
        Layout::Mimo => mimo::layers(fields, family, hidden_size, layers),
        Layout::Laguna => laguna::layers(fields, family, hidden_size, layers),
        Layout::Step => step::layers(fields, family, hidden_size, layers),
        Layout::Lfm2 => lfm2::layers(fields, family, hidden_size, layers),
        Layout::Mamba => mamba::plain(fields, hidden_size, layers),
        Layout::Mamba2 => mamba::plain2(fields, hidden_size, layers),
        Layout::Jamba => mamba::jamba(fields, family, hidden_size, layers),
        Layout::FalconH1 => falcon_h1::layers(fields, family, hidden_size, layers),
        Layout::Granite => granite::layers(fields, family, hidden_size, layers),
        Layout::Gemma3n => gemma3n::layers(fields, family, hidden_size, layers),
        Layout::Longcat => longcat::layers(fields, family, hidden_size, layers),
        Layout::Zamba => zamba::layers(fields, family, hidden_size, layers),
        Layout::Inkling => inkling::layers(fields, family, hidden_size, layers),
        Layout::Hy4 => hy4::layers(fields, family, hidden_size, layers),
        Layout::Step3 => step::layers3(fields, family, hidden_size, layers),
        Layout::Gemma4 => gemma4::layers(fields, family, hidden_size, layers),
    }
}

/// A list with one entry per layer, if the field is there.
fn per_layer<'a>(
    fields: &Fields<'a>,
    key: &'static str,
    layers: u32,
) -> Result<Option<&'a [Value]>, ConfigError> {
    match fields.list(key)? {
        Some(list) if list.len() < layers as usize => {
            Err(fields.inconsistent(key, format!("{} entries for {layers} layers", list.len())))
        }
        // What stands behind the last layer belongs to a prediction layer.
        Some(list) => Ok(list.get(..layers as usize)),
        None => Ok(None),
    }
}

fn needed<'a>(fields: &Fields<'a>, key: &'static str, layers: u32) -> Result<&'a [Value], ConfigError> {
    per_layer(fields, key, layers)?.ok_or_else(|| ConfigError::Missing {
        field: fields.name(key),
        needed_for: "the kind of each layer",
    })
}

/// Attention whose first `own` layers cache keys and values of their own.
fn sharing(spans: Vec<AttentionSpan>, own: u32, shape: impl Fn(AttentionSpan) -> Attention) -> Vec<Mixer> {
    let mixer = |(layer, span): (u32, AttentionSpan)| {
        let shares_kv = layer >= own;
        let attention = Attention {
            shares_kv,
            ..shape(span)
        };
        Mixer::Attention(attention, span)
    };
    (0..).zip(spans).map(mixer).collect()
}

/// Which layers have experts, by `mlp_layer_types`.
pub(super) fn sparse_by_type(fields: &Fields<'_>, layers: u32) -> Result<Option<Vec<bool>>, ConfigError> {
    let key = "mlp_layer_types";
    let Some(types) = per_layer(fields, key, layers)? else {
        return Ok(None);
    };
    let sparse = types.iter().map(|name| match name.as_str() {
        Some("sparse") => Ok(true),
        Some("dense") => Ok(false),
        _ => Err(fields.wrong(key, "dense or sparse", name)),
    });
    sparse.collect::<Result<_, _>>().map(Some)
}
