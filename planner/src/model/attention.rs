//! What mixes the tokens: attention shapes, and how far each layer looks back.
use super::{
    Attention, AttentionSpan, ConfigError, GatedDeltaNet, Mamba2, Mixer, Mla, QkNorm, SparseIndex,
    compressed,
    family::{Experts, Family, KvHeads, Pattern},
    fields::Fields,
    kda, layouts,
    plain::MOLMO2,
    pooling,
    qwen4::{self, QWEN4},
    resolve::{short, switch},
    routed::{LING25, MOONDREAM},
};
use crate::units::FloatDtype;
use serde_json::Value;

const MAX_HEADS: u32 = 1 << 12;
const MAX_LAYERS: u32 = 1 << 10;
const MAX_LATENT: u32 = 1 << 14;

/// The mixer of each layer.
pub(super) fn mixers(
    fields: &Fields<'_>,
    family: &Family,
    hidden_size: u32,
    layers: u32,
) -> Result<Vec<Mixer>, ConfigError> {
    if family.compressed {
        let v41 = family.architecture == compressed::V41;
        let layers = compressed::layers(fields, layers, hidden_size, v41)?;
        return Ok(layers.into_iter().map(Mixer::Compressed).collect());
    }
    if family.experts == Experts::Glm5Next {
        return kda::glm5_next(fields, glm5_next(fields)?, layers);
    }
    if family.latent {
        return if let Experts::Named(_) = family.experts
            && family.kda
        {
            let lightning = family.architecture == LING25;
            kda::grouped(fields, ling(fields)?, layers, lightning)
        } else if family.kda {
            kda::layers(fields, kimi(fields)?, layers)
        } else {
            latent_layers(fields, family, hidden_size, layers)
        };
    }
    let attention = attention(fields, family, hidden_size)?;
    if family.experts == Experts::MiniMaxM3 {
        return block_sparse(fields, attention, layers);
    }
    if family.hybrid_pattern {
        return hybrid(fields, attention);
    }
    if family.linear {
        let mixers = linear(fields, attention, layers, family.architecture == QWEN4)?;
        return if family.architecture == QWEN4 {
            qwen4::layers(fields, hidden_size, mixers)
        } else {
            Ok(mixers)
        };
    }
    let spans = spans(fields, family, layers)?;
    Ok(spans
        .into_iter()
        .map(|span| Mixer::Attention(attention, span))
        .collect())
}

/// An index in the layers of `sparse_attention_freq` (`models/minimax_m3/nvidia/model.py`).
fn block_sparse(fields: &Fields<'_>, attention: Attention, layers: u32) -> Result<Vec<Mixer>, ConfigError> {
    let key = "sparse_attention_config";
    let full = |attention| Mixer::Attention(attention, AttentionSpan::Full);
    let Some(object) = fields.object(key)? else {
        return Ok(vec![full(attention); layers as usize]);
    };
    let inner = Fields::new(object, key);
    let heads = inner.required("sparse_num_index_heads", MAX_HEADS, "the index")?;
    if heads != attention.num_key_value_heads {
        return Err(inner.inconsistent(
            "sparse_num_index_heads",
            format!("expected num_key_value_heads, {}", attention.num_key_value_heads),
        ));
    }
    let indexed = Attention {
        index_dim: inner.required("sparse_index_dim", MAX_HEADS, "the index")?,
        ..attention
    };
    let chosen = inner.list("sparse_attention_freq")?.unwrap_or_default();
    let layer = |i: usize| {
        let picks = chosen.get(i).and_then(Value::as_u64).unwrap_or(0) != 0;
        full(if picks { indexed } else { attention })
    };
    Ok((0..layers as usize).map(layer).collect())
}

/// Mamba, attention and feed-forwards as layers of their own (Nemotron-H).
fn hybrid(fields: &Fields<'_>, attention: Attention) -> Result<Vec<Mixer>, ConfigError> {
    let required = |key| fields.required(key, MAX_LATENT, "the Mamba layers");
    let mamba = Mamba2 {
        mamba_num_heads: required("mamba_num_heads")?,
        mamba_head_dim: required("mamba_head_dim")?,
        n_groups: required("n_groups")?,
        ssm_state_size: required("ssm_state_size")?,
        conv_kernel: fields.required("conv_kernel", 64, "the Mamba layers")?,
        norm: true,
        conv_bias: fields.flag("use_conv_bias")?.unwrap_or(true),
        ssm_dtype: fields
            .text("mamba_ssm_cache_dtype")?
            .and_then(FloatDtype::parse)
            .unwrap_or(FloatDtype::Float32),
    };
    let mixer = |c| match c {
        'M' => Mixer::Mamba2(mamba),
        '*' => Mixer::Attention(attention, AttentionSpan::Full),
        _ => Mixer::None,
    };
    Ok(layouts::pattern(fields)?.chars().map(mixer).collect())
}

