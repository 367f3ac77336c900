//! What vLLM asks for on Intel's GPUs: `vllm/platforms/xpu.py` and the kernels behind it at 0.26.0 to 0.33.0.
use super::{Refusal, latent};
use crate::{
    engine::{Chosen, KvCacheDtype, VllmVersion},
    memory::packed,
    model::{AttentionSpan, LayerRun, LinearScheme, Mixer, ModelSpec, Quantization},
    plan::scenario::Scenario,
    units::FloatDtype,
};

/// `supported_quantization`, by the names of what was resolved.
const METHODS: &[&str] = &[
    "auto_awq",
    "auto_gptq",
    "compressed-tensors",
    "fp8",
    "fp8_per_block",
    "fp8_per_channel",
    "fp8_per_tensor",
    "gpt_oss_mxfp4",
    "modelopt",
    "mxfp4",
    "mxfp8",
];

/// Why there is no plan on Intel's GPUs.
pub(super) fn refusal(scenario: &Scenario, spec: &ModelSpec, kv: KvCacheDtype) -> Result<(), Refusal> {
    if spec.architecture.starts_with("Glm5Next") {
        // `vllm/models/glm5next/__init__.py`.
        return Err(Refusal::vllms("GLM-5.3-Flash does not currently support XPU."));
    }
    let indexed = |run: &LayerRun| match run.mixer {
        Mixer::Attention(a, span) => a.index_dim > 0 || span == AttentionSpan::Both,
        _ => false,
    };
    if spec.layers.iter().any(indexed) || packed::pooled(spec).is_some() {
        return Err(Refusal::ours(
            "attention that picks tokens by an index is not modelled yet on Intel's GPUs",
        ));
    }
    if kv == KvCacheDtype::Fp8E5m2 && !latent(spec) {
        return Err(Refusal::vllms(
            "FlashAttention does not support fp8_e5m2 kv-cache on this device.",
        ));
    }
    match &spec.quantization {
        Some(own) => quantization(own, scenario.vllm_version),
        None => Ok(()),
    }
}

fn quantization(own: &Quantization, version: VllmVersion) -> Result<(), Refusal> {
    let method = own.method;
    // The list came between 0.26 and 0.29, `fp8_per_channel` in it with 0.32.
    let listed =
        METHODS.contains(&method) && (method != "fp8_per_channel" || version >= VllmVersion::new(32, 0));
    if !listed && version >= VllmVersion::new(29, 0) {
        return Err(Refusal::vllms(format!(
            "{method} quantization is currently not supported in xpu."
        )));
    }
    let no_kernel = |layer: &str| {
        Err(Refusal::vllms(format!(
            "Failed to find a kernel that can implement the {layer} linear layer."
        )))
    };
    match own.scheme {
        _ if !listed => Err(Refusal::ours(format!(
            "quantization `{method}` is not modelled on Intel's GPUs"
        ))),
        LinearScheme::Nvfp4 | LinearScheme::Nvfp4Weights => no_kernel("NVFP4"),
        // `kernels/linear/mixed_precision/xpu.py: can_implement`.
        LinearScheme::PackedInt { bits, group_size, .. }
            if bits != 4 || group_size.is_some_and(|size| !size.is_multiple_of(32)) =>
        {
            no_kernel("WNA16")
        }
        _ => Ok(()),
    }
}

/// FlashAttention's kernels here take blocks of 64; Triton's, which run for float32, for latent attention otherwise and
/// before 0.33 for heads of more than 256, of 16 (`platforms/xpu.py: get_attn_backend_cls`).
pub(super) fn block_size(
    scenario: &Scenario,
    spec: &ModelSpec,
    dtype: FloatDtype,
    kv: KvCacheDtype,
) -> Result<Chosen<u32>, Refusal> {
    let version = scenario.vllm_version;
    let narrow = |run: &LayerRun| match run.mixer {
        Mixer::Mla(mla) => mla.expanded || mla.kv_lora_rank + mla.qk_rope_head_dim == 576,
        _ => true,
    };
    let wide = |run: &LayerRun| matches!(run.mixer, Mixer::Attention(a, _) if a.head_dim > 256);
    let flash = dtype != FloatDtype::Float32
        && (version >= VllmVersion::new(33, 0) || !spec.layers.iter().any(wide))
        && (!latent(spec)
            || version >= VllmVersion::new(32, 0) && !kv.is_fp8() && spec.layers.iter().all(narrow));
    let (name, base) = match (flash, latent(spec)) {
        (true, false) => ("FLASH_ATTN", 64),
        (true, true) => ("FLASH_ATTN_MLA", 64),
        (false, false) => ("TRITON_ATTN", 16),
        (false, true) => ("TRITON_MLA", 16),
    };
    let Some(size) = scenario.engine.block_size else {
        return Ok(if flash {
            Chosen::default(64, "FlashAttention takes blocks of 64 on Intel's GPUs.")
        } else {
            Chosen::default(16, "vLLM's default; Triton's attention takes it.")
        });
    };
    // Up to 0.31 the kernel took multiples of 16, if slowly.
    let needed = if version < VllmVersion::new(32, 0) {
        16
    } else {
        base
    };
    if size.is_multiple_of(needed) {
        return Ok(Chosen::user(size));
    }
    Err(Refusal::vllms(format!(
        "No common block size for {size} ({name}: [MultipleOf({needed})])."
    )))
}
