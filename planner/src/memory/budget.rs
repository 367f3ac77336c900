//! One rank's memory put together: vLLM's budget, what it takes from it, and the KV cache that remains.
//!
//! Mirrors `vllm/v1/worker/gpu_worker.py: determine_available_memory` and `v1/worker/utils.py: request_memory` at 0.33.0:
//! `available = ceil(total * utilization) - (weights + buffers + peak + outside torch) - graphs`.
use super::{
    Correction,
    activations::{RunSettings, RunnerMemory},
    encoder::TowerSettings,
    kv_cache::{KvLayout, KvPlan, KvSettings},
    lora::buffers,
    overhead, packed,
    rank_weights::{KnownWeights, Loading},
    shape::{RankShape, stage_layers},
    sparse_latent::LoadSettings,
    tensors::{Placement, TensorClass, TowerPlace},
};
use crate::{
    engine::{Lora, MemoryRules, ScaledCache, Speculative},
    model::{ModelSpec, Quantization},
    units::{Bytes, FloatDtype, Utilization},
};

/// Everything that a rank's memory depends on besides the model and its place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BudgetSettings {
    /// The GPU as a process sees it.
    pub total: Bytes,
    /// Held by other processes.
    pub used_by_others: Bytes,
    /// gpu_memory_utilization.
    pub utilization: Utilization,
    /// kv_cache_memory_bytes.
    pub kv_cache_memory: Option<Bytes>,
    /// Compute capability as 90 for 9.0.
    pub capability: u16,
    /// Type of what is not quantised.
    pub dtype: FloatDtype,
    /// Bytes of a KV cache element.
    pub kv_element: u64,
    /// How its elements and scales lie, where they are no whole bytes.
    pub kv_scaled: Option<ScaledCache>,
    /// A token of sparse latent attention is packed.
    pub packed_latent: u64,
    /// max_model_len, or the longest that it may become.
    pub max_model_len: u32,
    /// Tokens of a block.
    pub block_size: u32,
    /// max_num_seqs.
    pub max_num_seqs: u32,
    /// max_num_batched_tokens.
    pub max_num_batched_tokens: u32,
    /// No CUDA graphs.
    pub enforce_eager: bool,
    /// disable_hybrid_kv_cache_manager.
    pub no_hybrid: bool,
    /// enable_prefix_caching.
    pub prefix_caching: bool,
    /// vLLM runs its first engine.
    pub first_engine: bool,
    /// Buffers for adapters.
    pub lora: Option<Lora>,
    /// How tokens are proposed.
    pub speculative: Option<Speculative>,
    /// decode_context_parallel_size.
    pub dcp: u32,
    /// So much of the layers' weights stays in the host's memory.
    pub cpu_offload: Bytes,
    /// Blocks of the cache, whatever is free.
    pub num_gpu_blocks: Option<u64>,
    /// What was measured beyond the formulas.
    pub correction: Correction,
    /// How the tower is run; `None` leaves it out.
    pub tower: Option<TowerSettings>,
    /// An AMD GPU.
    pub rocm: bool,
    /// The version's.
    pub rules: MemoryRules,
}

/// What is a pipeline stage's own, where stages differ in more than their place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stage {
    /// First layer and number of layers; `None` is vLLM's own share.
    pub layers: Option<(u32, u32)>,
    /// The least of its GPUs, as a process sees it.
    pub total: Bytes,
    /// Compute capability of that GPU as 90 for 9.0.
    pub capability: u16,
}

/// One rank.
#[derive(Clone, Debug, PartialEq)]
pub struct RankBudget {
    /// Its place.
    pub shape: RankShape,
    /// Its GPU as a process sees it.
    pub total: Bytes,
    /// The GPU's compute capability.
    pub capability: u16,
    /// What other processes and the CUDA context leave of it.
    pub free: Bytes,
    /// Its layers.
    pub layers: u32,
    /// Parameters and buffers by class.
    pub weights: Vec<(TensorClass, Bytes)>,
    /// Their sum.
    pub tensor_bytes: Bytes,
    /// Buffers for adapters, part of what is loaded.
    pub lora: Bytes,
    /// Of the tensors, what stays in the host's memory.
    pub offloaded: Bytes,
    /// What the attention's kernels keep from loading on, beside the model's tensors.
    pub buffer_bytes: Bytes,
    /// What the allocator holds after loading: vLLM's "Model loading took".
    pub loaded_bytes: Bytes,
    /// What loading takes before the first weight is quantised, where the version loads all of them first.
    pub unquantised: Option<Bytes>,
    /// Buffers and peaks.
    pub runner: RunnerMemory,
    /// Attention asks for a larger workspace than the experts.
    pub attention_workspace: bool,
    /// Outside torch, within the budget.
    pub non_torch: Bytes,
    /// Of that, what Inkling's collectives keep.
    pub symmetric: Bytes,
    /// CUDA graphs.
    pub graphs: Bytes,
    /// Graphs captured.
    pub graph_count: u64,
    /// total * utilization.
    pub requested: Bytes,
    /// What was measured beyond the formulas, part of what is taken.
    pub correction: Correction,
    /// What is taken from it before the KV cache.
    pub non_kv: Bytes,
    /// The cache, where it was set instead.
    pub fixed: Option<Bytes>,
    /// vLLM's "Available KV cache memory"; `None` where the rest already takes more than the budget.
    pub available: Option<Bytes>,
    /// The cache's layout.
    pub layout: KvLayout,
    /// Blocks that fit.
    pub num_blocks: u64,
}