/// Gated DeltaNet with full attention in between: by `layer_types`, else every `full_attention_interval`-th layer.
fn linear(
    fields: &Fields<'_>,
    attention: Attention,
    layers: u32,
    sparse: bool,
) -> Result<Vec<Mixer>, ConfigError> {
    let required = |key| fields.required(key, MAX_HEADS, "the linear attention");
    let ssm_dtype = fields.text("mamba_ssm_dtype")?.and_then(FloatDtype::parse);
    let gdn = GatedDeltaNet {
        linear_num_key_heads: required("linear_num_key_heads")?,
        linear_num_value_heads: required("linear_num_value_heads")?,
        linear_key_head_dim: required("linear_key_head_dim")?,
        linear_value_head_dim: required("linear_value_head_dim")?,
        linear_conv_kernel_dim: fields.required("linear_conv_kernel_dim", 64, "the linear attention")?,
        ssm_dtype,
        ngrams: None,
    };
    let full = Mixer::Attention(attention, AttentionSpan::Full);
    let linear = Mixer::GatedDeltaNet(gdn);
    if let Some(types) = fields.list("layer_types")? {
        if types.len() != layers as usize {
            return Err(fields.inconsistent(
                "layer_types",
                format!("{} entries for {layers} layers", types.len()),
            ));
        }
        return types
            .iter()
            .map(|name| match name.as_str() {
                Some("full_attention") => Ok(full),
                Some("linear_attention") => Ok(linear),
                Some(kind) if sparse && qwen4::is_sparse(kind) => Ok(full),
                _ => Err(fields.wrong("layer_types", "full_attention or linear_attention", name)),
            })
            .collect();
    }
    let every = fields.count("full_attention_interval", MAX_LAYERS)?.unwrap_or(4);
    Ok((1..=layers)
        .map(|i| if i % every == 0 { full } else { linear })
        .collect())
}

/// Shapes of the first attention layer; latent and compressed attention have one cached head.
pub(super) fn first(mixers: &[Mixer]) -> Attention {
    let one_key = |num_attention_heads: u32, head_dim: u32| Attention {
        num_attention_heads,
        num_key_value_heads: 1,
        head_dim,
        qkv_bias: false,
        o_bias: false,
        qk_norm: QkNorm::None,
        output_gate: false,
        sinks: false,
        v_head_dim: head_dim,
        gate_per_head: 0,
        shares_kv: false,
        alibi: false,
        block: None,
        query_rank: 0,
        index_dim: 0,
        relative: None,
        groups: None,
        tau: false,
    };
    let shapes = mixers.iter().filter_map(|mixer| match mixer {
        Mixer::Attention(attention, _) => Some(*attention),
        Mixer::Mla(mla) if mla.expanded => Some(Attention {
            num_key_value_heads: mla.num_attention_heads,
            ..one_key(
                mla.num_attention_heads,
                mla.qk_nope_head_dim + mla.qk_rope_head_dim,
            )
        }),
        Mixer::Mla(mla) => Some(one_key(
            mla.num_attention_heads,
            mla.kv_lora_rank + mla.qk_rope_head_dim,
        )),
        Mixer::Compressed(layer) => Some(one_key(layer.num_attention_heads, layer.head_dim)),
        _ => None,
    });
    // A config has at least one layer.
    shapes.into_iter().next().unwrap_or_else(|| one_key(1, 1))
}

/// The head size that positions are computed for.
pub(super) fn rotary_head_dim(mixers: &[Mixer]) -> u32 {
    let latent = mixers.iter().find_map(|mixer| match mixer {
        Mixer::Mla(mla) => Some(mla.qk_rope_head_dim),
        _ => None,
    });
    latent.unwrap_or_else(|| first(mixers).head_dim)
}

fn latent_layers(
    fields: &Fields<'_>,
    family: &Family,
    hidden_size: u32,
    layers: u32,
) -> Result<Vec<Mixer>, ConfigError> {
    let mla = if family.expanded {
        expanded(fields, hidden_size)?
    } else {
        latent(fields)?
    };
    if !family.indexer {
        return Ok(vec![Mixer::Mla(mla); layers as usize]);
    }
    indexed_layers(fields, mla, own_indexers(fields, layers)?)
}

