//! The arguments that vLLM will run with, and who chose each.
use super::{KvCacheDtype, VllmVersion};
use crate::{
    text::commas,
    units::{Bytes, FloatDtype, Utilization},
};
use serde::Serialize;

/// Who chose a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SetBy {
    /// The user.
    User,
    /// vLLM's default for this version, model and GPU.
    VllmDefault,
    /// We, for this workload.
    Recommended,
}

/// A value and its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen<T> {
    /// The value.
    pub value: T,
    /// Who chose it.
    pub set_by: SetBy,
    /// Why, as a sentence.
    pub why: String,
}

impl<T> Chosen<T> {
    /// Set by the user.
    pub fn user(value: T) -> Self {
        Self {
            value,
            set_by: SetBy::User,
            why: "Set by you.".to_owned(),
        }
    }

    /// vLLM's default.
    pub fn default(value: T, why: impl Into<String>) -> Self {
        Self {
            value,
            set_by: SetBy::VllmDefault,
            why: why.into(),
        }
    }

    /// Our recommendation.
    pub fn recommended(value: T, why: impl Into<String>) -> Self {
        Self {
            value,
            set_by: SetBy::Recommended,
            why: why.into(),
        }
    }
}

/// Every argument that the plan relies on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolvedArgs {
    /// Whose rules.
    pub version: VllmVersion,
    /// GPUs that each layer is split over.
    pub tensor_parallel_size: Chosen<u32>,
    /// Stages.
    pub pipeline_parallel_size: Chosen<u32>,
    /// Layers of each stage, where they are not vLLM's own share: `VLLM_PP_LAYER_PARTITION`.
    pub pp_layer_partition: Option<Chosen<Vec<u32>>>,
    /// Copies of the engine.
    pub data_parallel_size: Chosen<u32>,
    /// Whole experts on each GPU.
    pub enable_expert_parallel: Chosen<bool>,
    /// Context length in tokens.
    pub max_model_len: Chosen<u32>,
    /// Part of the GPU that vLLM may fill.
    pub gpu_memory_utilization: Chosen<Utilization>,
    /// Exact KV cache size per GPU, if set.
    pub kv_cache_memory_bytes: Option<Bytes>,
    /// Element type of the KV cache.
    pub kv_cache_dtype: Chosen<KvCacheDtype>,
    /// Tokens per KV cache block.
    pub block_size: Chosen<u32>,
    /// Largest batch.
    pub max_num_seqs: Chosen<u32>,
    /// Largest step.
    pub max_num_batched_tokens: Chosen<u32>,
    /// Prefix caching.
    pub enable_prefix_caching: Chosen<bool>,
    /// Chunked prefill.
    pub enable_chunked_prefill: Chosen<bool>,
    /// No CUDA graphs.
    pub enforce_eager: Chosen<bool>,
    /// Sliding-window layers keep the full length.
    pub disable_hybrid_kv_cache_manager: Chosen<bool>,
    /// Type of what is not quantised.
    pub dtype: Chosen<FloatDtype>,
    /// The method in effect, if any: the checkpoint's or an online one.
    pub quantization: Option<Chosen<String>>,
    /// Leave vision and audio towers out.
    pub language_model_only: Chosen<bool>,
    /// Run code from the model's repository.
    pub trust_remote_code: Chosen<bool>,
}

impl ResolvedArgs {
    /// GPUs that one deployment takes: TP × PP × DP.
    pub fn gpus(&self) -> u32 {
        self.tensor_parallel_size.value * self.pipeline_parallel_size.value * self.data_parallel_size.value
    }

    /// Name, value and reason of each, in the order of the command line.
    pub fn rows(&self) -> Vec<ArgRow> {
        let mut rows = vec![
            row(
                "tensor_parallel_size",
                &self.tensor_parallel_size,
                ToString::to_string,
            ),
            row(
                "pipeline_parallel_size",
                &self.pipeline_parallel_size,
                ToString::to_string,
            ),
            row(
                "data_parallel_size",
                &self.data_parallel_size,
                ToString::to_string,
            ),
            row(
                "enable_expert_parallel",
                &self.enable_expert_parallel,
                ToString::to_string,
            ),
            row("max_model_len", &self.max_model_len, ToString::to_string),
            row(
                "gpu_memory_utilization",
                &self.gpu_memory_utilization,
                ToString::to_string,
            ),
            row("kv_cache_dtype", &self.kv_cache_dtype, |d| d.name().to_owned()),
            row("block_size", &self.block_size, ToString::to_string),
            row("max_num_seqs", &self.max_num_seqs, ToString::to_string),
            row(
                "max_num_batched_tokens",
                &self.max_num_batched_tokens,
                ToString::to_string,
            ),
            row(
                "enable_prefix_caching",
                &self.enable_prefix_caching,
                ToString::to_string,
            ),
            row(
                "enable_chunked_prefill",
                &self.enable_chunked_prefill,
                ToString::to_string,
            ),
            row("enforce_eager", &self.enforce_eager, ToString::to_string),
            row(
                "disable_hybrid_kv_cache_manager",
                &self.disable_hybrid_kv_cache_manager,
                ToString::to_string,
            ),
            row("dtype", &self.dtype, |d| d.name().to_owned()),
            row(
                "language_model_only",
                &self.language_model_only,
                ToString::to_string,
            ),
            row("trust_remote_code", &self.trust_remote_code, ToString::to_string),
        ];
        if let Some(bytes) = self.kv_cache_memory_bytes {
            rows.push(row(
                "kv_cache_memory_bytes",
                &Chosen::user(bytes.get()),
                ToString::to_string,
            ));
        }
        if let Some(partition) = &self.pp_layer_partition {
            rows.push(row("pp_layer_partition", partition, |counts| commas(counts)));
        }
        if let Some(quantization) = &self.quantization {
            rows.push(row("quantization", quantization, Clone::clone));
        }
        rows
    }
}

/// One argument for a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ArgRow {
    /// Its name in scenarios.
    pub id: &'static str,
    /// `--flag`.
    pub flag: &'static str,
    /// The value as text.
    pub value: String,
    /// Who chose it.
    pub set_by: SetBy,
    /// Why.
    pub why: String,
}

fn row<T>(id: &'static str, chosen: &Chosen<T>, text: impl Fn(&T) -> String) -> ArgRow {
    let flag = crate::bounds::field(id)
        .and_then(|field| field.flag)
        .unwrap_or(id);
    ArgRow {
        id,
        flag,
        value: text(&chosen.value),
        set_by: chosen.set_by,
        why: chosen.why.clone(),
    }
}
