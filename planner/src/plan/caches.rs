//! What the caches of sparse and compressed attention ask of the arguments.
use super::{arguments::Refusal, scenario::Scenario};
use crate::{engine::KvCacheDtype, memory::sparse_latent, model::ModelSpec};

/// Whether sparse latent attention's cache takes the packed layout, or why it does not run.
pub(super) fn packed_latent(
    scenario: &Scenario,
    spec: &ModelSpec,
    capability: u16,
    block_size: u32,
    kv: KvCacheDtype,
) -> Result<bool, Refusal> {
    let Some(index) = sparse_latent::find(spec) else {
        return Ok(false);
    };
    let pooled = index.index_kpool > 1;
    if scenario.hardware.gpu.compute_capability.is_none() || pooled && (120..130).contains(&capability) {
        return Err(Refusal::ours(
            "sparse latent attention is not modelled yet on GPUs without a compute capability, nor with pooled keys on 12.x",
        ));
    }
    let block = if pooled { 512 } else { 64 };
    if !block_size.is_multiple_of(block) {
        return Err(Refusal::vllms(format!(
            "No valid attention backend found: this sparse latent attention takes blocks of {block} tokens."
        )));
    }
    sparse_latent::packed(spec, &index, capability, kv).ok_or_else(|| {
        Refusal::vllms(format!(
            "No valid attention backend found: sparse latent attention with kv_cache_dtype {} does not run at this compute capability.",
            kv.name()
        ))
    })
}

/// What DeepSeek V4's caches do not take, or what is not computed for them.
pub(super) fn compressed_refusal(
    scenario: &Scenario,
    block_size: u32,
    kv: KvCacheDtype,
    capability: u16,
) -> Result<(), Refusal> {
    if !kv.is_fp8() && kv != KvCacheDtype::Auto {
        return Err(Refusal::vllms(format!(
            "DeepseekV4 fp8_ds_mla layout only supports fp8 kv-cache, got {}. Please set `--kv-cache-dtype fp8` or select a backend that supports bfloat16 KV cache.",
            kv.name()
        )));
    }
    if block_size != 256 {
        return Err(Refusal::ours(
            "DeepSeek V4's caches are only computed for blocks of 256 tokens",
        ));
    }
    if capability < 80 || scenario.engine.disable_hybrid_kv_cache_manager == Some(true) {
        return Err(Refusal::ours(
            "DeepSeek V4 is not computed for GPUs before compute capability 8.0, nor with disable_hybrid_kv_cache_manager",
        ));
    }
    Ok(())
}
