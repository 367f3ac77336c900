//! The arguments as somebody set them: vLLM's names, one to one, nothing filled in.
use crate::{
    bounds::{self, DTYPES, KV_CACHE_DTYPES},
    error::InputError,
    units::{Bytes, FloatDtype, Utilization},
};
use serde::{Deserialize, Serialize};

/// `--max-model-len`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaxModelLen {
    /// That many tokens.
    Tokens(u32),
    /// `auto` or `-1`: the largest that fits.
    Auto,
}

/// `--kv-cache-dtype` values whose sizes are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KvCacheDtype {
    /// The model's own type.
    Auto,
    /// 16 bits.
    Bfloat16,
    /// 16 bits.
    Float16,
    /// 8 bits, e4m3.
    Fp8,
    /// 8 bits.
    Fp8E4m3,
    /// 8 bits.
    Fp8E5m2,
    /// 8 bits, and a float32 scale for each token's key and value in each head.
    Int8PerTokenHead,
    /// The same in 8-bit floats.
    Fp8PerTokenHead,
    /// The same in 4 bits.
    Int4PerTokenHead,
    /// 4-bit floats with an 8-bit scale for 16 of them.
    Nvfp4,
    /// The same with another search for the scales.
    Nvfp44over6,
    /// Sparse latent attention's: 4-bit floats with their scales, and 8-bit positions.
    Nvfp4DsMla,
    /// 8-bit keys and 4-bit values, a scale and a zero for each token's value in each head.
    TurboquantK8v4,
    /// 4 bits, and a norm for each token's key.
    #[serde(rename = "turboquant_4bit_nc")]
    Turboquant4bitNc,
    /// 3-bit keys.
    #[serde(rename = "turboquant_k3v4_nc")]
    TurboquantK3v4Nc,
    /// 3 bits.
    #[serde(rename = "turboquant_3bit_nc")]
    Turboquant3bitNc,
    /// One that vLLM has and the plan does not model, by its place in [`OTHER_CACHES`].
    Other(u8),
}

/// `v1/attention/backends/rocm_octave_attn.py: _kernel_tier`.
const OCTAVE: &str = "it is for AMD GPUs of CDNA 3 and RDNA 3, and not modelled";

/// Caches that are not modelled, and why.
pub const OTHER_CACHES: &[(&str, &str)] = &[
    ("fp8_inc", "none of vLLM's attention backends takes it; say fp8"),
    (
        "fp8_ds_mla",
        "where a model takes it, vLLM turns `fp8` into it by itself: say that",
    ),
    ("octave_k3v4", OCTAVE),
    ("octave_k3v3", OCTAVE),
    ("octave_k3v3_compact", OCTAVE),
    ("ultraquant_4bit", "it is for AMD GPUs, and not modelled"),
];

/// A cache whose elements are not whole bytes, or bring scales.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScaledCache {
    /// Bytes of 16 elements of a key, and of a value.
    pub sixteen: [u64; 2],
    /// Bytes of a token's key, and value, beside its elements.
    pub scale: [u64; 2],
    /// The first and last two layers keep the model's type, where no layer is recurrent.
    pub bare_edges: bool,
}

