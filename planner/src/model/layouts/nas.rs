//! Nemotron NAS: layers without attention or feed-forward, and feed-forwards of many widths
//! (`model_executor/models/nemotron_nas.py` at 0.33.0).
use super::needed;
use crate::model::{
    Attention, AttentionSpan, ConfigError, DenseMlp, FeedForward, Mixer, attention, family::Family,
    fields::Fields, resolve::switch,
};
use serde_json::{Map, Value};

const MAX_HEADS: u32 = 1 << 12;
const MAX_WIDTH: u32 = 1 << 20;
const KEY: &str = "block_configs";

pub(super) fn layers(
    fields: &Fields<'_>,
    family: &Family,
    hidden_size: u32,
    layers: u32,
) -> Result<(Vec<Mixer>, Vec<FeedForward>), ConfigError> {
    let common = attention::attention(fields, family, hidden_size)?;
    let bias = switch(fields, family.mlp_bias)?;
    let (mut mixers, mut feed_forwards) = (Vec::new(), Vec::new());
    for block in needed(fields, KEY, layers)? {
        mixers.push(mixer(&part(fields, block, "attention")?, common)?);
        feed_forwards.push(FeedForward {
            dense: feed_forward(&part(fields, block, "ffn")?, hidden_size, bias)?,
            moe: None,
        });
    }
    Ok((mixers, feed_forwards))
}

fn part<'a>(fields: &Fields<'_>, block: &'a Value, name: &str) -> Result<Fields<'a>, ConfigError> {
    let part: Option<&Map<String, Value>> = block.get(name).and_then(Value::as_object);
    match part {
        Some(part) => Ok(Fields::new(part, KEY)),
        None => Err(fields.inconsistent(KEY, format!("a block has no `{name}`"))),
    }
}

/// Left out, or in a form that vLLM does not build.
fn absent(part: &Fields<'_>) -> Result<bool, ConfigError> {
    if part.flag("no_op")? == Some(true) {
        return Ok(true);
    }
    if part.flag("replace_with_linear")? == Some(true) {
        return Err(ConfigError::unsupported(
            "blocks with `replace_with_linear` are not in vLLM's model class",
        ));
    }
    Ok(false)
}

fn mixer(part: &Fields<'_>, common: Attention) -> Result<Mixer, ConfigError> {
    if absent(part)? {
        return Ok(Mixer::None);
    }
    let group = part.required("n_heads_in_group", MAX_HEADS, "the KV heads of a layer")?;
    if !common.num_attention_heads.is_multiple_of(group) {
        return Err(part.inconsistent(
            "n_heads_in_group",
            format!(
                "{group} does not divide num_attention_heads, {}",
                common.num_attention_heads
            ),
        ));
    }
    let attention = Attention {
        num_key_value_heads: common.num_attention_heads / group,
        ..common
    };
    Ok(Mixer::Attention(attention, AttentionSpan::Full))
}

/// `ffn_mult` is of hidden_size before two thirds are taken, rounded up to 256; newer files write the width.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the bound"
)]
fn feed_forward(part: &Fields<'_>, hidden_size: u32, bias: bool) -> Result<Option<DenseMlp>, ConfigError> {
    if absent(part)? {
        return Ok(None);
    }
    let width = match part.number("ffn_mult")? {
        Some(times) => {
            let width = (2.0 * times * f64::from(hidden_size) / 3.0).clamp(1.0, f64::from(MAX_WIDTH));
            (width as u32).next_multiple_of(256)
        }
        None => part.required("intermediate_size", MAX_WIDTH, "the feed-forward of a layer")?,
    };
    let mlp = DenseMlp::gated(width);
    Ok(Some(DenseMlp { bias, ..mlp }))
}
