//! DeepSeek V4's and V4.1's attention: a window of tokens beside compressed ones, `models/deepseek_v4/attention.py` and
//! `models/deepseek_v41/attention.py` at 0.33.0.
use super::{ConfigError, Ngrams, SparseIndex, engram, fields::Fields};
use serde_json::Value;

const MAX_HEADS: u32 = 1 << 12;
const MAX_WIDTH: u32 = 1 << 14;

pub(super) const V41: &str = "DeepseekV41ForCausalLM";

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
    /// Tokens that become one: 4 or 128, in V4.1 2 or 1; 0 where nothing is compressed.
    pub ratio: u32,
    /// Picks among the compressed tokens: in V4 those of ratio 4.
    pub index: SparseIndex,
    /// It keeps compressed tokens of its own: in V4.1 the layers behind a source read what that keeps.
    pub source: bool,
    /// As in V4.1.
    pub shared: Option<Shared>,
    /// Tables of n-grams in front of the layer (V4.1's Engram).
    pub ngrams: Option<Ngrams>,
}

/// What V4.1's layers have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shared {
    /// Blocks of compressed tokens that the first level of the index picks, for each token; 0 where it has one level.
    pub candidates: u32,
    /// The index keeps its keys in 4 bits (`--attention-config.indexer_kv_dtype mxfp4`).
    pub narrow_keys: bool,
}

impl Compressed {
    /// Widths that a compressor keeps of each token: twice where neighbours overlap.
    pub fn states(&self) -> u64 {
        if self.ratio == 4 { 2 } else { 1 }
    }

    /// Elements of a compressor of vectors of `dim`: positions, projections, norm. V4.1 has no positions, and where each
    /// token stays by itself no gate either (`models/deepseek_v41/compressor.py`).
    pub fn compressor(&self, dim: u64, hidden_size: u64) -> [u64; 3] {
        let width = self.states() * dim;
        let (positions, projections) = match self.shared {
            None => (self.ratio, 2),
            Some(_) => (0, self.ratio.min(2)),
        };
        let projections = u64::from(projections) * width * hidden_size;
        [u64::from(positions) * width, projections, dim]
    }

    /// Bytes of a key of the index: 8-bit or 4-bit floats, and their scales.
    pub fn key_bytes(&self) -> u64 {
        let dim = u64::from(self.index.index_head_dim);
        match self.shared {
            Some(Shared {
                narrow_keys: true, ..
            }) => dim / 2 + dim / 32,
            _ => dim + dim / 128 * 4,
        }
    }

    /// Elements of an index's key, which V4 compresses and V4.1 makes of the compressed token: weights, norm.
    pub fn index_key(&self) -> [u64; 2] {
        let dim = u64::from(self.index.index_head_dim);
        [u64::from(self.head_dim) * dim, dim]
    }

    /// Weights of a layer, whole.
    pub(super) fn parameters(&self, hidden_size: u64) -> u64 {
        let (heads, dim) = (u64::from(self.num_attention_heads), u64::from(self.head_dim));
        let rank = u64::from(self.q_lora_rank);
        let out = u64::from(self.o_lora_rank);
        let queries = hidden_size * (rank + dim) + rank + rank * heads * dim + dim + heads;
        let output = heads * dim * out + u64::from(self.o_groups) * out * hidden_size;
        let compressor = |dim: u64| -> u64 { self.compressor(dim, hidden_size).iter().sum() };
        let compressed = if self.source { compressor(dim) } else { 0 };
        let indexer = if self.index.own {
            let (heads, dim) = (
                u64::from(self.index.index_n_heads),
                u64::from(self.index.index_head_dim),
            );
            let key = match self.shared {
                None => compressor(dim),
                Some(_) if self.source => self.index_key().iter().sum(),
                Some(_) => 0,
            };
            rank * heads * dim + hidden_size * heads + key
        } else {
            0
        };
        let tables = self.ngrams.map_or(0, |ngrams| ngrams.parameters(hidden_size));
        queries + output + compressed + indexer + tables
    }
}