impl KvCacheDtype {
    /// vLLM's word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Bfloat16 => "bfloat16",
            Self::Float16 => "float16",
            Self::Fp8 => "fp8",
            Self::Fp8E4m3 => "fp8_e4m3",
            Self::Fp8E5m2 => "fp8_e5m2",
            Self::Int8PerTokenHead => "int8_per_token_head",
            Self::Fp8PerTokenHead => "fp8_per_token_head",
            Self::Int4PerTokenHead => "int4_per_token_head",
            Self::Nvfp4 => "nvfp4",
            Self::Nvfp44over6 => "nvfp4_4over6",
            Self::Nvfp4DsMla => "nvfp4_ds_mla",
            Self::TurboquantK8v4 => "turboquant_k8v4",
            Self::Turboquant4bitNc => "turboquant_4bit_nc",
            Self::TurboquantK3v4Nc => "turboquant_k3v4_nc",
            Self::Turboquant3bitNc => "turboquant_3bit_nc",
            Self::Other(_) => self.other().0,
        }
    }

    pub(super) fn parse(text: &str) -> Result<Self, InputError> {
        let other = OTHER_CACHES.iter().position(|(name, _)| *name == text);
        if let Some(at) = other.and_then(|at| u8::try_from(at).ok()) {
            return Ok(Self::Other(at));
        }
        Ok(
            match bounds::parse_choice("kv_cache_dtype", text, KV_CACHE_DTYPES)? {
                "bfloat16" => Self::Bfloat16,
                "float16" => Self::Float16,
                "fp8" => Self::Fp8,
                "fp8_e4m3" => Self::Fp8E4m3,
                "fp8_e5m2" => Self::Fp8E5m2,
                "int8_per_token_head" => Self::Int8PerTokenHead,
                "fp8_per_token_head" => Self::Fp8PerTokenHead,
                "int4_per_token_head" => Self::Int4PerTokenHead,
                "nvfp4" => Self::Nvfp4,
                "turboquant_k8v4" => Self::TurboquantK8v4,
                "turboquant_4bit_nc" => Self::Turboquant4bitNc,
                "turboquant_k3v4_nc" => Self::TurboquantK3v4Nc,
                "turboquant_3bit_nc" => Self::Turboquant3bitNc,
                "nvfp4_4over6" => Self::Nvfp44over6,
                "nvfp4_ds_mla" => Self::Nvfp4DsMla,
                _ => Self::Auto,
            },
        )
    }

    /// Name of one that is not modelled, and why.
    pub fn other(self) -> (&'static str, &'static str) {
        let at = match self {
            Self::Other(at) => usize::from(at),
            _ => usize::MAX,
        };
        OTHER_CACHES.get(at).copied().unwrap_or(("", ""))
    }

    /// How elements and scales lie (`v1/attention/backends/{triton_attn,flashinfer}.py: customize_spec` at 0.33.0).
    pub const fn scaled(self) -> Option<ScaledCache> {
        let (sixteen, scale) = match self {
            Self::Int8PerTokenHead | Self::Fp8PerTokenHead => ([16; 2], [4; 2]),
            Self::Int4PerTokenHead => ([8; 2], [4; 2]),
            Self::Nvfp4 | Self::Nvfp44over6 => ([9; 2], [0; 2]),
            // `layers/quantization/turboquant/config.py`
            Self::TurboquantK8v4 => ([16, 8], [0, 4]),
            Self::Turboquant4bitNc => ([8; 2], [2, 4]),
            Self::TurboquantK3v4Nc => ([6, 8], [2, 4]),
            Self::Turboquant3bitNc => ([6; 2], [2, 4]),
            _ => return None,
        };
        Some(ScaledCache {
            sixteen,
            scale,
            bare_edges: self.is_turboquant(),
        })
    }

    /// Whether it is one of TurboQuant's.
    pub const fn is_turboquant(self) -> bool {
        matches!(
            self,
            Self::TurboquantK8v4 | Self::Turboquant4bitNc | Self::TurboquantK3v4Nc | Self::Turboquant3bitNc
        )
    }

    /// Whether an element takes one byte.
    pub const fn is_fp8(self) -> bool {
        matches!(self, Self::Fp8 | Self::Fp8E4m3 | Self::Fp8E5m2)
    }
}

/// What was set. `None` is "not set".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EngineArgs {
    /// GPUs that each layer is split over.
    pub tensor_parallel_size: Option<u32>,
    /// Stages that the layers are split into.
    pub pipeline_parallel_size: Option<u32>,
    /// Copies of the engine.
    pub data_parallel_size: Option<u32>,
    /// Whole experts on each GPU.
    pub enable_expert_parallel: Option<bool>,
    /// Context length.
    pub max_model_len: Option<MaxModelLen>,
    /// Part of the GPU that vLLM may fill.
    pub gpu_memory_utilization: Option<Utilization>,
    /// Exact KV cache size per GPU.
    pub kv_cache_memory_bytes: Option<Bytes>,
    /// Element type of the KV cache.
    pub kv_cache_dtype: Option<KvCacheDtype>,
    /// Tokens per KV cache block.
    pub block_size: Option<u32>,
    /// Largest batch.
    pub max_num_seqs: Option<u32>,
    /// Largest step.
    pub max_num_batched_tokens: Option<u32>,
    /// Prefix caching.
    pub enable_prefix_caching: Option<bool>,
    /// Chunked prefill.
    pub enable_chunked_prefill: Option<bool>,
    /// No CUDA graphs.
    pub enforce_eager: Option<bool>,
    /// Sliding-window layers keep the full length.
    pub disable_hybrid_kv_cache_manager: Option<bool>,
    /// `None` inside is `auto`.
    pub dtype: Option<Option<FloatDtype>>,
    /// Quantisation method.
    pub quantization: Option<String>,
    /// Leave vision and audio towers out.
    pub language_model_only: Option<bool>,
    /// Run code from the model's repository.
    pub trust_remote_code: Option<bool>,
    /// The name that clients ask for.
    pub served_model_name: Option<String>,
    /// Where the server listens.
    pub port: Option<u32>,
    /// Further flags, passed through as they are: (`--flag`, value).
    pub vllm_args: Vec<(String, Option<String>)>,
}

