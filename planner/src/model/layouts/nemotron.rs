//! Nemotron-H: one character a layer, or one word (`transformers`' `NemotronHConfig` at 5.23).
use crate::model::{ConfigError, fields::Fields, resolve::short};

const MAX_LAYERS: usize = 1 << 10;

/// One character a layer: Mamba, attention, dense or expert feed-forward. `layers_block_type` comes first, then
/// `hybrid_override_pattern`, whatever `num_hidden_layers` says.
pub(in crate::model) fn pattern(fields: &Fields<'_>) -> Result<String, ConfigError> {
    let key = "layers_block_type";
    if let Some(blocks) = fields.list(key)? {
        let letter = |block: &serde_json::Value| match block.as_str() {
            Some("mamba" | "linear_attention") => Ok('M'),
            Some("attention" | "full_attention") => Ok('*'),
            Some("mlp") => Ok('-'),
            Some("moe") => Ok('E'),
            _ => Err(fields.wrong(key, "mamba, attention, mlp or moe", block)),
        };
        return blocks.iter().map(letter).collect();
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

/// Layers in all.
pub(super) fn count(fields: &Fields<'_>) -> Result<u32, ConfigError> {
    let count = pattern(fields)?.len();
    let key = "hybrid_override_pattern";
    u32::try_from(count)
        .ok()
        .filter(|_| (1..=MAX_LAYERS).contains(&count))
        .ok_or_else(|| fields.inconsistent(key, format!("{count} layers; expected 1 to {MAX_LAYERS}")))
}
