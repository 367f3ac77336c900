//! Context length and rotary caches.
//!
//! Mirrors `vllm/transformers_utils/model_arch_config_convertor.py: derive_max_model_len_and_key` and
//! `vllm/model_executor/layers/rotary_embedding/` at 0.33.0.
use super::{
    ConfigError, LearnedPositions, Rope, compressed,
    family::{Family, Positions, Switch},
    fields::Fields,
};
use serde_json::{Map, Value};

const MAX_POSITIONS: u32 = 1 << 27;

/// Fields that may bound the context, as vLLM looks for them.
const KEYS: &[&str] = &[
    "max_position_embeddings",
    "n_positions",
    "max_seq_len",
    "seq_length",
    "max_target_positions",
    "max_sequence_length",
    "max_seq_length",
    "seq_len",
];

/// The rope settings under either of their names.
pub(super) fn rope_object<'a>(fields: &Fields<'a>) -> Result<Option<&'a Map<String, Value>>, ConfigError> {
    match fields.object("rope_parameters")? {
        Some(object) => Ok(Some(object)),
        None => fields.object("rope_scaling"),
    }
}

fn rope_type(object: &Map<String, Value>) -> &str {
    object
        .get("rope_type")
        .or_else(|| object.get("type"))
        .and_then(Value::as_str)
        .unwrap_or("default")
}

/// What vLLM derives from the config for `max_model_len`.
pub(super) struct ContextLength {
    /// The largest that it accepts.
    pub(super) longest: u32,
    /// What it takes where the user sets nothing.
    pub(super) default: u32,
    /// The field that it comes from.
    pub(super) key: &'static str,
    /// What versions took that stretched YaRN's length once more ([`MemoryRules::stretches_yarn`]).
    ///
    /// [`MemoryRules::stretches_yarn`]: crate::engine::MemoryRules::stretches_yarn
    pub(super) yarn: Option<u32>,
}

/// The longest context that vLLM takes from the config, and the field that it comes from.
pub(super) fn context_length(fields: &Fields<'_>, family: &Family) -> Result<ContextLength, ConfigError> {
    let plain = |longest, key| ContextLength {
        longest,
        default: longest,
        key,
        yarn: None,
    };
    if let Some(length) = fields.count("model_max_length", MAX_POSITIONS)? {
        return Ok(plain(length, "model_max_length"));
    }
    let mut smallest: Option<(u32, &'static str)> = None;
    for key in KEYS {
        if let Some(length) = fields.count(key, MAX_POSITIONS)?
            && smallest.is_none_or(|(known, _)| length < known)
        {
            smallest = Some((length, key));
        }
    }
    let Some((length, key)) = smallest else {
        if family.default_positions > 0 {
            return Ok(plain(family.default_positions, KEYS[0]));
        }
        // Slopes have no last position; vLLM assumes a length and takes any other
        // (`config/model.py: _get_and_verify_max_len`).
        if family.alibi == Switch::Always {
            return Ok(ContextLength {
                longest: MAX_POSITIONS,
                default: 2048,
                key: KEYS[0],
                yarn: None,
            });
        }
        return Err(ConfigError::Missing {
            field: fields.name("max_position_embeddings"),
            needed_for: "the longest context",
        });
    };
    // Gemma 3's figure is the stretched one already.
    let gemma3 = fields
        .text("model_type")?
        .is_some_and(|name| name.contains("gemma3"));
    let Some(rope) = rope_object(fields)?.filter(|_| !gemma3) else {
        return Ok(plain(length, key));
    };
    Ok(match rope_type(rope) {
        // The config's figure is the stretched one already.
        "yarn" => ContextLength {
            yarn: Some(stretched(original(fields, rope)?.unwrap_or(length), factor(rope))),
            ..plain(length, key)
        },
        "deepseek_yarn" => ContextLength {
            yarn: Some(stretched(length, factor(rope))),
            ..plain(length, key)
        },
        "llama3" | "default" => plain(length, key),
        "su" | "longrope" => {
            let default = original(fields, rope)?.unwrap_or(length);
            ContextLength {
                longest: length.max(default),
                default,
                key,
                yarn: None,
            }
        }
        _ => plain(stretched(length, factor(rope)), key),
    })
}

/// The context of a model whose config may say none: any, and 2048 where the user sets nothing.
pub(super) fn unbounded(fields: &Fields<'_>, family: &Family) -> Result<ContextLength, ConfigError> {
    if fields.has("model_max_length") || KEYS.iter().any(|key| fields.has(key)) {
        return context_length(fields, family);
    }
    Ok(ContextLength {
        longest: MAX_POSITIONS,
        default: 2048,
        key: "max_position_embeddings",
        yarn: None,
    })
}

/// The rope settings' stretch, 1 where they name none.
fn factor(rope: &Map<String, Value>) -> f64 {
    rope.get("factor")
        .and_then(Value::as_f64)
        .filter(|f| f.is_finite() && *f >= 1.0)
        .unwrap_or(1.0)
}

fn original(fields: &Fields<'_>, rope: &Map<String, Value>) -> Result<Option<u32>, ConfigError> {
    if let Some(length) = fields.count("original_max_position_embeddings", MAX_POSITIONS)? {
        return Ok(Some(length));
    }
    let inner = rope
        .get("original_max_position_embeddings")
        .and_then(Value::as_u64);
    Ok(inner
        .and_then(|v| u32::try_from(v).ok())
        .filter(|v| (1..=MAX_POSITIONS).contains(v)))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the bound"
)]
fn stretched(length: u32, factor: f64) -> u32 {
    (f64::from(length) * factor).clamp(1.0, f64::from(MAX_POSITIONS)) as u32
}

