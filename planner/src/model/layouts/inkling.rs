//! Inkling: sliding layers with head counts of their own, positions by distance, short convolutions whose inputs are
//! cached, and shared experts that the router weighs (`models/inkling/{configs,nvidia/model}.py` at 0.33.0).
use crate::model::{
    Attention, AttentionSpan, ConfigError, DenseMlp, DraftChain, FeedForward, LayerRun, Mixer, Moe,
    Quantized, Relative, SharedExpert, attention, experts, family::Family, fields::Fields,
};
use serde_json::Value;

const MAX_HEADS: u32 = 1 << 12;
const MAX_WIDTH: u32 = 1 << 18;
const MAX_VOCAB: u32 = 1 << 22;

/// Tokens that are used, and rows of embedding and output beyond them.
pub(in crate::model) fn vocabulary(fields: &Fields<'_>, rows: u32) -> Result<(u32, u32), ConfigError> {
    let (used, rows) = match fields.count("padded_vocab_size", MAX_VOCAB)? {
        Some(padded) => (rows, padded),
        None => (
            fields
                .count("unpadded_vocab_size", MAX_VOCAB)?
                .unwrap_or(rows)
                .min(rows),
            rows,
        ),
    };
    match rows.checked_sub(used) {
        Some(more) => Ok((used, more)),
        None => Err(fields.inconsistent("padded_vocab_size", format!("{rows} rows for {used} tokens"))),
    }
}

pub(super) fn layers(
    fields: &Fields<'_>,
    family: &Family,
    hidden_size: u32,
    layers: u32,
) -> Result<(Vec<Mixer>, Vec<FeedForward>), ConfigError> {
    // vLLM's own config does not read what transformers' class writes.
    if fields.has("layer_types") || fields.has("mlp_layer_types") {
        return Err(ConfigError::unsupported(
            "an Inkling whose config lists its layers (`layer_types`), as transformers writes it, is not modelled yet; published files have `local_layer_ids`",
        ));
    }
    let mixers = mixers(fields, attentions(fields, family, hidden_size)?, layers)?;
    let (dense, expert) = widths(fields)?;
    let first = fields.count_in("dense_mlp_idx", 0, layers)?.unwrap_or(0);
    let sparse: Vec<bool> = (0..layers).map(|layer| layer >= first).collect();
    let mlps = if first < layers {
        experts::either(&sparse, moe(fields, expert)?, || Ok(dense))?
    } else {
        let dense = Some(dense);
        vec![FeedForward { dense, moe: None }; layers as usize]
    };
    Ok((mixers, mlps))
}

/// The layers that draft: `mtp_config` says how many, and which of them slide; their feed-forward is dense
/// (`config/speculative.py: hf_config_override`, `models/inkling/nvidia/mtp.py`). They stay in 16 bits.
pub(in crate::model) fn drafts(
    top: &Fields<'_>,
    fields: &Fields<'_>,
    family: &Family,
    hidden_size: u32,
) -> Result<DraftChain, ConfigError> {
    let Some(object) = top.object("mtp_config")? else {
        return Ok(DraftChain::default());
    };
    let own = Fields::new(object, "mtp_config");
    let depths = own.count_in("num_nextn_predict_layers", 0, 64)?.unwrap_or(0);
    let mixers = mixers(&own, attentions(fields, family, hidden_size)?, depths)?;
    let (dense, _) = widths(fields)?;
    let layer = |mixer| LayerRun {
        drafts: true,
        count: 1,
        mixer,
        mlp: FeedForward {
            dense: Some(dense),
            moe: None,
        },
        quantized: Quantized::default(),
    };
    // The embedding's norm once more, and one behind each layer, which they share.
    let embedding = fields.flag("use_embed_norm")? == Some(true);
    let chained = own.flag("chain_hidden_post_norm")? == Some(true);
    Ok(DraftChain {
        layers: mixers.into_iter().map(layer).collect(),
        norms: u32::from(embedding) + u32::from(chained),
    })
}

