//! A draft with a config of its own: an EAGLE head, a DFlash head, or a whole model that proposes tokens.
//!
//! Shapes follow `model_executor/models/{llama_eagle,llama_eagle3,qwen3_eagle3,deepseek_eagle3,qwen3_dflash,
//! laguna_dflash}.py` and `config/speculative.py` at 0.33.0.
use super::{ConfigError, LayerRun, Mixer, ModelSpec, fields::Fields, resolve};
use serde_json::{Map, Value};

/// The most widths of hidden states that a head joins.
const MOST_INPUTS: u32 = 256;
const MOST_LAYERS: u64 = 1 << 10;
const MAX_WIDTH: u32 = 1 << 18;
const MAX_VOCAB: u32 = 1 << 22;

const LLAMA: &str = "LlamaForCausalLM";
const QWEN: &str = "Qwen3ForCausalLM";
/// Whose attention a latent head has.
const LATENT: &str = "DeepseekV3ForCausalLM";
/// Whose gates a head may have.
const LAGUNA: &str = "LagunaForCausalLM";

/// What a draft's config says beside what a model's says.
const FIELDS: &[&str] = &[
    "architectures",
    "draft_vocab_size",
    "target_hidden_size",
    "num_aux_hidden_states",
    "num_aux_layers",
    "eagle_aux_hidden_state_layer_ids",
    "eagle_config",
    "dflash_config",
    "norm_before_fc",
    "fc_norm",
    "use_aux_hidden_state",
    "max_position_embeddings",
    "layer_types",
    "sliding_window",
    "attention_bias",
];

/// What a head of a draft is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrafterKind {
    /// Embedding and hidden state joined in front of the layers (`llama_eagle.py`).
    Eagle,
    /// Hidden states of several layers joined, and the first layer twice as wide in front (`llama_eagle3.py`).
    Eagle3,
    /// The same in front of plain layers, which also keep their keys' and values' weights a second time
    /// (`qwen3_dflash.py: _build_context_kv_buffers`).
    Dflash,
    /// A model of its own.
    Model,
}

/// A draft beside the model that it drafts for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drafter {
    /// What it is.
    pub kind: DrafterKind,
    /// Its layers, width and vocabulary.
    pub spec: ModelSpec,
    /// Width of what is projected to its own width in front of the layers; 0 where nothing is.
    pub inputs: u32,
    /// Elements of norms over those inputs.
    pub input_norms: u32,
    /// It has an embedding of its own; else it uses the target's.
    pub own_embedding: bool,
    /// Rows of its own output; 0 where it uses the target's.
    pub head_rows: u32,
    /// Its output names fewer tokens than the target's: a table leads from one to the other.
    pub mapped: bool,
    /// Bytes of an element of its cache, where it is not the target's.
    pub kv_element: Option<u64>,
}

/// A draft's config as vLLM reads it, reduced to what memory depends on. A config in the `speculators` format becomes
/// the plain one that vLLM makes of it (`transformers_utils/configs/speculators/algos.py`).
pub fn draft_config(object: &Map<String, Value>) -> Result<Map<String, Value>, ConfigError> {
    let plain = from_speculators(object)?;
    let object = plain.as_ref().unwrap_or(object);
    let mut kept = Map::new();
    for kind in [DrafterKind::Eagle3, DrafterKind::Dflash, DrafterKind::Eagle] {
        if let Ok(base) = base(object, kind) {
            kept.extend(resolve(&renamed(object, base)).1);
        }
    }
    kept.extend(resolve(object).1);
    for key in FIELDS {
        if let Some(value) = object.get(*key) {
            kept.insert((*key).to_owned(), value.clone());
        }
    }
    Ok(kept)
}

