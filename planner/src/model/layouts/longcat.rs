//! LongCat-Flash: every layer is attention and a dense feed-forward, twice, and experts beside the first
//! (`model_executor/models/longcat_flash.py` at 0.33.0). Here they are two layers.
use crate::model::{
    ConfigError, DenseMlp, FeedForward, Mixer, attention, experts, family::Family, fields::Fields,
};

pub(super) fn layers(
    fields: &Fields<'_>,
    family: &Family,
    hidden_size: u32,
    layers: u32,
) -> Result<(Vec<Mixer>, Vec<FeedForward>), ConfigError> {
    let width = fields.required("intermediate_size", 1 << 20, "the feed-forward layers")?;
    let dense = Some(DenseMlp::gated(width));
    // `transformers`' LongcatFlashConfig.
    let idle = fields.count_in("zero_expert_num", 0, 1 << 12)?.unwrap_or(256);
    let mlps = experts::feed_forward(fields, family, hidden_size, layers)?;
    let mlps = mlps.into_iter().flat_map(|mut mlp| {
        if let Some(moe) = &mut mlp.moe {
            moe.idle_experts = idle;
        }
        [FeedForward { dense, ..mlp }, FeedForward { dense, moe: None }]
    });
    Ok((
        attention::mixers(fields, family, hidden_size, 2 * layers)?,
        mlps.collect(),
    ))
}
