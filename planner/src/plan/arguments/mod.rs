//! Fills in what was not set: vLLM's default for the version, model and GPU, or our recommendation for the workload.
//!
//! Its rooms: number types, layout, batch, context, Intel's GPUs; what is left stands here.
mod batch;
mod context;
mod layout;
mod number_types;
mod stages;
mod xpu;

pub(super) use context::{longest_for, tokens_per_sequence};
pub(super) use stages::best_partition;

use super::{
    caches, drafting, measured,
    rules::{as_run, cuts_long_prompts, first_engine, recurrent, rules},
    scenario::{Defaults, Scenario},
    tower,
};
use crate::{
    engine::{
        Chosen, Extras, KvCacheDtype, MaxModelLen, Method, ResolvedArgs, Runner, VllmVersion, last_without,
    },
    gpu::{ComputeCapability, GpuSpec, Vendor, XPU},
    memory::{
        budget::{BudgetSettings, RankBudget, Stage, ranks},
        overhead, packed,
        rank_weights::KnownWeights,
        shape::{RankShape, refusal},
        sparse_latent,
    },
    model::{LayerRun, Mixer, ModelSpec, Pooling, Unasked, published_pooling},
    units::{Bytes, Utilization},
};
use batch::Batch;
use std::borrow::Cow;

/// What the arguments resolve to, with the model as vLLM will load it.
pub(super) struct Resolved<'a> {
    pub(super) args: ResolvedArgs,
    /// The checkpoint's spec, or the same quantised while loading.
    pub(super) spec: Cow<'a, ModelSpec>,
    pub(super) settings: BudgetSettings,
    /// Of each pipeline stage, where they differ.
    pub(super) stages: Vec<Stage>,
}

impl Resolved<'_> {
    pub(super) fn shape(&self) -> RankShape {
        shape(&self.args)
    }

    /// All pipeline ranks.
    pub(super) fn ranks(&self, known: &mut KnownWeights) -> Vec<RankBudget> {
        ranks(&self.spec, self.shape(), &self.settings, &self.stages, known)
    }
}

/// `lora/layers/logits_processor.py`.
const MAX_LORA_VOCABULARY: u32 = 258_048;

/// The first release with an image for Intel's GPUs (`docs/getting_started/installation/gpu.xpu.inc.md` at 0.33.0).
const XPU_IMAGE: VllmVersion = VllmVersion::new(26, 0);

/// Why there is no plan.
pub(super) struct Refusal {
    pub(super) reason: String,
    /// The message that vLLM would print, where it is vLLM that refuses.
    pub(super) vllm_error: Option<String>,
}

impl Refusal {
    pub(super) fn ours(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            vllm_error: None,
        }
    }

    pub(super) fn vllms(message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            reason: format!("vLLM refuses: {message}"),
            vllm_error: Some(message),
        }
    }
}

fn shape(args: &ResolvedArgs) -> RankShape {
    RankShape {
        tp: args.tensor_parallel_size.value,
        pp: args.pipeline_parallel_size.value,
        pp_rank: 0,
        layers: None,
        dp: args.data_parallel_size.value,
        ep: args.enable_expert_parallel.value,
    }
}