/// `None` where it is no such config.
fn from_speculators(object: &Map<String, Value>) -> Result<Option<Map<String, Value>>, ConfigError> {
    let Some(kind) = object.get("speculators_model_type").and_then(Value::as_str) else {
        return Ok(None);
    };
    let Some(Value::Object(inner)) = object.get("transformer_layer_config") else {
        return Err(ConfigError::Missing {
            field: "transformer_layer_config".to_owned(),
            needed_for: "the layers of the draft",
        });
    };
    let mut plain = inner.clone();
    let qwen = inner.get("model_type").and_then(Value::as_str) == Some("qwen3");
    let architecture = match (kind, qwen) {
        ("eagle3", true) => "Eagle3Qwen3ForCausalLM",
        ("eagle3", false) => "Eagle3LlamaForCausalLM",
        ("peagle", true) => "PeagleQwen3ForCausalLM",
        ("peagle", false) => "PeagleLlamaForCausalLM",
        ("dflash", _) => "DFlashDraftModel",
        _ => {
            return Err(ConfigError::unsupported(
                "this kind of speculator is not modelled yet",
            ));
        }
    };
    plain.insert("architectures".to_owned(), Value::from(vec![architecture]));
    for key in [
        "draft_vocab_size",
        "target_hidden_size",
        "norm_before_fc",
        "fc_norm",
        "eagle_aux_hidden_state_layer_ids",
    ] {
        if let Some(value) = object.get(key).filter(|value| !value.is_null()) {
            plain.insert(key.to_owned(), value.clone());
        }
    }
    if let Some(layers) = object.get("aux_hidden_state_layer_ids") {
        plain.insert("eagle_aux_hidden_state_layer_ids".to_owned(), layers.clone());
    }
    for key in ["dtype", "torch_dtype"] {
        if let (Some(value), false) = (object.get(key), plain.contains_key(key)) {
            plain.insert(key.to_owned(), value.clone());
        }
    }
    Ok(Some(plain))
}

fn renamed(object: &Map<String, Value>, architecture: &str) -> Map<String, Value> {
    let mut object = object.clone();
    object.insert("architectures".to_owned(), Value::from(vec![architecture]));
    if matches!(architecture, LATENT | LAGUNA) {
        // Its layers are dense, whatever the config says of experts (`deepseek_eagle3.py`, `laguna_dflash.py`).
        let layers = object.get("num_hidden_layers").cloned();
        let count = layers
            .as_ref()
            .and_then(Value::as_u64)
            .unwrap_or(0)
            .min(MOST_LAYERS);
        let dense: Vec<Value> = (0..count).map(|_| Value::from("dense")).collect();
        object.insert("first_k_dense_replace".to_owned(), layers.unwrap_or_default());
        object.insert("mlp_layer_types".to_owned(), Value::from(dense));
        object.insert("num_experts".to_owned(), Value::from(1));
        for key in ["n_routed_experts", "num_experts_per_tok", "moe_intermediate_size"] {
            object.insert(key.to_owned(), Value::from(1));
        }
        object.remove("n_shared_experts");
    }
    object
}

/// Kinds of heads, their classes without the kind's own word, and whose layers these have.
const BASES: &[(DrafterKind, &str, &str)] = &[
    (DrafterKind::Eagle, LLAMA, LLAMA),
    (DrafterKind::Eagle3, LLAMA, LLAMA),
    (DrafterKind::Eagle3, "MiniMaxM2ForCausalLM", LLAMA),
    (DrafterKind::Eagle3, "Qwen2_5vlForCausalLM", LLAMA),
    (DrafterKind::Eagle3, "Qwen3vlForCausalLM", LLAMA),
    (DrafterKind::Eagle3, "DraftModel", LLAMA),
    (DrafterKind::Eagle3, QWEN, QWEN),
    (DrafterKind::Eagle3, "DeepseekV2ForCausalLM", LATENT),
    (DrafterKind::Eagle3, LATENT, LATENT),
    (DrafterKind::Dflash, "DraftModel", QWEN),
    (DrafterKind::Dflash, "MuseGlimmerAssistantModel", QWEN),
    (DrafterKind::Dflash, LAGUNA, LAGUNA),
];