/// How a family caches its rotary embeddings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RopeKind {
    /// One cache in the model's type over all positions.
    Common,
    /// Two thetas over two head sizes (Gemma 4).
    TwoShapes,
    /// `rope_parameters` of each layer type, or the lists that older files have per layer (Laguna, Step 3.5).
    ByLayerType,
    /// Where `position_embedding_type` is rope (Granite 4).
    OnRequest,
    /// Where `use_mem_rope` says so (Zamba 2).
    Flagged,
    /// A cache for each type of layer that has settings, over max_model_len (North Micro Vision).
    OfContext,
    /// No positions (Nemotron-H).
    None,
    /// In float32 where it is stretched (DeepSeek's yarn).
    DeepSeek,
    /// DeepSeek V4: stretched for layers that compress, plain for those that do not, both in float32.
    Compressed,
    /// The same, and a cache of its own for the indexer unless it interleaves as attention does.
    DeepSeekIndexer,
    /// One cache over four times the length (ERNIE 4.5 VL).
    ThreeAxes,
    /// Two thetas, two caches (Gemma 3).
    TwoThetas,
    /// Computed from its frequencies, which stay in float32: one (OLMo 2) or two sets (OLMo 3).
    Frequencies(u32),
}

/// Rows of learned position embeddings.
pub(super) fn learned(fields: &Fields<'_>, family: &Family) -> Result<Option<LearnedPositions>, ConfigError> {
    let (more, split) = match family.positions {
        Positions::None => return Ok(None),
        Positions::Whole(more) => (more, false),
        Positions::Split | Positions::Types => (0, true),
    };
    let positions = match family.positions {
        Positions::Types => 0,
        _ => fields.required(
            "max_position_embeddings",
            MAX_POSITIONS,
            "the position embeddings",
        )?,
    };
    Ok(Some(LearnedPositions {
        rows: positions + more,
        split,
        token_types: if split {
            fields.count_in("type_vocab_size", 0, 1 << 16)?.unwrap_or(2)
        } else {
            0
        },
        mask: family.mask,
    }))
}

