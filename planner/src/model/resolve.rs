//! A config.json becomes a [`ModelSpec`], or an error that names the field. Nothing is filled in by guess: a field
//! that may be absent has the default of the model's own class.
use super::{
    ConfigError, LinearScheme, ModelSpec, Quantization, attention, classic, experts,
    families::{self, Experts, Family, Head, KvHeads, Switch},
    fields::Fields,
    pooling, positions, quantization,
    spec::{AttentionSpan, FeedForward, LayerRun, Mixer, Norms, Quantized},
    stages,
};
use crate::units::FloatDtype;
use serde_json::{Map, Value};

const MAX_LAYERS: u32 = 1 << 10;
const MAX_WIDTH: u32 = 1 << 18;
const MAX_VOCAB: u32 = 1 << 22;

/// Resolves a config.json's object. The second part is the object reduced to the fields that were read.
pub fn resolve(object: &Map<String, Value>) -> (Result<ModelSpec, ConfigError>, Map<String, Value>) {
    let top = Fields::new(object, "");
    let mut kept_text = None;
    let spec = resolve_top(&top, &mut kept_text);
    let mut kept = top.touched();
    if let Some(text) = kept_text {
        kept.insert("text_config".to_owned(), Value::Object(text));
    }
    for tower in TOWERS {
        // That there is one is all that is read of it.
        if let Some(value) = kept.get_mut(*tower) {
            *value = Value::Object(Map::new());
        }
    }
    (spec, kept)
}

/// Objects that stand for a tower beside the language model.
const TOWERS: &[&str] = &["vision_config", "audio_config"];

fn resolve_top(
    top: &Fields<'_>,
    kept_text: &mut Option<Map<String, Value>>,
) -> Result<ModelSpec, ConfigError> {
    let architecture = architecture(top)?;
    if top.flag("is_encoder_decoder")? == Some(true) {
        return Err(ConfigError::unsupported(
            "encoder-decoder models are not modelled yet",
        ));
    }
    let text = top.object("text_config")?;
    let nested = text.map(|text| Fields::new(text, "text_config"));
    let towers = text.is_some() | TOWERS.iter().any(|tower| top.has(tower));
    let result = match (families::wrapper(architecture), towers) {
        (Some(wrapper), _) => wrapped(top, text, architecture, wrapper, kept_text),
        (None, false) => match (families::find(architecture), pooling::of(architecture)) {
            (Some(family), _) => decoder(top, top, family),
            (None, Some(pooled)) => pooled_model(top, architecture, &pooled),
            (None, None) => Err(ConfigError::unsupported(families::refusal(architecture))),
        },
        (None, true) => Err(ConfigError::unsupported(format!(
            "`{}` has a vision or audio tower (`text_config`, `vision_config`), and its language model is not one that is modelled yet",
            short(architecture)
        ))),
    };
    if let (Some(nested), None) = (nested, &kept_text) {
        *kept_text = Some(nested.touched());
    }
    result
}

/// A generating model's layers that vLLM pools.
fn pooled_model(
    top: &Fields<'_>,
    architecture: &str,
    pooled: &pooling::Pooled,
) -> Result<ModelSpec, ConfigError> {
    let mut spec = decoder(top, top, pooled.family)?;
    architecture.clone_into(&mut spec.architecture);
    if pooled.bidirectional {
        for run in &mut spec.layers {
            if let Mixer::Attention(_, span) = &mut run.mixer {
                *span = AttentionSpan::Both;
            }
        }
    }
    if pooled.head != Head::None && spec.quantization.is_some() {
        return Err(ConfigError::unsupported(
            "a quantised model with a classifier is not modelled yet",
        ));
    }
    if pooled.by_default {
        return Ok(spec.with_pooling(pooling::pooling(top, pooled.head)?));
    }
    if spec.unasked == pooling::Unasked::Generates {
        spec.unasked = pooling::Unasked::Either;
    }
    Ok(spec)
}