/// The class whose layers the draft's class is made of (`model_executor/models/registry.py`).
fn base(object: &Map<String, Value>, kind: DrafterKind) -> Result<&'static str, ConfigError> {
    let fields = Fields::new(object, "");
    let name = resolve::architecture(&fields)?;
    // As `transformers_utils/configs/eagle.py: EAGLEConfig` names it.
    let bare = ["Eagle3", "Peagle", "PEagle", "Eagle", "DFlash"]
        .iter()
        .find_map(|prefix| name.strip_prefix(prefix))
        .unwrap_or(name);
    let bare = bare.strip_suffix("Eagle3").unwrap_or(bare);
    let found = BASES.iter().find(|(of, name, _)| *of == kind && *name == bare);
    let found = found.map(|(_, _, base)| *base);
    found.ok_or_else(|| {
        ConfigError::unsupported(format!(
            "a draft of the class `{}` is not modelled yet",
            resolve::short(name)
        ))
    })
}

/// Reads a draft's config for a target of that length.
pub fn drafter(
    config: &Map<String, Value>,
    kind: DrafterKind,
    target: &ModelSpec,
    max_model_len: u32,
    stages: u32,
) -> Result<Drafter, ConfigError> {
    if kind == DrafterKind::Model {
        let spec = resolve(config).0?;
        return Ok(Drafter {
            kind: DrafterKind::Model,
            spec,
            inputs: 0,
            input_norms: 0,
            own_embedding: true,
            head_rows: 0,
            mapped: false,
            kv_element: None,
        });
    }
    let base = base(config, kind)?;
    let mut spec = resolve(&renamed(config, base)).0?;
    if spec.quantization.is_some() {
        return Err(ConfigError::unsupported("a quantised head is not modelled yet"));
    }
    let fields = Fields::new(config, "");
    if base == LAGUNA {
        // Its cache keeps whole contexts, however far a layer looks back.
        for run in &mut spec.layers {
            if let Mixer::Attention(_, span) = &mut run.mixer {
                *span = super::AttentionSpan::Full;
            }
        }
    } else {
        dflash_spans(&fields, kind, &mut spec)?;
    }
    stretch(&mut spec, max_model_len);
    let width = fields
        .count("target_hidden_size", MAX_WIDTH)?
        .unwrap_or(spec.hidden_size);
    let states = hidden_states(&fields, kind, &spec)?;
    let normed = |key| Ok::<_, ConfigError>(fields.flag(key)? == Some(true));
    let norms = if kind == DrafterKind::Eagle3 {
        u32::from(normed("norm_before_fc")?) + u32::from(normed("fc_norm")?)
    } else {
        u32::from(base == LAGUNA)
    };
    let inputs = match kind {
        DrafterKind::Eagle => 2 * spec.hidden_size,
        _ => width.saturating_mul(states),
    };
    let rows = fields
        .count("draft_vocab_size", MAX_VOCAB)?
        .unwrap_or(spec.vocab_size);
    let mapped = kind != DrafterKind::Eagle && rows != target.vocab_size;
    let alike = spec.hidden_size == target.hidden_size && spec.vocab_size == target.vocab_size;
    Ok(Drafter {
        kind,
        inputs,
        input_norms: norms * inputs,
        // Only on one stage can it be the target's (`v1/worker/gpu/spec_decode/eagle/utils.py`).
        own_embedding: stages > 1 || !alike,
        // EAGLE-3 trains an output of its own; the others speak through the target's where the tokens are the same.
        head_rows: if kind == DrafterKind::Eagle3 || mapped {
            rows
        } else {
            0
        },
        mapped,
        kv_element: None,
        spec,
    })
}

