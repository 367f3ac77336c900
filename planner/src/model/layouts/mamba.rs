//! Mamba 1 and 2, alone (`model_executor/models/{mamba,mamba2}.py` at 0.33.0), and Mamba 1 with attention in between and experts behind
//! (`jamba.py`).
use crate::{
    model::{
        AttentionSpan, ConfigError, DenseMlp, FeedForward, Mamba1, Mamba2, Mixer, attention, experts,
        family::Family, fields::Fields,
    },
    units::FloatDtype,
};
use serde_json::Value;

const MAX_LAYERS: u32 = 1 << 10;
const MAX_WIDTH: u32 = 1 << 18;

/// Names of Mamba 1's fields, which differ by family.
struct Names {
    state: &'static str,
    kernel: &'static str,
    expand: &'static str,
    rank: &'static str,
    conv_bias: &'static str,
    bias: &'static str,
}

const JAMBA: Names = Names {
    state: "mamba_d_state",
    kernel: "mamba_d_conv",
    expand: "mamba_expand",
    rank: "mamba_dt_rank",
    conv_bias: "mamba_conv_bias",
    bias: "mamba_proj_bias",
};

const PLAIN: Names = Names {
    state: "state_size",
    kernel: "conv_kernel",
    expand: "expand",
    rank: "time_step_rank",
    conv_bias: "use_conv_bias",
    bias: "use_bias",
};

fn mixer(fields: &Fields<'_>, names: &Names, hidden_size: u32, norms: bool) -> Result<Mamba1, ConfigError> {
    let rank = match fields.value(names.rank) {
        Some(Value::String(auto)) if auto == "auto" => None,
        _ => fields.count(names.rank, MAX_WIDTH)?,
    };
    let expand = fields.count(names.expand, 64)?.unwrap_or(2);
    Ok(Mamba1 {
        intermediate_size: hidden_size * expand,
        state_size: fields.count(names.state, 1 << 14)?.unwrap_or(16),
        conv_kernel: fields.count(names.kernel, 64)?.unwrap_or(4),
        time_step_rank: rank.unwrap_or(hidden_size.div_ceil(16)),
        conv_bias: fields.flag(names.conv_bias)?.unwrap_or(true),
        proj_bias: fields.flag(names.bias)?.unwrap_or(false),
        norms,
    })
}

/// Mamba alone: no attention, no feed-forward.
pub(super) fn plain(
    fields: &Fields<'_>,
    hidden_size: u32,
    layers: u32,
) -> Result<(Vec<Mixer>, Vec<FeedForward>), ConfigError> {
    let mixer = Mixer::Mamba1(mixer(fields, &PLAIN, hidden_size, false)?);
    let layers = layers as usize;
    Ok((vec![mixer; layers], vec![FeedForward::default(); layers]))
}

/// Mamba 2 alone.
pub(super) fn plain2(
    fields: &Fields<'_>,
    hidden_size: u32,
    layers: u32,
) -> Result<(Vec<Mixer>, Vec<FeedForward>), ConfigError> {
    if fields.flag(PLAIN.bias)? == Some(true) {
        return Err(ConfigError::unsupported(
            "Mamba layers with biases on their projections are not modelled yet",
        ));
    }
    let count =
        |key, default| -> Result<u32, ConfigError> { Ok(fields.count(key, 1 << 14)?.unwrap_or(default)) };
    let (heads, head_dim) = (count("num_heads", 128)?, count("head_dim", 64)?);
    let channels = hidden_size * fields.count(PLAIN.expand, 64)?.unwrap_or(2);
    if heads.saturating_mul(head_dim) != channels {
        return Err(fields.inconsistent(
            "num_heads",
            format!("{heads} heads of {head_dim} are not {channels} channels"),
        ));
    }
    let mixer = Mixer::Mamba2(Mamba2 {
        mamba_num_heads: heads,
        mamba_head_dim: head_dim,
        n_groups: count("n_groups", 8)?,
        ssm_state_size: count(PLAIN.state, 128)?,
        conv_kernel: fields.count(PLAIN.kernel, 64)?.unwrap_or(4),
        norm: true,
        conv_bias: fields.flag(PLAIN.conv_bias)?.unwrap_or(true),
        // As the model's own type.
        ssm_dtype: FloatDtype::Bfloat16,
    });
    let layers = layers as usize;
    Ok((vec![mixer; layers], vec![FeedForward::default(); layers]))
}

/// Attention in every `attn_layer_period`-th layer, experts in every `expert_layer_period`-th.
pub(super) fn jamba(
    fields: &Fields<'_>,
    family: &Family,
    hidden_size: u32,
    layers: u32,
) -> Result<(Vec<Mixer>, Vec<FeedForward>), ConfigError> {
    let attention = attention::attention(fields, family, hidden_size)?;
    let mamba = mixer(fields, &JAMBA, hidden_size, true)?;
    let place = |period, offset, (every, from): (u32, u32)| -> Result<(u32, u32), ConfigError> {
        let every = fields.count(period, MAX_LAYERS)?.unwrap_or(every);
        let from = fields.count_in(offset, 0, MAX_LAYERS)?.unwrap_or(from);
        Ok((every, from))
    };
    let attends = place("attn_layer_period", "attn_layer_offset", (8, 4))?;
    let routes = place("expert_layer_period", "expert_layer_offset", (2, 1))?;
    let at = |layer: u32, (every, from): (u32, u32)| layer % every == from;
    let mixer = |layer| {
        if at(layer, attends) {
            Mixer::Attention(attention, AttentionSpan::Full)
        } else {
            Mixer::Mamba1(mamba)
        }
    };
    let mixers = (0..layers).map(mixer).collect();
    let width = fields.required("intermediate_size", MAX_WIDTH, "the feed-forward layers")?;
    let dense = DenseMlp::gated(width);
    if fields
        .count("num_experts", 1 << 12)?
        .is_some_and(|experts| experts < 2)
    {
        let mlp = FeedForward {
            dense: Some(dense),
            moe: None,
        };
        return Ok((mixers, vec![mlp; layers as usize]));
    }
    let moe = experts::routed(fields, "num_experts", width)?;
    let sparse: Vec<bool> = (0..layers).map(|layer| at(layer, routes)).collect();
    Ok((mixers, experts::either(&sparse, moe, || Ok(dense))?))
}