/// Resolves all arguments of a scenario.
pub(super) fn resolve<'a>(
    scenario: &Scenario,
    spec: &'a ModelSpec,
    known: &mut KnownWeights,
) -> Result<Resolved<'a>, Refusal> {
    let gpu = &scenario.hardware.gpu;
    let total = visible(gpu)?;
    let version = scenario.vllm_version;
    if let Some(last) = last_without(&spec.architecture).filter(|last| version <= *last) {
        return Err(Refusal::ours(format!(
            "vLLM {version} has no class for {}, which came after {last}: plan a later release",
            spec.architecture
        )));
    }
    if gpu.vendor == Vendor::Intel && version < XPU_IMAGE {
        return Err(Refusal::ours(format!(
            "how vLLM {version} accounts memory on Intel's GPUs is not modelled: plan {XPU_IMAGE} or later, of which there are images for them"
        )));
    }
    let capability = capability(gpu);
    let mut extras = Extras::read(&scenario.engine).map_err(|error| Refusal::ours(error.to_string()))?;
    if let Some(speculative) = extras.speculative.as_mut().filter(|s| s.method == Method::Mtp)
        && let depths @ 1.. = spec.draft_chain.layers.len()
    {
        speculative.tokens = speculative.tokens.or(u32::try_from(depths).ok());
    }
    let (spec, quantization) = number_types::quantization(scenario, spec, capability)?;
    let mut spec = pooling(scenario, spec)?;
    as_run(scenario, &extras, capability, &mut spec);
    if extras.lora.is_some() && spec.vocab_size > MAX_LORA_VOCABULARY {
        return Err(Refusal::vllms("When using LoRA, vocab size must be <= 258048"));
    }
    if extras.lora.is_some() && spec.architecture.starts_with("Inkling") {
        // `config/lora.py`; the environment is not planned.
        return Err(Refusal::vllms(
            "Inkling LoRA requires INKLING_MULTIMEM_AR=0: the Lamport fused-collective path bypasses the LoRA-wrapped wo_ud and dense down_proj layers on decode-sized batches, silently dropping their LoRA. Set INKLING_MULTIMEM_AR=0.",
        ));
    }
    if spec.attention.tau && scenario.engine.enable_expert_parallel == Some(true) {
        return Err(Refusal::ours(
            "--enable-expert-parallel changes nothing for Moondream 3, whose class always spreads whole experts over the tensor-parallel ranks: leave it out",
        ));
    }
    let dtype = number_types::dtype(scenario, &spec, capability)?;
    drafting::beside(scenario, &extras, dtype.value, &mut spec)?;
    let asked = match scenario.engine.max_model_len {
        Some(MaxModelLen::Tokens(tokens)) => tokens,
        _ => spec.default_max_model_len,
    };
    let tower = tower::settings(scenario, &spec, asked)?;
    let layout = layout::choose(scenario, &spec, tower)?;
    if recurrent(&spec) && scenario.vllm_version.memory_rules().has_first_engine {
        // `has_inner_state` in `engine/arg_utils.py: _is_v1_supported_oracle` at 0.9.2 to 0.10.1.
        return Err(Refusal::ours(
            "recurrent layers run in vLLM's first engine up to 0.10.1, which keeps their states outside its cache; that is not modelled",
        ));
    }
    let first_engine = first_engine(scenario, &spec, capability);
    caches::hy4_refusal(scenario, &spec)?;
    let batch = Batch::new(scenario, &spec, total, first_engine);
    let kv_cache_dtype = number_types::kv_cache_dtype(scenario, &spec, dtype.value, capability)?;
    caches::grouped_refusal(
        scenario,
        &spec,
        &extras,
        dtype.value,
        kv_cache_dtype.value,
        capability,
    )?;
    caches::scaled_refusal(scenario, &spec, kv_cache_dtype.value, capability)?;
    let amd = scenario.hardware.gpu.vendor == Vendor::Amd;
    let intel = capability == XPU;
    if intel {
        xpu::refusal(scenario, &spec, kv_cache_dtype.value)?;
    }
    let block_size = match scenario.engine.block_size {
        _ if intel => xpu::block_size(scenario, &spec, dtype.value, kv_cache_dtype.value)?,
        Some(size) if size.is_multiple_of(16) => Chosen::user(size),
        // AITER's latent attention takes any (`v1/attention/backends/mla/rocm_aiter_mla.py`), its sparse form 1.
        Some(size) if latent(&spec) && amd && (size == 1 || sparse_latent::find(&spec).is_none()) => {
            Chosen::user(size)
        }
        Some(size) => {
            return Err(Refusal::ours(format!(
                "block_size {size} is no multiple of 16, which the attention backends ask for"
            )));
        }
        None if amd && packed::pooled(&spec).is_none() && sparse_latent::find(&spec).is_some() => {
            Chosen::default(16, "vLLM's default; AITER's sparse latent attention takes it.")
        }
        None => default_block_size(&spec, capability, kv_cache_dtype.value),
    };
    let record = match packed::compressed(&spec) {
        Some(layer) => {
            let cache = (block_size.value, kv_cache_dtype.value);
            caches::compressed_record(scenario, &spec, &layer, cache, (&extras, capability))?
        }
        None => 0,
    };
    let types = (dtype.value, kv_cache_dtype.value);
    caches::convolved_refusal(scenario, &spec, types, block_size.value, capability)?;
    let packed_latent = if record > 0 {
        record
    } else {
        caches::packed_latent(
            scenario,
            &spec,
            capability,
            block_size.value,
            kv_cache_dtype.value,
        )?
    };
    let engine = &scenario.engine;
    let switch = |set: Option<bool>, default: bool, why: &str| {
        set.map_or_else(|| Chosen::default(default, why), Chosen::user)
    };
    let caching = if spec.pooling.is_some() && spec.keeps_no_cache() {
        (
            false,
            "vLLM's default for models that pool and attend in both directions.",
        )
    } else {
        (true, "vLLM's default for decoder models.")
    };
    let mut args = ResolvedArgs {
        version: scenario.vllm_version,
        tensor_parallel_size: layout.0,
        pipeline_parallel_size: layout.1,
        pp_layer_partition: None,
        data_parallel_size: layout.2,
        enable_expert_parallel: switch(
            engine.enable_expert_parallel,
            false,
            "vLLM's default: each GPU holds a slice of every expert.",
        ),
        max_model_len: Chosen::default(1, ""),
        gpu_memory_utilization: utilization(scenario, total),
        kv_cache_memory_bytes: engine.kv_cache_memory_bytes,
        kv_cache_dtype,
        block_size,
        max_num_seqs: batch.max_num_seqs,
        max_num_batched_tokens: batch.max_num_batched_tokens,
        enable_prefix_caching: switch(
            engine.enable_prefix_caching,
            caching.0 && (!recurrent(&spec) || scenario.vllm_version.memory_rules().hybrid_prefix_caching),
            caching.1,
        ),
        enable_chunked_prefill: switch(
            engine.enable_chunked_prefill,
            caching.0 && !first_engine,
            if first_engine {
                "The first engine's default: whole prompts."
            } else {
                caching.1
            },
        ),
        enforce_eager: switch(
            engine.enforce_eager,
            false,
            if intel {
                "vLLM's default: graphs are captured where its version does so on Intel's GPUs (from 0.31 on)."
            } else {
                "vLLM's default: CUDA graphs are captured."
            },
        ),
        disable_hybrid_kv_cache_manager: switch(
            engine.disable_hybrid_kv_cache_manager,
            false,
            "vLLM's default: sliding-window layers free what lies behind their window.",
        ),
        dtype,
        quantization,
        language_model_only: switch(
            engine.language_model_only,
            false,
            "vLLM's default: towers are loaded where the model has them.",
        ),
        trust_remote_code: switch(
            engine.trust_remote_code,
            spec.needs_remote_code,
            "vLLM's default: no code from the repository runs.",
        ),
    };
    let tp = args.tensor_parallel_size.value;
    if let Some(message) = refusal(&spec, &shape(&args)).or_else(|| tower::refusal(&spec, tower, tp)) {
        return Err(Refusal::vllms(message));
    }
    let dcp = drafting::context_parallel(&extras, &spec, tp)?;
    if let Some(message) = number_types::marlin_refusal(&spec, &args, capability)
        .or_else(|| number_types::prequantized_refusal(scenario, &args))
    {
        return Err(Refusal::vllms(message));
    }
    // The context comes last: it may depend on what fits, and the batch depends on it.
    let mut settings = settings(scenario, &spec, &args, total, capability);
    settings.lora = extras.lora;
    settings.speculative = extras.speculative;
    settings.enforce_eager |= extras.no_graphs;
    settings.cpu_offload = extras.cpu_offload;
    settings.num_gpu_blocks = extras.num_gpu_blocks;
    settings.dcp = dcp;
    settings.tower = tower;
    settings.first_engine = first_engine;
    settings.packed_latent = packed_latent;
    settings.max_model_len = match scenario.engine.max_model_len {
        Some(MaxModelLen::Tokens(tokens)) => tokens,
        _ => spec.default_max_model_len,
    };
    let stages = stages::choose(scenario, &spec, &mut args, &settings, known)?;
    args.max_model_len = context::max_model_len(scenario, &spec, &args, &mut settings, &stages, known)?;
    settings.max_model_len = args.max_model_len.value;
    let cuts = cuts_long_prompts(scenario, &spec, settings.lora.is_some());
    batch::finish(&mut args, scenario, cuts)?;
    settings.max_num_batched_tokens = args.max_num_batched_tokens.value;
    settings.max_num_seqs = args.max_num_seqs.value;
    if let Some(tower) = &mut settings.tower {
        tower.max_model_len = args.max_model_len.value;
    }
    Ok(Resolved {
        args,
        spec,
        settings,
        stages,
    })
}

