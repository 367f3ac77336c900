//! Broken, hostile and unknown config.json files get a message that names the field. None panics.
use planner::model::{ModelInput, models};

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
    insta::assert_snapshot!(refused(r#"{"architectures":["InternVLChatModel"],"vision_config":{}}"#), @"`InternVLChatModel` has a vision or audio tower (`text_config`, `vision_config`), and its language model is not one that is modelled yet");
    let quantized = |q: &str| refused(&LLAMA.replace('}', &format!(",\"quantization_config\":{q}}}")));
    insta::assert_snapshot!(quantized(r#"{"quant_method":"bitsandbytes"}"#), @"quantization `bitsandbytes` is not in vLLM 0.33.0 (last in 0.27.1, gone in 0.28.0)");
    insta::assert_snapshot!(quantized(r#"{"quant_method":"mxfp4"}"#), @"quantization `mxfp4` is not modelled yet (known: fp8, awq, gptq, compressed-tensors)");
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
