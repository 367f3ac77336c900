//! A config.json becomes a [`ModelSpec`], or an error that names the field. Nothing is filled in by guess: a field
//! that may be absent has the default of the model's own class.
use super::{
    AttentionSpan, ConfigError, DraftChain, FeedForward, LayerRun, LinearScheme, Mixer, ModelSpec, Norms,
    OtherSchemes, Quantization, Quantized, attention, classic, compressed, families,
    family::{Experts, Family, Head, KvHeads, Switch, Width},
    fields::Fields,
    layouts::{self, Layout},
    mixed,
    plain::MOLMO2,
    pooling, positions, quantization,
    qwen4::{self, QWEN4},
    removed, routed, stages,
    tower::{self, Tower},
    wrappers,
};
use crate::units::FloatDtype;
use serde_json::{Map, Value};

/// A field that we put into a config: `metadata.total_size` of the model.safetensors.index.json beside it.
pub const CHECKPOINT_BYTES: &str = "safetensors_total_size";

const MAX_WIDTH: u32 = 1 << 18;
const MAX_VOCAB: u32 = 1 << 22;

/// Resolves a config.json's object. The second part is the object reduced to the fields that were read.
pub fn resolve(object: &Map<String, Value>) -> (Result<ModelSpec, ConfigError>, Map<String, Value>) {
    match wrappers::unwrap(object) {
        Some((inner, layout)) => {
            let (spec, kept) = resolve_plain(&inner);
            (spec, wrappers::wrap(kept, layout))
        }
        None => resolve_plain(object),
    }
}

fn resolve_plain(object: &Map<String, Value>) -> (Result<ModelSpec, ConfigError>, Map<String, Value>) {
    let top = Fields::new(object, "");
    let mut kept_text = None;
    let mut spec = resolve_top(&top, &mut kept_text);
    let mut kept_towers = Map::new();
    if let Ok(spec) = &mut spec
        && spec.has_tower
    {
        spec.tower = tower::read::read(&top, spec, &mut kept_towers);
    }
    let mut kept = top.touched();
    mixed::shorten(&mut kept);
    if let Some(mut text) = kept_text {
        mixed::shorten(&mut text);
        kept.insert("text_config".to_owned(), Value::Object(text));
    }
    for tower in TOWERS {
        // Of a tower that is not modelled, that there is one is all that is read.
        if let Some(value) = kept.get_mut(*tower) {
            *value = Value::Object(Map::new());
        }
    }
    kept.append(&mut kept_towers);
    (spec, kept)
}

/// Objects that stand for a tower beside the language model.
const TOWERS: &[&str] = &["vision_config", "audio_config"];

