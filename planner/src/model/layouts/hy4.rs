//! Hy4: DeepSeek's sparse latent attention with a gate and sinks, by `indexer_types`, and hyper-connections whose streams go
//! on by themselves (`transformers_utils/configs/hy_v4.py`, `models/hy_v4/nvidia/{model,attention,hc}.py` at 0.33.0).
use crate::model::{
    ConfigError, FeedForward, Mixer, Mla, attention, experts, family::Family, fields::Fields, resolve::short,
};

/// The names of sparse attention.
const SPARSE: &[&str] = &[
    "deepseek_sparse_attention",
    "sparse_attention",
    "indexed_attention",
    "sparse",
];

pub(super) fn layers(
    fields: &Fields<'_>,
    family: &Family,
    hidden_size: u32,
    layers: u32,
) -> Result<(Vec<Mixer>, Vec<FeedForward>), ConfigError> {
    let types = super::per_layer(fields, "layer_types", layers)?.unwrap_or_default();
    let sparse = |name: &serde_json::Value| name.as_str().is_some_and(|name| SPARSE.contains(&name));
    if types.is_empty() || !types.iter().all(sparse) {
        return Err(ConfigError::unsupported(
            "a Hy4 with layers whose attention is not sparse by `layer_types` is not modelled yet",
        ));
    }
    let latent = attention::latent(fields)?;
    let mla = Mla {
        gate_per_head: gate(fields, latent.v_head_dim)?,
        sinks: fields.flag("learnable_sink")?.unwrap_or(true),
        ..latent
    };
    Ok((
        attention::indexed_layers(fields, mla, own(fields, layers)?)?,
        experts::feed_forward(fields, family, hidden_size, layers)?,
    ))
}

/// Streams of hidden states; 1 without hyper-connections.
pub(in crate::model) fn streams(fields: &Fields<'_>) -> Result<u32, ConfigError> {
    if fields.flag("enable_ihc")? == Some(false) {
        return Ok(1);
    }
    Ok(fields.count("hc_mult", 64)?.unwrap_or(4))
}

fn gate(fields: &Fields<'_>, value: u32) -> Result<u32, ConfigError> {
    let key = "gating_type";
    match fields.text(key)? {
        _ if fields.flag("gated_mla")? == Some(false) => Ok(0),
        None | Some("elementwise") => Ok(value),
        Some("headwise") => Ok(1),
        Some(other) => Err(fields.inconsistent(
            key,
            format!("expected elementwise or headwise, got {:?}", short(other)),
        )),
    }
}

/// Which layers have an indexer of their own.
fn own(fields: &Fields<'_>, layers: u32) -> Result<Vec<bool>, ConfigError> {
    let key = "indexer_types";
    let Some(types) = fields.list(key)? else {
        return Ok((0..layers).map(|i| i == 0 || (i - 1).is_multiple_of(4)).collect());
    };
    if types.len() != layers as usize {
        return Err(fields.inconsistent(key, format!("{} entries for {layers} layers", types.len())));
    }
    types
        .iter()
        .map(|name| match name.as_str() {
            Some("full") => Ok(true),
            Some("shared") => Ok(false),
            _ => Err(fields.wrong(key, "full or shared", name)),
        })
        .collect()
}
