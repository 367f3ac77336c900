//! Broken, hostile and unknown config.json files get a message that names the field. None panics.
use crate::support;
use planner::model::{LinearScheme, ModelInput, ModelSpec, models};
use std::sync::Arc;

const LLAMA: &str = r#"{"architectures":["LlamaForCausalLM"],"hidden_size":4096,"intermediate_size":14336,"num_hidden_layers":32,"num_attention_heads":32,"num_key_value_heads":8,"vocab_size":128256,"max_position_embeddings":131072,"torch_dtype":"bfloat16"}"#;

#[track_caller]
fn error(text: &str) -> String {
    ModelInput::from_config("x/y", text).unwrap_err().to_string()
}

#[track_caller]
fn refused(text: &str) -> String {
    ModelInput::from_config("x/y", text)
        .unwrap()
        .spec
        .unwrap_err()
        .to_string()
}

#[test]
fn a_broken_file_names_what_is_wrong() {
    assert!(ModelInput::from_config("x/y", LLAMA).unwrap().spec.is_ok());
    insta::assert_snapshot!(error("<!doctype html>"), @"not JSON: expected value (line 1, column 1)");
    insta::assert_snapshot!(error(&LLAMA[..100]), @"not JSON: EOF while parsing a string (line 1, column 100)");
    insta::assert_snapshot!(error("[1]"), @"expected a JSON object, got a list");
    insta::assert_snapshot!(error(""), @"not JSON: EOF while parsing a value (line 1, column 0)");
    insta::assert_snapshot!(error("{}"), @"missing `architectures` (needed for the kinds of layers)");
    insta::assert_snapshot!(error(&LLAMA.replace("\"num_hidden_layers\":32,", "")), @"missing `num_hidden_layers` (needed for weights and KV cache)");
    insta::assert_snapshot!(error(&LLAMA.replace("\"hidden_size\":4096", "\"hidden_size\":\"wide\"")), @r#"`hidden_size`: expected a whole number from 1 to 262144, got "wide""#);
    insta::assert_snapshot!(error(&LLAMA.replace("\"num_hidden_layers\":32", "\"num_hidden_layers\":9223372036854775808")), @"`num_hidden_layers`: expected a whole number from 1 to 1024, got 9223372036854775808");
    insta::assert_snapshot!(error(&LLAMA.replace("\"num_hidden_layers\":32", "\"num_hidden_layers\":0")), @"`num_hidden_layers`: expected a whole number from 1 to 1024, got 0");
    insta::assert_snapshot!(error(&LLAMA.replace("\"num_hidden_layers\":32", "\"num_hidden_layers\":-1.5")), @"`num_hidden_layers`: expected a whole number from 1 to 1024, got -1.5");
    insta::assert_snapshot!(error(&LLAMA.replace("\"num_key_value_heads\":8", "\"num_key_value_heads\":5")), @"`num_key_value_heads`: 5 does not divide num_attention_heads, 32");
    insta::assert_snapshot!(error(&LLAMA.replace("\"bfloat16\"", "\"int3\"")), @r#"`torch_dtype`: expected bfloat16, float16 or float32, got "int3""#);
}

#[test]
fn a_family_with_names_of_its_own_is_told_them() {
    let gpt2 = r#"{"architectures":["GPT2LMHeadModel"],"n_embd":768,"n_head":12,"n_layer":12,"n_positions":1024,"n_inner":null,"vocab_size":50257}"#;
    let model = ModelInput::from_config("x/y", gpt2).unwrap();
    assert_eq!(model.spec.unwrap().mlp().unwrap().intermediate_size, 3072);
    assert!(model.config.contains_key("n_embd"));
    insta::assert_snapshot!(error(&gpt2.replace("\"n_layer\":12,", "")), @"missing `n_layer` (needed for weights and KV cache)");
    insta::assert_snapshot!(error(&gpt2.replace("\"n_head\":12", "\"n_head\":0")), @"`n_head`: expected a whole number from 1 to 4096, got 0");
    let dbrx = r#"{"architectures":["DbrxForCausalLM"],"d_model":6144,"n_heads":48,"n_layers":40,"vocab_size":100352,"max_seq_len":32768,"attn_config":{"kv_n_heads":8},"ffn_config":{"ffn_hidden_size":10752,"moe_num_experts":16,"moe_top_k":32}}"#;
    insta::assert_snapshot!(error(dbrx), @"`ffn_config.moe_top_k`: 32 of 16 experts");
}

#[test]
fn a_huge_file_is_refused_by_its_size() {
    let text = format!("{{\"a\":\"{}\"}}", "x".repeat(50_000_000));
    insta::assert_snapshot!(error(&text), @"the text has 50000008 bytes; a config.json has at most 8388608");
}

#[test]
fn pythons_infinity_is_read() {
    let text = LLAMA.replace(
        '{',
        r#"{"time_step_limit":[0.0,Infinity],"x":-Infinity,"y":NaN,"z":"NaN \" Infinity","#,
    );
    assert!(ModelInput::from_config("x/y", &text).unwrap().spec.is_ok());
}

#[test]
fn deep_nesting_is_an_error() {
    assert!(error(&"[".repeat(100_000)).starts_with("not JSON"));
}

#[test]
fn what_is_not_modelled_is_refused_with_the_reason() {
    insta::assert_snapshot!(refused(r#"{"architectures":["NoSuchModel"]}"#), @"the architecture `NoSuchModel` is not modelled yet: its layers are of kinds whose sizes are not computed here");
    insta::assert_snapshot!(refused(r#"{"architectures":["NoSuchForConditionalGeneration"],"vision_config":{}}"#), @"`NoSuchForConditionalGeneration` has a vision or audio tower (`text_config`, `vision_config`), and its language model is not one that is modelled yet");
    let quantized = |q: &str| refused(&LLAMA.replace('}', &format!(",\"quantization_config\":{q}}}")));
    insta::assert_snapshot!(quantized(r#"{"quant_method":"bitsandbytes"}"#), @"bitsandbytes with 8-bit weights is not modelled (known: `load_in_4bit`)");
    insta::assert_snapshot!(quantized(r#"{"quant_method":"mxfp4"}"#), @"quantization `mxfp4` is not modelled yet (known: fp8, awq, gptq, compressed-tensors, modelopt, quark)");
}

#[test]
fn a_checkpoint_quantised_in_several_ways_is_read_layer_by_layer() {
    let spec = |quantization: &str| {
        let text = LLAMA.replace('}', &format!(",\"quantization_config\":{quantization}}}"));
        let model = ModelInput::from_config("x/y", &text).unwrap();
        model.spec.map_err(|error| error.to_string())
    };
    let fp8 = LinearScheme::Fp8PerTensor {
        static_activation: true,
    };
    let named = r#"{"quant_method":"modelopt","quant_algo":"MIXED_PRECISION","quantized_layers":{"model.layers.0.mlp.up_proj":{"quant_algo":"NVFP4"},"model.layers.0.mlp.gate_proj":{"quant_algo":"NVFP4"},"model.layers.1.self_attn.q_proj":{"quant_algo":"FP8"}}}"#;
    let layers = spec(named).unwrap().layers.clone();
    let main = spec(named).unwrap().quantization.clone().unwrap().scheme;
    assert_eq!((layers.len(), main), (3, LinearScheme::Nvfp4));
    assert!(layers[0].quantized.gate_up && !layers[0].quantized.down && !layers[0].quantized.qkv);
    assert!(layers[1].quantized.qkv && !layers[1].quantized.o);
    assert_eq!(layers[1].quantized.others.mixer, Some(fp8));

    let many = named.replace(
        r#""model.layers.0.mlp.gate_proj""#,
        r#""model.layers.2.mlp.experts.0.up_proj":{"quant_algo":"NVFP4"},"model.layers.2.mlp.experts.1.up_proj":{"quant_algo":"NVFP4"},"model.layers.0.mlp.gate_proj""#,
    );
    let text = LLAMA.replace('}', &format!(",\"quantization_config\":{many}}}"));
    let model = ModelInput::from_config("x/y", &text).unwrap();
    let kept = &model.config["quantization_config"]["quantized_layers"];
    assert_eq!(kept.as_object().unwrap().len(), 4, "one expert is kept");
    assert_eq!(ModelInput::from_object("x/y", &model.config).unwrap(), model);

    let groups = r#"{"quant_method":"compressed-tensors","ignore":["lm_head"],"config_groups":{"group_0":{"targets":["re:.*mlp.*"],"weights":{"num_bits":4,"type":"float","strategy":"tensor_group","group_size":16},"input_activations":{"num_bits":4,"type":"float","strategy":"tensor_group"}},"group_1":{"targets":["re:.*self_attn.*"],"weights":{"num_bits":8,"type":"float","strategy":"channel"},"input_activations":{"num_bits":8,"type":"float","dynamic":true}}}}"#;
    let layers = spec(groups).unwrap().layers.clone();
    assert_eq!(layers.len(), 1);
    assert!(layers[0].quantized.qkv && layers[0].quantized.down);
    let channel = LinearScheme::PerChannel8 {
        static_activation: false,
        float: true,
    };
    assert_eq!(layers[0].quantized.others.mixer, Some(channel));

    let quark = r#"{"quant_method":"quark","exclude":["lm_head"],"global_quant_config":{"weight":{"dtype":"fp8_e4m3","qscheme":"per_tensor"},"input_tensors":{"dtype":"fp8_e4m3","qscheme":"per_tensor","is_dynamic":false}}}"#;
    assert_eq!(spec(quark).unwrap().quantization.clone().unwrap().scheme, fp8);

    let three = spec(r#"{"quant_method":"gptq","bits":3,"group_size":-1}"#);
    insta::assert_snapshot!(three.unwrap_err(), @"Unsupported quantization config: bits=3, sym=True");
}

/// The model of a config whose `TYPES` are all of one name but at those places.
fn with_types(config: &str, layers: usize, common: &str, other: &str, places: &[usize]) -> Arc<ModelSpec> {
    let name = |i: usize| if places.contains(&i) { other } else { common };
    let types: Vec<&str> = (0..layers).map(name).collect();
    let text = config.replace("TYPES", &format!("{types:?}"));
    ModelInput::from_config("x/y", &text).unwrap().spec.unwrap()
}

#[test]
fn parameters_of_irregular_models_equal_the_published_counts() {
    let file = support::json("oracle/weights_irregular.json");
    let parameters = |id| support::spec(&file, id).unwrap().parameters();
    assert_eq!(parameters("LiquidAI/LFM2-1.2B"), 1_170_340_608);
    assert_eq!(
        parameters("nvidia/Llama-3_3-Nemotron-Super-49B-v1"),
        49_867_145_216
    );
    let granite = r#"{"architectures":["GraniteMoeHybridForCausalLM"],"hidden_size":1536,"num_hidden_layers":40,"layer_types":TYPES,"vocab_size":100352,"num_local_experts":64,"num_experts_per_tok":6,"intermediate_size":512,"shared_intermediate_size":1024,"num_attention_heads":12,"num_key_value_heads":4,"mamba_n_heads":48,"mamba_d_head":64,"mamba_d_state":128,"mamba_n_groups":1,"tie_word_embeddings":true,"max_position_embeddings":131072}"#;
    let granite = with_types(granite, 40, "mamba", "attention", &[5, 15, 25, 35]);
    assert_eq!(granite.parameters(), 6_939_037_248, "Granite 4.0 H Tiny");
    let lfm2 = r#"{"architectures":["Lfm2MoeForCausalLM"],"hidden_size":2048,"num_hidden_layers":24,"layer_types":TYPES,"vocab_size":65536,"num_attention_heads":32,"num_key_value_heads":8,"intermediate_size":7168,"moe_intermediate_size":1792,"num_experts":32,"num_experts_per_tok":4,"num_dense_layers":2,"conv_L_cache":3,"max_position_embeddings":128000}"#;
    let lfm2 = with_types(lfm2, 24, "conv", "full_attention", &[2, 6, 10, 14, 18, 21]);
    // Published without the correction bias of the experts.
    assert_eq!(lfm2.parameters(), 8_339_929_856 + 22 * 32, "LFM2 8B A1B");
    let jamba = r#"{"architectures":["JambaForCausalLM"],"hidden_size":4096,"intermediate_size":14336,"num_hidden_layers":32,"num_attention_heads":32,"num_key_value_heads":8,"num_experts":16,"num_experts_per_tok":2,"mamba_dt_rank":256,"vocab_size":65536,"max_position_embeddings":262144}"#;
    let jamba = with_types(jamba, 0, "", "", &[]);
    assert_eq!(jamba.parameters(), 51_570_323_328, "Jamba v0.1");
    let mamba = r#"{"architectures":["MambaForCausalLM"],"hidden_size":2560,"num_hidden_layers":64,"state_size":16,"expand":2,"conv_kernel":4,"time_step_rank":160,"vocab_size":50280}"#;
    let mamba = with_types(mamba, 0, "", "", &[]);
    assert_eq!(mamba.parameters(), 2_768_345_600, "Mamba 2.8B");
    assert_eq!(mamba.default_max_model_len, 2048);
    let codestral = r#"{"architectures":["Mamba2ForCausalLM"],"hidden_size":4096,"num_hidden_layers":64,"state_size":128,"expand":2,"conv_kernel":4,"num_heads":128,"head_dim":64,"n_groups":8,"vocab_size":32768}"#;
    let codestral = with_types(codestral, 0, "", "", &[]);
    assert_eq!(codestral.parameters(), 7_285_403_648, "Mamba Codestral 7B");
    // Published with a scale of keys and one of values per layer.
    assert_eq!(parameters("poolside/Laguna-XS.2-FP8"), 33_442_617_168 - 80);
}

#[test]
fn a_scenario_keeps_just_the_fields_that_were_read() {
    let text = LLAMA.replace('{', r#"{"transformers_version":"4.1","bos_token_id":1,"#);
    let model = ModelInput::from_config("x/y", &text).unwrap();
    assert!(!model.config.contains_key("bos_token_id"));
    let again = ModelInput::from_object("x/y", &model.config).unwrap();
    assert_eq!(again, model);
}

#[test]
fn catalogue_models_resolve_the_same_from_their_kept_fields() {
    for model in models() {
        let again = ModelInput::from_object(model.id, model.config()).unwrap();
        assert_eq!(&again.spec, model.spec(), "{}", model.id);
    }
}

/// A start-up log of 0.23.0: Qwen3-14B-AWQ, "Model loading took 9.44 GiB". Copies of configs often lack `architectures`.
#[test]
fn a_config_without_architectures_is_taken_by_its_type_and_said_so() {
    let config = r#"{"model_type":"qwen3","hidden_size":5120,"intermediate_size":17408,"num_hidden_layers":40,"num_attention_heads":40,"num_key_value_heads":8,"head_dim":128,"vocab_size":151936,"max_position_embeddings":40960,"tie_word_embeddings":false,"torch_dtype":"bfloat16","quantization_config":{"quant_method":"awq","bits":4,"group_size":128,"zero_point":true,"version":"gemm","modules_to_not_convert":null}}"#;
    let plan = |text: &str| {
        let model = ModelInput::from_config("Qwen/Qwen3-14B-AWQ", text).unwrap();
        let mut scenario = planner::Scenario::new(model, planner::gpu::find("L40S").unwrap().clone());
        scenario.set("vllm_version", "0.23.0").unwrap();
        scenario.set("max_model_len", "24576").unwrap();
        planner::evaluate(&scenario)
    };
    let (nameless, named) = (
        plan(config),
        plan(&config.replacen('{', r#"{"architectures":["Qwen3ForCausalLM"],"#, 1)),
    );
    let gib = nameless.memory.as_ref().unwrap().weights_bytes.get() as f64 / planner::units::GIB as f64;
    assert!((gib / 9.44 - 1.0).abs() < 0.01, "{gib}");
    assert_eq!(nameless.memory, named.memory);
    let said = |plan: &planner::Plan| plan.notes.iter().any(|note| note.code == "model.architecture");
    assert!(said(&nameless) && !said(&named));
    let unknown = config.replace("qwen3", "something");
    assert!(ModelInput::from_config("x/y", &unknown).is_err());
}
