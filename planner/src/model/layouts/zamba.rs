//! Zamba 2: Mamba 2, and in some layers a block before it whose weights a few of them share
//! (`model_executor/models/zamba2.py` at 0.33.0). Such a layer is two here.
use super::needed;
use crate::{
    model::{
        Attention, AttentionSpan, ConfigError, DenseMlp, FeedForward, Mamba2, Mixer, SharedBlock, attention,
        family::Family, fields::Fields,
    },
    units::FloatDtype,
};

const MAX: u32 = 1 << 14;

pub(super) fn layers(
    fields: &Fields<'_>,
    family: &Family,
    hidden_size: u32,
    layers: u32,
) -> Result<(Vec<Mixer>, Vec<FeedForward>), ConfigError> {
    if fields.flag("add_bias_linear")? == Some(true) {
        return Err(ConfigError::unsupported(
            "Mamba layers with biases on their projections are not modelled yet",
        ));
    }
    // Defaults of `transformers`' Zamba2Config.
    let count = |key, default| -> Result<u32, ConfigError> { Ok(fields.count(key, MAX)?.unwrap_or(default)) };
    let heads = count("n_mamba_heads", 8)?;
    let mamba = Mixer::Mamba2(Mamba2 {
        mamba_num_heads: heads,
        mamba_head_dim: count("mamba_expand", 2)?.saturating_mul(hidden_size) / heads,
        n_groups: count("mamba_ngroups", 1)?,
        ssm_state_size: count("mamba_d_state", 64)?,
        conv_kernel: fields.count("mamba_d_conv", 64)?.unwrap_or(4),
        norm: true,
        conv_bias: fields.flag("use_conv_bias")?.unwrap_or(true),
        // As the model's own type.
        ssm_dtype: FloatDtype::Bfloat16,
    });
    let width = fields
        .count("intermediate_size", 1 << 20)?
        .unwrap_or(hidden_size.saturating_mul(4));
    let attention = attention::attention(fields, family, hidden_size.saturating_mul(2))?;
    let block = SharedBlock {
        owner: false,
        intermediate_size: width,
        adapter_rank: count("adapter_rank", 128)?,
        attention_adapters: fields.flag("use_shared_attention_adapter")?.unwrap_or(false),
    };
    let mut left = count("num_mem_blocks", 1)?;
    let mut out = (Vec::new(), Vec::new());
    for name in needed(fields, "layers_block_type", layers)? {
        match name.as_str() {
            Some("hybrid") => {
                let owner = left > 0;
                left = left.saturating_sub(1);
                let shared = Attention {
                    block: Some(SharedBlock { owner, ..block }),
                    ..attention
                };
                out.0.push(Mixer::Attention(shared, AttentionSpan::Full));
                out.1.push(FeedForward {
                    dense: owner.then(|| DenseMlp::gated(width)),
                    moe: None,
                });
            }
            Some("mamba" | "linear_attention") => {}
            _ => return Err(fields.wrong("layers_block_type", "mamba or hybrid", name)),
        }
        out.0.push(mamba);
        out.1.push(FeedForward::default());
    }
    Ok(out)
}
