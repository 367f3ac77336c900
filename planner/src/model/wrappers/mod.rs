//! Configs that keep their language model or towers in objects of other names.
mod plain;
mod rows;

pub(super) use rows::{Wrapper, wrapper};

use super::{
    AttentionSpan, ConfigError, FeedForward, LayerRun, Mixer, ModelSpec, families,
    family::{Experts, Family},
    fields::Fields,
    resolve::architecture,
};
use serde_json::{Map, Value};

/// Where a config keeps them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// The language model in an object of that name (InternVL, DeepSeek-VL2).
    Named(&'static str),
    /// All that vLLM loads in `thinker_config`; talker and vocoder stand beside it (Qwen2.5-Omni).
    Thinker,
    /// Encoder and decoder side by side, each field with its prefix (Whisper).
    EncoderDecoder,
    /// The tower two objects deep, with the table of visual words around it (Ovis 1 and 2).
    Tokenizer,
    /// Both in an object called `config`, under other names (Moondream 3).
    Config,
}

/// Whisper's names of what decoders alone have other names for.
const DECODER: &[(&str, &str)] = &[
    ("d_model", "hidden_size"),
    ("decoder_ffn_dim", "intermediate_size"),
    ("decoder_layers", "num_hidden_layers"),
    ("decoder_attention_heads", "num_attention_heads"),
    ("max_target_positions", "max_position_embeddings"),
];

/// Moondream's names of what its language model has (`transformers_utils/configs/moondream3.py: Moondream3TextConfig`).
const MOONDREAM: &[(&str, &str)] = &[
    ("dim", "hidden_size"),
    ("ff_dim", "intermediate_size"),
    ("n_layers", "num_hidden_layers"),
    ("n_heads", "num_attention_heads"),
    ("n_kv_heads", "num_key_value_heads"),
    ("max_context", "max_position_embeddings"),
];

/// A field's usual name, of a table of a config's own and usual ones.
fn usual(names: &[(&'static str, &'static str)], key: &str) -> Option<&'static str> {
    names.iter().find(|(own, _)| *own == key).map(|(_, usual)| *usual)
}

/// The other way.
fn own(names: &[(&'static str, &'static str)], key: &str) -> Option<&'static str> {
    names.iter().find(|(_, usual)| *usual == key).map(|(own, _)| *own)
}

/// An object with its fields renamed; those without another name keep theirs.
fn renamed(object: Map<String, Value>, name: impl Fn(&str) -> Option<&'static str>) -> Map<String, Value> {
    let mut out = Map::new();
    for (key, value) in object {
        out.insert(name(&key).map_or(key, str::to_owned), value);
    }
    out
}

/// Those that stay beside them.
const BOTH: &[&str] = &[
    "architectures",
    "vocab_size",
    "torch_dtype",
    "dtype",
    "quantization_config",
];

/// Where Ovis 2.5 has what stands in `visual_tokenizer_config` before: outside and inside of it.
const TOKENIZER: &str = "visual_tokenizer_config";
const BACKBONE: &str = "backbone_config";
const STRIDE: &str = "hidden_stride";
const VISUAL_WORDS: &str = "visual_vocab_size";

/// The object that the encoder is read from.
const ENCODER: &str = "encoder_config";

/// Each layer of the decoder attends to the encoder's output as well, with shapes like its own.
pub(super) fn attend_to_encoder(spec: &mut ModelSpec) {
    let across = |run: &LayerRun| match run.mixer {
        Mixer::Attention(attention, _) => Some(LayerRun {
            drafts: false,
            mixer: Mixer::Attention(attention, AttentionSpan::Encoder),
            mlp: FeedForward::default(),
            ..*run
        }),
        _ => None,
    };
    let layers: Vec<LayerRun> = spec.layers.iter().filter_map(across).collect();
    spec.layers.extend(layers);
}

/// The version of a MiniCPM, a number or a text of one.
pub(super) fn version(top: &Fields<'_>) -> Result<Option<f64>, ConfigError> {
    match top.value("version").and_then(Value::as_str) {
        // By the reader of JSON, which is there already: the standard library's would be 14 kB of the page.
        Some(text) => Ok(serde_json::from_str(text).ok().as_ref().and_then(Value::as_f64)),
        None => top.number("version"),
    }
}