/// Latent attention in each layer to what an indexer picks: its own, or one before it.
pub(super) fn indexed_layers(
    fields: &Fields<'_>,
    mla: Mla,
    own: Vec<bool>,
) -> Result<Vec<Mixer>, ConfigError> {
    if mla.q_lora_rank.is_none() {
        return Err(ConfigError::Missing {
            field: fields.name("q_lora_rank"),
            needed_for: "the indexer's queries",
        });
    }
    let index = sparse_index(fields)?;
    let layer = |own: bool| {
        Mixer::Mla(Mla {
            sparse: Some(SparseIndex { own, ..index }),
            ..mla
        })
    };
    Ok(own.into_iter().map(layer).collect())
}

fn sparse_index(fields: &Fields<'_>) -> Result<SparseIndex, ConfigError> {
    Ok(SparseIndex {
        index_topk: fields.required("index_topk", 1 << 20, "what the indexer picks")?,
        index_n_heads: fields.required("index_n_heads", MAX_HEADS, "the indexer")?,
        index_head_dim: fields.required("index_head_dim", MAX_HEADS, "the indexer")?,
        index_kpool: 1,
        own: true,
    })
}

/// GLM-5.3-Flash's latent attention: no positions, and an index over pools of tokens.
fn glm5_next(fields: &Fields<'_>) -> Result<Mla, ConfigError> {
    let sparse = if fields.has("index_topk") {
        Some(SparseIndex {
            index_kpool: fields.required("index_kpool", 1 << 10, "the index's keys")?,
            ..sparse_index(fields)?
        })
    } else {
        None
    };
    Ok(Mla {
        sparse,
        ..latent(fields)?
    })
}

/// Which layers have an indexer of their own: by `index_topk_pattern`, else one in `index_topk_freq`
/// (`models/deepseek_v32/attention.py: DeepseekV32Attention`).
fn own_indexers(fields: &Fields<'_>, layers: u32) -> Result<Vec<bool>, ConfigError> {
    if let Some(value) = fields.value("index_topk_pattern") {
        let shared: Vec<bool> = match value {
            Value::String(text) => text.chars().map(|c| c == 'S').collect(),
            Value::Array(list) => list.iter().map(|layer| layer == "S").collect(),
            _ => return Err(fields.wrong("index_topk_pattern", "F and S for each layer", value)),
        };
        let own = |i: usize| !shared.get(i).copied().unwrap_or(false);
        return Ok((0..layers as usize).map(own).collect());
    }
    let every = fields.count("index_topk_freq", MAX_LAYERS)?.unwrap_or(1);
    let offset = fields
        .count_in("index_skip_topk_offset", 0, MAX_LAYERS)?
        .unwrap_or(2);
    let own = |i: u32| (i + 1).saturating_sub(offset).is_multiple_of(every);
    Ok((0..layers).map(own).collect())
}

pub(super) fn latent(fields: &Fields<'_>) -> Result<Mla, ConfigError> {
    latent_of(fields, None)
}

/// MiniCPM 3's class knows the size of a value head without its config.
fn expanded(fields: &Fields<'_>, hidden_size: u32) -> Result<Mla, ConfigError> {
    let heads = fields.required("num_attention_heads", MAX_HEADS, "attention weights")?;
    Ok(Mla {
        expanded: true,
        ..latent_of(fields, Some(hidden_size / heads))?
    })
}

/// `value` is the size of a value head where the config does not say.
fn latent_of(fields: &Fields<'_>, value: Option<u32>) -> Result<Mla, ConfigError> {
    let required = |key| fields.required(key, MAX_LATENT, "the latent attention");
    let num_attention_heads = fields.required("num_attention_heads", MAX_HEADS, "attention weights")?;
    Ok(Mla {
        num_attention_heads,
        q_lora_rank: fields.count("q_lora_rank", MAX_LATENT)?,
        kv_lora_rank: required("kv_lora_rank")?,
        qk_nope_head_dim: required("qk_nope_head_dim")?,
        qk_rope_head_dim: match fields.count_in("qk_rope_head_dim", 0, MAX_LATENT)? {
            Some(dim) => dim,
            None => required("qk_rope_head_dim")?,
        },
        v_head_dim: match (fields.count("v_head_dim", MAX_LATENT)?, value) {
            (Some(dim), _) | (None, Some(dim)) => dim,
            (None, None) => required("v_head_dim")?,
        },
        expanded: false,
        output_gate: false,
        gate_per_head: 0,
        sinks: false,
        unit_scale: false,
        sparse: None,
    })
}