fn visible(gpu: &GpuSpec) -> Result<Bytes, Refusal> {
    match (gpu.plugin(), gpu.memory_visible) {
        (Some(plugin), _) => Err(Refusal::ours(format!(
            "vLLM itself does not run on {}: a plugin, {plugin}, does, with rules of its own for memory that are not modelled",
            gpu.name
        ))),
        (_, Some(total)) => Ok(total),
        (_, None) => Err(Refusal::ours(format!(
            "what a process sees of the memory of {} is not known; give it as gpu_memory",
            gpu.name
        ))),
    }
}

/// 0 for GPUs without one: no CUDA rule applies then. ROCm GPUs compute in FP8 but have none of Hopper's kernels.
fn capability(gpu: &GpuSpec) -> u16 {
    let without = match gpu.vendor {
        Vendor::Amd => 89,
        Vendor::Intel => XPU,
        Vendor::Nvidia | Vendor::Google => 0,
    };
    gpu.compute_capability.map_or(without, ComputeCapability::number)
}

/// The model as `--runner` makes it.
pub(super) fn pooling<'a>(
    scenario: &Scenario,
    spec: Cow<'a, ModelSpec>,
) -> Result<Cow<'a, ModelSpec>, Refusal> {
    let runner = scenario.engine.runner();
    if spec.pooling.is_some() {
        return match runner {
            Some(Runner::Generate) => Err(Refusal::vllms(
                "Embedding models do not support `--runner generate`. Use `--runner pooling` or `--runner auto` for embedding models.",
            )),
            _ => Ok(spec),
        };
    }
    let pools = match runner {
        Some(runner) => runner == Runner::Pooling,
        None => spec.unasked == Unasked::Pools || published_pooling(&scenario.model.id),
    };
    if !pools {
        return Ok(spec);
    }
    if recurrent(&spec) {
        return Err(Refusal::ours(
            "pooling is not modelled for models with recurrent layers",
        ));
    }
    if scenario.engine.passed("--convert") == Some("classify") {
        return Err(Refusal::ours(
            "--convert classify is not modelled for models that generate: their config does not say how many classes there are",
        ));
    }
    let pooled = spec.into_owned().with_pooling(Pooling::default());
    Ok(Cow::Owned(pooled))
}