/// The language model's row.
pub(super) fn family(
    top: &Fields<'_>,
    text: Option<&Map<String, Value>>,
    wrapper: &Wrapper,
) -> Result<&'static Family, ConfigError> {
    // Where the class takes any language model, its config names it.
    let language = match (wrapper.language, text) {
        ("", Some(text)) => language(&Fields::new(text, "text_config"))?,
        ("", None) => {
            return Err(ConfigError::Missing {
                field: "text_config".to_owned(),
                needed_for: "the language model",
            });
        }
        (rows::MINICPMV, _) => rows::minicpmv(version(top)?).ok_or_else(|| {
            ConfigError::unsupported(
                "this version of MiniCPM-V is not modelled yet (known: 2.5, 2.6, 4.0, 4.5)",
            )
        })?,
        (rows::DEEPSEEK, Some(text)) if text.get(NO_LATENT).and_then(Value::as_u64) == Some(0) => {
            "DeepseekForCausalLM"
        }
        (language, _) => language,
    };
    families::find(language).ok_or_else(|| ConfigError::unsupported(families::refusal(language)))
}

/// What is 0 where a DeepSeek V2 has plain attention.
pub(super) const NO_LATENT: &str = "qk_nope_head_dim";

/// A wrapper's class may take several language models: one with experts is none of a family without.
pub(super) fn refuse_unknown_experts(fields: &Fields<'_>, family: &Family) -> Result<(), ConfigError> {
    let experts = ["n_routed_experts", "num_experts", "num_local_experts"];
    let some = |key: &&str| {
        fields
            .value(key)
            .and_then(Value::as_u64)
            .is_some_and(|count| count > 0)
    };
    match experts.iter().find(|key| some(key)) {
        Some(key) if family.experts == Experts::None => Err(ConfigError::unsupported(format!(
            "`text_config` is of a model with experts (`{key}`), which is not modelled yet beside this tower"
        ))),
        _ => Ok(()),
    }
}

/// The language model of that type, where the text config names none
/// (`transformers`' `MODEL_FOR_CAUSAL_LM_MAPPING_NAMES`; Mistral Small 4 as `transformers_utils/configs/mistral.py` has it).
const TYPES: &[(&str, &str)] = &[
    ("llama", "LlamaForCausalLM"),
    ("mistral", "MistralForCausalLM"),
    ("ministral3", "Ministral3ForCausalLM"),
    ("mistral4", "MistralLarge3ForCausalLM"),
    ("qwen2", "Qwen2ForCausalLM"),
    ("qwen3", "Qwen3ForCausalLM"),
    ("qwen3_moe", "Qwen3MoeForCausalLM"),
    ("gemma", "GemmaForCausalLM"),
    ("gemma2", "Gemma2ForCausalLM"),
    ("phi3", "Phi3ForCausalLM"),
    ("cohere2", "Cohere2ForCausalLM"),
    ("granite", "GraniteForCausalLM"),
    ("gpt_oss", "GptOssForCausalLM"),
    ("lfm2", "Lfm2ForCausalLM"),
    ("lfm2_moe", "Lfm2MoeForCausalLM"),
    ("smollm3", "SmolLM3ForCausalLM"),
    ("deepseek_vl_v2", "DeepseekVLV2ForCausalLM"),
];

/// The language model of a class that takes several: what the text config names, or what stands for its type.
fn language<'a>(text: &Fields<'a>) -> Result<&'a str, ConfigError> {
    if text.has("architectures") {
        return architecture(text);
    }
    match text.text("model_type")? {
        None => Ok("LlamaForCausalLM"),
        Some(kind) => of_type(kind).map_or_else(|| architecture(text), Ok),
    }
}

/// The class of that type's language model.
pub(super) fn of_type(kind: &str) -> Option<&'static str> {
    let found = TYPES.iter().find(|(known, _)| *known == kind);
    found.map(|(_, language)| *language)
}

/// A wrapper's defaults are those of its own language model, or of Llama where it takes several; PaliGemma's are those
/// of either Gemma.
pub(super) fn defaults_apply(wrapper: &Wrapper, language: &str) -> bool {
    !wrapper.language.is_empty() || language == "LlamaForCausalLM" || wrapper.architecture == plain::PALIGEMMA
}

