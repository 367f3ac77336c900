//! What Qwen 4's layers have beside attention and Gated DeltaNet: an index over groups of tokens, and tables of n-grams.
//!
//! `vllm/models/qwen4_exp/{common,nvidia}/` at 0.33.0, and transformers' `Qwen4ExpTextConfig` at 5.24.
use super::{ConfigError, LayerRun, LinearScheme, Mixer, Quantization, fields::Fields};
use serde_json::Value;

pub(super) const QWEN4: &str = "Qwen4ExpForCausalLM";

const MAX_HEADS: u32 = 1 << 12;
const MAX_PICKED: u32 = 1 << 20;
const MAX_VOCAB: u32 = 1 << 28;
/// Of all tables: each needs a prime.
const MAX_TABLES: u32 = 128;

/// An index beside grouped-query attention: one key for each whole group of tokens, and a ring of those not grouped yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GroupIndex {
    /// Query heads.
    pub indexer_n_heads: u32,
    /// Size of a head, and of the one key.
    pub indexer_head_dim: u32,
    /// Tokens that it picks.
    pub indexer_budget: u32,
    /// Tokens of a group.
    pub indexer_compress_ratio: u32,
    /// Bytes of an element of a group's key: 2, or 1 with `--attention-config.indexer_kv_dtype fp8`.
    pub element: u32,
}

impl GroupIndex {
    /// Outputs of its projection, whole on every rank.
    pub fn width(&self) -> u64 {
        (u64::from(self.indexer_n_heads) + 1) * u64::from(self.indexer_head_dim)
    }

    /// Columns of what it picks: whole groups, the tokens of the last one, and how many there are.
    pub fn picked(&self) -> u64 {
        u64::from(self.indexer_budget) + u64::from(self.indexer_compress_ratio)
    }

    /// Tokens of the ring: a group, and what a step proposes, in whole groups.
    pub fn ring(&self, proposed: u64) -> u64 {
        let ratio = u64::from(self.indexer_compress_ratio);
        (ratio + proposed).next_multiple_of(ratio)
    }
}

/// Tables of n-grams in front of a layer (PLE, in DeepSeek V4.1 Engram): rows that hashes of the last tokens name, and a convolution over them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ngrams {
    /// Rows of all tables, padded.
    pub rows: u64,
    /// Tables: one for each head of each length.
    pub heads: u32,
    /// Elements of a token's rows side by side.
    pub ple_embed_dim: u32,
    /// The longest n-gram.
    pub ngram_size: u32,
    /// Width of the convolution, which skips `ngram_size` tokens at a time; 0 where there is none.
    pub ple_conv_kernel_size: u32,
    /// Width of all streams of hidden states.
    pub streams: u32,
    /// How rows are stored.
    pub stored: Stored,
    /// They lie on the GPU (`--engram-config.cpu_offload false`), not in the host's memory.
    pub on_gpu: bool,
    /// Replicas that share them (`--engram-config.embedding_across_dp`).
    pub replicas: u32,
}

/// How a table's rows are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stored {
    /// In the model's type.
    Half,
    /// 8-bit floats with one scale.
    Fp8,
    /// 4-bit floats with a scale for 16 of them.
    Nvfp4,
    /// 8-bit floats with an 8-bit scale for 32 of them (Engram).
    Blocks,
}

impl Ngrams {
    /// Elements of a row.
    pub fn width(&self) -> u64 {
        u64::from(self.ple_embed_dim / self.heads.max(1))
    }

    /// Bytes of a row in the tables.
    pub fn row_bytes(&self) -> u64 {
        let width = self.width();
        match self.stored {
            Stored::Half => 2 * width,
            Stored::Fp8 => width,
            Stored::Nvfp4 => width / 2 + width / 16,
            Stored::Blocks => width + width / 32,
        }
    }

    /// Bytes of the tables on one of `tp` ranks.
    pub fn table_bytes(&self, tp: u64) -> u64 {
        self.rows / (tp * u64::from(self.replicas.max(1))) * self.row_bytes()
    }

    /// The same on the GPU, and in the host's memory.
    pub fn tables(&self, tp: u64) -> [u64; 2] {
        let bytes = self.table_bytes(tp);
        if self.on_gpu { [bytes, 0] } else { [0, bytes] }
    }

    /// Bytes of what a token looks up.
    pub fn looked_up(&self) -> u64 {
        let element = if self.stored == Stored::Fp8 { 1 } else { 2 };
        u64::from(self.ple_embed_dim) * element
    }