/// Bytes of the cached rotary embeddings in a 16-bit model.
pub(super) fn rope(
    fields: &Fields<'_>,
    family: &Family,
    head_dim: u32,
    alibi: bool,
) -> Result<Rope, ConfigError> {
    let kind = family.rope;
    let off = match kind {
        RopeKind::OnRequest => fields.text("position_embedding_type")? != Some("rope"),
        RopeKind::Flagged => fields.flag("use_mem_rope")? != Some(true),
        _ => false,
    };
    if kind == RopeKind::None || off || alibi {
        return Ok(Rope::default());
    }
    if kind == RopeKind::Compressed {
        return compressed_rope(fields, family);
    }
    if kind == RopeKind::TwoShapes {
        let positions = u64::from(
            fields
                .count("max_position_embeddings", MAX_POSITIONS)?
                .unwrap_or(8192),
        );
        let sliding = fields.count("head_dim", 1 << 12)?.unwrap_or(head_dim);
        let full = fields.count("global_head_dim", 1 << 12)?.unwrap_or(sliding);
        let bytes = |dim: u32| positions * u64::from(dim) * 2;
        return Ok(Rope {
            caches: [bytes(sliding), bytes(full)],
            ..Rope::default()
        });
    }
    let object = rope_object(fields)?;
    if let RopeKind::Frequencies(sets) = kind {
        let bytes = u64::from(rotary_dim(fields, object, head_dim, family.rotary_fraction)?) * 4;
        return Ok(Rope {
            caches: [bytes, if sets > 1 { bytes } else { 0 }],
            float32: true,
            ..Rope::default()
        });
    }
    if kind == RopeKind::OfContext {
        return of_context(fields, head_dim);
    }
    if kind == RopeKind::ByLayerType {
        return by_layer_type(fields, head_dim);
    }
    let object = rope_object(fields)?;
    // Ling's class leaves out the part that its files name for linear attention.
    let rotary_dim = if family.kda {
        head_dim
    } else {
        rotary_dim(fields, object, head_dim, family.rotary_fraction)?
    };
    let default = if family.default_positions > 0 {
        family.default_positions
    } else {
        8192
    };
    let positions = fields
        .count("max_position_embeddings", MAX_POSITIONS)?
        .unwrap_or(default);
    let cached = cached_positions(fields, object, positions)?;
    // Three axes of positions (mrope) are cached over four times the length; from 0.32 on those of the classes that
    // interleave them are not (`models/qwen3_vl.py: mrope_positions_factor`).
    let three_axes = object.filter(|o| o.contains_key("mrope_section"));
    let interleaved = three_axes.is_some_and(|o| o.get("mrope_interleaved") == Some(&Value::Bool(true)));
    let cached = if kind == RopeKind::ThreeAxes || three_axes.is_some() && !interleaved {
        cached * 4
    } else {
        cached
    };
    let stretched_in_float32 = matches!(kind, RopeKind::DeepSeek | RopeKind::DeepSeekIndexer)
        && object.is_some_and(|o| matches!(rope_type(o), "yarn" | "deepseek_yarn"));
    let element = if stretched_in_float32 { 4 } else { 2 };
    let bytes = |positions: u64| positions * u64::from(rotary_dim) * element;
    let second = match kind {
        // The second theta, of the sliding layers, is never stretched.
        RopeKind::TwoThetas => bytes(u64::from(positions)),
        RopeKind::DeepSeekIndexer if fields.flag("indexer_rope_interleave")? != Some(true) => bytes(cached),
        _ => 0,
    };
    Ok(Rope {
        caches: [bytes(cached), second],
        float32: stretched_in_float32,
        interleaved,
        of_context: false,
    })
}

/// Positions that a cache covers with these settings.
fn cached_positions(
    fields: &Fields<'_>,
    rope: Option<&Map<String, Value>>,
    positions: u32,
) -> Result<u64, ConfigError> {
    Ok(match rope.map(|o| (rope_type(o), o)) {
        Some(("yarn" | "deepseek_yarn", object)) => u64::from(stretched(
            original(fields, object)?.unwrap_or(positions),
            factor(object),
        )),
        Some(("linear", object)) => u64::from(stretched(positions, factor(object))),
        // Short and long factors are cached one after the other.
        Some(("su" | "longrope", object)) => {
            u64::from(positions) + u64::from(original(fields, object)?.unwrap_or(0))
        }
        _ => u64::from(positions),
    })
}

/// A cache for each type of layer that has settings, as long as max_model_len; three axes of positions take four times
/// that, interleaved or not (`models/cohere_compass.py: CohereCompassAttention`).
fn of_context(fields: &Fields<'_>, head_dim: u32) -> Result<Rope, ConfigError> {
    let positions = fields.required("max_position_embeddings", MAX_POSITIONS, "the rotary caches")?;
    let all = fields.object("rope_parameters")?;
    let of = |name: &str| all.and_then(|all| all.get(name)).and_then(Value::as_object);
    let [sliding, full] = ["sliding_attention", "full_attention"].map(of);
    let other = |own: &Map<String, Value>| rope_type(own) != "default";
    if [sliding, full].into_iter().flatten().any(other) {
        return Err(fields.inconsistent("rope_parameters", "only the rope_type default is modelled"));
    }
    let bytes = |own: &Map<String, Value>| {
        let axes = if own.contains_key("mrope_section") { 4 } else { 1 };
        u64::from(positions) * axes * u64::from(head_dim) * 2
    };
    let second = full.filter(|full| Some(*full) != sliding);
    Ok(Rope {
        caches: [sliding.map_or(0, bytes), second.map_or(0, bytes)],
        of_context: true,
        ..Rope::default()
    })
}

