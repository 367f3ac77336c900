//! The version's rules as they apply to a model and a GPU.
use super::{drafting, scenario::Scenario};
use crate::{
    engine::{Extras, IndexType, KvCacheDtype, MaxModelLen, MemoryRules, Sampling, VllmVersion},
    gpu::Vendor,
    memory::packed,
    model::{AttentionSpan, GroupIndex, LayerRun, LinearScheme, Mixer, ModelSpec, Quantization},
};
use std::borrow::Cow;

/// Some layers keep a state instead of keys and values.
pub(super) fn recurrent(spec: &ModelSpec) -> bool {
    spec.layers.iter().any(|run| run.mixer.keeps_state())
}

/// The version's rules for this model and maker of GPU.
pub(super) fn rules(scenario: &Scenario, spec: &ModelSpec) -> MemoryRules {
    let version = scenario.vllm_version;
    let mut rules = version.memory_rules();
    rules.sampler_state = version.has_second_runner(&spec.architecture, spec.moe().is_some());
    let vendor = scenario.hardware.gpu.vendor;
    rules.rocm_counts_driver &= vendor == Vendor::Amd;
    match vendor {
        Vendor::Amd => {
            rules.graphs_in_budget &= rules.graphs_on_rocm;
            // FlashInfer is CUDA's; without it the sampler falls back to the Triton kernel.
            if rules.sampling == Sampling::FlashInfer {
                rules.sampling = Sampling::Triton;
            }
        }
        Vendor::Intel => {
            rules.graphs_in_budget &= rules.graphs_on_xpu;
            // A log of the first runner in 0.28.0 has the peak that FlashInfer's bytes make.
            rules.sampling = if rules.sampler_state {
                Sampling::Fused
            } else {
                Sampling::FlashInfer
            };
        }
        Vendor::Nvidia | Vendor::Google => {}
    }
    rules
}

/// Classes that only the first engine runs as long as it is there (`models/interfaces.py: SupportsV0Only` at 0.8.5 to
/// 0.10.1).
const FIRST_ENGINE_ONLY: &[&str] = &["BloomForCausalLM", "WhisperForConditionalGeneration"];

/// Whether vLLM runs its first engine: before 0.8, before 0.9 on ROCm, and up to 0.10.1 on cards before 8.0, for an FP8
/// cache that FlashAttention 3 cannot read and for some classes (`engine/arg_utils.py: _is_v1_supported_oracle` at 0.8.5
/// and 0.10.0).
pub(super) fn first_engine(scenario: &Scenario, spec: &ModelSpec, capability: u16) -> bool {
    let version = scenario.vllm_version;
    let vendor = scenario.hardware.gpu.vendor;
    let nvidia = vendor == Vendor::Nvidia && capability != 0;
    let old_cache = scenario.engine.kv_cache_dtype.is_some_and(KvCacheDtype::is_fp8)
        && capability != 90
        && capability != 100;
    let only = FIRST_ENGINE_ONLY.contains(&spec.architecture.as_str());
    version < VllmVersion::new(8, 0)
        || (version < VllmVersion::new(9, 0) && vendor == Vendor::Amd)
        || (version.memory_rules().has_first_engine && (only || (nvidia && (capability < 80 || old_cache))))
}

/// Whether the first engine cuts prompts of more than 32768 tokens by itself (`engine/arg_utils.py:
/// _set_default_args_v0` at 0.8.5 to 0.10.1).
pub(super) fn cuts_long_prompts(scenario: &Scenario, spec: &ModelSpec, adapters: bool) -> bool {
    let whole = |run: &LayerRun| matches!(run.mixer, Mixer::Attention(_, AttentionSpan::Full));
    scenario.hardware.gpu.vendor == Vendor::Nvidia
        && !adapters
        && !spec.has_tower
        && spec.pooling.is_none()
        && spec.layers.iter().all(whole)
}

/// Where tables of n-grams lie, and what an index keeps.
fn beside_attention(scenario: &Scenario, extras: &Extras, spec: &mut ModelSpec) {
    let replicas = scenario.engine.data_parallel_size.unwrap_or(1);
    // DeepSeek V4.1's are split over the replicas of a node, or shared by them (`distributed/parallel_state.py`).
    let nodes = scenario.hardware.nodes.max(1);
    let near = if replicas.is_multiple_of(nodes) {
        replicas / nodes
    } else {
        1
    };
    for run in &mut spec.layers {
        match &mut run.mixer {
            Mixer::Attention(attention, _) if extras.index_type == IndexType::Fp8 => {
                attention.groups = attention.groups.map(|groups| GroupIndex { element: 1, ..groups });
            }
            Mixer::Compressed(layer) => {
                if let Some(shared) = &mut layer.shared {
                    shared.narrow_keys = extras.index_type == IndexType::Mxfp4;
                }
                if let Some(ngrams) = &mut layer.ngrams {
                    ngrams.on_gpu = extras.engram.is_some_and(|engram| !engram.cpu_offload);
                    ngrams.replicas = near;
                }
            }
            Mixer::GatedDeltaNet(gdn) => {
                if let (Some(ngrams), Some(engram)) = (&mut gdn.ngrams, extras.engram) {
                    ngrams.on_gpu = !engram.cpu_offload;
                    ngrams.replicas = if engram.embedding_across_dp { replicas } else { 1 };
                }
            }
            _ => {}
        }
    }
}

/// The model as the flags and the version have it run.
pub(super) fn as_run(scenario: &Scenario, extras: &Extras, capability: u16, spec: &mut Cow<'_, ModelSpec>) {
    let tokens = extras.speculative.and_then(|speculative| speculative.tokens);
    if drafting::own_layer(scenario, extras) && scenario.engine.pipeline_parallel_size.unwrap_or(1) == 1 {
        *spec = Cow::Owned(spec.clone().into_owned().with_draft(tokens));
    }
    if packed::grouped(spec).is_some() || packed::shared(spec).is_some() {
        beside_attention(scenario, extras, spec.to_mut());
    }
    let rules = scenario.vllm_version.memory_rules();
    if let Some(stretched) = spec.yarn_max_model_len.filter(|_| rules.stretches_yarn)
        && stretched != spec.derived_max_model_len
    {
        let spec = spec.to_mut();
        (spec.derived_max_model_len, spec.default_max_model_len) = (stretched, stretched);
    }
    if rules.wide_interleaved_rope && spec.rope.interleaved {
        spec.to_mut().rope.caches[0] *= 4;
    }
    if let Some(MaxModelLen::Tokens(tokens)) = scenario.engine.max_model_len
        && spec.rope.of_context
    {
        let spec = spec.to_mut();
        let own = u64::from(spec.derived_max_model_len.max(1));
        spec.rope.caches = spec.rope.caches.map(|bytes| bytes / own * u64::from(tokens));
    }
    let nf4 = |own: &&mut Quantization| matches!(own.scheme, LinearScheme::Nf4 { .. });
    if rules.nested_nf4
        && spec.quantization.is_some()
        && let Some(own) = spec.to_mut().quantization.as_mut().filter(nf4)
    {
        own.scheme = LinearScheme::Nf4 { nested: true };
    }
    // Before 0.12 pip brought no Triton kernels for MXFP4 along.
    let mxfp4 = spec.quantization.as_ref().map(|q| q.scheme) == Some(LinearScheme::Mxfp4);
    if extras.marlin_experts || (rules.marlin_mxfp4_on_hopper && mxfp4 && capability == 90) {
        spec.to_mut().marlin_experts = true;
    } else if rules.even_mxfp4_scales && mxfp4 && capability == 90 {
        spec.to_mut().even_mxfp4_scales = true;
    }
}