fn resolve_top(
    top: &Fields<'_>,
    kept_text: &mut Option<Map<String, Value>>,
) -> Result<ModelSpec, ConfigError> {
    let by_type = if top.has("architectures") {
        None
    } else {
        top.text("model_type")?.and_then(wrappers::of_type)
    };
    let architecture = match by_type {
        Some(language) => language,
        None => architecture(top)?,
    };
    if top.flag("is_encoder_decoder")? == Some(true) {
        return Err(ConfigError::unsupported(
            "encoder-decoder models are not modelled yet",
        ));
    }
    let text = top.object("text_config")?;
    let nested = text.map(|text| Fields::new(text, "text_config"));
    let towers = text.is_some() | TOWERS.iter().any(|tower| top.has(tower));
    let result = match (wrappers::wrapper(architecture), towers) {
        (Some(wrapper), _) => wrapped(top, text, wrapper, kept_text),
        (None, false) => match (families::find(architecture), pooling::of(top, architecture)) {
            (Some(family), _) => decoder(top, top, family),
            (None, Some(pooled)) => pooled_model(top, architecture, &pooled),
            (None, None) => Err(ConfigError::unsupported(families::refusal(architecture))),
        },
        (None, true) if removed::refusal(architecture).is_some() => {
            Err(ConfigError::unsupported(families::refusal(architecture)))
        }
        (None, true) => Err(ConfigError::unsupported(format!(
            "`{}` has a vision or audio tower (`text_config`, `vision_config`), and its language model is not one that is modelled yet",
            short(architecture)
        ))),
    };
    if let (Some(nested), None) = (nested, &kept_text) {
        *kept_text = Some(nested.touched());
    }
    result.map(|spec| ModelSpec {
        named: by_type.is_none(),
        ..spec
    })
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

/// A language model beside a tower, which is read by itself.
fn wrapped(
    top: &Fields<'_>,
    text: Option<&Map<String, Value>>,
    wrapper: &wrappers::Wrapper,
    kept_text: &mut Option<Map<String, Value>>,
) -> Result<ModelSpec, ConfigError> {
    let none = Map::new();
    let text = text.or_else(|| wrapper.ignores_flat_files().then_some(&none));
    let family = wrappers::family(top, text, wrapper)?;
    let mut spec = match text {
        None => decoder(top, top, family)?,
        Some(text) => {
            let defaults = if wrappers::defaults_apply(wrapper, family.architecture) {
                wrapper.defaults
            } else {
                ""
            };
            let fields = Fields::new(text, "text_config").with_defaults(defaults);
            wrappers::refuse_unknown_experts(&fields, family)?;
            let spec = decoder(top, &fields, family);
            fields.has(wrappers::NO_LATENT);
            let mut kept = fields.touched();
            for key in ["architectures", "model_type"] {
                if let ("", Some(named)) = (wrapper.language, text.get(key)) {
                    kept.insert(key.to_owned(), named.clone());
                }
            }
            *kept_text = Some(kept);
            spec?
        }
    };
    wrapper.architecture.clone_into(&mut spec.architecture);
    spec.has_tower = true;
    if family.behind_encoder {
        wrappers::attend_to_encoder(&mut spec);
    }
    Ok(spec)
}

pub(super) fn short(text: &str) -> String {
    text.chars().take(60).collect()
}

pub(super) fn architecture<'a>(fields: &Fields<'a>) -> Result<&'a str, ConfigError> {
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
    let vocab_size = fields.required("vocab_size", MAX_VOCAB, "embedding and sampler")?;
    let (vocab_size, padding) = match family.layout {
        Layout::Inkling => layouts::vocabulary(fields, vocab_size)?,
        _ => (vocab_size, 0),
    };
    let quantization = match quantization::read(top, family.experts)? {
        Some(quantization) => Some(quantization),
        None => quantization::read(fields, family.experts)?,
    };
    // Two of ours are one of theirs: modules have other numbers.
    let renumbered = [routed::LONGCAT, routed::ZAMBA2].contains(&family.architecture);
    if renumbered && quantization.as_ref().is_some_and(|own| !own.reaches_all()) {
        return Err(ConfigError::unsupported(format!(
            "a checkpoint of {} that quantises some of its layers only is not modelled yet",
            family.architecture
        )));
    }
    if family.architecture == routed::MOONDREAM && quantization.is_some() {
        return Err(ConfigError::unsupported(
            "a quantised checkpoint of Moondream 3 is not modelled: vLLM's class keeps the experts in 16 bits",
        ));
    }
    let (mixers, feed_forwards) = layouts::layers(fields, family, hidden_size)?;
    let alt_up = match family.layout {
        Layout::Gemma3n => Some(layouts::alt_up(fields)?),
        _ => None,
    };
    let per_layer_input = if matches!(family.layout, Layout::Gemma4 | Layout::Gemma3n) {
        layouts::per_layer_input(fields, vocab_size)?
    } else {
        None
    };
    let attention = attention::first(&mixers);
    let quantized_router = family.experts == Experts::Qwen;
    let mut layers = runs(&feed_forwards, &mixers, quantization.as_ref(), family.experts)?;
    // Its attention never takes the checkpoint's quantisation (`models/glm5next/common/{model,kda}.py`).
    let bare_attention = family.experts == Experts::Glm5Next;
    // Queries, keys, values and their index never take ModelOpt's FP4 (`qwen4_exp/nvidia/model.py: without_modelopt_fp4`).
    if family.architecture == QWEN4
        && quantization
            .as_ref()
            .is_some_and(|own| own.method == "modelopt_fp4")
    {
        for run in &mut layers {
            run.quantized.qkv &= !matches!(run.mixer, Mixer::Attention(..));
        }
    }
    if family.architecture == compressed::V41 {
        // `models/deepseek_v4/nvidia/model.py: DeepseekV4MoE`.
        let tower = top.object("vision_config")?;
        let blocks = tower.and_then(|tower| tower.get("num_hidden_layers")?.as_u64());
        for moe in layers.iter_mut().filter_map(|run| run.mlp.moe.as_mut()) {
            moe.image_bias = blocks.is_some_and(|blocks| blocks > 0);
        }
    }
    // LongCat's config names whole kinds (`models/longcat_flash.py: FlashDecoderLayer`).
    let left_out = |kind: &str| {
        let named = fields.list("disable_quant_module").map(Option::unwrap_or_default);
        named.map(|list| family.architecture == routed::LONGCAT && list.iter().any(|name| name == kind))
    };
    if bare_attention || left_out("self_attn")? {
        for run in &mut layers {
            run.quantized = Quantized {
                qkv: false,
                o: false,
                indexer: false,
                ..run.quantized
            };
        }
    }
    if left_out("mlps")? {
        for run in &mut layers {
            run.quantized = Quantized {
                gate_up: false,
                down: false,
                ..run.quantized
            };
        }
    }
    if family.architecture == QWEN4 {
        qwen4::store(fields, quantization.as_ref(), &mut layers)?;
    }
    let context = match family.layout {
        Layout::Mamba | Layout::Mamba2 => positions::unbounded(fields, family)?,
        _ => positions::context_length(fields, family)?,
    };
    let alibi = attention.alibi;
    let tie_word_embeddings = match fields.flag("tie_word_embeddings")? {
        Some(tied) => tied,
        None => top.flag("tie_word_embeddings")?.unwrap_or(family.tied),
    };
    let tie_word_embeddings = match family.layout {
        Layout::Lfm2 => fields.flag("tie_embedding")?.unwrap_or(tie_word_embeddings),
        _ => tie_word_embeddings,
    };
    // Attention over the sums of blocks of layers, twice a layer and at the end: a norm and a vector of weights each
    // (`models/kimi_k3/nvidia/model.py: KimiDecoderLayer`).
    let residual_blocks = family.kda && fields.has("attn_res_block_size");
    // No class with such experts was held against vLLM's figures.
    let named_experts =
        matches!(family.experts, Experts::Named(_)) && layers.iter().any(|run| run.mlp.moe.is_some());
    let needs_remote_code = false;
    let (hyper_streams, hyper_rank) = match family.architecture {
        QWEN4 => qwen4::streams(fields)?,
        _ => (1, 0),
    };
    let holder = if has_dtype(fields) { fields } else { top };
    let spec = ModelSpec {
        architecture: family.architecture.to_owned(),
        named: true,
        dtype: dtype(holder)?,
        has_tower: false,
        tower: Ok(Tower::default()),
        hidden_size,
        vocab_size,
        derived_max_model_len: context.longest,
        default_max_model_len: context.default,
        derived_max_model_len_key: context.key,
        yarn_max_model_len: context.yarn,
        tie_word_embeddings,
        marlin_experts: false,
        even_mxfp4_scales: false,
        draft: None,
        draft_chain: match family.layout {
            Layout::Inkling => layouts::drafts(top, fields, family, hidden_size)?,
            Layout::Hy4 => hy4_draft(fields, family, &layers, quantization.as_ref())?,
            _ => DraftChain::default(),
        },
        checkpoint_bytes: top.value(CHECKPOINT_BYTES).and_then(Value::as_u64),
        drafter: None,
        // `models/molmo.py: ADDITIONAL_VOCAB_SIZE`; a field in Molmo 2.
        more_embeddings: match (family.width, family.architecture) {
            (Width::Half, _) => 128,
            (_, MOLMO2) => fields
                .count_in("additional_vocab_size", 0, 1 << 16)?
                .unwrap_or(128),
            _ => padding,
        },
        whole_embedding: family.behind_encoder || family.layout == Layout::Inkling,
        lm_head_bias: switch(fields, family.lm_head_bias)?,
        attention,
        layers,
        norms: Norms {
            per_layer: norms_per_layer(fields, family)?
                + if residual_blocks { 4 } else { 0 }
                + if feed_forwards
                    .iter()
                    .any(|f| f.moe.is_some_and(|moe| moe.router_scales))
                {
                    3
                } else {
                    0
                }
                + u32::from(per_layer_input.is_some()),
            scalars_per_layer: family.scalars_per_layer,
            bias: family.norm_bias,
            per_part: family.layout == Layout::Nas,
            embedding: switch(fields, family.embedding_norm)?,
            last: match (switch(fields, family.last_norm)?, residual_blocks) {
                (false, _) => 0,
                (true, false) => 1,
                (true, true) => 3,
            },
        },
        positions: positions::learned(fields, family)?,
        rope: positions::rope(fields, family, attention::rotary_head_dim(&mixers), alibi)?,
        scalar_buffers: family.scalar_buffers,
        lone_streams: family.layout == Layout::Hy4,
        hyper_rank,
        hyper_streams: if hyper_rank > 0 {
            hyper_streams
        } else if family.layout == Layout::Hy4 {
            layouts::streams(fields)?
        } else if family.compressed || bare_attention && fields.flag("mhc")? != Some(false) {
            fields.required("hc_mult", 64, "the hyper-connections")?
        } else {
            1
        },
        residual_copies: family.residual_copies,
        quantized_router,
        per_layer_input,
        alt_up,
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
        unchecked: family.unchecked || named_experts,
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
    let sandwich = match family.sandwich {
        Some(field) => fields.flag(field)? == Some(true),
        None => false,
    };
    Ok(family.norms_per_layer + if sandwich { 2 } else { 0 })
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
    experts: Experts,
) -> Result<Vec<LayerRun>, ConfigError> {
    let mut runs: Vec<LayerRun> = Vec::new();
    for (index, (mlp, mixer)) in feed_forwards.iter().zip(mixers).enumerate() {
        let quantized = match quantization {
            Some(quantization) => parts(quantization, index, mlp, mixer, experts)?,
            None => Quantized::default(),
        };
        match runs.last_mut() {
            Some(last) if last.mixer == *mixer && last.mlp == *mlp && last.quantized == quantized => {
                last.count += 1;
            }
            _ => runs.push(LayerRun {
                drafts: false,
                count: 1,
                mixer: *mixer,
                mlp: *mlp,
                quantized,
            }),
        }
    }
    Ok(runs)
}

