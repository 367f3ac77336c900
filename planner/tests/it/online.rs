//! Quantisation while loading, bitsandbytes and FBGEMM: bytes per weight, and which versions and GPUs take them.
use crate::support::scenario;
use planner::{Outcome, Plan, Scenario, evaluate, model::ModelInput, units::GIB};

/// Llama 3.1 8B: parameters of its linear layers, and of the rest.
const LINEAR: f64 = 6_979_321_856.0;
const REST: f64 = 1_050_939_392.0;
const CONFIG: &str = r#"{"architectures":["LlamaForCausalLM"],"hidden_size":4096,"intermediate_size":14336,"num_hidden_layers":32,"num_attention_heads":32,"num_key_value_heads":8,"vocab_size":128256,"max_position_embeddings":131072,"torch_dtype":"bfloat16"}"#;

fn llama(gpu: &str, version: &str, fields: &[(&str, &str)], quantization: Option<&str>) -> Scenario {
    let mut scenario = scenario("Qwen/Qwen3-8B", gpu, &[]);
    let text = match quantization {
        Some(own) => CONFIG.replace('}', &format!(",\"quantization_config\":{own}}}")),
        None => CONFIG.to_owned(),
    };
    scenario.model = ModelInput::from_config("x/y", &text).unwrap();
    scenario.set("vllm_version", version).unwrap();
    scenario.set("max_model_len", "8192").unwrap();
    for (id, value) in fields {
        scenario.set(id, value).unwrap();
    }
    scenario
}

fn weights(plan: &Plan) -> f64 {
    plan.memory
        .as_ref()
        .unwrap_or_else(|| panic!("{:?}", plan.verdict))
        .weights_bytes
        .get() as f64
}

#[test]
fn linear_layers_take_what_the_method_says_and_the_rest_two_bytes() {
    for (method, version, per_weight) in [
        ("fp8_per_tensor", "0.33.0", 1.0),
        ("fp8_per_block", "0.33.0", 1.0 + 4.0 / 16_384.0),
        ("fp8_per_channel", "0.33.0", 1.0),
        ("mxfp8", "0.33.0", 1.0 + 1.0 / 32.0),
        ("int8_per_channel_weight_only", "0.33.0", 2.0),
        ("experts_int8", "0.33.0", 2.0),
        ("bitsandbytes", "0.20.0", 0.5 + 4.0 / 64.0),
    ] {
        let plan = evaluate(&llama("H100 SXM", version, &[("quantization", method)], None));
        let off = weights(&plan) / (LINEAR * per_weight + REST * 2.0) - 1.0;
        assert!((0.0..0.01).contains(&off), "{method}: {off}");
    }
}

#[test]
fn versions_and_gpus_that_do_not_take_a_method_are_told_so() {
    let said = |scenario: &Scenario| {
        let verdict = evaluate(scenario).verdict;
        assert_eq!(verdict.outcome, Outcome::Unsupported, "{verdict:?}");
        verdict.vllm_error.unwrap_or(verdict.reason)
    };
    let bnb = r#"{"quant_method":"bitsandbytes","load_in_4bit":true}"#;
    let old = llama("H100 SXM", "0.20.0", &[], Some(bnb));
    assert_eq!(evaluate(&old).verdict.outcome, Outcome::Fits);
    let new = llama("H100 SXM", "0.33.0", &[], Some(bnb));
    insta::assert_snapshot!(said(&new), @"quantization `bitsandbytes` is not in vLLM 0.33.0 (last in 0.27.1, gone in 0.28.0)");
    let cut = llama(
        "H100 SXM",
        "0.20.0",
        &[("gpus", "2"), ("tensor_parallel_size", "2")],
        Some(bnb),
    );
    insta::assert_snapshot!(said(&cut), @"Prequant BitsAndBytes models with tensor parallelism is not supported. Please try with pipeline parallelism.");
    let channel = [("quantization", "fp8_per_channel")];
    insta::assert_snapshot!(said(&llama("A100 SXM4 80GB", "0.33.0", &channel, None)), @"FP8 PTPC online quant requires a kernel that honors per-token activation quantization; MarlinFP8 is W8A16 weight-only. Requires SM89+ for Cutlass FP8 or ROCm MI3xx for rowwise scaled_mm.");
    insta::assert_snapshot!(said(&llama("H100 SXM", "0.20.0", &channel, None)), @"quantization `fp8_per_channel` is known from vLLM 0.24 on");
    let fbgemm = r#"{"quant_method":"fbgemm_fp8","activation_scale_ub":1200.0}"#;
    let mut deprecated = llama("H100 SXM", "0.33.0", &[], Some(fbgemm));
    insta::assert_snapshot!(said(&deprecated), @"The quantization method fbgemm_fp8 is deprecated and will be removed in future versions of vLLM. To bypass, set `--allow-deprecated-quantization`.");
    deprecated
        .engine
        .vllm_args
        .push(("--allow-deprecated-quantization".to_owned(), None));
    let plan = evaluate(&deprecated);
    assert_eq!(plan.verdict.outcome, Outcome::Fits, "{:?}", plan.verdict);
}

