//! Granite 4 hybrids: Mamba 2 with attention in between, each before experts, a shared feed-forward, or both
//! (`model_executor/models/granitemoehybrid.py` at 0.33.0).
use super::per_layer;
use crate::{
    model::{
        AttentionSpan, ConfigError, DenseMlp, FeedForward, Mamba2, Mixer, Moe, SharedExpert, attention,
        experts, family::Family, fields::Fields,
    },
    units::FloatDtype,
};
use serde_json::Value;

const MAX_LATENT: u32 = 1 << 14;
const MAX_WIDTH: u32 = 1 << 18;

pub(super) fn layers(
    fields: &Fields<'_>,
    family: &Family,
    hidden_size: u32,
    layers: u32,
) -> Result<(Vec<Mixer>, Vec<FeedForward>), ConfigError> {
    let attention = attention::attention(fields, family, hidden_size)?;
    let mamba = mamba(fields, hidden_size, None)?;
    let key = if fields.has("layer_types") {
        "layer_types"
    } else {
        "layers_block_type"
    };
    let mixer = |name: &Value| match name.as_str() {
        Some("attention" | "full_attention") => Ok(Mixer::Attention(attention, AttentionSpan::Full)),
        Some("mamba" | "linear_attention") => Ok(Mixer::Mamba2(mamba)),
        _ => Err(fields.wrong(key, "mamba or attention", name)),
    };
    let mixers = match per_layer(fields, key, layers)? {
        Some(types) => types.iter().map(mixer).collect::<Result<_, _>>()?,
        // The class's default.
        None => vec![Mixer::Mamba2(mamba); layers as usize],
    };
    Ok((mixers, vec![feed_forward(fields)?; layers as usize]))
}

/// `own` is the number of channels where the config says it.
pub(super) fn mamba(fields: &Fields<'_>, hidden_size: u32, own: Option<u32>) -> Result<Mamba2, ConfigError> {
    let count =
        |key, default| -> Result<u32, ConfigError> { Ok(fields.count(key, MAX_LATENT)?.unwrap_or(default)) };
    if fields.flag("mamba_proj_bias")? == Some(true) {
        return Err(ConfigError::unsupported(
            "Mamba layers with biases on their projections are not modelled yet",
        ));
    }
    let heads = count("mamba_n_heads", 128)?;
    let channels = match own {
        Some(channels) => channels,
        None => count("mamba_expand", 2)?.saturating_mul(hidden_size),
    };
    let head_dim = match fields.value("mamba_d_head") {
        None => channels / heads,
        Some(Value::String(auto)) if auto == "auto" => channels / heads,
        Some(_) => count("mamba_d_head", 64)?,
    };
    if heads.saturating_mul(head_dim) != channels {
        return Err(fields.inconsistent(
            "mamba_n_heads",
            format!("{heads} heads of {head_dim} are not {channels} channels"),
        ));
    }
    Ok(Mamba2 {
        mamba_num_heads: heads,
        mamba_head_dim: head_dim,
        n_groups: count("mamba_n_groups", 1)?,
        ssm_state_size: count("mamba_d_state", 256)?,
        conv_kernel: fields.count("mamba_d_conv", 64)?.unwrap_or(4),
        norm: true,
        conv_bias: fields.flag("mamba_conv_bias")?.unwrap_or(true),
        // As the model's own type.
        ssm_dtype: FloatDtype::Bfloat16,
    })
}

fn feed_forward(fields: &Fields<'_>) -> Result<FeedForward, ConfigError> {
    let shared = fields
        .count_in("shared_intermediate_size", 0, MAX_WIDTH)?
        .unwrap_or(1024);
    if fields.count_in("num_local_experts", 0, 1 << 12)? == Some(0) {
        return Ok(FeedForward {
            dense: (shared > 0).then_some(DenseMlp::gated(shared)),
            moe: None,
        });
    }
    let width = fields.required("intermediate_size", MAX_WIDTH, "the experts")?;
    let moe = Moe {
        shared: (shared > 0).then_some(SharedExpert {
            intermediate_size: shared,
            gate: false,
        }),
        ..experts::routed(fields, "num_local_experts", width)?
    };
    Ok(FeedForward {
        dense: None,
        moe: Some(moe),
    })
}