/// Layers whose hidden states are joined.
fn hidden_states(fields: &Fields<'_>, kind: DrafterKind, spec: &ModelSpec) -> Result<u32, ConfigError> {
    let nested = |object: &str| fields.object(object).ok().flatten();
    let aux = |object: &str| nested(object).and_then(|object| object.get("use_aux_hidden_state")?.as_bool());
    let used = match kind {
        DrafterKind::Dflash => aux("dflash_config")
            .or_else(|| aux("eagle_config"))
            .or(fields.flag("use_aux_hidden_state")?),
        _ => aux("eagle_config"),
    };
    if used == Some(false) {
        return Ok(0);
    }
    for key in ["num_aux_layers", "num_aux_hidden_states"] {
        if let Some(count) = fields.count(key, MOST_INPUTS)? {
            return Ok(count);
        }
    }
    let own = fields
        .list("eagle_aux_hidden_state_layer_ids")?
        .map(<[Value]>::len);
    let listed =
        |object: &str, key: &str| nested(object).and_then(|object| Some(object.get(key)?.as_array()?.len()));
    let count = match kind {
        DrafterKind::Dflash => listed("dflash_config", "target_layer_ids")
            .or(own)
            .unwrap_or(usize::try_from(spec.num_hidden_layers()).unwrap_or(1)),
        _ => own
            .or_else(|| listed("eagle_config", "eagle_aux_hidden_state_layer_ids"))
            .filter(|count| *count > 0)
            .unwrap_or(3),
    };
    let count = u32::try_from(count).ok().filter(|count| *count <= MOST_INPUTS);
    count.ok_or_else(|| ConfigError::unsupported("more hidden states than any model has layers"))
}

/// `qwen3_dflash.py: _resolve_layer_attention`.
fn dflash_spans(fields: &Fields<'_>, kind: DrafterKind, spec: &mut ModelSpec) -> Result<(), ConfigError> {
    use super::AttentionSpan::{Full, Sliding};
    if kind != DrafterKind::Dflash {
        return Ok(());
    }
    let own = fields.object("dflash_config")?;
    let uses = own.and_then(|own| own.get("use_swa")?.as_bool()).unwrap_or(false);
    let types = fields.list("layer_types")?;
    let sliding = |value: &Value| value.as_str() == Some("sliding_attention");
    let any = types.is_some_and(|types| types.iter().any(sliding));
    let window = own
        .and_then(|own| own.get("swa_window_size")?.as_u64())
        .map_or(fields.count("sliding_window", 1 << 27)?.map(u64::from), Some)
        .and_then(|window| u32::try_from(window).ok());
    let mut index = 0;
    let mut layers: Vec<LayerRun> = Vec::new();
    for run in &spec.layers {
        for _ in 0..run.count {
            let slides = match types.filter(|_| any || !uses) {
                None => uses,
                Some(types) => types.get(index).is_some_and(sliding),
            };
            index += 1;
            let Mixer::Attention(attention, _) = run.mixer else {
                continue;
            };
            let span = match (slides, window) {
                (false, _) => Full,
                (true, Some(window)) => Sliding(window),
                (true, None) => return Err(ConfigError::unsupported("a sliding draft without a window")),
            };
            let layer = LayerRun {
                drafts: false,
                count: 1,
                mixer: Mixer::Attention(attention, span),
                ..*run
            };
            match layers.last_mut() {
                Some(last) if last.mixer == layer.mixer => last.count += 1,
                _ => layers.push(layer),
            }
        }
    }
    spec.layers = layers;
    Ok(())
}

/// The cache of rotary embeddings reaches as far as the target
/// (`config/speculative.py: _maybe_override_draft_max_position_embeddings`).
fn stretch(spec: &mut ModelSpec, max_model_len: u32) {
    let own = spec.derived_max_model_len.max(1);
    if own >= max_model_len {
        return;
    }
    for bytes in &mut spec.rope.caches {
        *bytes = (*bytes / u64::from(own)).saturating_mul(u64::from(max_model_len));
    }
}
