//! Kimi's linear attention (KDA) between layers of latent attention: `transformers_utils/configs/kimi_linear.py`,
//! `models/kimi_k3/nvidia/kda.py` at 0.33.0.
use super::{
    ConfigError,
    fields::Fields,
    spec::{Mixer, Mla},
};
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
    /// The decay has a bound, which the fast kernels need.
    pub bounded: bool,
}

impl Kda {
    /// Width of all heads.
    pub fn width(&self) -> u64 {
        u64::from(self.num_heads) * u64::from(self.head_dim)
    }

    /// Kernels made for heads of 128 run it on Hopper and later; they keep more in step with the cache.
    pub fn fast(&self) -> bool {
        self.use_full_rank_gate && self.bounded && self.head_dim == 128
    }

    /// Weights of a layer, whole.
    pub(super) fn parameters(&self, hidden_size: u64) -> u64 {
        let (width, dim, heads) = (self.width(), u64::from(self.head_dim), u64::from(self.num_heads));
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
    let kda = Kda {
        num_heads: required("num_heads")?,
        head_dim: required("head_dim")?,
        short_conv_kernel_size: inner.required("short_conv_kernel_size", 64, "the linear attention")?,
        use_full_rank_gate: inner.flag("use_full_rank_gate")?.unwrap_or(false),
        bounded: inner.number("gate_lower_bound")?.is_some(),
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