/// Hy4's layer that drafts: like the last one, with an indexer and one stream of its own. It follows the checkpoint's
/// quantisation unless a field says otherwise; what that leaves out has other names there
/// (`models/hy_v4/nvidia/mtp.py: _create_mtp_quant_config, _remap_mtp_quant_exclusions`).
fn hy4_draft(
    fields: &Fields<'_>,
    family: &Family,
    layers: &[LayerRun],
    quantization: Option<&Quantization>,
) -> Result<DraftChain, ConfigError> {
    let Some(mut layer) = layers.last().copied() else {
        return Ok(DraftChain::default());
    };
    let above: u32 = layers.iter().map(|run| run.count).sum();
    layer.count = 1;
    layer.drafts = true;
    if let Mixer::Mla(mla) = &mut layer.mixer
        && let Some(index) = &mut mla.sparse
    {
        index.own = true;
    }
    let own = fields
        .text("mtp_quant_algo")?
        .unwrap_or("NONE")
        .to_ascii_uppercase();
    layer.quantized = match (quantization, own.as_str()) {
        (None, _) | (_, "BF16" | "FP16") => Quantized::default(),
        (Some(quantization), "NONE") => {
            let quantization = quantization.renamed("model.mtp_layers.0.", &format!("model.layers.{above}."));
            parts(
                &quantization,
                above as usize,
                &layer.mlp,
                &layer.mixer,
                family.experts,
            )?
        }
        // It has a scheme of its own.
        (Some(_), _) => return Ok(DraftChain::default()),
    };
    Ok(DraftChain {
        layers: vec![layer],
        norms: 1,
    })
}