fn kimi(fields: &Fields<'_>) -> Result<Mla, ConfigError> {
    if fields.flag("mla_use_nope")? != Some(true) {
        return Err(fields.inconsistent("mla_use_nope", "vLLM's class has no positions: expected true"));
    }
    Ok(Mla {
        output_gate: fields.flag("mla_use_output_gate")?.unwrap_or(false),
        unit_scale: true,
        ..latent(fields)?
    })
}

/// Ling 3 (`models/bailing_moe_v3.py: BailingMoeV3MLAAttention`).
fn ling(fields: &Fields<'_>) -> Result<Mla, ConfigError> {
    let key = "gated_attention_proj_granularity_type";
    let gate_per_head = match fields.text(key)? {
        None => 0,
        Some("head_wise") => 1,
        Some(other) => {
            let shown = short(other);
            return Err(fields.inconsistent(key, format!("only head_wise is modelled, got {shown:?}")));
        }
    };
    Ok(Mla {
        gate_per_head,
        ..latent(fields)?
    })
}

fn kv_heads(fields: &Fields<'_>, from: KvHeads, heads: u32) -> Result<u32, ConfigError> {
    let field = || fields.count("num_key_value_heads", MAX_HEADS);
    let one = |flag| {
        Ok(if fields.flag(flag)? == Some(false) {
            heads
        } else {
            1
        })
    };
    let grouped = match from {
        KvHeads::OneWith(flag) => return one(flag),
        KvHeads::Falcon if fields.flag("new_decoder_architecture")? != Some(true) => {
            return one("multi_query");
        }
        KvHeads::FieldOrOne => return Ok(field()?.unwrap_or(1)),
        KvHeads::FieldWith(flag) => fields.flag(flag)? == Some(true),
        KvHeads::Field | KvHeads::Falcon => true,
    };
    Ok(if grouped { field()?.unwrap_or(heads) } else { heads })
}

pub(super) fn attention(
    fields: &Fields<'_>,
    family: &Family,
    hidden_size: u32,
) -> Result<Attention, ConfigError> {
    let heads = fields.required("num_attention_heads", MAX_HEADS, "attention weights")?;
    let kv_heads = kv_heads(fields, family.kv_heads, heads)?;
    if !heads.is_multiple_of(kv_heads) {
        return Err(fields.inconsistent(
            "num_key_value_heads",
            format!("{kv_heads} does not divide num_attention_heads, {heads}"),
        ));
    }
    let head_dim = match fields.count("head_dim", MAX_HEADS)? {
        Some(dim) => dim,
        None if hidden_size.is_multiple_of(heads) => hidden_size / heads,
        None => {
            return Err(fields.inconsistent(
                "num_attention_heads",
                format!("{heads} does not divide hidden_size, {hidden_size}, and there is no head_dim"),
            ));
        }
    };
    let normed = match family.qk_norm_field {
        Some(field) => fields.flag(field)?.unwrap_or(false),
        None => true,
    };
    let mut qk_norm = family.qk_norm;
    if family.architecture == MOLMO2 {
        if fields
            .value("rope_scaling_layers")
            .is_some_and(|layers| !layers.is_null())
        {
            return Err(ConfigError::unsupported(
                "`rope_scaling_layers`, which gives layers rotary caches of different kinds, is not modelled yet",
            ));
        }
        if fields.text("qk_norm_type")? == Some("qwen3") {
            qk_norm = QkNorm::PerHead;
        }
    }
    Ok(Attention {
        num_attention_heads: heads,
        num_key_value_heads: kv_heads,
        head_dim,
        qkv_bias: switch(fields, family.qkv_bias)?,
        o_bias: switch(fields, family.o_bias)?,
        qk_norm: if normed { qk_norm } else { QkNorm::None },
        output_gate: switch(fields, family.output_gate)?,
        sinks: family.sinks,
        v_head_dim: head_dim,
        gate_per_head: if family.own_gate { head_dim } else { 0 },
        shares_kv: false,
        alibi: switch(fields, family.alibi)?,
        block: None,
        query_rank: 0,
        index_dim: 0,
        relative: None,
        groups: None,
        tau: family.architecture == MOONDREAM,
    })
}