/// The fields of [`EngineArgs`] in the order of links, tables and command lines.
const IDS: &[&str] = &[
    "tensor_parallel_size",
    "pipeline_parallel_size",
    "data_parallel_size",
    "enable_expert_parallel",
    "max_model_len",
    "gpu_memory_utilization",
    "kv_cache_memory_bytes",
    "kv_cache_dtype",
    "block_size",
    "max_num_seqs",
    "max_num_batched_tokens",
    "enable_prefix_caching",
    "enable_chunked_prefill",
    "enforce_eager",
    "disable_hybrid_kv_cache_manager",
    "dtype",
    "quantization",
    "language_model_only",
    "trust_remote_code",
    "served_model_name",
    "port",
];

/// `--runner`, as far as memory depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runner {
    /// Text comes out.
    Generate,
    /// Vectors or classes come out.
    Pooling,
}

impl EngineArgs {
    /// The last value of a flag that is passed through; empty where it has none.
    pub fn passed(&self, flag: &str) -> Option<&str> {
        let found = self.vllm_args.iter().rev().find(|(name, _)| name == flag);
        found.map(|(_, value)| value.as_deref().unwrap_or_default())
    }

    /// Whether a switch that is passed through is on; the last word counts, `--no-…` too.
    pub fn switched(&self, flag: &str) -> bool {
        let negative = super::flags::negation(flag);
        let last = self
            .vllm_args
            .iter()
            .rev()
            .find(|(name, _)| name == flag || *name == negative);
        last.is_some_and(|(name, value)| name == flag && value.as_deref() != Some("false"))
    }

    /// What `--runner` says, or what follows from `--convert`; `None` where vLLM chooses (`config/model.py: _get_runner_type`).
    pub fn runner(&self) -> Option<Runner> {
        let converts = matches!(self.passed("--convert"), Some("embed" | "classify"));
        // Up to 0.12 the task said it.
        let pools = self
            .passed("--task")
            .is_some_and(|task| !["auto", "generate", "transcription"].contains(&task));
        match self.passed("--runner") {
            Some("generate") => Some(Runner::Generate),
            Some("pooling") => Some(Runner::Pooling),
            None | Some("auto") if converts || pools => Some(Runner::Pooling),
            _ => None,
        }
    }

    /// The names that [`Self::get`] and [`Self::set`] know.
    pub fn ids() -> &'static [&'static str] {
        IDS
    }

    /// The value as text, or `None` where it is not set or the name is unknown.
    pub fn get(&self, id: &str) -> Option<String> {
        let count = |value: Option<u32>| value.map(|v| v.to_string());
        let switch = |value: Option<bool>| value.map(|v| v.to_string());
        match id {
            "tensor_parallel_size" => count(self.tensor_parallel_size),
            "pipeline_parallel_size" => count(self.pipeline_parallel_size),
            "data_parallel_size" => count(self.data_parallel_size),
            "enable_expert_parallel" => switch(self.enable_expert_parallel),
            "max_model_len" => self.max_model_len.map(|len| match len {
                MaxModelLen::Tokens(tokens) => tokens.to_string(),
                MaxModelLen::Auto => "auto".to_owned(),
            }),
            "gpu_memory_utilization" => self.gpu_memory_utilization.map(|u| u.to_string()),
            "kv_cache_memory_bytes" => self.kv_cache_memory_bytes.map(|b| b.get().to_string()),
            "kv_cache_dtype" => self.kv_cache_dtype.map(|d| d.name().to_owned()),
            "block_size" => count(self.block_size),
            "max_num_seqs" => count(self.max_num_seqs),
            "max_num_batched_tokens" => count(self.max_num_batched_tokens),
            "enable_prefix_caching" => switch(self.enable_prefix_caching),
            "enable_chunked_prefill" => switch(self.enable_chunked_prefill),
            "enforce_eager" => switch(self.enforce_eager),
            "disable_hybrid_kv_cache_manager" => switch(self.disable_hybrid_kv_cache_manager),
            "dtype" => self.dtype.map(|d| d.map_or("auto", FloatDtype::name).to_owned()),
            "quantization" => self.quantization.clone(),
            "language_model_only" => switch(self.language_model_only),
            "trust_remote_code" => switch(self.trust_remote_code),
            "served_model_name" => self.served_model_name.clone(),
            "port" => count(self.port),
            _ => None,
        }
    }

    /// Sets a value from text. Empty text unsets it. On an error nothing changes.
    pub fn set(&mut self, id: &str, text: &str) -> Result<(), InputError> {
        let text = text.trim();
        let text = (!text.is_empty()).then_some(text);
        let count = || text.map(|t| small(id, t)).transpose();
        let switch = || text.map(|t| bounds::parse_switch(id, t)).transpose();
        let words = || text.map(|t| bounds::parse_text(id, t)).transpose();
        match id {
            "tensor_parallel_size" => self.tensor_parallel_size = count()?,
            "pipeline_parallel_size" => self.pipeline_parallel_size = count()?,
            "data_parallel_size" => self.data_parallel_size = count()?,
            "enable_expert_parallel" => self.enable_expert_parallel = switch()?,
            "max_model_len" => self.max_model_len = text.map(max_model_len).transpose()?,
            "gpu_memory_utilization" => self.gpu_memory_utilization = text.map(utilization).transpose()?,
            "kv_cache_memory_bytes" => {
                self.kv_cache_memory_bytes = text.map(|t| memory(id, t)).transpose()?;
            }
            "kv_cache_dtype" => self.kv_cache_dtype = text.map(KvCacheDtype::parse).transpose()?,
            "block_size" => self.block_size = count()?,
            "max_num_seqs" => self.max_num_seqs = count()?,
            "max_num_batched_tokens" => self.max_num_batched_tokens = count()?,
            "enable_prefix_caching" => self.enable_prefix_caching = switch()?,
            "enable_chunked_prefill" => self.enable_chunked_prefill = switch()?,
            "enforce_eager" => self.enforce_eager = switch()?,
            "disable_hybrid_kv_cache_manager" => self.disable_hybrid_kv_cache_manager = switch()?,
            "dtype" => self.dtype = text.map(dtype).transpose()?,
            "quantization" => self.quantization = words()?,
            "language_model_only" => self.language_model_only = switch()?,
            "trust_remote_code" => self.trust_remote_code = switch()?,
            "served_model_name" => self.served_model_name = words()?,
            "port" => self.port = count()?,
            _ => return Err(InputError::new(id, "not an engine argument that is known here")),
        }
        Ok(())
    }
}