/// One cache per distinct settings of full and sliding layers.
fn by_layer_type(fields: &Fields<'_>, head_dim: u32) -> Result<Rope, ConfigError> {
    let positions = fields
        .count("max_position_embeddings", MAX_POSITIONS)?
        .unwrap_or(8192);
    let common = rope_object(fields)?;
    let types = fields.list("layer_types")?.unwrap_or_default();
    let stretched_types = fields.list("yarn_only_types")?;
    let (factors, thetas) = (
        fields.value("partial_rotary_factors").and_then(Value::as_array),
        fields.value("rope_theta").and_then(Value::as_array),
    );
    let mut caches = [0, 0];
    let mut known = None;
    for (cache, name) in caches.iter_mut().zip(["full_attention", "sliding_attention"]) {
        let first = types.iter().position(|t| t.as_str() == Some(name));
        if first.is_none() && !types.is_empty() {
            continue;
        }
        let index = first.unwrap_or(0);
        let own = common
            .and_then(|object| object.get(name))
            .and_then(Value::as_object);
        let plain = stretched_types.is_some_and(|list| !list.iter().any(|t| t.as_str() == Some(name)));
        let object = own.or(common).filter(|_| own.is_some() || !plain);
        let fraction = factors.and_then(|list| list.get(index)).and_then(Value::as_f64);
        let dim = match fraction {
            Some(fraction) => part(fields, head_dim, fraction)?,
            None => rotary_dim(fields, object, head_dim, 1.0)?,
        };
        let settings = (object, dim, thetas.and_then(|list| list.get(index)));
        if known == Some(settings) {
            continue;
        }
        known = Some(settings);
        *cache = cached_positions(fields, object, positions)? * u64::from(dim) * 2;
    }
    Ok(Rope {
        caches,
        ..Rope::default()
    })
}

/// `models/deepseek_v4/common/rope.py`.
fn compressed_rope(fields: &Fields<'_>, family: &Family) -> Result<Rope, ConfigError> {
    let layers = fields.count("num_hidden_layers", 1 << 10)?.unwrap_or(1);
    let ratios = compressed::ratios(fields, layers, family.architecture == compressed::V41)?;
    let dim = u64::from(fields.required("qk_rope_head_dim", 1 << 12, "the cached positions")?);
    let plain = fields
        .count("max_position_embeddings", MAX_POSITIONS)?
        .unwrap_or(8192);
    let stretch = match rope_object(fields)? {
        Some(rope) => stretched(original(fields, rope)?.unwrap_or(plain), factor(rope)),
        None => plain,
    };
    let cache = |there: bool, positions: u32| {
        if there { u64::from(positions) * dim * 4 } else { 0 }
    };
    Ok(Rope {
        caches: [
            cache(ratios.contains(&0), plain),
            cache(ratios.iter().any(|ratio| *ratio > 0), stretch),
        ],
        float32: true,
        ..Rope::default()
    })
}

fn rotary_dim(
    fields: &Fields<'_>,
    rope: Option<&Map<String, Value>>,
    head_dim: u32,
    default: f64,
) -> Result<u32, ConfigError> {
    if let Some(dim) = fields.count("rotary_dim", head_dim)? {
        return Ok(dim);
    }
    let inner = rope
        .and_then(|object| object.get("partial_rotary_factor"))
        .and_then(Value::as_f64);
    let factor = match inner {
        Some(factor) => Some(factor),
        None => match fields.number("partial_rotary_factor")? {
            Some(factor) => Some(factor),
            None => fields.number("rotary_pct")?,
        },
    };
    match factor {
        None => part(fields, head_dim, default),
        Some(factor) => part(fields, head_dim, factor),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a fraction of a small head size"
)]
fn part(fields: &Fields<'_>, head_dim: u32, factor: f64) -> Result<u32, ConfigError> {
    if factor > 0.0 && factor <= 1.0 {
        return Ok((f64::from(head_dim) * factor) as u32);
    }
    Err(fields.inconsistent(
        "partial_rotary_factor",
        "expected a fraction above 0 and at most 1",
    ))
}