    /// Tokens that the convolution looks back.
    pub fn history(&self) -> u64 {
        u64::from(self.ple_conv_kernel_size).saturating_sub(1) * u64::from(self.ngram_size)
    }

    /// Vectors over all streams: three norms and the convolution; Engram weighs queries and keys instead.
    fn vectors(&self) -> u64 {
        match self.stored {
            Stored::Blocks => 2,
            _ => 3 + u64::from(self.ple_conv_kernel_size),
        }
    }

    /// Weights beside the tables: projections to keys and values, and those.
    pub(super) fn parameters(&self, hidden_size: u64) -> u64 {
        let streams = u64::from(self.streams);
        u64::from(self.ple_embed_dim) * (streams + hidden_size) + self.vectors() * streams
    }
}

/// Width of the low-rank mix of the streams, and how many streams there are.
pub(super) fn streams(fields: &Fields<'_>) -> Result<(u32, u32), ConfigError> {
    let streams = fields.count_in("hc_count", 2, 64)?.unwrap_or(4);
    Ok((streams, fields.count("hc_lowrank", 1 << 14)?.unwrap_or(320)))
}

/// The same layers, with what this class adds to them.
pub(super) fn layers(
    fields: &Fields<'_>,
    hidden_size: u32,
    mut mixers: Vec<Mixer>,
) -> Result<Vec<Mixer>, ConfigError> {
    let index = index(fields)?;
    for mixer in &mut mixers {
        if let Mixer::Attention(attention, _) = mixer {
            attention.groups = Some(index);
        }
    }
    let key = "ple_layer_ids";
    let mut ids: Vec<u64> = Vec::new();
    for value in fields.list(key)?.unwrap_or_default() {
        match value.as_u64() {
            Some(id @ 1..) => ids.push(id),
            _ => return Err(fields.wrong(key, "numbers of layers from 1", value)),
        }
    }
    let mut place = 0;
    for (mixer, id) in mixers.iter_mut().zip(1..) {
        if !ids.contains(&id) {
            continue;
        }
        let Mixer::GatedDeltaNet(gdn) = mixer else {
            return Err(fields.inconsistent(key, "only layers of linear attention have tables"));
        };
        gdn.ngrams = Some(ngrams(fields, hidden_size, place)?);
        place += 1;
    }
    if ids.iter().any(|id| *id > mixers.len() as u64) {
        return Err(fields.inconsistent(key, format!("there are {} layers", mixers.len())));
    }
    Ok(mixers)
}

fn index(fields: &Fields<'_>) -> Result<GroupIndex, ConfigError> {
    let required = |key, max| fields.required(key, max, "the index of sparse attention");
    let index = GroupIndex {
        indexer_n_heads: required("indexer_n_heads", MAX_HEADS)?,
        indexer_head_dim: required("indexer_head_dim", MAX_HEADS)?,
        indexer_budget: required("indexer_budget", MAX_PICKED)?,
        indexer_compress_ratio: required("indexer_compress_ratio", 1 << 10)?,
        element: 2,
    };
    if required("indexer_kv_heads", MAX_HEADS)? != 1 {
        return Err(fields.inconsistent("indexer_kv_heads", "transformers' class expects 1"));
    }
    if !index.indexer_budget.is_multiple_of(index.indexer_compress_ratio) {
        return Err(fields.inconsistent(
            "indexer_budget",
            format!(
                "indexer_compress_ratio, {}, does not divide it",
                index.indexer_compress_ratio
            ),
        ));
    }
    Ok(index)
}

