//! Scenarios of every kind that a plan may be: layouts, versions, quantisations, makers. The tests hold our own rules
//! against their files, `cargo xtask check-artifacts` the tools that will read them.
use planner::{Scenario, gpu, model::ModelInput};

/// A name for a folder, and the scenario.
pub(crate) type Named = (String, Scenario);

const VERSIONS: [&str; 3] = ["0.33.0", "0.11.2", "0.10.2"];

/// Model, and the GPUs it is tried on.
const MODELS: [(&str, [&str; 2]); 14] = [
    ("Qwen/Qwen3-8B", ["L4", "RTX 4090"]),
    ("Qwen/Qwen3-32B", ["H100 SXM", "MI300X"]),
    ("Qwen/Qwen3-14B-AWQ", ["RTX 4090", "L40S"]),
    ("Qwen/Qwen2.5-32B-Instruct-GPTQ-Int4", ["L40S", "A100 SXM4 80GB"]),
    (
        "RedHatAI/Llama-3.3-70B-Instruct-FP8-dynamic",
        ["L40S", "H100 SXM"],
    ),
    ("RedHatAI/Qwen3-8B-quantized.w4a16", ["L4", "A100 SXM4 80GB"]),
    ("meta-llama/Llama-3.3-70B-Instruct", ["H100 SXM", "MI325X"]),
    ("Qwen/Qwen3-30B-A3B", ["A100 SXM4 80GB", "MI300X"]),
    ("Qwen/Qwen3-235B-A22B-FP8", ["H200 SXM", "B200 SXM"]),
    ("google/gemma-3-27b-it", ["H100 SXM", "MI300X"]),
    ("Qwen/Qwen2.5-0.5B-Instruct", ["L4", "MI300X"]),
    ("Qwen/Qwen3-8B-FP8", ["Arc Pro B60", "Data Center GPU Max 1550"]),
    ("mistralai/Mistral-7B-Instruct-v0.3", ["L4", "H100 SXM"]),
    ("Qwen/Qwen3-Embedding-0.6B", ["L4", "H100 SXM"]),
];

/// One more axis each: GPUs of a node and nodes, and what is set.
const LAYOUTS: [(&str, &[(&str, &str)]); 11] = [
    ("one", &[]),
    (
        "tp2",
        &[
            ("gpus", "2"),
            ("tensor_parallel_size", "2"),
            ("served_model_name", "model"),
        ],
    ),
    (
        "half",
        &[
            ("gpus", "8"),
            ("tensor_parallel_size", "4"),
            ("port", "9000"),
            ("name", "my-server"),
            ("language_model_only", "true"),
        ],
    ),
    (
        "pp2",
        &[
            ("gpus", "4"),
            ("tensor_parallel_size", "2"),
            ("pipeline_parallel_size", "2"),
            ("max_model_len", "8192"),
        ],
    ),
    (
        "mixed",
        &[
            ("other_gpus", "H200 SXM, H200 SXM=150000000000"),
            ("tensor_parallel_size", "1"),
        ],
    ),
    (
        "dp2",
        &[
            (
                "device_ids",
                "0, 2, GPU-5d4ce2a1-0b6e-7f1c-9a3d-1f2e3d4c5b6a, MIG-7c1f",
            ),
            ("gpus", "4"),
            ("data_parallel_size", "2"),
            ("tensor_parallel_size", "2"),
            ("enforce_eager", "true"),
        ],
    ),
    (
        "ep",
        &[
            ("gpus", "8"),
            ("tensor_parallel_size", "4"),
            ("data_parallel_size", "2"),
            ("enable_expert_parallel", "true"),
            ("trust_remote_code", "true"),
        ],
    ),
    (
        "two-nodes-pp",
        &[
            ("gpus", "8"),
            ("nodes", "2"),
            ("tensor_parallel_size", "8"),
            ("pipeline_parallel_size", "2"),
        ],
    ),
    (
        "two-nodes-dp",
        &[
            ("gpus", "8"),
            ("nodes", "2"),
            ("tensor_parallel_size", "4"),
            ("data_parallel_size", "4"),
            ("max_num_seqs", "64"),
        ],
    ),
    (
        "four-nodes-tp",
        &[
            ("gpus", "2"),
            ("nodes", "4"),
            ("tensor_parallel_size", "8"),
            ("enable_prefix_caching", "false"),
        ],
    ),
    (
        "defaults",
        &[
            ("gpus", "8"),
            ("defaults", "vllm"),
            ("kv_cache_dtype", "fp8"),
            ("max_num_batched_tokens", "8192"),
            ("image", "registry.example.org:5000/team/vllm:1.2"),
            ("hf_secret", "my-token"),
            ("non_root", "true"),
        ],
    ),
];

/// Every version and layout of every model, on its two GPUs in turn.
pub(crate) fn scenarios() -> Vec<Named> {
    let mut all = Vec::new();
    for (m, (model, gpus)) in MODELS.iter().enumerate() {
        for (v, version) in VERSIONS.iter().enumerate() {
            for (l, (layout, fields)) in LAYOUTS.iter().enumerate() {
                let Some(input) = ModelInput::from_catalog(model) else {
                    continue;
                };
                let gpu = gpu::find(gpus[(v + l) % 2]).unwrap_or_else(|| panic!("{gpus:?}"));
                let mut scenario = Scenario::new(input, gpu.clone());
                scenario
                    .set("vllm_version", version)
                    .unwrap_or_else(|e| panic!("{e}"));
                for (id, value) in *fields {
                    scenario.set(id, value).unwrap_or_else(|e| panic!("{e}"));
                }
                all.push((format!("{m:02}-{version}-{layout}"), scenario));
            }
        }
    }
    all
}
