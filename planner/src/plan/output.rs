//! The answer: `vllm-wizard/plan/v1` without its artifacts.
use crate::{
    engine::{ArgRow, ResolvedArgs},
    memory::{Segment, Term},
    performance::Performance,
    plan::Scenario,
    units::Bytes,
};
use serde::Serialize;

/// The schema of plan.json.
pub const PLAN_SCHEMA: &str = "vllm-wizard/plan/v1";

/// Does it run?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// vLLM starts and holds the workload.
    Fits,
    /// vLLM starts, but the margin is thinner than the estimate is certain, or the workload has to queue.
    Tight,
    /// vLLM does not start.
    DoesNotFit,
    /// Not computed, because it would be a guess or because vLLM refuses.
    Unsupported,
}

impl Outcome {
    /// Whether vLLM starts.
    pub const fn starts(self) -> bool {
        matches!(self, Self::Fits | Self::Tight)
    }

    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Fits => "Fits",
            Self::Tight => "Tight",
            Self::DoesNotFit => "Does not fit",
            Self::Unsupported => "Unsupported",
        }
    }
}

/// The judgement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// In one word.
    pub outcome: Outcome,
    /// In one sentence.
    pub reason: String,
    /// What is missing on each GPU before vLLM starts.
    pub shortfall_bytes: Bytes,
    /// What vLLM itself would print.
    pub vllm_error: Option<String>,
    /// Single changes that make it fit, the cheapest first, each evaluated.
    pub remedies: Vec<Remedy>,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Remedy {
    /// Fields and their new values, as [`Scenario::set`] takes them.
    #[serde(serialize_with = "crate::json::fields")]
    pub change: Vec<(String, String)>,
    /// The same as a sentence: "Use `--kv-cache-dtype fp8`".
    pub label: String,
    /// The outcome with it.
    pub outcome: Outcome,
    /// What it does: "fits, 4.1 GiB free for more sequences".
    pub effect: String,
}

/// How sure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// May matter.
    Caution,
    /// Cannot be known from here.
    Unknown,
}

/// Which way a figure errs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Bias {
    /// Reads high.
    Over,
    /// Reads low.
    Under,
    /// Neither.
    None,
}

/// A doubt or a hint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Note {
    /// Stable slug.
    pub code: &'static str,
    /// How sure.
    pub severity: Severity,
    /// Which way the figure errs.
    pub bias: Bias,
    /// As a sentence.
    pub message: String,
}

/// How close to running out of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum OomRisk {
    /// Comfortable.
    Low,
    /// Thin.
    Medium,
    /// Does not fit, or hardly.
    High,
}

/// The figures that the older tool printed, in GiB.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Feasibility {
    /// vLLM starts.
    pub fits: bool,
    /// How close.
    pub oom_risk: OomRisk,
    /// Whole GPU as a process sees it.
    pub vram_total_gib: f64,
    /// What vLLM may fill.
    pub vram_target_alloc_gib: f64,
    /// Weights.
    pub weights_gib: f64,
    /// KV cache.
    pub kv_cache_gib: f64,
    /// Activations, graphs, buffers.
    pub overhead_gib: f64,
    /// KV cache that the workload leaves free.
    pub headroom_gib: f64,
    /// Full-length sequences that fit.
    pub max_concurrency_at_context: u64,
    /// Longest sequence that fits at the workload's concurrency.
    pub max_context_at_concurrency: u64,
    /// Cautions as sentences.
    pub warnings: Vec<String>,
}

/// Memory of the worst rank.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Memory {
    /// The GPU that is the fullest.
    #[serde(skip)]
    pub gpu: String,
    /// The GPU as a process sees it.
    pub gpu_total_bytes: Bytes,
    /// What vLLM may fill: total × gpu_memory_utilization.
    pub requested_bytes: Bytes,
    /// vLLM's "Model loading took".
    pub weights_bytes: Bytes,
    /// Parameters and buffers alone.
    pub weights_tensor_bytes: Bytes,
    /// Buffers that the runner keeps.
    pub persistent_bytes: Bytes,
    /// Transient peak of the profile run.
    pub activation_peak_bytes: Bytes,
    /// CUDA graphs as vLLM estimates them.
    pub cuda_graph_bytes: Bytes,
    /// Context and NCCL, outside vLLM's budget.
    pub baseline_bytes: Bytes,
    /// What is left for the KV cache.
    #[serde(skip)]
    pub kv_cache_available_bytes: Bytes,
    /// "Available KV cache memory" as vLLM logs it: below zero where the rest takes more than the budget.
    #[serde(rename = "kv_cache_available_bytes")]
    pub kv_cache_available_logged: i64,
    /// For one sequence of max_model_len: what vLLM demands before it starts.
    pub kv_cache_needed_bytes: Bytes,
    /// For the workload.
    pub kv_cache_workload_bytes: Bytes,
    /// Tokens in a block.
    pub block_size: u32,
    /// Bytes of a block over all layers of a rank.
    pub bytes_per_block: Bytes,
    /// Blocks.
    pub num_blocks: u64,
    /// vLLM's "GPU KV cache size".
    pub kv_cache_tokens: u64,
    /// vLLM's "Maximum concurrency".
    pub max_concurrency: f64,
    /// Sum to `gpu_total_bytes` exactly.
    pub terms: Vec<Term>,
    /// All pipeline ranks, where they differ.
    pub ranks: Vec<RankMemory>,
}

impl Memory {
    /// The sum of each part of the bar, in their order.
    pub fn segments(&self) -> Vec<(Segment, i64)> {
        Segment::sums(&self.terms)
    }
}

/// Memory of one pipeline rank.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RankMemory {
    /// 0 is the first stage.
    pub pipeline_rank: u32,
    /// Its GPU, the smallest where there are several.
    pub gpu: String,
    /// Its layers.
    pub num_hidden_layers: u32,
    /// Its GPU as a process sees it.
    pub gpu_total_bytes: Bytes,
    /// vLLM's "Model loading took".
    pub weights_bytes: Bytes,
    /// vLLM's "Available KV cache memory".
    pub kv_cache_available_bytes: Bytes,
    /// Blocks that it could hold; vLLM takes the minimum over ranks.
    pub num_blocks: u64,
    /// Sum to `gpu_total_bytes` exactly.
    #[serde(serialize_with = "crate::json::amounts")]
    pub terms: Vec<(&'static str, i64)>,
}

/// The answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The question.
    pub scenario: Scenario,
    /// Does it run?
    pub verdict: Verdict,
    /// The older tool's figures; `None` when unsupported.
    pub feasibility: Option<Feasibility>,
    /// `None` when unsupported.
    pub memory: Option<Memory>,
    /// What vLLM runs with; `None` when unsupported.
    pub args: Option<ResolvedArgs>,
    /// How fast; `None` where it cannot be said.
    pub performance: Option<Performance>,
    /// Doubts and hints.
    pub notes: Vec<Note>,
    /// What a search ranked next, where one chose the layout: the next best first.
    pub alternatives: Vec<Remedy>,
}

impl Plan {
    /// Every argument with its reason.
    pub fn arg_rows(&self) -> Vec<ArgRow> {
        self.args.as_ref().map(ResolvedArgs::rows).unwrap_or_default()
    }
}
