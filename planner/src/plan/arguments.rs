//! Fills in what was not set: vLLM's default for the version, model and GPU, or our recommendation for the workload.
//!
//! Defaults mirror `vllm/engine/arg_utils.py: get_batch_defaults` and `config/model.py` at 0.33.0.
use super::{
    caches,
    judge::unsure,
    rules::{as_run, first_engine, recurrent, rules},
    scenario::{Defaults, Scenario},
    tower,
};
use crate::{
    engine::{Chosen, Extras, KvCacheDtype, MaxModelLen, ResolvedArgs, Runner, SetBy},
    gpu::{ComputeCapability, GpuSpec, Vendor},
    memory::{
        budget::{BudgetSettings, RankBudget, ranks, worst},
        encoder::TowerSettings,
        overhead, packed,
        shape::{RankShape, refusal},
        sparse_latent,
    },
    model::{LayerRun, LinearScheme, Mixer, ModelSpec, Pooling, Quantization, Unasked},
    units::{Bytes, FloatDtype, Utilization},
    workload::BatchingMode,
};
use std::{borrow::Cow, fmt::Write as _};

/// What the arguments resolve to, with the model as vLLM will load it.
pub(super) struct Resolved<'a> {
    pub(super) args: ResolvedArgs,
    /// The checkpoint's spec, or the same quantised while loading.
    pub(super) spec: Cow<'a, ModelSpec>,
    pub(super) settings: BudgetSettings,
}

impl Resolved<'_> {
    pub(super) fn shape(&self) -> RankShape {
        shape(&self.args)
    }
}

/// `lora/layers/logits_processor.py`.
const MAX_LORA_VOCABULARY: u32 = 258_048;

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
        dp: args.data_parallel_size.value,
        ep: args.enable_expert_parallel.value,
    }
}

/// Resolves all arguments of a scenario.
pub(super) fn resolve<'a>(scenario: &Scenario, spec: &'a ModelSpec) -> Result<Resolved<'a>, Refusal> {
    let gpu = &scenario.hardware.gpu;
    let total = visible(gpu)?;
    let capability = capability(gpu);
    let extras = Extras::read(&scenario.engine).map_err(|error| Refusal::ours(error.to_string()))?;
    let (spec, quantization) = quantization(scenario, spec, capability)?;
    let mut spec = pooling(scenario, spec)?;
    as_run(scenario, &extras, capability, &mut spec);
    if extras.lora.is_some() && spec.vocab_size > MAX_LORA_VOCABULARY {
        return Err(Refusal::vllms("When using LoRA, vocab size must be <= 258048"));
    }
    let dtype = dtype(scenario, &spec, capability)?;
    let asked = match scenario.engine.max_model_len {
        Some(MaxModelLen::Tokens(tokens)) => tokens,
        _ => spec.default_max_model_len,
    };
    let tower = tower::settings(scenario, &spec, asked)?;
    let layout = layout(scenario, &spec, tower)?;
    let first_engine = first_engine(scenario, capability);
    let batch = Batch::new(scenario, &spec, total, first_engine);
    let kv_cache_dtype = kv_cache_dtype(scenario, &spec, dtype.value, capability)?;
    let block_size = match scenario.engine.block_size {
        Some(size) if size.is_multiple_of(16) => Chosen::user(size),
        Some(size) => {
            return Err(Refusal::ours(format!(
                "block_size {size} is no multiple of 16, which the attention backends ask for"
            )));
        }
        None => default_block_size(&spec, capability, kv_cache_dtype.value),
    };
    if packed::compressed(&spec).is_some() {
        caches::compressed_refusal(scenario, block_size.value, kv_cache_dtype.value, capability)?;
    }
    let packed_latent = caches::packed_latent(
        scenario,
        &spec,
        capability,
        block_size.value,
        kv_cache_dtype.value,
    )?;
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
                "The first engine's default up to 32768 tokens of context: whole prompts."
            } else {
                caching.1
            },
        ),
        enforce_eager: switch(
            engine.enforce_eager,
            false,
            "vLLM's default: CUDA graphs are captured.",
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
    if let Some(message) = marlin_refusal(&spec, &args, capability) {
        return Err(Refusal::vllms(message));
    }
    // The context comes last: it may depend on what fits, and the batch depends on it.
    let mut settings = settings(scenario, &spec, &args, total, capability);
    settings.lora = extras.lora;
    settings.tower = tower;
    settings.packed_latent = packed_latent;
    settings.max_model_len = match scenario.engine.max_model_len {
        Some(MaxModelLen::Tokens(tokens)) => tokens,
        _ => spec.default_max_model_len,
    };
    args.max_model_len = max_model_len(scenario, &spec, &args, &mut settings)?;
    settings.max_model_len = args.max_model_len.value;
    finish_batch(&mut args, scenario)?;
    settings.max_num_batched_tokens = args.max_num_batched_tokens.value;
    settings.max_num_seqs = args.max_num_seqs.value;
    if let Some(tower) = &mut settings.tower {
        tower.max_model_len = args.max_model_len.value;
    }
    Ok(Resolved { args, spec, settings })
}