fn small(id: &str, text: &str) -> Result<u32, InputError> {
    let value = bounds::parse_count(id, text)?;
    u32::try_from(value).map_err(|_| InputError::new(id, "too large"))
}

fn max_model_len(text: &str) -> Result<MaxModelLen, InputError> {
    match text {
        "auto" | "-1" => Ok(MaxModelLen::Auto),
        text => small("max_model_len", text).map(MaxModelLen::Tokens),
    }
}

fn utilization(text: &str) -> Result<Utilization, InputError> {
    text.parse()
        .map_err(|e: crate::units::UtilizationError| InputError::new("gpu_memory_utilization", e.to_string()))
}

/// An amount of memory of at most 16 TiB, so that every product stays in range.
pub(crate) fn memory(id: &str, text: &str) -> Result<Bytes, InputError> {
    let bytes = Bytes::parse(text).map_err(|e| InputError::new(id, e.to_string()))?;
    if bytes > Bytes::from_gib(16 * 1024) {
        return Err(InputError::new(id, "expected at most 16 TiB"));
    }
    Ok(bytes)
}

fn dtype(text: &str) -> Result<Option<FloatDtype>, InputError> {
    match text {
        "auto" => Ok(None),
        text => FloatDtype::parse(text)
            .map(Some)
            .ok_or_else(|| InputError::new("dtype", format!("expected one of {}", DTYPES.join(", ")))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_has_a_field_and_round_trips() {
        let values = [
            "8",
            "2",
            "2",
            "true",
            "32768",
            "0.92",
            "1073741824",
            "fp8",
            "16",
            "256",
            "8192",
            "false",
            "true",
            "true",
            "true",
            "bfloat16",
            "fp8_per_tensor",
            "true",
            "true",
            "my model",
            "8000",
        ];
        for (id, value) in IDS.iter().zip(values) {
            assert!(bounds::field(id).is_some(), "{id} is missing in bounds");
            let mut args = EngineArgs::default();
            args.set(id, value).unwrap();
            assert_eq!(args.get(id).as_deref(), Some(value), "{id}");
            args.set(id, "").unwrap();
            assert_eq!(args, EngineArgs::default(), "{id}");
        }
        assert_eq!(IDS.len(), values.len());
    }

    #[test]
    fn a_bad_value_changes_nothing_and_names_the_field() {
        let mut args = EngineArgs {
            max_num_seqs: Some(7),
            ..EngineArgs::default()
        };
        for (id, value) in [
            ("max_num_seqs", "many"),
            ("gpu_memory_utilization", "1.5"),
            ("kv_cache_dtype", "fp9"),
            ("dtype", "int8"),
        ] {
            assert_eq!(args.set(id, value).unwrap_err().field, id);
        }
        assert_eq!(args.max_num_seqs, Some(7));
    }
}