const MODULE_ROOTS: &[&str] = &[
    "model",
    "model.llm",
    "model.language_model",
    "language_model.model",
    "backbone",
];

/// Names of a layer's projections into and out of its mixer, as checkpoints write them.
fn mixer_names(mixer: &Mixer) -> (&'static [&'static str], &'static [&'static str]) {
    match mixer {
        Mixer::Attention(..) | Mixer::Mla(_) | Mixer::Kda(_) | Mixer::Compressed(_) => (
            &[
                "self_attn.q_proj",
                "self_attn.qkv_proj",
                "self_attn.q_a_proj",
                "self_attn.kv_b_proj",
                "mixer.q_proj",
                "mixer.qkv_proj",
                "attention.q_proj",
                "attention.q_a_proj",
                "attention.query_key_value",
                "attn.wq_du",
                "attn.qkvr",
            ],
            &[
                "self_attn.o_proj",
                "self_attn.out_proj",
                "mixer.o_proj",
                "attention.o_proj",
                "attention.dense",
                "attn.wo_ud",
            ],
        ),
        Mixer::GatedDeltaNet(_) => (&["linear_attn.in_proj_qkv"], &["linear_attn.out_proj"]),
        Mixer::Mamba2(_) => (
            &["mixer.in_proj", "mamba.in_proj"],
            &["mixer.out_proj", "mamba.out_proj"],
        ),
        Mixer::ShortConv(_) => (
            &["conv.in_proj", "short_conv.in_proj"],
            &["conv.out_proj", "short_conv.out_proj"],
        ),
        // Mamba 1 takes no quantisation.
        Mixer::Mamba1(_) | Mixer::None => (&[], &[]),
    }
}

