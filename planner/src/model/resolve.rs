//! A config.json becomes a [`ModelSpec`], or an error that names the field. Nothing is filled in by guess: a field
//! that may be absent has the default of the model's own class.
use super::{
    ConfigError, ModelSpec, Quantization,
    families::{self, Experts, Family, Pattern, Switch},
    fields::Fields,
    positions, quantization,
    spec::{
        Attention, AttentionSpan, DenseMlp, LayerRun, MlpKind, Moe, Norms, QkNorm, Quantized, SharedExpert,
    },
};
use crate::units::FloatDtype;
use serde_json::{Map, Value};

const MAX_LAYERS: u32 = 1 << 10;
const MAX_WIDTH: u32 = 1 << 18;
const MAX_INTERMEDIATE: u32 = 1 << 20;
const MAX_VOCAB: u32 = 1 << 22;
const MAX_HEADS: u32 = 1 << 12;
const MAX_EXPERTS: u32 = 1 << 12;
const MAX_EXPERT_WIDTH: u32 = 1 << 18;

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
    let fields = nested.as_ref().unwrap_or(top);
    if fields.has("kv_lora_rank") {
        return Err(ConfigError::unsupported(
            "multi-head latent attention (`kv_lora_rank`) is not modelled yet",
        ));
    }
    let towers = text.is_some() | TOWERS.iter().any(|tower| top.has(tower));
    let result = match (families::wrapper(architecture), towers) {
        (Some(wrapper), _) => wrapped(top, text, architecture, wrapper, kept_text),
        (None, false) => {
            let family = families::find(architecture);
            let family = family.ok_or_else(|| ConfigError::unsupported(families::refusal(architecture)))?;
            decoder(top, top, family)
        }
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

fn short(text: &str) -> String {
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
    let hidden_size = fields.required("hidden_size", MAX_WIDTH, "the size of every layer")?;
    let num_hidden_layers = fields.required("num_hidden_layers", MAX_LAYERS, "weights and KV cache")?;
    let vocab_size = fields.required("vocab_size", MAX_VOCAB, "embedding and sampler")?;
    let attention = attention(fields, family, hidden_size)?;
    let quantization = match quantization::read(top)? {
        Some(quantization) => Some(quantization),
        None => quantization::read(fields)?,
    };
    let (mlp, moe, kinds) = feed_forward(fields, family, num_hidden_layers)?;
    let spans = spans(fields, family, num_hidden_layers)?;
    let quantized_router = family.experts == Experts::Qwen;
    let shared = moe.is_some_and(|m| m.shared.is_some());
    let layers = runs(&kinds, &spans, quantization.as_ref(), (shared, quantized_router));
    let context = positions::context_length(fields)?;
    let tie_word_embeddings = match fields.flag("tie_word_embeddings")? {
        Some(tied) => tied,
        None => top.flag("tie_word_embeddings")?.unwrap_or(family.tied),
    };
    let needs_remote_code = false;
    Ok(ModelSpec {
        architecture: family.architecture.to_owned(),
        dtype: if has_dtype(fields) {
            dtype(fields)?
        } else {
            dtype(top)?
        },
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
        mlp,
        moe,
        norms: Norms {
            per_layer: family.norms_per_layer,
            bias: family.norm_bias,
        },
        rope: positions::rope(fields, family.rope, attention.head_dim)?,
        scalar_buffers: family.scalar_buffers,
        residual_copies: family.residual_copies,
        quantized_router,
        quantization,
        needs_remote_code,
    })
}

fn switch(fields: &Fields<'_>, switch: Switch) -> Result<bool, ConfigError> {
    match switch {
        Switch::Always => Ok(true),
        Switch::Never => Ok(false),
        Switch::Field(name) => Ok(fields.flag(name)?.unwrap_or(false)),
    }
}

fn has_dtype(fields: &Fields<'_>) -> bool {
    fields.has("dtype") || fields.has("torch_dtype")
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

fn attention(fields: &Fields<'_>, family: &Family, hidden_size: u32) -> Result<Attention, ConfigError> {
    let heads = fields.required("num_attention_heads", MAX_HEADS, "attention weights")?;
    let kv_heads = fields.count("num_key_value_heads", MAX_HEADS)?.unwrap_or(heads);
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
    Ok(Attention {
        num_attention_heads: heads,
        num_key_value_heads: kv_heads,
        head_dim,
        qkv_bias: switch(fields, family.qkv_bias)?,
        o_bias: switch(fields, family.o_bias)?,
        qk_norm: if normed { family.qk_norm } else { QkNorm::None },
    })
}

type FeedForward = (Option<DenseMlp>, Option<Moe>, Vec<MlpKind>);

fn feed_forward(fields: &Fields<'_>, family: &Family, layers: u32) -> Result<FeedForward, ConfigError> {
    let dense = |width: u32| -> Result<DenseMlp, ConfigError> {
        Ok(DenseMlp {
            intermediate_size: width,
            gated: true,
            bias: switch(fields, family.mlp_bias)?,
        })
    };
    let width = || fields.required("intermediate_size", MAX_INTERMEDIATE, "the feed-forward layers");
    match family.experts {
        Experts::None => Ok((
            Some(dense(width()?)?),
            None,
            vec![MlpKind::Dense; layers as usize],
        )),
        Experts::Mixtral | Experts::MiniMax => {
            let mini = family.experts == Experts::MiniMax;
            let expert = fields.required("intermediate_size", MAX_EXPERT_WIDTH, "the experts")?;
            let mut moe = routed(fields, "num_local_experts", expert)?;
            moe.correction_bias = mini;
            if mini {
                moe.router_dtype = FloatDtype::Float32;
            }
            Ok((None, Some(moe), vec![MlpKind::Moe; layers as usize]))
        }
        Experts::Qwen | Experts::QwenShared => {
            let expert = fields.required("moe_intermediate_size", MAX_EXPERT_WIDTH, "the experts")?;
            let mut moe = routed(fields, "num_experts", expert)?;
            if family.experts == Experts::QwenShared
                && let Some(width) =
                    fields.count_in("shared_expert_intermediate_size", 0, MAX_INTERMEDIATE)?
                && width > 0
            {
                moe.shared = Some(SharedExpert {
                    intermediate_size: width,
                    gate: true,
                });
            }
            let kinds = sparse_layers(fields, layers)?;
            let mlp = if kinds.contains(&MlpKind::Dense) {
                Some(dense(width()?)?)
            } else {
                None
            };
            Ok((mlp, Some(moe), kinds))
        }
        Experts::Glm => {
            let expert = fields.required("moe_intermediate_size", MAX_EXPERT_WIDTH, "the experts")?;
            let mut moe = routed(fields, "n_routed_experts", expert)?;
            let shared = fields.count_in("n_shared_experts", 0, 64)?.unwrap_or(0);
            moe.shared = (shared > 0).then(|| SharedExpert {
                intermediate_size: expert.saturating_mul(shared),
                gate: false,
            });
            moe.router_dtype = FloatDtype::Float32;
            moe.correction_bias = true;
            let first = fields.count_in("first_k_dense_replace", 0, layers)?.unwrap_or(0);
            let kinds = (0..layers)
                .map(|i| if i < first { MlpKind::Dense } else { MlpKind::Moe })
                .collect();
            let mlp = if first > 0 { Some(dense(width()?)?) } else { None };
            Ok((mlp, Some(moe), kinds))
        }
    }
}

fn routed(fields: &Fields<'_>, key: &'static str, width: u32) -> Result<Moe, ConfigError> {
    let num_experts = fields.required(key, MAX_EXPERTS, "the experts")?;
    let per_token = fields.required("num_experts_per_tok", MAX_EXPERTS, "the activation peak")?;
    if per_token > num_experts {
        return Err(fields.inconsistent(
            "num_experts_per_tok",
            format!("{per_token} of {num_experts} experts"),
        ));
    }
    Ok(Moe {
        num_experts,
        num_experts_per_tok: per_token,
        moe_intermediate_size: width,
        shared: None,
        router_dtype: FloatDtype::Bfloat16,
        correction_bias: false,
    })
}

/// Qwen's rule: every `decoder_sparse_step`-th layer, unless `mlp_only_layers` names it.
fn sparse_layers(fields: &Fields<'_>, layers: u32) -> Result<Vec<MlpKind>, ConfigError> {
    let step = fields.count("decoder_sparse_step", MAX_LAYERS)?.unwrap_or(1);
    let only = fields.list("mlp_only_layers")?.unwrap_or_default();
    let dense: Vec<u64> = only.iter().filter_map(Value::as_u64).collect();
    Ok((0..layers)
        .map(|i| {
            let moe = (i + 1) % step == 0 && !dense.contains(&u64::from(i));
            if moe { MlpKind::Moe } else { MlpKind::Dense }
        })
        .collect())
}

/// How far each layer attends: `layer_types` where the config lists them, else the family's pattern.
fn spans(fields: &Fields<'_>, family: &Family, layers: u32) -> Result<Vec<AttentionSpan>, ConfigError> {
    let full = vec![AttentionSpan::Full; layers as usize];
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
    let sliding = AttentionSpan::Sliding(window);
    if let Some(types) = fields.list("layer_types")? {
        known_types(fields, types)?;
        if types.len() != layers as usize {
            return Err(fields.inconsistent(
                "layer_types",
                format!("{} entries for {layers} layers", types.len()),
            ));
        }
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
        (Pattern::OnRequest | Pattern::None, _) => full,
    })
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

/// Layers of one kind that follow each other become one run.
fn runs(
    kinds: &[MlpKind],
    spans: &[AttentionSpan],
    quantization: Option<&Quantization>,
    classes: (bool, bool),
) -> Vec<LayerRun> {
    let mut runs: Vec<LayerRun> = Vec::new();
    for (index, (mlp, span)) in kinds.iter().zip(spans).enumerate() {
        let quantized = quantization.map_or_else(Quantized::default, |q| parts(q, index, *mlp, classes));
        match runs.last_mut() {
            Some(last) if last.span == *span && last.mlp == *mlp && last.quantized == quantized => {
                last.count += 1;
            }
            _ => runs.push(LayerRun {
                count: 1,
                span: *span,
                mlp: *mlp,
                quantized,
            }),
        }
    }
    runs
}

const MODULE_ROOTS: &[&str] = &["model", "model.language_model", "language_model.model"];

/// Which linear layers of layer `index` are quantised: a fused layer follows its first shard.
fn parts(
    quantization: &Quantization,
    index: usize,
    mlp: MlpKind,
    (shared, router): (bool, bool),
) -> Quantized {
    let layer = format!("layers.{index}");
    // Beside a tower, the language model's modules have longer names, and checkpoints use either.
    let kept = |name: &str| {
        MODULE_ROOTS
            .iter()
            .all(|root| !quantization.ignores(&format!("{root}.{layer}.{name}")))
    };
    let moe = mlp == MlpKind::Moe;
    Quantized {
        qkv: kept("self_attn.q_proj") && kept("self_attn.qkv_proj"),
        o: kept("self_attn.o_proj"),
        gate_up: !moe && kept("mlp.gate_proj") && kept("mlp.gate_up_proj"),
        down: !moe && kept("mlp.down_proj"),
        experts: moe
            && kept("mlp.experts")
            && kept("mlp.experts.0.gate_proj")
            && kept("block_sparse_moe.experts.0.w1"),
        shared: moe && shared && kept("mlp.shared_experts.gate_proj") && kept("mlp.shared_expert.gate_proj"),
        // vLLM leaves it alone in GPTQ checkpoints (`models/qwen3_moe.py`).
        router: moe && router && quantization.method != "auto_gptq" && kept("mlp.gate"),
    }
}
