//! Kimi's linear attention (KDA) between layers of latent attention: `transformers_utils/configs/kimi_linear.py`,
//! `models/kimi_k3/nvidia/kda.py` at 0.33.0.
use super::{ConfigError, Mixer, Mla, fields::Fields};
use serde_json::Value;

const MAX_HEADS: u32 = 1 << 12;

/// Kimi Delta Attention: a state of constant size per head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Kda {
    /// Heads.
    pub num_heads: u32,
    /// Size of a head.
    pub head_dim: u32,
    /// Width of the convolution over time.
    pub short_conv_kernel_size: u32,
    /// The output gate is as wide as the heads (Kimi K3), else it goes through one head's width (Kimi Linear).
    pub use_full_rank_gate: bool,
    /// Decay and gate are projected straight from the hidden state, and the convolutions stand apart (Ling 3).
    pub direct: bool,
    /// Groups of the norm behind lightning attention, which stands in KDA's place in Ling 2.5; 0 without.
    pub lightning_groups: u32,
    /// Norms of its queries and keys.
    pub qk_norm: bool,
    /// A kernel made for heads of 128 and a bounded decay runs the prefill on Hopper and later, and keeps a checkpoint.
    pub fast_prefill: bool,
}

impl Kda {
    /// Width of all heads.
    pub fn width(&self) -> u64 {
        u64::from(self.num_heads) * u64::from(self.head_dim)
    }

    /// Weights of a layer, whole.
    pub(super) fn parameters(&self, hidden_size: u64) -> u64 {
        let (width, dim, heads) = (self.width(), u64::from(self.head_dim), u64::from(self.num_heads));
        if self.lightning_groups > 0 {
            return hidden_size * 5 * width + width + if self.qk_norm { 2 * dim } else { 0 };
        }
        if self.direct {
            let conv = 3 * width * u64::from(self.short_conv_kernel_size);
            return hidden_size * (6 * width + heads) + conv + width + heads + dim;
        }
        let gate = if self.use_full_rank_gate {
            hidden_size * width
        } else {
            hidden_size * dim + dim * width
        };
        hidden_size * (3 * width + dim + heads)
            + gate
            + dim * width
            + 3 * width * u64::from(self.short_conv_kernel_size)
            + width
            + heads
            + dim
            + width * hidden_size
    }
}

/// KDA in the layers that `linear_attn_config` names, counted from 1; latent attention in the others.
pub(super) fn layers(fields: &Fields<'_>, mla: Mla, layers: u32) -> Result<Vec<Mixer>, ConfigError> {
    let key = "linear_attn_config";
    let Some(object) = fields.object(key)? else {
        return Ok(vec![Mixer::Mla(mla); layers as usize]);
    };
    let inner = Fields::new(object, key);
    let required = |key| inner.required(key, MAX_HEADS, "the linear attention");
    let head_dim = required("head_dim")?;
    let use_full_rank_gate = inner.flag("use_full_rank_gate")?.unwrap_or(false);
    let bounded = inner.number("gate_lower_bound")?.is_some();
    let kda = Kda {
        num_heads: required("num_heads")?,
        head_dim,
        short_conv_kernel_size: inner.required("short_conv_kernel_size", 64, "the linear attention")?,
        use_full_rank_gate,
        direct: false,
        lightning_groups: 0,
        qk_norm: false,
        fast_prefill: use_full_rank_gate && bounded && head_dim == 128,
    };
    let named = inner.list("kda_layers")?.ok_or_else(|| ConfigError::Missing {
        field: inner.name("kda_layers"),
        needed_for: "the kind of each layer",
    })?;
    let named: Vec<u64> = named.iter().filter_map(Value::as_u64).collect();
    let layer = |i: u32| {
        if named.contains(&u64::from(i + 1)) {
            Mixer::Kda(kda)
        } else {
            Mixer::Mla(mla)
        }
    };
    Ok((0..layers).map(layer).collect())
}

/// GLM-5.3-Flash's: KDA in the layers that `layer_types` names so, else in all but every fourth
/// (`models/glm5next/common/model.py`, transformers' `Glm5NextTextConfig`).
pub(super) fn glm5_next(fields: &Fields<'_>, mla: Mla, layers: u32) -> Result<Vec<Mixer>, ConfigError> {
    let count = |key, max, default| Ok::<u32, ConfigError>(fields.count(key, max)?.unwrap_or(default));
    let head_dim = count("linear_head_dim", MAX_HEADS, 128)?;
    let kda = Kda {
        num_heads: count("linear_num_heads", MAX_HEADS, 64)?,
        head_dim,
        short_conv_kernel_size: count("linear_conv_kernel_dim", 64, 4)?,
        use_full_rank_gate: false,
        direct: false,
        lightning_groups: 0,
        qk_norm: false,
        // The class always bounds the decay.
        fast_prefill: head_dim == 128,
    };
    let Some(types) = fields.list("layer_types")? else {
        let layer = |i: u32| {
            if i % 4 == 3 {
                Mixer::Mla(mla)
            } else {
                Mixer::Kda(kda)
            }
        };
        return Ok((0..layers).map(layer).collect());
    };
    if types.len() != layers as usize {
        return Err(fields.inconsistent(
            "layer_types",
            format!("{} entries for {layers} layers", types.len()),
        ));
    }
    let layer = |name: &Value| match name.as_str() {
        Some("linear_attention") => Ok(Mixer::Kda(kda)),
        Some("indexed_attention" | "full_attention") => Ok(Mixer::Mla(mla)),
        _ => Err(fields.wrong("layer_types", "linear_attention or indexed_attention", name)),
    };
    types.iter().map(layer).collect()
}

/// KDA but in the last layer of each group, and in what is left behind the last whole group
/// (`models/bailing_moe_v3.py: _is_kda_layer`); lightning attention has no such rest
/// (`bailing_moe_linear.py: is_linear_layer`).
pub(super) fn grouped(
    fields: &Fields<'_>,
    mla: Mla,
    layers: u32,
    lightning: bool,
) -> Result<Vec<Mixer>, ConfigError> {
    let required = |key| fields.required(key, MAX_HEADS, "the linear attention");
    if !lightning && fields.flag("no_kda_lora")? != Some(true) {
        return Err(fields.inconsistent("no_kda_lora", "vLLM's class expects true"));
    }
    let kda = Kda {
        num_heads: required("num_attention_heads")?,
        head_dim: required("head_dim")?,
        short_conv_kernel_size: if lightning {
            1
        } else {
            required("short_conv_kernel_size")?
        },
        use_full_rank_gate: false,
        direct: true,
        lightning_groups: if lightning {
            fields.count("group_norm_size", MAX_HEADS)?.unwrap_or(1)
        } else {
            0
        },
        qk_norm: lightning && fields.flag("use_qk_norm")?.unwrap_or(false),
        fast_prefill: false,
    };
    let group = required("layer_group_size")?;
    let layer = |i: u32| {
        if (i + 1).is_multiple_of(group) || !lightning && i >= layers / group * group {
            Mixer::Mla(mla)
        } else {
            Mixer::Kda(kda)
        }
    };
    Ok((0..layers).map(layer).collect())
}