const UP: &[&str] = &[
    "shared_mlp.input_linear",
    "mlp.gate_proj",
    "mlp.gate_up_proj",
    "mixer.up_proj",
    "feed_forward.w1",
    "mlp.w13_dn",
];
const DOWN: &[&str] = &[
    "shared_mlp.output_linear",
    "mlp.down_proj",
    "mixer.down_proj",
    "feed_forward.w2",
    "mlp.w2_md",
];
/// The experts' names, and one expert's first matrix.
fn expert_names(experts: Experts) -> &'static [&'static str] {
    match experts {
        Experts::Mixtral | Experts::MiniMax | Experts::MiniMaxM3 => {
            &["block_sparse_moe.experts", "block_sparse_moe.experts.0.w1"]
        }
        Experts::NemotronH => &["mixer.experts", "mixer.experts.0.up_proj"],
        Experts::Lfm2 => &["feed_forward.experts", "feed_forward.experts.0.w1"],
        _ => &[
            "mlp.experts",
            "mlp.experts.0.gate_proj",
            "moe.experts",
            "mlp.text_experts",
        ],
    }
}
/// Beside a dense feed-forward (Gemma 4).
const EXPERTS_BESIDE: &[&str] = &["experts", "moe.experts"];
const SHARED: &[&str] = &[
    "mlp.shared_experts.gate_proj",
    "mlp.shared_expert.gate_proj",
    "block_sparse_moe.shared_experts.gate_proj",
    "mixer.shared_experts.up_proj",
    "moe.share_expert.gate_proj",
    "share_expert.gate_proj",
    "shared_mlp.input_linear",
];

