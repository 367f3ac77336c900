//! In which types weights, activations and cache are kept: quantisation, `--dtype`, `--kv-cache-dtype`.
//!
//! Mirrors `vllm/config/model.py` at 0.33.0.
use super::{Refusal, shape};
use crate::{
    engine::{Chosen, KvCacheDtype, ResolvedArgs},
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
        (None, Some("fp8" | "fp8_per_tensor")) => {
            let online = spec.clone().with_online(Quantization::online_fp8());
            (
                Cow::Owned(online),
                Chosen::user(asked.unwrap_or_default().to_owned()),
            )
        }
        (None, Some(asked)) => {
            return Err(Refusal::ours(format!(
                "--quantization {asked} on a checkpoint that is not quantised is not modelled (known: fp8_per_tensor); AWQ, GPTQ and compressed-tensors need a checkpoint that is"
            )));
        }
    };
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

/// vLLM accepts several names for one method.
fn same_method(own: &str, asked: &str) -> bool {
    match own {
        "auto_awq" => matches!(asked, "awq" | "auto_awq" | "awq_marlin"),
        "auto_gptq" => matches!(asked, "gptq" | "auto_gptq" | "gptq_marlin" | "marlin"),
        own => own == asked,
    }
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

pub(super) fn dtype(
    scenario: &Scenario,
    spec: &ModelSpec,
    capability: u16,
) -> Result<Chosen<FloatDtype>, Refusal> {
    let old = capability != 0 && capability < 80;
    match scenario.engine.dtype.flatten() {
        Some(FloatDtype::Bfloat16) if old => Err(Refusal::vllms(format!(
            "Bfloat16 is only supported on GPUs with compute capability of at least 8.0. Your {} GPU has compute capability {}.{}. You can use float16 instead by explicitly setting the `dtype` flag in CLI, for example: --dtype=half.",
            scenario.hardware.gpu.name,
            capability / 10,
            capability % 10
        ))),
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