impl RankBudget {
    /// Computes one rank.
    fn new(spec: &ModelSpec, shape: RankShape, settings: &BudgetSettings, known: &mut KnownWeights) -> Self {
        let load = LoadSettings {
            max_num_batched_tokens: settings.max_num_batched_tokens,
            max_num_seqs: settings.max_num_seqs,
            max_model_len: settings.max_model_len,
            kv_element: settings.kv_element,
            packed_latent: settings.packed_latent,
            rocm: settings.rocm,
        };
        let made = load.buffers(spec, u64::from(shape.tp), settings.capability);
        let place = Placement {
            shape,
            dtype: settings.dtype,
            capability: settings.capability,
            tower: settings.tower.map(|tower| TowerPlace {
                data_parallel: tower.data_parallel,
                max_num_batched_tokens: settings.max_num_batched_tokens,
                every_stage: !settings.rules.sampler_state,
            }),
            buffers: made,
            streams_online: settings.rules.streams_online,
        };
        let loading = Loading {
            counts_driver: settings.rules.rocm_counts_driver,
            cpu_offload: if settings.rules.offloads_on_second_runner || !settings.rules.sampler_state {
                settings.cpu_offload
            } else {
                Bytes::ZERO
            },
        };
        let weights = known.get(spec, place, loading);
        let lora = settings
            .lora
            .map_or(Bytes::ZERO, |lora| buffers(spec, &shape, &lora, settings.dtype));
        let loaded_bytes = weights.allocated + weights.driver_extra + lora;
        // Before 0.15 `layers/quantization/fp8.py: create_weights` makes the 16-bit weights of all layers.
        let whole = |own: &Quantization| own.from_16_bits() && !settings.rules.streams_online;
        let unquantised = spec.quantization.as_ref().filter(|own| whole(own)).map(|_| {
            let mut plain = spec.clone();
            plain.quantization = None;
            known.get(&plain, place, Loading::default()).allocated
        });
        let run = RunSettings {
            shape,
            max_num_seqs: settings.max_num_seqs,
            max_num_batched_tokens: settings.max_num_batched_tokens,
            capability: settings.capability,
            rules: settings.rules,
            tower: settings.tower,
            speculative: settings.speculative,
        };
        let mut runner = RunnerMemory::new(spec, &run);
        // One workspace for all: loading made it as large as attention asks for.
        let profiled = load.profiled(spec, u64::from(shape.tp), settings.capability);
        let profiled =
            Bytes::new(profiled).max(Bytes::new(packed::workspace(spec, &load, settings.capability)));
        let attention_workspace = profiled > runner.workspace;
        runner.workspace = runner
            .workspace
            .max(profiled)
            .saturating_sub(Bytes::new(made.workspace));
        let layers: u32 = stage_layers(spec, &shape).iter().map(|run| run.count).sum();
        let blackwell = (100..110).contains(&settings.capability);
        let rules = &settings.rules;
        let sizes = overhead::capture_sizes(&run, blackwell);
        let graph_count = if settings.enforce_eager || !rules.graphs_in_budget {
            0
        } else {
            overhead::graph_count(
                &sizes,
                run.max_num_seqs,
                run.decode_tokens(),
                settings.lora.is_some(),
            )
        };
        let graphs = if rules.sampler_state {
            overhead::cuda_graphs(graph_count, layers)
        } else {
            overhead::sampled_graphs(graph_count, sizes.last().copied().unwrap_or(0))
        };
        let symmetric = overhead::symmetric(spec, shape.tp, settings.max_num_batched_tokens);
        let non_torch = overhead::non_torch(
            &shape,
            settings.capability,
            &settings.rules,
            settings.enforce_eager,
        ) + symmetric;
        let requested = settings.utilization.of(settings.total);
        let rest = runner.persistent() + non_torch;
        let peak = runner.activation_peak();
        let correction = settings.correction.within(loaded_bytes, peak, graphs, rest);
        let non_kv = Correction::applied(loaded_bytes + peak + graphs + rest, correction.total());
        let layout = known.layout(
            spec,
            KvSettings {
                shape,
                element: settings.kv_element,
                packed_latent: settings.packed_latent,
                row_pages: (100..110).contains(&settings.capability),
                block_size: settings.block_size,
                max_num_batched_tokens: settings.max_num_batched_tokens,
                concurrent_batches: if settings.rules.steps_in_flight && spec.pooling.is_some() {
                    // Scheduling is not asynchronous where a model pools (`config/vllm.py`).
                    shape.pp
                } else if settings.rules.steps_in_flight {
                    shape.pp + 1
                } else {
                    1
                },
                null_block: settings.rules.null_block,
                tokens_from_concurrency: settings.rules.tokens_from_concurrency,
                no_hybrid: settings.no_hybrid || settings.first_engine,
                one_table: settings.first_engine,
                prefix_caching: settings.prefix_caching,
                state_element: settings.dtype.size(),
                // FlashInfer's kernel is there for Hopper, and for Blackwell with CUDA 13.
                flashinfer_prefill: matches!(settings.capability, 90 | 100..110 | 120..130),
                speculative_tokens: run.decode_tokens() - 1,
                dcp: settings.dcp,
                scaled: settings.kv_scaled,
            },
        );
        let set = settings
            .num_gpu_blocks
            .map(|blocks| Bytes::new(blocks.saturating_mul(layout.bytes_per_block)));
        let fixed = set
            .or(settings.kv_cache_memory)
            .filter(|_| !spec.keeps_no_cache());
        let available = if spec.keeps_no_cache() {
            Some(Bytes::ZERO)
        } else {
            fixed.or_else(|| requested.checked_sub(non_kv))
        };
        let num_blocks = layout.blocks_in(available.unwrap_or(Bytes::ZERO));
        let taken = settings.used_by_others + overhead::context(settings.capability);
        Self {
            shape,
            total: settings.total,
            capability: settings.capability,
            free: settings.total.saturating_sub(taken),
            fixed,
            layers,
            weights: weights.by_class,
            tensor_bytes: weights.tensor_bytes,
            lora,
            offloaded: weights.offloaded,
            buffer_bytes: weights.buffer_bytes,
            loaded_bytes,
            unquantised,
            runner,
            attention_workspace,
            non_torch,
            symmetric,
            graphs,
            graph_count,
            requested,
            correction,
            non_kv,
            available,
            layout,
            num_blocks,
        }
    }

