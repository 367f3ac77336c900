//! Nemotron-H: one character a layer, or one word (`transformers`' `NemotronHConfig` at 5.23), or one block whose
//! experts have sizes of their own (Nemotron Puzzle).
use crate::model::{ConfigError, fields::Fields, resolve::short};
use serde_json::{Map, Value};

const MAX_LAYERS: usize = 1 << 10;

/// One object a layer, in Puzzle's files.
pub(in crate::model) const BLOCKS: &str = "block_configs";

/// One character a layer: Mamba, attention, dense or expert feed-forward. Blocks come first, then `layers_block_type`,
/// then `hybrid_override_pattern`, whatever `num_hidden_layers` says.
pub(in crate::model) fn pattern(fields: &Fields<'_>) -> Result<String, ConfigError> {
    let letter = |key: &'static str, word: &Value| match word.as_str() {
        Some("mamba" | "linear_attention") => Ok('M'),
        Some("attention" | "full_attention") => Ok('*'),
        Some("mlp") => Ok('-'),
        Some("moe") => Ok('E'),
        _ => Err(fields.wrong(key, "mamba, attention, mlp or moe", word)),
    };
    if let Some(blocks) = fields.list(BLOCKS)? {
        let kind = |block: &Value| letter(BLOCKS, block.get(KIND).unwrap_or(block));
        return blocks.iter().map(kind).collect();
    }
    let key = "layers_block_type";
    if let Some(words) = fields.list(key)? {
        return words.iter().map(|word| letter(key, word)).collect();
    }
    let key = "hybrid_override_pattern";
    let pattern = fields.text(key)?.ok_or_else(|| ConfigError::Missing {
        field: fields.name(key),
        needed_for: "the kind of each layer",
    })?;
    match pattern.chars().find(|c| !matches!(c, 'M' | '*' | '-' | 'E')) {
        Some(other) => Err(fields.inconsistent(
            key,
            format!("expected M, *, - and E, got {:?}", short(&other.to_string())),
        )),
        None => Ok(pattern.to_owned()),
    }
}

const KIND: &str = "block_type";

/// Of each block with experts, those fields: the block's own before the file's. What vLLM makes of a block is the code
/// beside the checkpoint's (`get_nemotron_h_config_for_layer`), which replaces any field; others than these are refused.
pub(in crate::model) fn blocks(
    fields: &Fields<'_>,
    names: &[&'static str],
) -> Result<Vec<Option<Map<String, Value>>>, ConfigError> {
    let one = |block: &Value| {
        let (own, experts) = (
            block.as_object(),
            block.get(KIND).and_then(Value::as_str) == Some("moe"),
        );
        let known = |key: &str| key == KIND || experts && names.contains(&key);
        if let Some(other) = own.and_then(|own| own.keys().find(|key| !known(key))) {
            return Err(ConfigError::unsupported(format!(
                "a block of `{BLOCKS}` has `{}`, whose part in a layer is not modelled yet",
                short(other)
            )));
        }
        let value = |name: &str| {
            let of_block = own.and_then(|own| own.get(name)).filter(|value| !value.is_null());
            of_block.or_else(|| fields.value(name)).cloned()
        };
        let all = names
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), value(name)?)));
        Ok(experts.then(|| all.collect()))
    };
    fields.list(BLOCKS)?.unwrap_or_default().iter().map(one).collect()
}

/// Layers in all.
pub(super) fn count(fields: &Fields<'_>) -> Result<u32, ConfigError> {
    let count = pattern(fields)?.len();
    let key = "hybrid_override_pattern";
    u32::try_from(count)
        .ok()
        .filter(|_| (1..=MAX_LAYERS).contains(&count))
        .ok_or_else(|| fields.inconsistent(key, format!("{count} layers; expected 1 to {MAX_LAYERS}")))
}