/// The tables of the layer that is the `place`-th with any.
fn ngrams(fields: &Fields<'_>, hidden_size: u32, place: u32) -> Result<Ngrams, ConfigError> {
    let count = |key, max, default| Ok::<u32, ConfigError>(fields.count(key, max)?.unwrap_or(default));
    let ngram_size = fields.count_in("ngram_size", 2, 64)?.unwrap_or(3);
    let heads = (ngram_size - 1) * count("heads_per_ngram", MAX_TABLES, 8)?;
    let ple_embed_dim = count("ple_embed_dim", 1 << 18, hidden_size)?;
    if !ple_embed_dim.is_multiple_of(heads) {
        return Err(fields.inconsistent("ple_embed_dim", format!("{heads} tables do not divide it")));
    }
    let first = place.saturating_mul(heads);
    if first.saturating_add(heads) > MAX_TABLES {
        return Err(ConfigError::unsupported(format!(
            "more than {MAX_TABLES} tables of n-grams are not modelled"
        )));
    }
    let base = count("ngram_vocab_size_base", MAX_VOCAB, 20_000_000)?;
    let divisor = count("make_ngram_vocab_size_divisible_by", 1 << 20, 128)?;
    let rows: u64 = primes(u64::from(base))
        .skip(first as usize)
        .take(heads as usize)
        .sum();
    let ngrams = Ngrams {
        rows: rows.next_multiple_of(u64::from(divisor)),
        heads,
        ple_embed_dim,
        ngram_size,
        ple_conv_kernel_size: count("ple_conv_kernel_size", 64, 4)?,
        streams: hidden_size.saturating_mul(streams(fields)?.0),
        stored: match fields.text("ple_embedding_dtype")? {
            None => Stored::Half,
            Some("float8_e4m3fn") => Stored::Fp8,
            Some("nvfp4") => Stored::Nvfp4,
            Some(other) => {
                let other = Value::from(other);
                return Err(fields.wrong("ple_embedding_dtype", "nvfp4 or float8_e4m3fn", &other));
            }
        },
        on_gpu: false,
        replicas: 1,
    };
    if ngrams.stored == Stored::Nvfp4 && !ngrams.width().is_multiple_of(16) {
        return Err(fields.inconsistent("ple_embed_dim", "a row of NVFP4 is a multiple of 16 wide"));
    }
    Ok(ngrams)
}

/// Primes from `least` on: the sizes of the tables (`Qwen4ExpNGramEmbedding._make_vocab_layout`).
fn primes(least: u64) -> impl Iterator<Item = u64> {
    // No table is larger than the square of that.
    let divisors = |n: u64| (2..1 << 15).take_while(move |d| d * d <= n);
    let is_prime = move |n: &u64| *n > 1 && divisors(*n).all(|d| !n.is_multiple_of(d));
    (least..).filter(is_prime)
}

/// Tables follow the checkpoint's quantisation where their own field says nothing
/// (`common/ngram_embedding.py: Qwen4ExpPLEEmbeddingMethod.from_quant_config`).
pub(super) fn store(
    fields: &Fields<'_>,
    quantization: Option<&Quantization>,
    layers: &mut [LayerRun],
) -> Result<(), ConfigError> {
    let Some(quantization) = quantization.filter(|_| !fields.has("ple_embedding_dtype")) else {
        return Ok(());
    };
    let mut index = 0;
    for run in layers {
        if let Mixer::GatedDeltaNet(gdn) = &mut run.mixer
            && let Some(ngrams) = &mut gdn.ngrams
        {
            ngrams.stored = stored(quantization, index)?;
        }
        index += run.count;
    }
    Ok(())
}

fn stored(quantization: &Quantization, index: u32) -> Result<Stored, ConfigError> {
    let ignored = ["model", "model.language_model", "language_model.model"]
        .iter()
        .any(|root| {
            let table = format!("{root}.layers.{index}.ple.ple_embedding.ngram_embedding");
            quantization.ignores(&table) || quantization.ignores(&format!("{table}.shard_0"))
        });
    match quantization.method {
        _ if ignored => Ok(Stored::Half),
        "fp8" => Ok(Stored::Fp8),
        "modelopt_mixed" => {
            let name = format!("model.language_model.layers.{index}.ple.ple_embedding.ngram_embedding");
            match quantization.scheme_of(&name) {
                None => Ok(Stored::Half),
                Some(LinearScheme::Fp8PerTensor { .. }) => Ok(Stored::Fp8),
                Some(LinearScheme::Nvfp4 | LinearScheme::Nvfp4Weights) => Ok(Stored::Nvfp4),
                Some(_) => Err(ConfigError::unsupported(
                    "tables of n-grams are stored in 16 bits, FP8 or NVFP4: vLLM's class takes no other",
                )),
            }
        }
        _ => Ok(Stored::Half),
    }
}

/// What such a layer may be called (transformers renamed the sparse ones in 5.18).
pub(super) fn is_sparse(kind: &str) -> bool {
    matches!(kind, "indexed_attention" | "qwen_sparse_attention")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sizes that the published model's own file keeps, `ngram_heads_vocab_sizes`, sum to 320,001,446.
    #[test]
    fn tables_are_as_large_as_the_next_primes() {
        let sizes: Vec<u64> = primes(20_000_000).take(16).collect();
        assert_eq!((sizes[0], sizes[15]), (20_000_003, 20_000_171));
        assert_eq!(sizes.iter().sum::<u64>(), 320_001_446);
    }
}
