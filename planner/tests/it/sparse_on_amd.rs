//! Sparse latent attention on AMD's GPUs, whose one backend takes other blocks and caches than NVIDIA's.
use crate::support::scenario;
use planner::{Outcome, Plan, evaluate};

fn plan(gpu: &str, set: &[(&str, &str)]) -> Plan {
    let mut all = vec![("gpus", "8"), ("tensor_parallel_size", "8")];
    all.extend(set);
    evaluate(&scenario("deepseek-ai/DeepSeek-V3.2", gpu, &all))
}

/// `v1/attention/backends/mla/rocm_aiter_mla_sparse.py: ROCMAiterMLASparseBackend` at 0.33.0.
#[test]
fn its_backend_takes_blocks_of_1_or_of_multiples_of_16_and_plain_caches() {
    for set in [
        &[][..],
        &[("block_size", "1")],
        &[("block_size", "48")],
        &[("kv_cache_dtype", "fp8")],
        &[("kv_cache_dtype", "bfloat16")],
    ] {
        let plan = plan("MI300X", set);
        assert_eq!(plan.verdict.outcome, Outcome::Fits, "{set:?} {:?}", plan.verdict);
    }
    let refused = plan("MI300X", &[("kv_cache_dtype", "fp8_e5m2")]).verdict;
    assert!(refused.vllm_error.unwrap().contains("ROCM_AITER_MLA_SPARSE"));
    // On other cards the index keeps its scores for each head.
    let other = plan("RX 7900 XTX", &[]).verdict;
    assert_eq!(other.outcome, Outcome::Unsupported, "{other:?}");
}

/// 70,272 bytes of a token are published for DeepSeek V3's 61 layers; the index keeps 128 bytes and a scale in each.
#[test]
fn a_token_takes_what_deepseek_says_and_its_index() {
    let plan = plan("MI300X", &[("max_model_len", "65536"), ("max_num_seqs", "1")]);
    let memory = plan.memory.unwrap();
    let bytes = memory.kv_cache_available_bytes.get();
    let tokens = memory.kv_cache_tokens;
    let each = bytes as f64 / tokens as f64;
    let published = f64::from(70_272 + 61 * 132);
    assert!((each / published - 1.0).abs() < 0.001, "{each} {published}");
}
