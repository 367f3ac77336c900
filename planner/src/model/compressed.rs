//! DeepSeek V4's attention: a window of tokens beside compressed ones, `models/deepseek_v4/attention.py` at 0.33.0.
use super::{ConfigError, SparseIndex, fields::Fields};
use serde_json::Value;

const MAX_HEADS: u32 = 1 << 12;
const MAX_WIDTH: u32 = 1 << 14;

/// One layer: every token is kept for a window, and one in `ratio` for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Compressed {
    /// Query heads.
    pub num_attention_heads: u32,
    /// Size of a head, and of the one cached vector per token.
    pub head_dim: u32,
    /// Width of the queries' latent.
    pub q_lora_rank: u32,
    /// Width of a group's latent in the output projection.
    pub o_lora_rank: u32,
    /// Groups of the output projection.
    pub o_groups: u32,
    /// Tokens that are kept as they are.
    pub sliding_window: u32,
    /// Tokens that become one: 4 or 128; 1 where nothing is compressed.
    pub ratio: u32,
    /// Picks among the compressed tokens of ratio 4.
    pub index: SparseIndex,
}

impl Compressed {
    /// Widths that a compressor keeps of each token: twice where neighbours overlap.
    pub fn states(&self) -> u64 {
        if self.ratio == 4 { 2 } else { 1 }
    }

    /// Elements of a compressor of vectors of `dim`: positions, projections, norm.
    pub fn compressor(&self, dim: u64, hidden_size: u64) -> [u64; 3] {
        let width = self.states() * dim;
        [u64::from(self.ratio) * width, 2 * width * hidden_size, dim]
    }

    /// Weights of a layer, whole.
    pub(super) fn parameters(&self, hidden_size: u64) -> u64 {
        let (heads, dim) = (u64::from(self.num_attention_heads), u64::from(self.head_dim));
        let rank = u64::from(self.q_lora_rank);
        let out = u64::from(self.o_lora_rank);
        let queries = hidden_size * (rank + dim) + rank + rank * heads * dim + dim + heads;
        let output = heads * dim * out + u64::from(self.o_groups) * out * hidden_size;
        let compressor = |dim: u64| -> u64 { self.compressor(dim, hidden_size).iter().sum() };
        let compressed = if self.ratio > 1 { compressor(dim) } else { 0 };
        let indexer = if self.index.own {
            let (heads, dim) = (
                u64::from(self.index.index_n_heads),
                u64::from(self.index.index_head_dim),
            );
            rank * heads * dim + hidden_size * heads + compressor(dim)
        } else {
            0
        };
        queries + output + compressed + indexer
    }
}

/// Tokens that become one in each layer; 1 where nothing is compressed.
pub(super) fn ratios(fields: &Fields<'_>, layers: u32) -> Result<Vec<u32>, ConfigError> {
    let key = "compress_ratios";
    let list = fields.list(key)?.ok_or_else(|| ConfigError::Missing {
        field: fields.name(key),
        needed_for: "the caches of each layer",
    })?;
    // Layers for multi-token prediction come last in the list.
    if list.len() < layers as usize {
        return Err(fields.inconsistent(key, format!("{} entries for {layers} layers", list.len())));
    }
    let ratio = |value: &Value| match value.as_u64() {
        Some(0 | 1) => Ok(1),
        Some(4) => Ok(4),
        Some(128) => Ok(128),
        _ => Err(fields.wrong(key, "a list of 0, 4 and 128", value)),
    };
    let ratios: Vec<u32> = list
        .iter()
        .take(layers as usize)
        .map(ratio)
        .collect::<Result<_, _>>()?;
    if ratios.contains(&4) {
        Ok(ratios)
    } else {
        Err(ConfigError::unsupported(
            "compressed attention without a layer of ratio 4 is not modelled yet",
        ))
    }
}

/// Every layer.
pub(super) fn layers(fields: &Fields<'_>, layers: u32) -> Result<Vec<Compressed>, ConfigError> {
    let required = |key, max| fields.required(key, max, "the compressed attention");
    let layer = Compressed {
        num_attention_heads: required("num_attention_heads", MAX_HEADS)?,
        head_dim: required("head_dim", MAX_WIDTH)?,
        q_lora_rank: required("q_lora_rank", MAX_WIDTH)?,
        o_lora_rank: required("o_lora_rank", MAX_WIDTH)?,
        o_groups: required("o_groups", MAX_HEADS)?,
        sliding_window: required("sliding_window", 1 << 20)?,
        ratio: 1,
        index: SparseIndex {
            index_topk: required("index_topk", 1 << 20)?,
            index_n_heads: required("index_n_heads", MAX_HEADS)?,
            index_head_dim: required("index_head_dim", MAX_HEADS)?,
            index_kpool: 1,
            own: false,
        },
    };
    if !layer.num_attention_heads.is_multiple_of(layer.o_groups) {
        return Err(fields.inconsistent("o_groups", "it does not divide num_attention_heads"));
    }
    let with = |ratio: u32| Compressed {
        ratio,
        index: SparseIndex {
            own: ratio == 4,
            ..layer.index
        },
        ..layer
    };
    Ok(ratios(fields, layers)?.into_iter().map(with).collect())
}