/// Some layers cache a latent instead of keys and values.
fn latent(spec: &ModelSpec) -> bool {
    let caches = |run: &LayerRun| matches!(run.mixer, Mixer::Mla(mla) if !mla.expanded);
    spec.layers.iter().any(caches)
}

/// The smallest size that the attention backend takes (`vllm/platforms/cuda.py` and the backends at 0.33.0).
pub(super) fn default_block_size(spec: &ModelSpec, capability: u16, kv: KvCacheDtype) -> Chosen<u32> {
    if packed::shared(spec).is_some() {
        return Chosen::default(
            packed::shared_block(capability),
            "The least that all kernels of this attention take.",
        );
    }
    if packed::compressed(spec).is_some() {
        return Chosen::default(256, "Compressed attention takes blocks of 256.");
    }
    let indexed = |run: &LayerRun| matches!(run.mixer, Mixer::Attention(a, _) if a.index_dim > 0);
    if spec.layers.iter().any(indexed) {
        return Chosen::default(128, "The index picks blocks of 128 tokens.");
    }
    if packed::pooled(spec).is_some() {
        return Chosen::default(512, "The index reads 32 keys at once, each of a pool of tokens.");
    }
    if sparse_latent::find(spec).is_some() {
        return Chosen::default(64, "Sparse latent attention takes blocks of 64.");
    }
    let latent = latent(spec);
    let wide = spec
        .layers
        .iter()
        .any(|run| matches!(run.mixer, Mixer::Attention(a, _) if a.head_dim == 512));
    match capability {
        90..110 if wide && kv.is_fp8() => {
            Chosen::default(64, "Heads of 512 read the fp8 cache in blocks of 64.")
        }
        100..110 if latent => Chosen::default(32, "FlashInfer's latent attention takes blocks of 32."),
        90..100 if latent && kv.is_fp8() => {
            Chosen::default(64, "FlashMLA reads the fp8 cache, in blocks of 64.")
        }
        _ => Chosen::default(16, "vLLM's default; the attention backend takes it."),
    }
}