/// Attention of each layer: `local_layer_ids` names those that slide.
fn mixers(fields: &Fields<'_>, shapes: [Mixer; 2], layers: u32) -> Result<Vec<Mixer>, ConfigError> {
    let key = "local_layer_ids";
    let local = fields.list(key)?.unwrap_or_default();
    if let Some(other) = local.iter().find(|id| !id.is_u64()) {
        return Err(fields.wrong(key, "a list of layers", other));
    }
    let local: Vec<u64> = local.iter().filter_map(Value::as_u64).collect();
    let [full, sliding] = shapes;
    let mixer = |layer: u32| {
        if local.contains(&u64::from(layer)) {
            sliding
        } else {
            full
        }
    };
    Ok((0..layers).map(mixer).collect())
}

/// Attention of full and of sliding layers.
fn attentions(fields: &Fields<'_>, family: &Family, hidden_size: u32) -> Result<[Mixer; 2], ConfigError> {
    let count =
        |key, default| -> Result<u32, ConfigError> { Ok(fields.count(key, MAX_HEADS)?.unwrap_or(default)) };
    let usual = attention::attention(fields, family, hidden_size)?;
    let extent = count("rel_extent", 1024)?;
    let window = fields.count("sliding_window_size", 1 << 27)?.unwrap_or(512);
    let relative = Relative {
        d_rel: count("d_rel", 16)?,
        extent,
        kernel: match fields.count("sconv_kernel_size", 64)? {
            Some(size) => size,
            None => fields.count("conv_kernel_size", 64)?.unwrap_or(4),
        },
        cached_width: 0,
    };
    let of = |heads: u32, kv_heads: u32, head_dim: u32, extent: u32| Attention {
        num_attention_heads: heads,
        num_key_value_heads: kv_heads,
        head_dim,
        v_head_dim: head_dim,
        relative: Some(Relative {
            extent,
            // Keys, values, and a head's part of both outputs.
            cached_width: (2 * head_dim + 2 * (hidden_size / kv_heads)).next_power_of_two(),
            ..relative
        }),
        ..usual
    };
    let kv_heads = count("num_key_value_heads", 4)?;
    let full = of(usual.num_attention_heads, kv_heads, usual.head_dim, extent);
    let sliding = of(
        count("swa_num_attention_heads", full.num_attention_heads)?,
        count("swa_num_key_value_heads", kv_heads)?,
        count("swa_head_dim", full.head_dim)?,
        window,
    );
    Ok([
        Mixer::Attention(full, AttentionSpan::Full),
        Mixer::Attention(sliding, AttentionSpan::Sliding(window)),
    ])
}

/// The feed-forward without experts, and the width of an expert: published files call the latter `intermediate_size`,
/// transformers' the former.
fn widths(fields: &Fields<'_>) -> Result<(DenseMlp, u32), ConfigError> {
    if fields.flag("use_global_scale")? != Some(true) {
        return Err(ConfigError::unsupported(
            "an Inkling without scales of its feed-forwards (`use_global_scale`) is not modelled yet",
        ));
    }
    let width = fields.required("intermediate_size", MAX_WIDTH, "the feed-forward layers")?;
    let dense = fields.count("dense_intermediate_size", MAX_WIDTH)?;
    let expert = fields.count("moe_intermediate_size", MAX_WIDTH)?;
    let (dense, expert) = match (dense, expert) {
        (None, Some(expert)) => (width, expert),
        (dense, _) => (dense.unwrap_or(width), width),
    };
    let dense = DenseMlp {
        interleaved: true,
        ..DenseMlp::gated(dense)
    };
    Ok((dense, expert))
}

/// What `InklingMoE` asserts is asked for as well.
fn moe(fields: &Fields<'_>, width: u32) -> Result<Moe, ConfigError> {
    let sinks = fields.required("n_shared_experts", 64, "the shared experts")?;
    let sigmoid = matches!(fields.text("gate_activation")?, None | Some("sigmoid"));
    let normed = fields.flag("norm_after_topk")? != Some(false);
    let interleaved = fields.flag("inference_moe_w13_interleaved")? != Some(false);
    if !(sigmoid && normed && interleaved) || fields.flag("shared_expert_sink")? != Some(true) {
        return Err(ConfigError::unsupported(
            "vLLM's class asserts a sigmoid gate, `norm_after_topk`, `shared_expert_sink` and interleaved experts of an Inkling",
        ));
    }
    Ok(Moe {
        sinks,
        shared: Some(SharedExpert {
            intermediate_size: width.saturating_mul(sinks),
            gate: false,
        }),
        correction_bias: fields.flag("use_gate_bias")?.unwrap_or(false),
        ..experts::routed(fields, "n_routed_experts", width)?
    })
}
