//! Configs that keep their language model or towers in objects of other names.
use super::{AttentionSpan, FeedForward, LayerRun, Mixer, ModelSpec};
use serde_json::{Map, Value};

/// Where a config keeps them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// The language model in `llm_config` (InternVL).
    LlmConfig,
    /// All that vLLM loads in `thinker_config`; talker and vocoder stand beside it (Qwen2.5-Omni).
    Thinker,
    /// Encoder and decoder side by side, each field with its prefix (Whisper).
    EncoderDecoder,
}

/// Whisper's names of what decoders alone have other names for.
const DECODER: &[(&str, &str)] = &[
    ("d_model", "hidden_size"),
    ("decoder_ffn_dim", "intermediate_size"),
    ("decoder_layers", "num_hidden_layers"),
    ("decoder_attention_heads", "num_attention_heads"),
    ("max_target_positions", "max_position_embeddings"),
];

/// Those that stay beside them.
const BOTH: &[&str] = &[
    "architectures",
    "vocab_size",
    "torch_dtype",
    "dtype",
    "quantization_config",
];

/// The object that the encoder is read from.
const ENCODER: &str = "encoder_config";

/// Each layer of the decoder attends to the encoder's output as well, with shapes like its own; its feed-forward has no
/// gate.
pub(super) fn attend_to_encoder(spec: &mut ModelSpec) {
    for mlp in spec.layers.iter_mut().filter_map(|run| run.mlp.dense.as_mut()) {
        mlp.gated = false;
    }
    let across = |run: &LayerRun| match run.mixer {
        Mixer::Attention(attention, _) => Some(LayerRun {
            mixer: Mixer::Attention(attention, AttentionSpan::Encoder),
            mlp: FeedForward::default(),
            ..*run
        }),
        _ => None,
    };
    let layers: Vec<LayerRun> = spec.layers.iter().filter_map(across).collect();
    spec.layers.extend(layers);
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
    if object.get("architectures")?.get(0)? == "WhisperForConditionalGeneration" {
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
    let text = object.get("llm_config")?;
    let mut inner = object.clone();
    inner.remove("llm_config");
    inner.insert("text_config".to_owned(), text.clone());
    Some((inner, Layout::LlmConfig))
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
            for (key, value) in kept {
                let renamed = DECODER.iter().find(|(_, to)| *to == key);
                outer.insert(renamed.map_or(key, |(from, _)| (*from).to_owned()), value);
            }
            outer
        }
        Layout::LlmConfig => {
            if let Some(text) = kept.remove("text_config") {
                kept.insert("llm_config".to_owned(), text);
            }
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
