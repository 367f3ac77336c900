//! In which types weights, activations and cache are kept: quantisation, `--dtype`, `--kv-cache-dtype`.
//!
//! Mirrors `vllm/config/model.py` at 0.33.0.
use super::{Refusal, shape};
use crate::{
    engine::{Chosen, KvCacheDtype, ResolvedArgs, VllmVersion},
    gpu::Vendor,
    memory::packed,
    model::{LinearScheme, ModelSpec, Quantization},
    plan::scenario::Scenario,
    units::FloatDtype,
};
use std::borrow::Cow;

pub(super) type Quantized<'a> = (Cow<'a, ModelSpec>, Option<Chosen<String>>);

pub(super) fn quantization<'a>(
    scenario: &Scenario,
    spec: &'a ModelSpec,
    capability: u16,
) -> Result<Quantized<'a>, Refusal> {
    let asked = scenario.engine.quantization.as_deref();
    let (spec, chosen) = match (&spec.quantization, asked) {
        (None, None) => return Ok((Cow::Borrowed(spec), None)),
        (Some(own), None) => (
            Cow::Borrowed(spec),
            Chosen::default(own.method.to_owned(), "The checkpoint is quantised so."),
        ),
        (Some(own), Some(asked)) if same_method(own.method, asked) => {
            (Cow::Borrowed(spec), Chosen::user(asked.to_owned()))
        }
        (Some(own), Some(asked)) => {
            return Err(Refusal::vllms(format!(
                "Quantization method specified in the model config ({}) does not match the quantization method specified in the `quantization` argument ({asked}).",
                own.method
            )));
        }
        (None, Some(asked)) => {
            let Some(online) = Quantization::online(asked) else {
                return Err(Refusal::ours(format!(
                    "--quantization {asked} on a checkpoint that is not quantised is not modelled (known: {ONLINE}); AWQ, GPTQ and compressed-tensors need a checkpoint that is"
                )));
            };
            if spec.moe().is_some_and(|moe| moe.sinks > 0) {
                return Err(Refusal::ours(
                    "Inkling quantised while it is loaded is not modelled: its class fills the experts' tensors itself",
                ));
            }
            if spec.attention.tau {
                return Err(Refusal::ours(
                    "Moondream 3 quantised while it is loaded is not modelled: its class keeps the experts in 16 bits",
                ));
            }
            if asked == "bitsandbytes" && spec.moe().is_some() {
                return Err(Refusal::ours(
                    "bitsandbytes with experts is not modelled".to_owned(),
                ));
            }
            (
                Cow::Owned(spec.clone().with_online(online)),
                Chosen::user(asked.to_owned()),
            )
        }
    };
    if let Some(refusal) = spec
        .quantization
        .as_ref()
        .and_then(|own| by_version(own.method, scenario).or_else(|| by_hardware(own.method, capability)))
    {
        return Err(refusal);
    }
    if let Some(own) = &spec.quantization
        && capability != 0
        && capability < own.min_capability
    {
        return Err(Refusal::vllms(format!(
            "The quantization method {} is not supported for the current GPU. Minimum capability: {}. Current capability: {capability}.",
            own.method, own.min_capability
        )));
    }
    Ok((spec, Some(chosen)))
}

/// What `--quantization` takes for a checkpoint that is not quantised.
const ONLINE: &str = "fp8_per_tensor, fp8_per_block, fp8_per_channel, mxfp8, int8_per_channel_weight_only, experts_int8, bitsandbytes up to 0.27";

/// Methods that this version does not have, or takes with a flag only.
fn by_version(method: &str, scenario: &Scenario) -> Option<Refusal> {
    let version = scenario.vllm_version;
    match method {
        "bitsandbytes" if version >= VllmVersion::new(28, 0) => Some(Refusal::ours(format!(
            "quantization `bitsandbytes` is not in vLLM {version} (last in 0.27.1, gone in 0.28.0)"
        ))),
        "fp8_per_block" | "int8_per_channel_weight_only" if version < VllmVersion::new(20, 0) => {
            Some(since(method, "0.20"))
        }
        "fp8_per_channel" if version < VllmVersion::new(24, 0) => Some(since(method, "0.24")),
        "mxfp8" | "modelopt_mxfp8" if version < VllmVersion::new(19, 0) => Some(since(method, "0.19")),
        // `layers/quantization/modelopt.py: _dequant_mxfp8_weights_to_bf16`.
        "modelopt_mxfp8" if scenario.hardware.gpu.vendor != Vendor::Nvidia => Some(Refusal::ours(
            "checkpoints in MXFP8 are not modelled on AMD's and Intel's GPUs, of which some widen them to 16 bits",
        )),
        "fbgemm_fp8" if version >= VllmVersion::new(14, 0) && !allows_deprecated(scenario) => {
            Some(Refusal::vllms(
                "The quantization method fbgemm_fp8 is deprecated and will be removed in future versions of vLLM. To bypass, set `--allow-deprecated-quantization`."
                    .to_owned(),
            ))
        }
        _ => None,
    }
}

fn since(method: &str, version: &str) -> Refusal {
    Refusal::ours(format!("quantization `{method}` is known from vLLM {version} on"))
}

