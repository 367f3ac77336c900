//! profile.yaml → scenario, and the keys that both ways share: `profile_version: 1`.
//!
//! Five sections, as the older tool wrote them. What they have no key for (pipeline stages, batch sizes) stands under
//! `outputs.vllm_args` by its flag.
mod error;
mod read;
mod tree;

pub use {
    error::ProfileError,
    read::{LookUp, Profile, Supply, read},
};

use crate::{gpu::GpuSpec, units::Bytes};

/// One key of a profile.
pub(crate) struct Entry {
    pub(crate) section: &'static str,
    pub(crate) key: &'static str,
    /// The scenario's field; `None` for keys that are read and have no effect.
    pub(crate) id: Option<&'static str>,
    /// Written always, or only where it differs from a fresh scenario.
    pub(crate) always: bool,
    pub(crate) help: &'static str,
}

const fn key(section: &'static str, key: &'static str, id: &'static str, help: &'static str) -> Entry {
    Entry {
        section,
        key,
        id: Some(id),
        always: true,
        help,
    }
}

const fn rare(section: &'static str, key: &'static str, id: &'static str, help: &'static str) -> Entry {
    Entry {
        section,
        key,
        id: Some(id),
        always: false,
        help,
    }
}

const fn unused(section: &'static str, key: &'static str, help: &'static str) -> Entry {
    Entry {
        section,
        key,
        id: None,
        always: false,
        help,
    }
}

/// In the order of the file. Model id, revision, GPU, its memory, `emit` and `vllm_args` are handled by hand.
pub(crate) const KEYS: &[Entry] = &[
    key(
        "model",
        "dtype",
        "dtype",
        "type of weights that are not quantised; auto is the checkpoint's own",
    ),
    key(
        "model",
        "quantization",
        "quantization",
        "only to quantise while loading (fp8_per_tensor); a quantised checkpoint says so itself",
    ),
    key(
        "model",
        "kv_cache_dtype",
        "kv_cache_dtype",
        "auto, fp8, fp8_e4m3, fp8_e5m2, bfloat16 or float16",
    ),
    key(
        "model",
        "max_model_len",
        "max_model_len",
        "prompt and answer together, in tokens; auto is the longest that fits",
    ),
    unused("model", "params_b", "the config gives the count"),
    key("hardware", "gpus", "gpus", "GPUs per node"),
    key("hardware", "nodes", "nodes", "machines"),
    key(
        "hardware",
        "interconnect",
        "interconnect",
        "unknown, pcie or nvlink",
    ),
    key(
        "hardware",
        "tp_size",
        "tensor_parallel_size",
        "GPUs that each layer is split over",
    ),
    rare(
        "hardware",
        "other_gpus",
        "other_gpus",
        "GPUs of other kinds behind those, in the order of their slots",
    ),
    rare(
        "hardware",
        "pp_layer_partition",
        "pp_layer_partition",
        "layers of each pipeline stage, such as 16,32",
    ),
    rare(
        "hardware",
        "compute_capability",
        "compute_capability",
        "such as 9.0",
    ),
    rare(
        "hardware",
        "gpu_memory_used",
        "gpu_memory_used",
        "bytes that other processes hold on each GPU",
    ),
    key("workload", "prompt_tokens", "prompt_tokens", "typical prompt"),
    key("workload", "gen_tokens", "gen_tokens", "typical answer"),
    key(
        "workload",
        "concurrency",
        "concurrency",
        "sequences that run at once",
    ),
    key(
        "workload",
        "request_rate",
        "request_rate",
        "requests per second, if known",
    ),
    rare(
        "workload",
        "peak_rate",
        "peak_rate",
        "requests per second at the busiest time",
    ),
    unused("workload", "streaming", "it changes no memory"),
    key(
        "workload",
        "mode",
        "batching_mode",
        "balanced, throughput or latency",
    ),
    rare(
        "workload",
        "burstiness",
        "burstiness",
        "1 is Poisson, less comes in bursts",
    ),
    rare(
        "workload",
        "length_range",
        "length_range",
        "lengths vary evenly by that share",
    ),
    rare(
        "workload",
        "prompt_p95",
        "prompt_p95",
        "95th percentile of prompts, in tokens",
    ),
    rare(
        "workload",
        "gen_p95",
        "gen_p95",
        "95th percentile of answers, in tokens",
    ),
    rare(
        "workload",
        "trace",
        "trace",
        "prompts and answers as they came, such as 512/128 2048/64",
    ),
    rare(
        "workload",
        "prefix_cache_hit_rate",
        "prefix_cache_hit_rate",
        "share of prompt tokens that is found in the prefix cache",
    ),
    rare(
        "workload",
        "spec_acceptance_rate",
        "spec_acceptance_rate",
        "share of drafted tokens that is accepted",
    ),
    rare(
        "workload",
        "slo_ttft_ms",
        "slo_ttft_ms",
        "milliseconds that the first token may take",
    ),
    rare(
        "workload",
        "slo_tpot_ms",
        "slo_tpot_ms",
        "milliseconds that each further token may take",
    ),
    rare(
        "workload",
        "slo_e2e_ms",
        "slo_e2e_ms",
        "milliseconds that the whole answer may take",
    ),
    rare(
        "workload",
        "slo_percentile",
        "slo_percentile",
        "per cent of requests that keep these times: 50, 90, 95 or 99",
    ),
    key(
        "policy",
        "gpu_memory_utilization",
        "gpu_memory_utilization",
        "part of each GPU that vLLM may fill",
    ),
    key(
        "policy",
        "headroom_gb",
        "headroom_gb",
        "GB to keep free on each GPU beyond that",
    ),
    unused("policy", "overhead_gb", "the plan computes it"),
    unused(
        "policy",
        "fragmentation_factor",
        "vLLM's cache is paged; the plan counts whole blocks",
    ),
    rare(
        "policy",
        "defaults",
        "defaults",
        "recommended, or vllm for vLLM's own defaults",
    ),
    rare(
        "policy",
        "measured",
        "measured",
        "what a start-up log measured beyond the estimate",
    ),
    rare(
        "policy",
        "measured_speed",
        "measured_speed",
        "what a benchmark measured, in thousandths of the estimate",
    ),
    rare("outputs", "image", "image", "container image"),
    rare("outputs", "name", "name", "name of container and service"),
    rare(
        "outputs",
        "hf_secret",
        "hf_secret",
        "Kubernetes secret with HF_TOKEN under `token`",
    ),
    rare(
        "outputs",
        "non_root",
        "non_root",
        "containers run as user 2000 instead of root",
    ),
    rare(
        "outputs",
        "device_ids",
        "device_ids",
        "GPUs of each machine by index or UUID, with commas",
    ),
];

pub(crate) const SECTIONS: &[&str] = &["model", "hardware", "workload", "policy", "outputs"];

/// A whole number of GiB a little above what a process sees: the datasheet's figure, not the driver's.
pub(crate) fn is_datasheet(gpu: &GpuSpec, given: Bytes) -> bool {
    let whole = given.get().is_multiple_of(crate::units::GIB);
    gpu.memory_visible
        .is_some_and(|visible| whole && given > visible && given.get() / 112 * 100 <= visible.get())
}
