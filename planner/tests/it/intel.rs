//! Intel's GPUs, as `vllm/platforms/xpu.py` and what stands behind it have them at 0.26.0 to 0.33.0.
use crate::support::scenario;
use planner::{Outcome, Plan, evaluate, gpu, memory::Basis};

fn planned(model: &str, fields: &[(&str, &str)]) -> Plan {
    let mut all = vec![("gpus", "4"), ("max_model_len", "4096")];
    all.extend(fields);
    evaluate(&scenario(model, "Arc Pro B60", &all))
}

#[test]
fn blocks_are_as_large_as_the_attention_backend_takes() {
    for (model, fields, block) in [
        ("Qwen/Qwen3-8B", &[][..], 64),
        ("Qwen/Qwen3-8B", &[("vllm_version", "0.26.0")], 64),
        ("Qwen/Qwen3-8B", &[("kv_cache_dtype", "fp8")], 64),
        ("Qwen/Qwen3-8B", &[("block_size", "128")], 128),
        (
            "Qwen/Qwen3-8B",
            &[("block_size", "16"), ("vllm_version", "0.31.0")],
            16,
        ),
        ("Qwen/Qwen3-0.6B", &[("dtype", "float32")], 16),
        ("deepseek-ai/DeepSeek-V2-Lite-Chat", &[], 64),
        (
            "deepseek-ai/DeepSeek-V2-Lite-Chat",
            &[("vllm_version", "0.31.0")],
            16,
        ),
        (
            "deepseek-ai/DeepSeek-V2-Lite-Chat",
            &[("kv_cache_dtype", "fp8")],
            16,
        ),
    ] {
        let plan = planned(model, fields);
        let args = plan
            .args
            .unwrap_or_else(|| panic!("{model}: {}", plan.verdict.reason));
        assert_eq!(args.block_size.value, block, "{model} {fields:?}");
    }
}

#[test]
fn what_vllm_refuses_is_refused_with_its_words() {
    let no_blocks = "No common block size for 16 (FLASH_ATTN: [MultipleOf(64)]).";
    for (model, fields, words) in [
        ("Qwen/Qwen3-8B", &[("block_size", "16")][..], no_blocks),
        (
            "Qwen/Qwen3-8B",
            &[("quantization", "int8_per_channel_weight_only")],
            "int8_per_channel_weight_only quantization is currently not supported in xpu.",
        ),
        (
            "Qwen/Qwen3-8B",
            &[("quantization", "fp8_per_channel"), ("vllm_version", "0.31.0")],
            "fp8_per_channel quantization is currently not supported in xpu.",
        ),
        (
            "Qwen/Qwen2.5-7B-Instruct-GPTQ-Int8",
            &[],
            "Failed to find a kernel that can implement the WNA16 linear layer.",
        ),
        (
            "Qwen/Qwen3-8B",
            &[("kv_cache_dtype", "fp8_e5m2")],
            "FlashAttention does not support fp8_e5m2 kv-cache on this device.",
        ),
    ] {
        let verdict = planned(model, fields).verdict;
        assert_eq!(verdict.outcome, Outcome::Unsupported, "{model} {fields:?}");
        assert_eq!(verdict.vllm_error.as_deref(), Some(words), "{model} {fields:?}");
    }
}

#[test]
fn what_vllm_has_kernels_for_is_planned() {
    for model in [
        "Qwen/Qwen3-8B-AWQ",
        "Qwen/Qwen3-8B-FP8",
        "Qwen/Qwen3-30B-A3B-GPTQ-Int4",
        "RedHatAI/Meta-Llama-3.1-8B-Instruct-quantized.w8a8",
        "RedHatAI/Qwen3-8B-FP8-dynamic",
        "RedHatAI/Qwen3-8B-quantized.w4a16",
        "openai/gpt-oss-20b",
    ] {
        let plan = planned(model, &[]);
        let memory = plan
            .memory
            .unwrap_or_else(|| panic!("{model}: {}", plan.verdict.reason));
        assert!(
            memory.terms.iter().all(|term| term.basis != Basis::Fitted),
            "{model}"
        );
        assert!(plan.performance.is_some(), "{model}");
        assert!(plan.notes.iter().any(|note| note.code == "gpu.intel"), "{model}");
    }
}

/// `VLLM_XPU_ENABLE_XPU_GRAPH` was off by default up to 0.30 (`vllm/envs.py`), and is gone in 0.31.
#[test]
fn graphs_are_captured_from_0_31_on() {
    for (version, captures) in [
        ("0.26.0", false),
        ("0.30.0", false),
        ("0.31.0", true),
        ("0.33.0", true),
    ] {
        let memory = planned("Qwen/Qwen3-8B", &[("vllm_version", version)])
            .memory
            .unwrap();
        let graphs = memory.terms.iter().any(|term| term.id == "overhead.cuda_graphs");
        assert_eq!(graphs, captures, "{version}");
    }
}

#[test]
fn versions_without_an_image_are_refused() {
    let reason = planned("Qwen/Qwen3-8B", &[("vllm_version", "0.25.1")])
        .verdict
        .reason;
    assert!(reason.contains("plan 0.26.0 or later"), "{reason}");
}

/// `fused_moe/oracle/mxfp4.py: mxfp4_round_up_hidden_size_and_intermediate_size`: Marlin rounds 2880 up to 3072 and 2944,
/// Intel's kernel leaves both. 32 experts of 24 layers, three matrices of 4.25 bits a weight.
#[test]
fn experts_in_mxfp4_are_not_padded_as_for_marlin() {
    let weights = |gpu| {
        let plan = evaluate(&scenario("openai/gpt-oss-20b", gpu, &[("max_model_len", "4096")]));
        plan.memory.unwrap().weights_bytes.get()
    };
    let more = 24 * 32 * 3 * (3072 * 2944 - 2880 * 2880) * 17 / 32;
    let difference = weights("L40S") - weights("Arc Pro B60");
    assert!(difference.abs_diff(more) < more / 50, "{difference} {more}");
}

#[test]
fn every_gpu_that_no_plugin_runs_has_a_plan() {
    for gpu in gpu::gpus().iter().filter(|gpu| gpu.vendor == gpu::Vendor::Intel) {
        let plan = evaluate(&scenario("Qwen/Qwen3-0.6B", &gpu.name, &[]));
        match gpu.plugin() {
            Some(plugin) => assert!(plan.verdict.reason.contains(plugin), "{}", gpu.name),
            None => assert_eq!(plan.verdict.outcome, Outcome::Fits, "{}", gpu.name),
        }
    }
}

/// "GPU KV cache size" of gemma-4-26B-A4B, 4-bit, with a cache of 4.25 GiB and steps of 2496 tokens on an Arc Pro B60,
/// vLLM 0.29.0 (epsilonagentx/intel_arc_gpu_llm, UPSTREAM_VLLM_NOTES.md).
#[test]
fn caches_hold_what_a_published_run_logged() {
    for (length, tokens) in [("32768", 78_433), ("65536", 116_025), ("131072", 152_592)] {
        let fields = [
            ("vllm_version", "0.29.0"),
            ("max_model_len", length),
            ("max_num_batched_tokens", "2496"),
            ("kv_cache_memory_bytes", "4563402752"),
            ("quantization", "fp8_per_tensor"),
            ("language_model_only", "true"),
        ];
        let plan = evaluate(&scenario("google/gemma-4-26B-A4B-it", "Arc Pro B70", &fields));
        assert_eq!(plan.memory.unwrap().kv_cache_tokens, tokens, "{length}");
    }
}
