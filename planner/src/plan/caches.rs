//! What the caches of sparse and compressed attention ask of the arguments.
use super::{arguments::Refusal, scenario::Scenario};
use crate::{
    engine::{Extras, IndexType, KvCacheDtype, Method, VllmVersion},
    gpu::Vendor,
    memory::{packed, sparse_latent},
    model::{AttentionSpan, Compressed, LayerRun, Mixer, ModelSpec},
    units::FloatDtype,
};

/// Bytes of a token where sparse latent attention's cache is packed, else 0; or why it does not run.
pub(super) fn packed_latent(
    scenario: &Scenario,
    spec: &ModelSpec,
    capability: u16,
    block_size: u32,
    kv: KvCacheDtype,
) -> Result<u64, Refusal> {
    let Some(index) = sparse_latent::find(spec) else {
        if kv == KvCacheDtype::Nvfp4DsMla {
            return Err(Refusal::vllms(
                "No valid attention backend found: only sparse latent attention reads kv_cache_dtype nvfp4_ds_mla.",
            ));
        }
        return Ok(0);
    };
    let pooled = index.index_kpool > 1;
    if scenario.hardware.gpu.vendor == Vendor::Amd && !pooled {
        return on_amd(scenario, block_size, kv);
    }
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

/// Its one backend there: `v1/attention/backends/mla/rocm_aiter_mla_sparse.py` and `platforms/rocm.py` at 0.33.0.
fn on_amd(scenario: &Scenario, block_size: u32, kv: KvCacheDtype) -> Result<u64, Refusal> {
    if !scenario.hardware.gpu.name.starts_with("MI3") {
        return Err(Refusal::ours(
            "sparse latent attention is modelled on AMD's MI300 and MI350 only: elsewhere its index keeps scores for each head",
        ));
    }
    if block_size != 1 && !block_size.is_multiple_of(16) {
        return Err(Refusal::vllms(
            "No valid attention backend found: this sparse latent attention takes blocks of 1 token or of multiples of 16.",
        ));
    }
    match kv {
        KvCacheDtype::Auto | KvCacheDtype::Bfloat16 | KvCacheDtype::Fp8 | KvCacheDtype::Fp8E4m3 => Ok(0),
        other => Err(Refusal::vllms(format!(
            "No valid attention backend found: ROCM_AITER_MLA_SPARSE does not take kv_cache_dtype {}.",
            other.name()
        ))),
    }
}

/// Bytes of a compressed token, or what DeepSeek V4's and V4.1's caches do not take or is not computed for them.
pub(super) fn compressed_record(
    scenario: &Scenario,
    spec: &ModelSpec,
    layer: &Compressed,
    (block_size, kv): (u32, KvCacheDtype),
    (extras, capability): (&Extras, u16),
) -> Result<u64, Refusal> {
    let shared = layer.shared.is_some();
    if scenario.hardware.gpu.vendor != Vendor::Nvidia {
        // vllm-project/vllm#53961: a start on MI300X had 13 GiB for the cache where NVIDIA's rules leave 54.
        return Err(Refusal::ours(
            "DeepSeek V4 and V4.1 are not modelled yet on AMD GPUs, whose kernels take tens of GiB more while vLLM measures, nor on Intel's",
        ));
    }
    if shared {
        shared_refusal(scenario, spec, block_size, extras, capability)?;
    }
    let Some(record) = packed::record(layer, capability, kv) else {
        return Err(Refusal::vllms(format!(
            "DeepseekV4 {} only supports fp8 kv-cache, got {}. Please set `--kv-cache-dtype fp8` or select a backend that supports bfloat16 KV cache.",
            if shared {
                "packed KV layouts"
            } else {
                "fp8_ds_mla layout"
            },
            kv.name()
        )));
    };
    if !shared && block_size != 256 {
        return Err(Refusal::ours(
            "DeepSeek V4's caches are only computed for blocks of 256 tokens",
        ));
    }
    if capability < 80 || scenario.engine.disable_hybrid_kv_cache_manager == Some(true) {
        return Err(Refusal::ours(
            "DeepSeek V4 is not computed for GPUs before compute capability 8.0, nor with disable_hybrid_kv_cache_manager",
        ));
    }
    Ok(record)
}

/// V4.1's own: `models/deepseek_v41/{attention,sparse_mla}.py`, `v1/attention/backends/mla/indexer.py` at 0.33.0.
fn shared_refusal(
    scenario: &Scenario,
    spec: &ModelSpec,
    block_size: u32,
    extras: &Extras,
    capability: u16,
) -> Result<(), Refusal> {
    let version = scenario.vllm_version;
    if version < VllmVersion::new(33, 0) {
        return Err(Refusal::ours(format!(
            "how vLLM {version} lays out {} was not read: plan 0.33.0",
            spec.architecture
        )));
    }
    if !matches!(capability, 90 | 100..110 | 120..130) {
        return Err(Refusal::ours(
            "DeepSeek V4.1 is only modelled on Hopper and on Blackwell 10.x and 12.x, for which its attention has kernels",
        ));
    }
    if extras
        .speculative
        .as_ref()
        .is_some_and(|speculative| speculative.method != Method::Lookup)
    {
        return Err(Refusal::ours(
            "DeepSeek V4.1's drafting layers (DSpark) and other models that draft for it are not modelled yet",
        ));
    }
    match extras.index_type {
        IndexType::Auto | IndexType::Fp8 => {}
        IndexType::Mxfp4 if (100..110).contains(&capability) => {}
        IndexType::Mxfp4 => {
            return Err(Refusal::vllms(
                "indexer_kv_dtype='mxfp4' requires Blackwell datacenter GPUs (sm_10x, e.g. B200/GB200); sm_120 (consumer Blackwell) and earlier architectures are not supported.",
            ));
        }
        IndexType::Bf16 | IndexType::Narrower => {
            return Err(Refusal::vllms(
                "indexer_kv_dtype is not supported by the DeepSeek sparse indexer (expected one of ('fp8', 'mxfp4')).",
            ));
        }
    }
    let block = packed::shared_block(capability);
    if !block_size.is_multiple_of(block) {
        return Err(Refusal::vllms(format!(
            "No common block size for {block_size}: DeepSeek V4.1's caches take multiples of {block} tokens."
        )));
    }
    Ok(())
}

/// Where Hy4 runs otherwise or not at all (`models/hy_v4/__init__.py` at 0.33.0).
pub(super) fn hy4_refusal(scenario: &Scenario, spec: &ModelSpec) -> Result<(), Refusal> {
    if spec.architecture != sparse_latent::HY4 {
        return Ok(());
    }
    match scenario.hardware.gpu.vendor {
        Vendor::Nvidia => Ok(()),
        Vendor::Intel => Err(Refusal::vllms("hy_v4 does not yet support XPU.")),
        _ => Err(Refusal::ours(
            "Hy4 is only modelled on NVIDIA's GPUs: its classes for AMD's are others",
        )),
    }
}

/// What Inkling's attention and short convolutions do not take, or what is not computed for them
/// (`models/inkling/nvidia/{attention,sconv_swa_attn}.py` at 0.33.0).
pub(super) fn convolved_refusal(
    scenario: &Scenario,
    spec: &ModelSpec,
    types: (FloatDtype, KvCacheDtype),
    block_size: u32,
    capability: u16,
) -> Result<(), Refusal> {
    let shapes = spec.layers.iter().filter_map(|run| match run.mixer {
        Mixer::Attention(attention, _) => Some((attention, attention.relative?)),
        _ => None,
    });
    // The largest page, and the smallest of a convolution's.
    let pages = shapes.map(|(attention, relative)| {
        let keys = 2 * u64::from(block_size) * u64::from(attention.head_dim);
        let convolved = u64::from(relative.kernel) * u64::from(relative.cached_width);
        let heads = u64::from(attention.num_key_value_heads);
        (heads * keys.max(convolved), heads * convolved)
    });
    let Some((largest, convolved)) = pages.reduce(|a, b| (a.0.max(b.0), a.1.min(b.1))) else {
        return Ok(());
    };
    if scenario.hardware.gpu.vendor != Vendor::Nvidia || !(90..120).contains(&capability) {
        return Err(Refusal::ours(
            "Inkling is only modelled on NVIDIA's Hopper and Blackwell 10.x and 11.x: its attention does not start on 12.x (vllm-project/vllm#51405), and its classes for AMD's GPUs are others",
        ));
    }
    let (dtype, kv) = types;
    if dtype != FloatDtype::Bfloat16 {
        return Err(Refusal::vllms(format!(
            "sconv SWA cache supports bfloat16 only, got torch.{}",
            dtype.name()
        )));
    }
    if !matches!(kv, KvCacheDtype::Auto | KvCacheDtype::Bfloat16) {
        return Err(Refusal::ours(
            "Inkling's cache is bfloat16 in vLLM 0.33.0: another fails while its kernels warm up (vllm-project/vllm#54704)",
        ));
    }
    if scenario.engine.disable_hybrid_kv_cache_manager == Some(true) {
        return Err(Refusal::ours(
            "Inkling's short convolutions are not modelled with disable_hybrid_kv_cache_manager",
        ));
    }
    if largest > convolved {
        return Err(Refusal::ours(format!(
            "with blocks of {block_size} tokens vLLM 0.33.0 starts, but its short convolutions read the wrong pages (vllm-project/vllm#51951): take smaller blocks"
        )));
    }
    Ok(())
}

/// What Qwen 4's caches do not take, or what is not computed for them (`models/qwen4_exp/__init__.py`, `nvidia/qsa.py`,
/// `models/config.py: Qwen4ExpForConditionalGenerationConfig` and `config/engram.py` at 0.33.0).
pub(super) fn grouped_refusal(
    scenario: &Scenario,
    spec: &ModelSpec,
    extras: &Extras,
    dtype: FloatDtype,
    kv: KvCacheDtype,
    capability: u16,
) -> Result<(), Refusal> {
    let tables = |run: &LayerRun| run.mixer.ngrams().is_some();
    if extras.engram.is_some() && !spec.layers.iter().any(tables) {
        return Err(Refusal::vllms(
            "EngramConfig requires a model with supported Engram embeddings and non-empty n-gram layer ids.",
        ));
    }
    if packed::grouped(spec).is_none() {
        return Ok(());
    }
    let version = scenario.vllm_version;
    if version < VllmVersion::new(33, 0) {
        return Err(Refusal::ours(format!(
            "how vLLM {version} lays out the caches of {} was not read, and logs of 0.30 show that it differs: plan 0.33.0",
            spec.architecture
        )));
    }
    match scenario.hardware.gpu.vendor {
        Vendor::Nvidia => {}
        Vendor::Amd => {
            return Err(Refusal::ours(
                "this model is not modelled on AMD's GPUs, for which vLLM has classes of its own (models/qwen4_exp/amd)",
            ));
        }
        Vendor::Intel | Vendor::Google => {
            return Err(Refusal::vllms("Qwen4Exp currently supports CUDA and ROCm only"));
        }
    }
    match capability {
        0 => {
            return Err(Refusal::ours(
                "this model is not modelled on GPUs without a compute capability",
            ));
        }
        1..80 => return Err(Refusal::vllms("Qwen4Exp QSA requires FlashAttention")),
        _ => {}
    }
    if dtype != FloatDtype::Bfloat16 {
        return Err(Refusal::vllms("Qwen4Exp QSA currently requires BF16"));
    }
    if !matches!(
        kv,
        KvCacheDtype::Auto | KvCacheDtype::Bfloat16 | KvCacheDtype::Fp8 | KvCacheDtype::Fp8E4m3
    ) {
        return Err(Refusal::vllms(
            "Qwen4Exp QSA requires a BF16 or FP8-e4m3 main KV cache",
        ));
    }
    if spec
        .quantization
        .as_ref()
        .is_some_and(|own| own.method == "compressed-tensors" && own.fp8_kv_cache)
    {
        return Err(Refusal::vllms("Qwen4Exp QSA does not support KV quantization"));
    }
    if matches!(extras.index_type, IndexType::Mxfp4 | IndexType::Narrower) {
        return Err(Refusal::vllms(
            "indexer_kv_dtype is not supported by the Qwen4Exp QSA indexer (only 'bf16' or 'fp8').",
        ));
    }
    if extras.dcp.is_some() {
        return Err(Refusal::vllms(
            "Qwen4Exp QSA does not support context parallelism",
        ));
    }
    match extras.speculative.map(|speculative| speculative.method) {
        None | Some(Method::Mtp | Method::Lookup) => {}
        Some(_) => {
            return Err(Refusal::vllms(
                "Qwen4Exp speculative decoding supports only its native MTP checkpoint and linear n-gram proposers",
            ));
        }
    }
    if scenario.engine.disable_hybrid_kv_cache_manager == Some(true) {
        return Err(Refusal::ours(
            "this model's caches are not computed with disable_hybrid_kv_cache_manager",
        ));
    }
    Ok(())
}

/// Where caches with scales do not run, or are not modelled (`v1/attention/backends/{triton_attn,flashinfer}.py`).
pub(super) fn scaled_refusal(
    scenario: &Scenario,
    spec: &ModelSpec,
    kv: KvCacheDtype,
    capability: u16,
) -> Result<(), Refusal> {
    if let KvCacheDtype::Other(_) = kv {
        let (name, why) = kv.other();
        return Err(Refusal::ours(format!(
            "kv_cache_dtype {name} is not planned: {why}"
        )));
    }
    if kv.scaled().is_none() {
        return Ok(());
    }
    let name = kv.name();
    let none = |why: &str| {
        Err(Refusal::vllms(format!(
            "No valid attention backend found for kv_cache_dtype {name}: {why}"
        )))
    };
    if scenario.hardware.gpu.vendor != Vendor::Nvidia {
        return Err(Refusal::ours(format!(
            "kv_cache_dtype {name} is only modelled on NVIDIA GPUs"
        )));
    }
    let plain = |mixer: Mixer| match mixer {
        Mixer::Mla(_) | Mixer::Compressed(_) => false,
        Mixer::Attention(a, _) => a.index_dim == 0 && a.groups.is_none(),
        _ => true,
    };
    if !spec.cached_layers().all(|run| plain(run.mixer)) {
        return none("latent and indexed attention do not read it");
    }
    if kv.is_turboquant() {
        let windows = |run: &LayerRun| matches!(run.mixer, Mixer::Attention(a, span) if span != AttentionSpan::Full || a.head_dim != a.v_head_dim);
        if spec.cached_layers().any(windows) {
            return Err(Refusal::ours(format!(
                "kv_cache_dtype {name} is only modelled where all layers with a cache attend to everything"
            )));
        }
        return Ok(());
    }
    if !matches!(kv, KvCacheDtype::Nvfp4 | KvCacheDtype::Nvfp44over6) {
        return Ok(());
    }
    let narrow = |mixer: Mixer| matches!(mixer, Mixer::Attention(a, _) if a.head_dim == 64);
    let sinks = |mixer: Mixer| matches!(mixer, Mixer::Attention(a, _) if a.sinks);
    match capability {
        80..100 | 120..130 if kv == KvCacheDtype::Nvfp44over6 => {
            none("only Blackwell's 10.x searches such scales")
        }
        80..100 | 120..130 if spec.layers.iter().any(|run| narrow(run.mixer)) => {
            none("fa2 prefill misreads an NVFP4 KV cache at head_size 64")
        }
        80..100 | 120..130 if spec.layers.iter().any(|run| sinks(run.mixer)) => {
            none("the sink prefill wrapper cannot read an NVFP4 KV cache")
        }
        80..110 | 120..130 => Ok(()),
        _ => none("FlashInfer does not run at this compute capability"),
    }
}