/// A language model beside a tower. The tower is left out: only plans without it are computed.
fn wrapped(
    top: &Fields<'_>,
    text: Option<&Map<String, Value>>,
    architecture: &str,
    wrapper: &families::Wrapper,
    kept_text: &mut Option<Map<String, Value>>,
) -> Result<ModelSpec, ConfigError> {
    let family = families::find(wrapper.language);
    let family = family.ok_or_else(|| ConfigError::unsupported(families::refusal(architecture)))?;
    let mut spec = match text {
        None => decoder(top, top, family)?,
        Some(text) => {
            let fields = Fields::new(text, "text_config").with_defaults(wrapper.defaults);
            let spec = decoder(top, &fields, family);
            *kept_text = Some(fields.touched());
            spec?
        }
    };
    wrapper.architecture.clone_into(&mut spec.architecture);
    spec.has_tower = true;
    Ok(spec)
}

pub(super) fn short(text: &str) -> String {
    text.chars().take(60).collect()
}

fn architecture<'a>(fields: &Fields<'a>) -> Result<&'a str, ConfigError> {
    let missing = ConfigError::Missing {
        field: "architectures".to_owned(),
        needed_for: "the kinds of layers",
    };
    match fields.list("architectures")?.and_then(|list| list.first()) {
        Some(Value::String(name)) if !name.is_empty() => Ok(name),
        Some(other) => Err(fields.wrong("architectures", "a list with one name", other)),
        None => Err(missing),
    }
}

/// `top` is the file's own object; `fields` the language model's, which is often the same.
fn decoder(top: &Fields<'_>, fields: &Fields<'_>, family: &Family) -> Result<ModelSpec, ConfigError> {
    fields.call_by(family.names);
    classic::unsupported(fields, family)?;
    let hidden_size = fields.required("hidden_size", MAX_WIDTH, "the size of every layer")?;
    let num_hidden_layers = fields.required("num_hidden_layers", MAX_LAYERS, "weights and KV cache")?;
    let vocab_size = fields.required("vocab_size", MAX_VOCAB, "embedding and sampler")?;
    let quantization = match quantization::read(top, family.experts)? {
        Some(quantization) => Some(quantization),
        None => quantization::read(fields, family.experts)?,
    };
    let feed_forwards = experts::feed_forward(fields, family, hidden_size, num_hidden_layers)?;
    let mixers = attention::mixers(fields, family, hidden_size, num_hidden_layers)?;
    let attention = attention::first(&mixers);
    let quantized_router = family.experts == Experts::Qwen;
    let mut layers = runs(&feed_forwards, &mixers, quantization.as_ref(), quantized_router);
    // Its attention never takes the checkpoint's quantisation (`models/glm5next/common/{model,kda}.py`).
    let bare_attention = family.experts == Experts::Glm5Next;
    for run in layers.iter_mut().filter(|_| bare_attention) {
        run.quantized = Quantized {
            qkv: false,
            o: false,
            indexer: false,
            ..run.quantized
        };
    }
    let context = positions::context_length(fields, family)?;
    let alibi = attention.alibi;
    let tie_word_embeddings = match fields.flag("tie_word_embeddings")? {
        Some(tied) => tied,
        None => top.flag("tie_word_embeddings")?.unwrap_or(family.tied),
    };
    // Attention over the sums of blocks of layers, twice a layer and at the end: a norm and a vector of weights each
    // (`models/kimi_k3/nvidia/model.py: KimiDecoderLayer`).
    let residual_blocks = family.kda && fields.has("attn_res_block_size");
    let needs_remote_code = false;
    let holder = if has_dtype(fields) { fields } else { top };
    let spec = ModelSpec {
        architecture: family.architecture.to_owned(),
        dtype: dtype(holder)?,
        has_tower: false,
        hidden_size,
        vocab_size,
        derived_max_model_len: context.longest,
        default_max_model_len: context.default,
        derived_max_model_len_key: context.key,
        tie_word_embeddings,
        lm_head_bias: switch(fields, family.lm_head_bias)?,
        attention,
        layers,
        norms: Norms {
            per_layer: norms_per_layer(fields, family)?
                + if residual_blocks { 4 } else { 0 }
                + if feed_forwards.iter().any(|f| f.dense.is_some() && f.moe.is_some()) {
                    3
                } else {
                    0
                },
            scalars_per_layer: family.scalars_per_layer,
            bias: family.norm_bias,
            embedding: family.embedding_norm,
            last: match (switch(fields, family.last_norm)?, residual_blocks) {
                (false, _) => 0,
                (true, false) => 1,
                (true, true) => 3,
            },
        },
        positions: positions::learned(fields, family)?,
        rope: positions::rope(fields, family, attention::rotary_head_dim(&mixers), alibi)?,
        scalar_buffers: family.scalar_buffers,
        hyper_streams: if family.compressed || bare_attention && fields.flag("mhc")? != Some(false) {
            fields.required("hc_mult", 64, "the hyper-connections")?
        } else {
            1
        },
        residual_copies: family.residual_copies,
        quantized_router,
        every_stage: stages::of(family.architecture),
        pooling: None,
        unasked: if top.flag(pooling::BESIDE)? == Some(true) {
            pooling::Unasked::Pools
        } else {
            pooling::Unasked::Generates
        },
        narrowed: narrowed(holder)?,
        kv_in_model_type: family.kv_heads == KvHeads::Falcon,
        quantization,
        needs_remote_code,
    };
    Ok(match family.pools {
        Some(head) => spec.with_pooling(pooling::pooling(fields, head)?),
        None => spec,
    })
}

