//! Configs that keep their language model or towers in objects of other names.
use serde_json::{Map, Value};

/// Where a config keeps them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// The language model in `llm_config` (InternVL).
    LlmConfig,
    /// All that vLLM loads in `thinker_config`; talker and vocoder stand beside it (Qwen2.5-Omni).
    Thinker,
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