fn visible(gpu: &GpuSpec) -> Result<Bytes, Refusal> {
    match (gpu.vendor, gpu.memory_visible) {
        (Vendor::Intel | Vendor::Google, _) => Err(Refusal::ours(format!(
            "{} is no CUDA or ROCm GPU; vLLM's memory rules there are not modelled",
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
    gpu.compute_capability.map_or(
        if gpu.vendor == Vendor::Amd { 89 } else { 0 },
        ComputeCapability::number,
    )
}

/// The model as `--runner` makes it.
fn pooling<'a>(scenario: &Scenario, spec: Cow<'a, ModelSpec>) -> Result<Cow<'a, ModelSpec>, Refusal> {
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
        None => spec.unasked == Unasked::Pools,
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
    let pooled = spec.into_owned().with_pooling(Pooling { classifier: None });
    Ok(Cow::Owned(pooled))
}

type Quantized<'a> = (Cow<'a, ModelSpec>, Option<Chosen<String>>);

fn quantization<'a>(
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
fn marlin_refusal(spec: &ModelSpec, args: &ResolvedArgs, capability: u16) -> Option<String> {
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

fn dtype(scenario: &Scenario, spec: &ModelSpec, capability: u16) -> Result<Chosen<FloatDtype>, Refusal> {
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

fn kv_cache_dtype(
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

/// The smallest size that the attention backend takes (`vllm/platforms/cuda.py` and the backends at 0.33.0).
fn default_block_size(spec: &ModelSpec, capability: u16, kv: KvCacheDtype) -> Chosen<u32> {
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
    let latent = spec
        .layers
        .iter()
        .any(|run| matches!(run.mixer, Mixer::Mla(mla) if !mla.expanded));
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

type Layout = (Chosen<u32>, Chosen<u32>, Chosen<u32>);

/// Tensor, pipeline and data parallel sizes.
fn layout(scenario: &Scenario, spec: &ModelSpec, tower: Option<TowerSettings>) -> Result<Layout, Refusal> {
    let (engine, hardware) = (&scenario.engine, &scenario.hardware);
    let dp = engine
        .data_parallel_size
        .map_or_else(|| Chosen::default(1, "vLLM's default: one engine."), Chosen::user);
    let recommend = scenario.defaults == Defaults::Recommended;
    let pp = match engine.pipeline_parallel_size {
        Some(size) => Chosen::user(size),
        None if recommend && hardware.nodes > 1 => Chosen::recommended(
            hardware.nodes,
            "One stage per node, so that only stages talk over the network.",
        ),
        None => Chosen::default(1, "vLLM's default: one stage."),
    };
    let tp = match engine.tensor_parallel_size {
        Some(size) => Chosen::user(size),
        None if recommend => recommended_tp(scenario, spec, tower, pp.value, dp.value),
        None => Chosen::default(1, "vLLM's default: one GPU per layer."),
    };
    let needed = u64::from(tp.value) * u64::from(pp.value) * u64::from(dp.value);
    if needed > u64::from(hardware.total_gpus()) {
        return Err(Refusal::ours(format!(
            "tensor_parallel_size {} × pipeline_parallel_size {} × data_parallel_size {} needs {needed} GPUs; the scenario has {}",
            tp.value,
            pp.value,
            dp.value,
            hardware.total_gpus()
        )));
    }
    Ok((tp, pp, dp))
}

/// The largest size that the model can be cut into and the GPUs allow.
fn recommended_tp(
    scenario: &Scenario,
    spec: &ModelSpec,
    tower: Option<TowerSettings>,
    pp: u32,
    dp: u32,
) -> Chosen<u32> {
    let share = (scenario.hardware.total_gpus() / pp.max(1) / dp.max(1)).max(1);
    let share = share.min(scenario.hardware.gpus.max(1));
    let ep = scenario.engine.enable_expert_parallel.unwrap_or(false);
    let allowed = |tp: &u32| {
        refusal(
            spec,
            &RankShape {
                tp: *tp,
                pp: 1,
                pp_rank: 0,
                dp,
                ep,
            },
        )
        .is_none()
            && tower::refusal(spec, tower, *tp).is_none()
    };
    let tp = (1..=share).rev().find(allowed).unwrap_or(1);
    if tp == 1 && share == 1 {
        return Chosen::default(1, "One GPU.");
    }
    let mut why =
        format!("The largest size up to {share} that this model's heads and layers can be split into");
    if tp < share {
        let _ = write!(why, "; {} of {share} GPUs stay unused", share - tp);
    }
    why.push('.');
    Chosen::recommended(tp, why)
}

fn utilization(scenario: &Scenario, total: Bytes) -> Chosen<Utilization> {
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
    let free = total.saturating_sub(others + overhead::context());
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

struct Batch {
    max_num_seqs: Chosen<u32>,
    max_num_batched_tokens: Chosen<u32>,
}

impl Batch {
    fn new(scenario: &Scenario, spec: &ModelSpec, total: Bytes, first_engine: bool) -> Self {
        let gpu = &scenario.hardware.gpu;
        let gb10 = gpu.compute_capability.is_some_and(|c| c.number() == 121);
        let a100 = gpu.name.to_ascii_lowercase().contains("a100");
        let rules = scenario.vllm_version.memory_rules();
        let small = a100 || (gb10 && rules.small_batches_on_gb10);
        let big = total >= Bytes::from_gib(70) && !small;
        let (tokens, seqs, class) = match total {
            _ if first_engine => (2048, 256, "any size in the first engine"),
            total if total >= Bytes::from_gib(160) && rules.large_gpu_batches => {
                (16_384, 1024, "160 GiB or more")
            }
            _ if big => (8192, 1024, "70 GiB or more"),
            _ => (2048, 256, "its size"),
        };
        let why = format!("vLLM's default for `vllm serve` on a GPU of {class}.");
        let recommend = scenario.defaults == Defaults::Recommended;
        let wanted = scenario
            .workload
            .concurrency
            .saturating_mul(2)
            .next_multiple_of(16)
            .max(32);
        let max_num_seqs = match scenario.engine.max_num_seqs {
            Some(set) => Chosen::user(set),
            None if recommend && wanted < seqs && spec.pooling.is_none() => {
                let saved = Bytes::new(u64::from(seqs - wanted) * 18 * u64::from(spec.vocab_size));
                Chosen::recommended(
                    wanted,
                    format!(
                        "Twice your concurrency; the default of {seqs} would keep {saved} more for the sampler."
                    ),
                )
            }
            None => Chosen::default(seqs, why.clone()),
        };
        let mode = scenario.workload.batching_mode;
        let max_num_batched_tokens = match scenario.engine.max_num_batched_tokens {
            Some(set) => Chosen::user(set),
            None if recommend && mode == BatchingMode::Throughput && tokens < 16_384 => Chosen::recommended(
                tokens * 2,
                "Larger steps raise throughput and cost activation memory.",
            ),
            None if recommend && mode == BatchingMode::Latency && tokens > 2048 => {
                Chosen::recommended(2048, "Shorter steps keep the time between two tokens even.")
            }
            None => Chosen::default(tokens, why),
        };
        Self {
            max_num_seqs,
            max_num_batched_tokens,
        }
    }
}

/// Memory settings for these arguments.
fn settings(
    scenario: &Scenario,
    spec: &ModelSpec,
    args: &ResolvedArgs,
    total: Bytes,
    capability: u16,
) -> BudgetSettings {
    let kv_element = if args.kv_cache_dtype.value.is_fp8() {
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
        packed_latent: false,
        max_model_len: args.max_model_len.value,
        block_size: args.block_size.value,
        max_num_seqs: args.max_num_seqs.value,
        max_num_batched_tokens: args.max_num_batched_tokens.value,
        enforce_eager: args.enforce_eager.value,
        no_hybrid: args.disable_hybrid_kv_cache_manager.value,
        prefix_caching: args.enable_prefix_caching.value,
        lora: None,
        rocm: scenario.hardware.gpu.vendor == Vendor::Amd,
        rules: rules(scenario, spec),
        tower: None,
    }
}

fn max_model_len(
    scenario: &Scenario,
    spec: &ModelSpec,
    args: &ResolvedArgs,
    settings: &mut BudgetSettings,
) -> Result<Chosen<u32>, Refusal> {
    let longest = spec.derived_max_model_len;
    if let Some(MaxModelLen::Tokens(tokens)) = scenario.engine.max_model_len {
        if tokens > longest {
            return Err(Refusal::vllms(format!(
                "User-specified max_model_len ({tokens}) is greater than the derived max_model_len ({}={longest} or model_max_length=None in model's config.json). To allow overriding this maximum, set the env var VLLM_ALLOW_LONG_MAX_MODEL_LEN=1.",
                spec.derived_max_model_len_key
            )));
        }
        return Ok(Chosen::user(tokens));
    }
    let default = spec.default_max_model_len;
    let why_default = format!("The model's own length ({}).", spec.derived_max_model_len_key);
    let auto = scenario.engine.max_model_len == Some(MaxModelLen::Auto);
    if !auto && scenario.defaults == Defaults::Vllm {
        return Ok(Chosen::default(default, why_default));
    }
    let ranks = ranks(spec, shape(args), settings);
    let fits = longest_that_fits(spec, &ranks, default, Bytes::ZERO);
    if auto {
        return Ok(Chosen {
            why: "auto: the longest that fits.".to_owned(),
            ..Chosen::user(fits.max(1))
        });
    }
    // As far as the estimate is sure of it.
    let fits = match longest_that_fits(spec, &ranks, default, unsure(settings.total)) {
        0 => fits,
        sure => sure,
    };
    if fits >= default {
        return Ok(Chosen::default(default, why_default));
    }
    let needed = tokens_per_sequence(scenario, spec).min(default);
    let round = if fits >= 4096 {
        fits / 1024 * 1024
    } else {
        fits / 16 * 16
    };
    if round < needed || round == 0 {
        let why = "What your prompt and answer need; even this does not fit.".to_owned();
        return Ok(Chosen::recommended(
            needed,
            if fits >= needed {
                "What your prompt and answer need.".to_owned()
            } else {
                why
            },
        ));
    }
    Ok(Chosen::recommended(
        round,
        format!("The longest that surely fits; the model could take {default}."),
    ))
}

/// Tokens of one typical request: nothing is generated where the model pools.
pub(super) fn tokens_per_sequence(scenario: &Scenario, spec: &ModelSpec) -> u32 {
    if spec.pooling.is_some() {
        scenario.workload.prompt_tokens
    } else {
        scenario.workload.tokens_per_sequence()
    }
}

/// The longest context of which one sequence fits on every rank, with so much to spare.
pub(super) fn longest_that_fits(spec: &ModelSpec, ranks: &[RankBudget], limit: u32, spare: Bytes) -> u32 {
    if spec.keeps_no_cache() {
        return limit;
    }
    let longest = worst(ranks).map_or(0, |rank| {
        let kept = spare.get().div_ceil(rank.layout.bytes_per_block.max(1));
        rank.layout
            .longest(rank.num_blocks.saturating_sub(kept), 1, u64::from(limit))
    });
    u32::try_from(longest).unwrap_or(u32::MAX)
}

/// vLLM's last adjustments of the batch, once the context is known.
fn finish_batch(args: &mut ResolvedArgs, scenario: &Scenario) -> Result<(), Refusal> {
    let (seqs, length) = (args.max_num_seqs.value, args.max_model_len.value);
    let limit = u64::from(seqs) * u64::from(length);
    let set = scenario.engine.max_num_batched_tokens;
    let tokens = args.max_num_batched_tokens.value;
    // The first engine cuts longer prompts by itself.
    let whole = !args.enable_chunked_prefill.value;
    if whole && length > 32_768 && args.enable_chunked_prefill.set_by == SetBy::VllmDefault {
        args.enable_chunked_prefill =
            Chosen::default(true, "The first engine's default beyond 32768 tokens.");
    } else if whole && tokens < length {
        if set.is_some() {
            return Err(Refusal::vllms(format!(
                "max_num_batched_tokens ({tokens}) is smaller than max_model_len ({length}). This effectively limits the maximum sequence length to max_num_batched_tokens and makes vLLM reject longer sequences. Please increase max_num_batched_tokens or decrease max_model_len."
            )));
        }
        args.max_num_batched_tokens = Chosen::default(
            length,
            "Without chunked prefill a whole prompt must fit in one step.",
        );
    }
    if set.is_none() && u64::from(args.max_num_batched_tokens.value) > limit {
        let value = u32::try_from(limit).unwrap_or(u32::MAX);
        args.max_num_batched_tokens = Chosen::default(value, "No more than max_num_seqs × max_model_len.");
    }
    let tokens = args.max_num_batched_tokens.value;
    if seqs > tokens {
        if scenario.engine.max_num_seqs.is_some() {
            return Err(Refusal::vllms(format!(
                "max_num_batched_tokens ({tokens}) must be greater than or equal to max_num_seqs ({seqs})."
            )));
        }
        args.max_num_seqs = Chosen::default(tokens, "No more than max_num_batched_tokens.");
    }
    Ok(())
}

/// The longest context up to `limit` that one sequence can have in this scenario.
pub(super) fn longest_for(scenario: &Scenario, limit: u64) -> Option<u64> {
    let spec = scenario.model.spec.as_ref().ok()?;
    let resolved = resolve(scenario, spec).ok()?;
    let limit = u32::try_from(limit).unwrap_or(u32::MAX);
    let ranks = ranks(&resolved.spec, shape(&resolved.args), &resolved.settings);
    Some(u64::from(longest_that_fits(
        &resolved.spec,
        &ranks,
        limit,
        Bytes::ZERO,
    )))
}