/// 0.10.2's `layers/quantization/fp8.py: create_weights` makes the weights of all layers in the model's type; 14,768,307,200
/// of two bytes (the published count) are more than an RTX 4090 has. 0.15 quantises them one by one.
#[test]
fn before_0_15_all_16_bit_weights_must_fit_at_once() {
    let verdict = |version: &str, gpu: &str| {
        let fields = [
            ("vllm_version", version),
            ("quantization", "fp8"),
            ("max_model_len", "4096"),
        ];
        evaluate(&scenario("Qwen/Qwen3-14B", gpu, &fields)).verdict
    };
    let old = verdict("0.14.1", "RTX 4090");
    assert_eq!(old.outcome, Outcome::DoesNotFit);
    assert!(old.reason.contains("27.5 GiB"), "{}", old.reason);
    let remedies = old.remedies.iter().map(|remedy| remedy.label.as_str());
    assert!(remedies.clone().any(|label| label.contains("2 GPUs")), "{old:?}");
    assert_ne!(verdict("0.15.0", "RTX 4090").outcome, Outcome::DoesNotFit);
    assert_ne!(verdict("0.14.1", "L40S").outcome, Outcome::DoesNotFit);
}

/// A start-up log of 0.8.3 (TinyLlama 1.1B, bitsandbytes in 4 bits): "Model loading took 0.7318 GiB". From 0.9.2 on the
/// scales are float32 (`bitsandbytes_loader.py: dequantize_dq`), a byte each before.
#[test]
fn bitsandbytes_scales_are_bytes_before_0_9() {
    let weights = |version: &str| {
        let fields = [("vllm_version", version), ("quantization", "bitsandbytes")];
        let plan = evaluate(&scenario(
            "TinyLlama/TinyLlama-1.1B-Chat-v1.0",
            "H100 SXM",
            &fields,
        ));
        plan.memory.unwrap().weights_bytes.get() as f64 / GIB as f64
    };
    let old = weights("0.8.3");
    assert!((old / 0.7318 - 1.0).abs() < 0.002, "{old}");
    // 968,884,224 quantised weights, four bytes instead of one and a 64th for every 64 of them.
    let more = 968_884_224.0 / 64.0 * (3.0 - 1.0 / 64.0) / GIB as f64;
    assert!(
        (weights("0.9.2") - old - more).abs() < 0.003,
        "{}",
        weights("0.9.2")
    );
}

/// `models/bert_with_rope.py: NomicMoE` keeps its experts as parameters of its own, whatever the method.
#[test]
fn nomics_experts_stay_in_16_bits() {
    const NOMIC: &str = r#"{"architectures":["NomicBertModel"],"model_type":"nomic_bert","n_embd":768,"n_head":12,"n_inner":3072,"n_layer":12,"n_positions":2048,"vocab_size":250048,"type_vocab_size":1,"num_experts":8,"moe_top_k":2,"moe_every_n_layers":2,"activation_function":"gelu","qkv_proj_bias":true,"torch_dtype":"float32"}"#;
    let experts = |quantization: &str| {
        let mut scenario = scenario("Qwen/Qwen3-8B", "H100 SXM", &[]);
        scenario.model = ModelInput::from_config("x/y", NOMIC).unwrap();
        scenario.set("quantization", quantization).unwrap();
        let memory = evaluate(&scenario).memory.unwrap();
        let term = memory
            .terms
            .iter()
            .find(|term| term.id == "weights.experts")
            .unwrap();
        (term.bytes, memory.weights_bytes)
    };
    // Six layers of 8 experts, two matrices of 768 × 3072, and one bias.
    let plain = 6 * (8 * 2 * 768 * 3072 + 768) * 2;
    let (whole, all) = experts("");
    for method in ["fp8_per_tensor", "experts_int8"] {
        let (bytes, weights) = experts(method);
        assert_eq!((bytes, whole), (plain, plain), "{method}");
        assert_eq!(weights < all, method == "fp8_per_tensor", "{method}");
    }
}