fn norms_per_layer(fields: &Fields<'_>, family: &Family) -> Result<u32, ConfigError> {
    if family.kv_heads == KvHeads::Falcon {
        return classic::falcon_norms(fields);
    }
    Ok(family.norms_per_layer)
}

pub(super) fn switch(fields: &Fields<'_>, switch: Switch) -> Result<bool, ConfigError> {
    match switch {
        Switch::Always => Ok(true),
        Switch::Never => Ok(false),
        Switch::Field(name) => Ok(fields.flag(name)?.unwrap_or(false)),
        Switch::Unless(name) => Ok(fields.flag(name)?.unwrap_or(true)),
        Switch::Either(one, other) => {
            let (one, other) = (fields.flag(one)?, fields.flag(other)?);
            Ok(one == Some(true) || other == Some(true))
        }
    }
}

fn has_dtype(fields: &Fields<'_>) -> bool {
    fields.has("dtype") || fields.has("torch_dtype")
}

/// Model types that vLLM does not run in float16 (`config/model.py: _FLOAT16_NOT_SUPPORTED_MODELS`).
const NEVER_FLOAT16: &[&str] = &["gemma2", "gemma3", "gemma3_text", "glm4"];

/// Whether the checkpoint is float32, as far as its config says.
fn narrowed(fields: &Fields<'_>) -> Result<bool, ConfigError> {
    let text = match fields.text("dtype")? {
        Some(text) => Some(text),
        None => fields.text("torch_dtype")?,
    };
    let kind = fields.text("model_type")?.unwrap_or_default();
    let float32 = text.is_none_or(|text| FloatDtype::parse(text) == Some(FloatDtype::Float32));
    Ok(float32 && !NEVER_FLOAT16.contains(&kind))
}

/// `torch_dtype` or `dtype`; vLLM loads a float32 checkpoint as bfloat16, and one that does not say as well.
fn dtype(fields: &Fields<'_>) -> Result<FloatDtype, ConfigError> {
    let key = if fields.has("dtype") {
        "dtype"
    } else {
        "torch_dtype"
    };
    let Some(text) = fields.text(key)? else {
        return Ok(FloatDtype::Bfloat16);
    };
    match FloatDtype::parse(text) {
        Some(FloatDtype::Float32) => Ok(FloatDtype::Bfloat16),
        Some(dtype) => Ok(dtype),
        None => Err(fields.inconsistent(
            key,
            format!("expected bfloat16, float16 or float32, got {:?}", short(text)),
        )),
    }
}