fn allows_deprecated(scenario: &Scenario) -> bool {
    let flag = |(name, value): &(String, Option<String>)| {
        name == "--allow-deprecated-quantization" && value.as_deref() != Some("false")
    };
    scenario.engine.vllm_args.iter().any(flag)
}

/// Methods that need more of a GPU than their least capability says.
fn by_hardware(method: &str, capability: u16) -> Option<Refusal> {
    match method {
        "fp8_per_channel" if (1..89).contains(&capability) => Some(Refusal::vllms(
            "FP8 PTPC online quant requires a kernel that honors per-token activation quantization; MarlinFP8 is W8A16 weight-only. Requires SM89+ for Cutlass FP8 or ROCm MI3xx for rowwise scaled_mm."
                .to_owned(),
        )),
        _ => None,
    }
}

/// vLLM accepts several names for one method.
fn same_method(own: &str, asked: &str) -> bool {
    match own {
        "auto_awq" => matches!(asked, "awq" | "auto_awq" | "awq_marlin"),
        "auto_gptq" => matches!(asked, "gptq" | "auto_gptq" | "gptq_marlin" | "marlin"),
        own => own == asked,
    }
}

/// What a checkpoint of bitsandbytes cannot: the scales of whole weights do not fit a part of them
/// (`model_loader/bitsandbytes_loader.py` at 0.25.1).
pub(super) fn prequantized_refusal(scenario: &Scenario, args: &ResolvedArgs) -> Option<String> {
    let own = scenario.model.spec.as_ref().ok()?.quantization.as_ref()?;
    (own.method == "bitsandbytes" && args.tensor_parallel_size.value > 1).then(|| {
        "Prequant BitsAndBytes models with tensor parallelism is not supported. Please try with pipeline parallelism."
            .to_owned()
    })
}

/// Below 8.9 block-quantised experts run through Marlin, which needs whole blocks.
pub(super) fn marlin_refusal(spec: &ModelSpec, args: &ResolvedArgs, capability: u16) -> Option<String> {
    let Some(LinearScheme::Fp8Block { k, .. }) = spec.quantization.as_ref().map(|q| q.scheme) else {
        return None;
    };
    let ranks = if args.enable_expert_parallel.value {
        1
    } else {
        shape(args).expert_ranks()
    };
    let width = spec.moe()?.moe_intermediate_size / ranks;
    (capability < 89 && !width.is_multiple_of(k))
        .then(|| "No FP8 MoE backend supports the deployment configuration.".to_owned())
}

/// `v1/worker/gpu_worker.py: _check_if_gpu_supports_dtype`.
pub(super) fn no_bfloat16(gpu: &str, capability: u16) -> Refusal {
    Refusal::vllms(format!(
        "Bfloat16 is only supported on GPUs with compute capability of at least 8.0. Your {gpu} GPU has compute capability {}.{}. You can use float16 instead by explicitly setting the `dtype` flag in CLI, for example: --dtype=half.",
        capability / 10,
        capability % 10
    ))
}

pub(super) fn dtype(
    scenario: &Scenario,
    spec: &ModelSpec,
    capability: u16,
) -> Result<Chosen<FloatDtype>, Refusal> {
    let old = capability != 0 && capability < 80;
    match scenario.engine.dtype.flatten() {
        Some(FloatDtype::Bfloat16) if old => Err(no_bfloat16(&scenario.hardware.gpu.name, capability)),
        Some(FloatDtype::Float32) if spec.quantization.is_some() => Err(Refusal::ours(
            "float32 with a quantised checkpoint is not modelled",
        )),
        Some(dtype) => Ok(Chosen::user(dtype)),
        None if old && spec.dtype == FloatDtype::Bfloat16 => Ok(Chosen::default(
            FloatDtype::Float16,
            "The checkpoint is bfloat16, which this GPU cannot compute in.",
        )),
        None => Ok(Chosen::default(spec.dtype, "The checkpoint's own type.")),
    }
}

pub(super) fn kv_cache_dtype(
    scenario: &Scenario,
    spec: &ModelSpec,
    dtype: FloatDtype,
    capability: u16,
) -> Result<Chosen<KvCacheDtype>, Refusal> {
    let from_checkpoint = spec.quantization.as_ref().is_some_and(|q| q.fp8_kv_cache);
    match scenario.engine.kv_cache_dtype {
        None | Some(KvCacheDtype::Auto) if from_checkpoint => Ok(Chosen::default(
            KvCacheDtype::Fp8E4m3,
            "The checkpoint brings scales for an fp8 cache.",
        )),
        None | Some(KvCacheDtype::Auto)
            if (100..110).contains(&capability)
                && (spec.architecture == "GlmMoeDsaForCausalLM" || packed::pooled(spec).is_some()) =>
        {
            Ok(Chosen::default(
                KvCacheDtype::Fp8E4m3,
                "vLLM's default for this model on Blackwell.",
            ))
        }
        None => Ok(Chosen::default(
            KvCacheDtype::Auto,
            "vLLM's default: the model's own type.",
        )),
        Some(kv @ (KvCacheDtype::Bfloat16 | KvCacheDtype::Float16)) if kv.name() != dtype.name() => {
            Err(Refusal::vllms(format!(
                "kv_cache_dtype {} must equal the model's dtype, {}",
                kv.name(),
                dtype.name()
            )))
        }
        Some(kv) => Ok(Chosen::user(kv)),
    }
}
