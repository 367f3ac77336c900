//! Engram: DeepSeek V4.1's tables of n-grams, `models/deepseek_v41/common/engram.py` at 0.33.0.
use super::{ConfigError, Ngrams, Stored, compressed, fields::Fields};
use serde_json::Value;

const MAX_ROWS: u64 = 1 << 34;

/// The tables of each layer that has any.
pub(super) fn tables(
    fields: &Fields<'_>,
    hidden_size: u32,
    layers: usize,
) -> Result<Vec<(usize, Ngrams)>, ConfigError> {
    let ids = compressed::numbers(fields, "engram_layer_ids", layers)?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let required = |key, max| fields.required(key, max, "the tables of n-grams");
    let streams = required("hc_mult", 64)?.saturating_mul(hidden_size);
    let ngram_size = required("engram_max_ngram_size", 64)?;
    let heads = ngram_size.saturating_sub(1) * required("engram_n_heads", 128)?;
    let width = required("engram_head_dim", 1 << 12)?;
    if heads == 0 || !width.is_multiple_of(32) {
        return Err(fields.inconsistent(
            "engram_head_dim",
            "a row is a multiple of 32 wide, and an n-gram longer than 1",
        ));
    }
    let key = "engram_num_embeddings";
    let rows = fields.list(key)?.unwrap_or_default();
    if rows.len() != ids.len() {
        return Err(fields.inconsistent(key, format!("{} entries for {} layers", rows.len(), ids.len())));
    }
    let table = |rows: &Value| {
        let number = rows.as_u64().filter(|rows| (1..=MAX_ROWS).contains(rows));
        Ok(Ngrams {
            rows: number.ok_or_else(|| fields.wrong(key, "a list of numbers of rows", rows))?,
            heads,
            ple_embed_dim: heads.saturating_mul(width),
            ngram_size,
            ple_conv_kernel_size: 0,
            streams,
            stored: Stored::Blocks,
            on_gpu: false,
            replicas: 1,
        })
    };
    let tables: Result<Vec<Ngrams>, ConfigError> = rows.iter().map(table).collect();
    Ok(ids.into_iter().zip(tables?).collect())
}
