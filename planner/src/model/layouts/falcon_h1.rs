//! Falcon-H1: every layer adds up Mamba 2 and attention, then a feed-forward (`model_executor/models/falcon_h1.py` at
//! 0.33.0). Here they are two layers, of which the first has no feed-forward.
use super::granite;
use crate::model::{
    AttentionSpan, ConfigError, FeedForward, Mamba2, Mixer, attention, experts, family::Family,
    fields::Fields,
};

pub(super) fn layers(
    fields: &Fields<'_>,
    family: &Family,
    hidden_size: u32,
    layers: u32,
) -> Result<(Vec<Mixer>, Vec<FeedForward>), ConfigError> {
    let channels = fields.count("mamba_d_ssm", 1 << 18)?;
    let mamba = Mamba2 {
        norm: fields.flag("mamba_rms_norm")?.unwrap_or(false),
        ..granite::mamba(fields, hidden_size, channels)?
    };
    let attention = attention::attention(fields, family, hidden_size)?;
    let pair = [
        Mixer::Mamba2(mamba),
        Mixer::Attention(attention, AttentionSpan::Full),
    ];
    let mlps = experts::feed_forward(fields, family, hidden_size, layers)?;
    let mlps = mlps.into_iter().flat_map(|mlp| [FeedForward::default(), mlp]);
    Ok((pair.repeat(layers as usize), mlps.collect()))
}