/// How far each layer attends: `layer_types` where the config lists them, else the family's pattern.
pub(super) fn spans(
    fields: &Fields<'_>,
    family: &Family,
    layers: u32,
) -> Result<Vec<AttentionSpan>, ConfigError> {
    if family.pattern == Pattern::Chunked {
        let chunk = fields.count("attention_chunk_size", 1 << 27)?;
        let every = fields.count("no_rope_layer_interval", MAX_LAYERS)?.unwrap_or(4);
        let span = |i: u32| match chunk {
            Some(chunk) if !i.is_multiple_of(every) => AttentionSpan::Chunked(chunk),
            _ => AttentionSpan::Full,
        };
        return Ok((1..=layers).map(span).collect());
    }
    if pooling::bidirectional(fields, family)? {
        return Ok(vec![AttentionSpan::Both; layers as usize]);
    }
    let full = vec![AttentionSpan::Full; layers as usize];
    if family.pattern == Pattern::Lookback {
        let types = fields.list("layer_types")?.unwrap_or_default();
        let chunked = |t: &Value| t.as_str() == Some("chunked_attention");
        if !types.iter().any(chunked) {
            return Ok(full);
        }
        as_many(fields, types, layers)?;
        let window = fields.required("sliding_window", 1 << 27, "the KV cache of chunked layers")?;
        let span = |t| {
            if chunked(t) {
                AttentionSpan::Sliding(window)
            } else {
                AttentionSpan::Full
            }
        };
        return Ok(types.iter().map(span).collect());
    }
    let requested = fields.flag("use_sliding_window")?;
    let Some(window) = fields
        .count("sliding_window", 1 << 27)?
        .filter(|_| requested != Some(false))
    else {
        return match fields.list("layer_types")? {
            Some(types) if types.iter().any(|t| t.as_str() != Some("full_attention")) => {
                known_types(fields, types)?;
                if requested == Some(false) {
                    Ok(full)
                } else {
                    Err(ConfigError::Missing {
                        field: fields.name("sliding_window"),
                        needed_for: "the KV cache of sliding layers",
                    })
                }
            }
            _ => Ok(full),
        };
    };
    let sliding = AttentionSpan::Sliding(window + family.window_more);
    if let Some(types) = fields.list("layer_types")? {
        known_types(fields, types)?;
        as_many(fields, types, layers)?;
        let span = |t: &Value| {
            if t.as_str() == Some("full_attention") {
                AttentionSpan::Full
            } else {
                sliding
            }
        };
        return Ok(types.iter().map(span).collect());
    }
    let every = match fields.count("sliding_window_pattern", MAX_LAYERS) {
        Ok(Some(every)) => Some(every),
        _ => None,
    };
    Ok(match (family.pattern, every) {
        (Pattern::All, _) => vec![sliding; layers as usize],
        (Pattern::FullEvery(every), None) | (Pattern::FullEvery(_), Some(every)) => (1..=layers)
            .map(|i| {
                if i % every == 0 {
                    AttentionSpan::Full
                } else {
                    sliding
                }
            })
            .collect(),
        (Pattern::OnRequest, _) if requested == Some(true) => {
            let from = fields
                .count_in("max_window_layers", 0, MAX_LAYERS)?
                .unwrap_or(layers);
            (0..layers)
                .map(|i| if i < from { AttentionSpan::Full } else { sliding })
                .collect()
        }
        (Pattern::OnRequest | Pattern::None | Pattern::Chunked | Pattern::Lookback, _) => full,
    })
}

fn as_many(fields: &Fields<'_>, types: &[Value], layers: u32) -> Result<(), ConfigError> {
    if types.len() == layers as usize {
        return Ok(());
    }
    Err(fields.inconsistent(
        "layer_types",
        format!("{} entries for {layers} layers", types.len()),
    ))
}

fn known_types(fields: &Fields<'_>, types: &[Value]) -> Result<(), ConfigError> {
    let unknown = types
        .iter()
        .find(|t| !matches!(t.as_str(), Some("full_attention" | "sliding_attention")));
    match unknown {
        None => Ok(()),
        Some(Value::String(other)) => Err(ConfigError::unsupported(format!(
            "layers of the type `{}` are not modelled yet",
            short(other)
        ))),
        Some(other) => Err(fields.wrong("layer_types", "a list of names", other)),
    }
}