/// Which linear layers of layer `index` are quantised, and how: a fused layer follows its first shard.
fn parts(
    quantization: &Quantization,
    index: usize,
    mlp: &FeedForward,
    mixer: &Mixer,
    experts: Experts,
) -> Result<Quantized, ConfigError> {
    let router = experts == Experts::Qwen;
    let (dense, moe) = (mlp.dense.is_some(), mlp.moe.is_some());
    if quantization.scheme == LinearScheme::Mxfp4 && quantization.method != "quark" {
        return Ok(Quantized {
            experts: moe,
            ..Quantized::default()
        });
    }
    if moe && quantization.method == "quark" && quantization.scheme == LinearScheme::Mxfp4 {
        return Err(ConfigError::unsupported(
            "quark's MXFP4 experts are not modelled yet",
        ));
    }
    // Beside a tower, the language model's modules have longer names, and checkpoints use either.
    let module = |(root, name): (&str, &str)| format!("{root}.layers.{index}.{name}");
    let modules = |names: &[&'static str]| -> Vec<String> {
        let roots = |name| MODULE_ROOTS.iter().map(move |root| (*root, name));
        names.iter().copied().flat_map(roots).map(module).collect()
    };
    let scheme = |there: bool, names: &[&'static str]| {
        let modules = if there { modules(names) } else { Vec::new() };
        if modules.iter().any(|module| quantization.ignores(module)) {
            return None;
        }
        modules.iter().find_map(|module| quantization.scheme_of(module))
    };
    let (into, out) = mixer_names(mixer);
    let shared = mlp.moe.is_some_and(|m| m.shared.is_some() && m.sinks == 0);
    let mixer_schemes = [
        scheme(*mixer != Mixer::None, into),
        scheme(*mixer != Mixer::None, out),
        scheme(
            true,
            match mixer {
                // Ling's heads have a weight each beside queries, keys and values (`models/bailing_moe_v3.py`).
                Mixer::Kda(kda) if kda.direct => &["attention.b_proj"],
                // Qwen 4's tables of n-grams.
                Mixer::GatedDeltaNet(_) => &["ple.key_proj"],
                _ => &[
                    "self_attn.g_proj",
                    "self_attn.linear_gate",
                    "self_attn.output_gate_proj",
                    "attention.g_proj",
                ],
            },
        ),
    ];
    let dense_schemes = [
        scheme(dense, UP),
        scheme(dense, DOWN),
        scheme(true, &["per_layer_input_gate"]),
    ];
    let routed = scheme(
        moe,
        if dense {
            EXPERTS_BESIDE
        } else {
            expert_names(experts)
        },
    );
    let shared_schemes = [
        scheme(moe && shared, SHARED),
        scheme(
            moe,
            if experts == Experts::NemotronH {
                &["mixer.fc1_latent_proj"]
            } else {
                SHARED
            },
        ),
    ];
    // vLLM leaves it alone in GPTQ checkpoints (`models/qwen3_moe.py`).
    let images = mlp.moe.is_some_and(|m| m.second_width > 0);
    let router = scheme(
        moe && (router && quantization.method != "auto_gptq" || images),
        if images {
            &["mlp.text_experts_gate", "mlp.gate"]
        } else {
            &["mlp.gate"]
        },
    );
    let indexer = scheme(true, &["self_attn.indexer.wq_b"]);
    let other = |schemes: &[Option<LinearScheme>]| quantization.other_than_main(schemes);
    Ok(Quantized {
        qkv: mixer_schemes[0].is_some(),
        o: mixer_schemes[1].is_some(),
        gate: mixer_schemes[2].is_some(),
        gate_up: dense_schemes[0].is_some(),
        down: dense_schemes[1].is_some(),
        per_layer: dense_schemes[2].is_some(),
        experts: routed.is_some(),
        shared: shared_schemes[0].is_some(),
        latent: shared_schemes[1].is_some(),
        router: router.is_some(),
        indexer: indexer.is_some(),
        others: OtherSchemes {
            mixer: other(&mixer_schemes)?,
            dense: other(&dense_schemes)?,
            experts: other(&[routed])?,
            shared: other(&shared_schemes)?,
        },
    })
}