pub(super) fn utilization(scenario: &Scenario, total: Bytes) -> Chosen<Utilization> {
    if let Some(set) = scenario.engine.gpu_memory_utilization {
        return Chosen::user(set);
    }
    let default_percent = scenario.vllm_version.memory_rules().default_utilization_percent;
    let default = Utilization::from_percent(default_percent);
    let headroom = Bytes::new(scenario.headroom_mb.saturating_mul(1_000_000));
    let others = scenario.hardware.memory_used;
    if scenario.defaults == Defaults::Vllm || (headroom == Bytes::ZERO && others == Bytes::ZERO) {
        return Chosen::default(default, "vLLM's default in this version.");
    }
    let limit = default.of(total).saturating_sub(headroom);
    let free = total.saturating_sub(others + overhead::context(capability(&scenario.hardware.gpu)));
    let percent = limit.min(free).get().saturating_mul(100) / total.get().max(1);
    let percent = u8::try_from(percent)
        .unwrap_or(default_percent)
        .clamp(1, default_percent);
    if percent == default_percent {
        return Chosen::default(
            default,
            "vLLM's default in this version; it leaves room for what else is on the GPU.",
        );
    }
    let why = if others == Bytes::ZERO {
        "Leaves the memory free that you asked for."
    } else {
        "vLLM only starts if this part of the whole GPU is free beside the other processes."
    };
    Chosen::recommended(Utilization::from_percent(percent), why)
}

/// Memory settings for these arguments.
fn settings(
    scenario: &Scenario,
    spec: &ModelSpec,
    args: &ResolvedArgs,
    total: Bytes,
    capability: u16,
) -> BudgetSettings {
    let kv = args.kv_cache_dtype.value;
    let kv_element = if kv.is_fp8() || kv == KvCacheDtype::Nvfp4DsMla {
        1
    } else {
        args.dtype.value.size()
    };
    BudgetSettings {
        total,
        used_by_others: scenario.hardware.memory_used,
        utilization: args.gpu_memory_utilization.value,
        kv_cache_memory: args.kv_cache_memory_bytes,
        capability,
        dtype: args.dtype.value,
        kv_element,
        kv_scaled: kv.scaled(),
        packed_latent: 0,
        rocm: scenario.hardware.gpu.vendor == Vendor::Amd,
        max_model_len: args.max_model_len.value,
        block_size: args.block_size.value,
        max_num_seqs: args.max_num_seqs.value,
        max_num_batched_tokens: args.max_num_batched_tokens.value,
        enforce_eager: args.enforce_eager.value,
        no_hybrid: args.disable_hybrid_kv_cache_manager.value,
        prefix_caching: args.enable_prefix_caching.value,
        first_engine: false,
        lora: None,
        speculative: None,
        dcp: 1,
        cpu_offload: Bytes::ZERO,
        num_gpu_blocks: None,
        rules: rules(scenario, spec),
        correction: measured::applying(scenario, args),
        tower: None,
    }
}