/// The same config with `text_config` and towers where others have them.
pub(super) fn unwrap(object: &Map<String, Value>) -> Option<(Map<String, Value>, Layout)> {
    if let Some(Value::Object(thinker)) = object.get("thinker_config") {
        let mut inner = thinker.clone();
        for key in ["architectures", "quantization_config"] {
            if let Some(value) = object.get(key) {
                inner.insert(key.to_owned(), value.clone());
            }
        }
        return Some((inner, Layout::Thinker));
    }
    let named = object.get("architectures").and_then(|list| list.get(0));
    if named.is_some_and(|named| named == "WhisperForConditionalGeneration") {
        let mut inner = Map::new();
        for (from, to) in DECODER.iter().copied().chain(BOTH.iter().map(|key| (*key, *key))) {
            if let Some(value) = object.get(from) {
                inner.insert(to.to_owned(), value.clone());
            }
        }
        inner.insert(ENCODER.to_owned(), Value::Object(object.clone()));
        return Some((inner, Layout::EncoderDecoder));
    }
    if object.contains_key("text_config") {
        return None;
    }
    let moondream = object.get("model_type").is_some_and(|kind| kind == "moondream3");
    if moondream && let Some(Value::Object(config)) = object.get("config") {
        let part = |key: &str| match config.get(key) {
            Some(Value::Object(part)) => part.clone(),
            _ => Map::new(),
        };
        let mut inner = object.clone();
        inner.remove("config");
        for (name, part) in [
            ("text_config", renamed(part("text"), |key| usual(MOONDREAM, key))),
            ("vision_config", part("vision")),
        ] {
            inner.insert(name.to_owned(), Value::Object(part));
        }
        return Some((inner, Layout::Config));
    }
    if let Some(Value::Object(tokenizer)) = object.get(TOKENIZER) {
        let mut inner = object.clone();
        inner.remove(TOKENIZER);
        if let Some(text) = inner.remove("llm_config") {
            inner.insert("text_config".to_owned(), text);
        }
        // `transformers_utils/configs/ovis.py: BaseVisualTokenizerConfig`.
        let own = |key: &str, default: u32| tokenizer.get(key).cloned().unwrap_or(default.into());
        let mut tower = match tokenizer.get(BACKBONE) {
            Some(Value::Object(tower)) => tower.clone(),
            _ => Map::new(),
        };
        if !tower.is_empty() {
            tower.insert(STRIDE.to_owned(), own(STRIDE, 1));
        }
        inner.insert(VISUAL_WORDS.to_owned(), own("vocab_size", 16_384));
        inner.insert("vit_config".to_owned(), Value::Object(tower));
        return Some((inner, Layout::Tokenizer));
    }
    let parse = named.is_some_and(|named| named == "NemotronParseForConditionalGeneration");
    let name = ["llm_config", "language_config", "decoder"]
        .into_iter()
        .filter(|name| *name != "decoder" || parse)
        .find(|name| object.contains_key(*name))?;
    let mut inner = object.clone();
    let text = inner.remove(name)?;
    inner.insert("text_config".to_owned(), text);
    Some((inner, Layout::Named(name)))
}

/// The fields that were read, back where the config has them.
pub(super) fn wrap(mut kept: Map<String, Value>, layout: Layout) -> Map<String, Value> {
    match layout {
        Layout::EncoderDecoder => {
            let encoder = kept.remove(ENCODER);
            let mut outer = match encoder {
                Some(Value::Object(encoder)) => encoder,
                _ => Map::new(),
            };
            outer.append(&mut renamed(kept, |key| own(DECODER, key)));
            outer
        }
        Layout::Named(name) => {
            if let Some(text) = kept.remove("text_config") {
                kept.insert(name.to_owned(), text);
            }
            kept
        }
        Layout::Tokenizer => {
            let mut tokenizer = Map::new();
            if let Some(words) = kept.remove(VISUAL_WORDS) {
                tokenizer.insert("vocab_size".to_owned(), words);
            }
            if let Some(Value::Object(mut tower)) = kept.remove("vit_config") {
                if let Some(stride) = tower.remove(STRIDE) {
                    tokenizer.insert(STRIDE.to_owned(), stride);
                }
                tokenizer.insert(BACKBONE.to_owned(), Value::Object(tower));
            }
            if let Some(text) = kept.remove("text_config") {
                kept.insert("llm_config".to_owned(), text);
            }
            kept.insert(TOKENIZER.to_owned(), Value::Object(tokenizer));
            kept
        }
        Layout::Config => {
            let mut config = Map::new();
            for (name, part) in [("text", "text_config"), ("vision", "vision_config")] {
                if let Some(Value::Object(part)) = kept.remove(part) {
                    config.insert(
                        name.to_owned(),
                        Value::Object(renamed(part, |key| own(MOONDREAM, key))),
                    );
                }
            }
            kept.insert("config".to_owned(), Value::Object(config));
            kept.insert("model_type".to_owned(), "moondream3".into());
            kept
        }
        Layout::Thinker => {
            let mut outer = Map::new();
            for key in ["architectures", "quantization_config"] {
                if let Some(value) = kept.remove(key) {
                    outer.insert(key.to_owned(), value);
                }
            }
            outer.insert("thinker_config".to_owned(), Value::Object(kept));
            outer
        }
    }
}