/// Layers of one kind that follow each other become one run.
fn runs(
    feed_forwards: &[FeedForward],
    mixers: &[Mixer],
    quantization: Option<&Quantization>,
    quantized_router: bool,
) -> Vec<LayerRun> {
    let mut runs: Vec<LayerRun> = Vec::new();
    for (index, (mlp, mixer)) in feed_forwards.iter().zip(mixers).enumerate() {
        let quantized =
            quantization.map_or_else(Quantized::default, |q| parts(q, index, mlp, quantized_router));
        match runs.last_mut() {
            Some(last) if last.mixer == *mixer && last.mlp == *mlp && last.quantized == quantized => {
                last.count += 1;
            }
            _ => runs.push(LayerRun {
                count: 1,
                mixer: *mixer,
                mlp: *mlp,
                quantized,
            }),
        }
    }
    runs
}

const MODULE_ROOTS: &[&str] = &["model", "model.language_model", "language_model.model"];

const QUERY_KEY_VALUE: &[&str] = &[
    "self_attn.q_proj",
    "self_attn.qkv_proj",
    "self_attn.q_a_proj",
    "self_attn.kv_b_proj",
    "linear_attn.in_proj_qkv",
];

/// Which linear layers of layer `index` are quantised: a fused layer follows its first shard.
fn parts(quantization: &Quantization, index: usize, mlp: &FeedForward, router: bool) -> Quantized {
    let layer = format!("layers.{index}");
    // Beside a tower, the language model's modules have longer names, and checkpoints use either.
    let kept = |name: &str| {
        MODULE_ROOTS
            .iter()
            .all(|root| !quantization.ignores(&format!("{root}.{layer}.{name}")))
    };
    let (dense, moe) = (mlp.dense.is_some(), mlp.moe.is_some());
    if let Some(only) = &quantization.only {
        let listed = |names: &[&str]| {
            let full = |root: &&str, name: &str| format!("{root}.{layer}.{name}");
            let listed = |root: &&str| names.iter().any(|name| only.contains(&full(root, name)));
            MODULE_ROOTS.iter().any(listed)
        };
        return Quantized {
            qkv: listed(QUERY_KEY_VALUE),
            o: listed(&["self_attn.o_proj", "linear_attn.out_proj"]),
            gate_up: dense && listed(&["mlp.gate_proj", "mlp.gate_up_proj"]),
            down: dense && listed(&["mlp.down_proj"]),
            experts: moe && listed(&["mlp.experts", "block_sparse_moe.experts"]),
            shared: moe
                && listed(&[
                    "mlp.shared_experts.gate_proj",
                    "mlp.shared_expert.gate_proj",
                    "block_sparse_moe.shared_experts.gate_proj",
                ]),
            router: false,
            indexer: listed(&["self_attn.indexer.wq_b"]),
        };
    }
    let shared = mlp.moe.is_some_and(|m| m.shared.is_some());
    let experts_kept =
        || kept("mlp.experts") && kept("mlp.experts.0.gate_proj") && kept("block_sparse_moe.experts.0.w1");
    if quantization.scheme == LinearScheme::Mxfp4 {
        return Quantized {
            experts: moe,
            ..Quantized::default()
        };
    }
    Quantized {
        qkv: QUERY_KEY_VALUE.iter().all(|name| kept(name)),
        o: kept("self_attn.o_proj") && kept("linear_attn.out_proj"),
        gate_up: dense && kept("mlp.gate_proj") && kept("mlp.gate_up_proj"),
        down: dense && kept("mlp.down_proj"),
        experts: moe
            && if dense {
                kept("experts") && kept("moe.experts")
            } else {
                experts_kept()
            },
        shared: moe && shared && kept("mlp.shared_experts.gate_proj") && kept("mlp.shared_expert.gate_proj"),
        // vLLM leaves it alone in GPTQ checkpoints (`models/qwen3_moe.py`).
        router: moe && router && quantization.method != "auto_gptq" && kept("mlp.gate"),
        indexer: kept("self_attn.indexer.wq_b"),
    }
}