/// Tokens that become one in each layer; 0 where nothing is compressed.
pub(super) fn ratios(fields: &Fields<'_>, layers: u32, v41: bool) -> Result<Vec<u32>, ConfigError> {
    let key = "compress_ratios";
    let list = fields.list(key)?.ok_or_else(|| ConfigError::Missing {
        field: fields.name(key),
        needed_for: "the caches of each layer",
    })?;
    // Layers for multi-token prediction come last in the list.
    if list.len() < layers as usize {
        return Err(fields.inconsistent(key, format!("{} entries for {layers} layers", list.len())));
    }
    let ratio = |value: &Value| match (value.as_u64(), v41) {
        (Some(0), _) | (Some(1), false) => Ok(0),
        (Some(1), true) => Ok(1),
        (Some(2), true) => Ok(2),
        (Some(4), false) => Ok(4),
        (Some(128), false) => Ok(128),
        (_, true) => Err(fields.wrong(key, "a list of 0, 1 and 2", value)),
        _ => Err(fields.wrong(key, "a list of 0, 4 and 128", value)),
    };
    let ratios: Vec<u32> = list
        .iter()
        .take(layers as usize)
        .map(ratio)
        .collect::<Result<_, _>>()?;
    if v41 || ratios.contains(&4) {
        Ok(ratios)
    } else {
        Err(ConfigError::unsupported(
            "compressed attention without a layer of ratio 4 is not modelled yet",
        ))
    }
}

/// Every layer.
pub(super) fn layers(
    fields: &Fields<'_>,
    layers: u32,
    hidden_size: u32,
    v41: bool,
) -> Result<Vec<Compressed>, ConfigError> {
    let required = |key, max| fields.required(key, max, "the compressed attention");
    let layer = Compressed {
        num_attention_heads: required("num_attention_heads", MAX_HEADS)?,
        head_dim: required("head_dim", MAX_WIDTH)?,
        q_lora_rank: required("q_lora_rank", MAX_WIDTH)?,
        o_lora_rank: required("o_lora_rank", MAX_WIDTH)?,
        o_groups: required("o_groups", MAX_HEADS)?,
        sliding_window: required("sliding_window", 1 << 20)?,
        ratio: 0,
        source: false,
        shared: None,
        ngrams: None,
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
    let ratios = ratios(fields, layers, v41)?;
    if v41 {
        return sources(fields, &layer, &ratios, hidden_size);
    }
    let with = |ratio: u32| Compressed {
        ratio,
        source: ratio > 0,
        index: SparseIndex {
            own: ratio == 4,
            ..layer.index
        },
        ..layer
    };
    Ok(ratios.into_iter().map(with).collect())
}

/// V4.1's: layers that keep compressed tokens, those that pick among them, and the others, which read the last of either.
fn sources(
    fields: &Fields<'_>,
    layer: &Compressed,
    ratios: &[u32],
    hidden_size: u32,
) -> Result<Vec<Compressed>, ConfigError> {
    let (keeps, picks) = ("kv_source_layer_ids", "index_source_layer_ids");
    let (kept, picked) = (
        numbers(fields, keeps, ratios.len())?,
        numbers(fields, picks, ratios.len())?,
    );
    let first = fields.value("candidate_source_layer_id").and_then(Value::as_i64);
    let blocks = fields.count_in("candidate_topk_blocks", 0, 1 << 20)?.unwrap_or(0);
    let shared = Some(Shared {
        candidates: if first.is_some_and(|id| id >= 0) {
            blocks
        } else {
            0
        },
        narrow_keys: false,
    });
    let mut tables = engram::tables(fields, hidden_size, ratios.len())?;
    let mut read = None;
    let mut all = Vec::with_capacity(ratios.len());
    for (at, &ratio) in ratios.iter().enumerate() {
        let (source, own) = (kept.contains(&at), picked.contains(&at));
        if source {
            read = Some(ratio);
        }
        if (ratio > 0 || source || own) && read != Some(ratio) || source && !own {
            return Err(fields.inconsistent(
                keeps,
                format!("layer {at} has no source of compressed tokens like its own, or that has no index"),
            ));
        }
        all.push(Compressed {
            ratio,
            source,
            shared,
            ngrams: tables
                .iter_mut()
                .find(|(id, _)| *id == at)
                .map(|(_, table)| *table),
            index: SparseIndex { own, ..layer.index },
            ..*layer
        });
    }
    Ok(all)
}

/// Numbers of layers.
pub(super) fn numbers(
    fields: &Fields<'_>,
    key: &'static str,
    layers: usize,
) -> Result<Vec<usize>, ConfigError> {
    let number = |value: &Value| {
        let id = value.as_u64().and_then(|id| usize::try_from(id).ok());
        id.filter(|id| *id < layers)
            .ok_or_else(|| fields.wrong(key, "a list of numbers of layers", value))
    };
    fields.list(key)?.unwrap_or_default().iter().map(number).collect()
}