    /// The GPU has what vLLM asks for, or what was set.
    fn is_within(&self) -> bool {
        self.fixed.map_or(self.requested, |set| self.non_kv + set) <= self.free
    }

    /// The cache for that context, given the blocks that the smallest rank has.
    pub fn kv_plan(&self, num_blocks: u64, max_model_len: u32) -> KvPlan {
        self.layout.plan(num_blocks, u64::from(max_model_len))
    }
}

/// One pipeline rank, with what its stage has of its own.
pub fn rank(
    spec: &ModelSpec,
    mut shape: RankShape,
    settings: &BudgetSettings,
    stage: Option<&Stage>,
    known: &mut KnownWeights,
) -> RankBudget {
    let mut settings = *settings;
    if let Some(stage) = stage {
        shape.layers = stage.layers;
        settings.total = stage.total;
        settings.capability = stage.capability;
    }
    RankBudget::new(spec, shape, &settings, known)
}

/// All pipeline ranks; those of equal layers and place are alike, so at most a few differ. `stages` is empty where their
/// GPUs are alike and vLLM shares the layers out.
pub fn ranks(
    spec: &ModelSpec,
    shape: RankShape,
    settings: &BudgetSettings,
    stages: &[Stage],
    known: &mut KnownWeights,
) -> Vec<RankBudget> {
    (0..shape.pp)
        .map(|pp_rank| {
            let stage = stages.get(pp_rank as usize);
            rank(spec, RankShape { pp_rank, ..shape }, settings, stage, known)
        })
        .collect()
}

/// Blocks that vLLM counts when it checks whether one sequence fits: those of the smallest rank. From 0.14 to 0.16 the
/// smallest rank's memory over the layers of all of them (vllm-project/vllm#32105).
pub fn checked_blocks(ranks: &[RankBudget], rules: &MemoryRules) -> u64 {
    let least = ranks.iter().map(|rank| rank.num_blocks).min().unwrap_or(0);
    if !rules.checks_whole_model || ranks.len() < 2 {
        return least;
    }
    let memory = ranks.iter().filter_map(|rank| rank.available).min();
    let block: u64 = ranks.iter().map(|rank| rank.layout.bytes_per_block).sum();
    memory.map_or(0, |memory| memory.get().checked_div(block).unwrap_or(0))
}

/// The rank with the fewest blocks: vLLM gives every rank as many as that one has.
pub fn worst(ranks: &[RankBudget]) -> Option<&RankBudget> {
    ranks.iter().min_by_key(|rank| {
        (
            rank.is_within(),
            rank.available.is_some(),
            rank.num_blocks,
            std::cmp::Reverse(rank.loaded_bytes),
        )
    })
}
