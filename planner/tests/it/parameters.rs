//! Parameter counts against those that the models' pages show; the catalogue's own are tested where it is parsed.
use crate::support;
use planner::{
    memory::{
        shape::RankShape,
        tensors::{Placement, TensorClass, TowerPlace, tensors},
    },
    model::{ModelInput, ModelSpec},
};

#[test]
fn parameters_equal_the_published_count() {
    let file = support::json("measured/parameters.json");
    for row in file["rows"].as_array().unwrap() {
        let id = row[0].as_str().unwrap();
        let model = ModelInput::from_object(id, row[4].as_object().unwrap()).unwrap();
        let spec = model.spec.unwrap();
        let published = row[1].as_i64().unwrap() - row[2].as_i64().unwrap();
        let tower = spec.tower.as_ref().unwrap().parameters();
        assert_eq!((spec.parameters() + tower).cast_signed(), published, "{id}");
    }
}

/// `models/telechat2.py`: biases behind the attention and the feed-forward, none before.
#[test]
fn telechat2_has_biases_behind_its_layers_alone() {
    let config = r#"{"architectures":["TeleChat2ForCausalLM"],"hidden_size":1024,"n_layer":2,"n_head":8,"ffn_hidden_size":4096,"vocab_size":1000,"seq_length":2048,"tie_word_embeddings":false}"#;
    let spec = ModelInput::from_config("Tele-AI/TeleChat2", config)
        .unwrap()
        .spec
        .unwrap();
    let (h, width) = (1024, 4096);
    let layer = 4 * h * h + 3 * h * width + 2 * h + 2 * h;
    assert_eq!(spec.parameters(), 2 * 1000 * h + 2 * layer + h);
    assert!(spec.unchecked);
}

/// Sizes of the published files: all tensors in 16 bits, those beside the ones that vLLM loads among them.
#[test]
fn towers_without_a_published_count_weigh_what_their_files_do() {
    // PaddleOCR-VL: 1.92 GB, with a pooling head and 32768 packed positions that the class drops.
    let paddle = r#"{"architectures":["PaddleOCRVLForConditionalGeneration"],"hidden_size":1024,"intermediate_size":3072,"num_hidden_layers":18,"num_attention_heads":16,"num_key_value_heads":2,"head_dim":128,"vocab_size":103424,"max_position_embeddings":131072,"tie_word_embeddings":false,"vision_config":{"hidden_size":1152,"image_size":384,"intermediate_size":4304,"num_attention_heads":16,"num_hidden_layers":27,"patch_size":14,"temporal_patch_size":2}}"#;
    let (w, mlp) = (1152, 4304);
    let head = w + 4 * w * (w + 1) + 2 * w + 2 * w * mlp + mlp + w;
    let spec = ModelInput::from_config("PaddlePaddle/PaddleOCR-VL", paddle)
        .unwrap()
        .spec
        .unwrap();
    let all = spec.parameters() + spec.tower.as_ref().unwrap().parameters() + head + 32_768 * w;
    assert_eq!((2 * all + 5_000_000) / 10_000_000, 192, "{all}");
    assert!(spec.tower.as_ref().unwrap().unchecked);
}

/// Qwen3-ASR's report (arXiv 2601.21337): encoders of 180 and 300 million parameters, stated to two digits.
#[test]
fn qwen3_asrs_encoders_are_as_large_as_their_report_says() {
    for (millions, d, layers, heads, out, hidden, width) in [
        (180, 896, 18, 14, 1024, 1024, 3072),
        (300, 1024, 24, 16, 2048, 2048, 6144),
    ] {
        let config = serde_json::json!({
            "architectures": ["Qwen3ASRForConditionalGeneration"],
            "thinker_config": {
                "audio_config": {"d_model": d, "encoder_layers": layers, "encoder_attention_heads": heads,
                    "encoder_ffn_dim": 4 * d, "output_dim": out, "downsample_hidden_size": 480, "num_mel_bins": 128,
                    "max_source_positions": 1500},
                "text_config": {"hidden_size": hidden, "intermediate_size": width, "num_hidden_layers": 28,
                    "num_attention_heads": 16, "num_key_value_heads": 8, "head_dim": 128, "vocab_size": 151_936,
                    "max_position_embeddings": 65_536, "tie_word_embeddings": true},
            },
        });
        let model = ModelInput::from_object("Qwen/Qwen3-ASR", config.as_object().unwrap()).unwrap();
        let tower = model.spec.unwrap().tower.clone().unwrap();
        let off = tower.parameters().abs_diff(millions * 1_000_000);
        assert!(off < millions * 60_000, "{millions}: {}", tower.parameters());
    }
}

/// LFM2-VL's card: 450 million parameters, 86 of them in SigLIP 2 (NaFlex, base). The config is of a model tuned from it.
#[test]
fn lfm2_vl_and_its_tower_are_as_large_as_their_card_says() {
    let config = r#"{"architectures":["Lfm2VlForConditionalGeneration"],"downsample_factor":2,"projector_bias":true,"projector_hidden_size":2560,"text_config":{"architectures":["Lfm2ForCausalLM"],"block_auto_adjust_ff_dim":true,"block_dim":1024,"block_ff_dim":6656,"block_ffn_dim_multiplier":1.0,"block_multiple_of":256,"conv_L_cache":3,"conv_bias":false,"hidden_size":1024,"intermediate_size":6656,"layer_types":["conv","conv","full_attention","conv","conv","full_attention","conv","conv","full_attention","conv","full_attention","conv","full_attention","conv","full_attention","conv"],"max_position_embeddings":128000,"model_type":"lfm2","num_attention_heads":16,"num_hidden_layers":16,"num_key_value_heads":8,"vocab_size":65536},"vision_config":{"hidden_size":768,"intermediate_size":3072,"model_type":"siglip2_vision_model","num_attention_heads":12,"num_hidden_layers":12,"num_patches":256,"patch_size":16}}"#;
    let spec = ModelInput::from_config("LiquidAI/LFM2-VL-450M", config)
        .unwrap()
        .spec
        .unwrap();
    let tower = spec.tower.as_ref().unwrap().parameters();
    // A norm and two layers with biases, from four patches through 2560 to the language model.
    let projector = 2 * 3072 + 3072 * 2560 + 2560 + 2560 * 1024 + 1024;
    assert_eq!((tower - projector + 500_000) / 1_000_000, 86, "{tower}");
    assert_eq!((spec.parameters() + tower) / 1_000_000, 450);
}

/// Command A Vision: 112 billion, Command A's 111 among them. Both counts, and the tower's sizes (SigLIP, 512 pixels), are
/// from memory.
#[test]
fn command_a_vision_is_as_large_as_remembered() {
    let config = r#"{"architectures":["Cohere2VisionForConditionalGeneration"],"alignment_intermediate_size":36864,"downsample_factor":2,"text_config":{"model_type":"cohere2","hidden_size":12288,"intermediate_size":36864,"num_hidden_layers":64,"num_attention_heads":96,"num_key_value_heads":8,"head_dim":128,"vocab_size":256000,"sliding_window":4096,"max_position_embeddings":131072,"layer_switch":4},"vision_config":{"hidden_size":1152,"image_size":512,"intermediate_size":4304,"model_type":"siglip_vision_model","num_attention_heads":16,"num_hidden_layers":27,"patch_size":16}}"#;
    let spec = ModelInput::from_config("CohereLabs/command-a-vision-07-2025", config)
        .unwrap()
        .spec
        .unwrap();
    let tower = spec.tower.as_ref().unwrap().parameters();
    assert_eq!((spec.parameters() + 500_000_000) / 1_000_000_000, 111);
    assert_eq!(
        (spec.parameters() + tower + 500_000_000) / 1_000_000_000,
        112,
        "{tower}"
    );
}

/// Voxtral's report (arXiv 2507.13264): 24.3 billion, 640 million of them in the encoder and 52 in the adapter.
#[test]
fn voxtral_small_is_as_large_as_its_report_says() {
    let config = r#"{"architectures":["VoxtralForConditionalGeneration"],"audio_config":{"head_dim":64,"hidden_size":1280,"intermediate_size":5120,"max_source_positions":1500,"model_type":"voxtral_encoder","num_attention_heads":20,"num_hidden_layers":32,"num_key_value_heads":20,"num_mel_bins":128,"vocab_size":51866},"hidden_size":5120,"model_type":"voxtral","text_config":{"attention_bias":false,"head_dim":128,"hidden_size":5120,"intermediate_size":32768,"max_position_embeddings":131072,"mlp_bias":false,"model_type":"llama","num_attention_heads":32,"num_hidden_layers":40,"num_key_value_heads":8,"rope_theta":100000000.0,"vocab_size":131072},"torch_dtype":"bfloat16","vocab_size":131072}"#;
    let spec = ModelInput::from_config("mistralai/Voxtral-Small-24B-2507", config)
        .unwrap()
        .spec
        .unwrap();
    let tower = spec.tower.as_ref().unwrap().parameters();
    let adapter = 2 * 5120 * 5120;
    assert_eq!((adapter + 500_000) / 1_000_000, 52);
    assert_eq!((tower - adapter + 5_000_000) / 10_000_000, 64, "{tower}");
    assert_eq!((spec.parameters() + tower + 50_000_000) / 100_000_000, 243);
}

/// Counts of cards and listings, to as many digits as they give:
/// GLM-4V-9B 13.9 and MiniCPM-V 4.6 1.3 billion. GLM-4V's sizes are from memory; those of MiniCPM stand in programs that read
/// its files.
#[test]
fn towers_beside_known_language_models_make_the_listed_totals() {
    let siglip = r#"{"hidden_size":1152,"image_size":980,"intermediate_size":4304,"num_attention_heads":16,"num_hidden_layers":27,"patch_size":14}"#;
    let minicpm = format!(
        r#"{{"architectures":["MiniCPMV4_6ForConditionalGeneration"],"drop_vision_last_layer":false,"text_config":{{"full_attention_interval":4,"head_dim":256,"hidden_size":1024,"intermediate_size":3584,"linear_conv_kernel_dim":4,"linear_key_head_dim":128,"linear_num_key_heads":16,"linear_num_value_heads":16,"linear_value_head_dim":128,"max_position_embeddings":262144,"model_type":"qwen3_5_text","num_attention_heads":8,"num_hidden_layers":24,"num_key_value_heads":2,"tie_word_embeddings":true,"vocab_size":248094}},"vision_config":{siglip}}}"#
    );
    let glm = r#"{"architectures":["GLM4VForCausalLM"],"add_bias_linear":false,"add_qkv_bias":true,"ffn_hidden_size":13696,"hidden_size":4096,"kv_channels":128,"multi_query_attention":true,"multi_query_group_num":2,"num_attention_heads":32,"num_layers":40,"padded_vocab_size":151552,"rmsnorm":true,"seq_length":8192,"tie_word_embeddings":false,"vision_config":{"dropout_prob":0.0,"hidden_act":"gelu","hidden_size":1792,"image_size":1120,"in_channels":3,"intermediate_size":15360,"layer_norm_eps":1e-06,"num_heads":16,"num_hidden_layers":63,"num_positions":6401,"patch_size":14,"scaling_factor":8}}"#;
    // Molmo 2 8B: 8.66 billion (from memory).
    let molmo = r#"{"adapter_config":{"head_dim":72,"hidden_size":1152,"intermediate_size":12288,"num_attention_heads":16,"num_key_value_heads":16,"text_hidden_size":4096,"vit_layers":[-3,-9]},"architectures":["Molmo2ForConditionalGeneration"],"text_config":{"additional_vocab_size":128,"head_dim":128,"hidden_size":4096,"intermediate_size":12288,"max_position_embeddings":36864,"model_type":"molmo2_text","norm_after_norm":false,"num_attention_heads":32,"num_hidden_layers":36,"num_key_value_heads":8,"qk_norm_type":"qwen3","qkv_bias":false,"rope_scaling_layers":null,"tie_word_embeddings":false,"use_qk_norm":true,"vocab_size":151936},"vit_config":{"head_dim":72,"hidden_size":1152,"image_default_input_size":[378,378],"image_num_pos":729,"image_patch_size":14,"intermediate_size":4304,"num_attention_heads":16,"num_hidden_layers":27,"num_key_value_heads":16}}"#;
    for (id, config, digit, published) in [
        ("allenai/Molmo2-8B", molmo.to_owned(), 10_000_000, 866),
        ("zai-org/glm-4v-9b", glm.to_owned(), 100_000_000, 139),
        ("openbmb/MiniCPM-V-4.6", minicpm, 100_000_000, 13),
    ] {
        let model = ModelInput::from_config(id, &config).unwrap();
        // What a link keeps of the file is enough.
        let kept = ModelInput::from_object(id, &model.config).unwrap();
        assert_eq!(kept.spec, model.spec, "{id}");
        let spec = model.spec.unwrap();
        let tower = spec.tower.as_ref().unwrap();
        let total = spec.parameters() + tower.parameters();
        assert_eq!((total + digit / 2) / digit, published, "{id}: {total}");
        assert!(tower.unchecked, "{id}");
    }
}

/// The report of MiniCPM-o 2.6 has Whisper's medium model for sound, 300 million; beside it stand MiniCPM-V 2.6's tower and
/// two layers over its output. Its file writes the version as a text.
#[test]
fn minicpm_o_hears_with_whispers_medium_encoder() {
    let config = |architecture: &str, version: &str, audio: &str| {
        let config = format!(
            r#"{{"architectures":["{architecture}"],"hidden_size":3584,"intermediate_size":18944,"max_position_embeddings":32768,"num_attention_heads":28,"num_hidden_layers":28,"num_key_value_heads":4,"query_num":64,"tie_word_embeddings":false,"version":{version},"vocab_size":151700,"vision_config":{{"hidden_size":1152,"image_size":980,"intermediate_size":4304,"num_attention_heads":16,"num_hidden_layers":27,"patch_size":14}}{audio}}}"#
        );
        let spec = ModelInput::from_config("openbmb/MiniCPM", &config)
            .unwrap()
            .spec
            .unwrap();
        spec.tower.as_ref().unwrap().parameters()
    };
    let medium = r#","audio_config":{"d_model":1024,"encoder_attention_heads":16,"encoder_ffn_dim":4096,"encoder_layers":24}"#;
    let heard = config("MiniCPMO", r#""2.6""#, medium) - config("MiniCPMV", "2.6", "");
    let layers = 1024 * 3584 + 3584 + 3584 * 3584 + 3584;
    assert!((heard - layers).abs_diff(300_000_000) < 15_000_000, "{heard}");
}

/// Ling-3.0-flash has 127,486,405,600 parameters, and its file with 4-bit experts 65,578,478,560 elements (both as the Hub
/// lists them): two weights of the routed experts are one byte there, in 40 layers and the one that drafts; vLLM loads
/// those of the 40, and a byte of scale for each 32.
#[test]
fn ling_3_packs_its_experts_as_its_published_file_does() {
    let file = support::json("measured/parameters.json");
    let row = file["rows"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row[0] == "inclusionAI/Ling-3.0-flash");
    let mut config = row.unwrap()[4].as_object().unwrap().clone();
    config.insert(
        "quantization_config".to_owned(),
        serde_json::json!({"quant_method": "fp8", "activation_scheme": "dynamic", "weight_block_size": [128, 128],
            "routed_experts_quant_method": "mxfp4", "modules_to_not_convert": ["lm_head"]}),
    );
    let spec = ModelInput::from_object("x", &config).unwrap().spec.unwrap();
    let bytes: u64 = tensors(&spec, &place(&spec))
        .iter()
        .flat_map(|run| run.tensors.iter().map(|tensor| (run.layers, tensor)))
        .filter(|(_, tensor)| tensor.class == TensorClass::Experts)
        .map(|(layers, tensor)| layers * tensor.bytes * tensor.count)
        .sum();
    let packed = (127_486_405_600 - 65_578_478_560) / 41 * 40;
    assert_eq!(bytes, packed + packed / 16);
}

fn place(spec: &ModelSpec) -> Placement {
    Placement {
        shape: RankShape::SINGLE,
        dtype: spec.dtype,
        capability: 90,
        tower: Some(TowerPlace {
            data_parallel: false,
            max_num_batched_tokens: 8192,
            every_stage: false,
        }),
        buffers: support::load(spec).buffers(spec, 1, 90),
        streams_online: true,
    }
}

/// Two bytes for each parameter, and the few that are wider, padded or buffers.
#[test]
fn tensors_weigh_what_the_parameters_say() {
    let file = support::json("measured/parameters.json");
    for row in file["rows"].as_array().unwrap() {
        let id = row[0].as_str().unwrap();
        let model = ModelInput::from_object(id, row[4].as_object().unwrap()).unwrap();
        let spec = model.spec.unwrap();
        let bytes: u64 = tensors(&spec, &place(&spec))
            .iter()
            .flat_map(|run| run.tensors.iter().map(|tensor| (run.layers, tensor)))
            .filter(|(_, tensor)| tensor.class != TensorClass::Rope)
            .map(|(layers, tensor)| layers * tensor.bytes * tensor.count)
            .sum();
        let counted = 2 * (spec.parameters() + spec.tower.as_ref().unwrap().parameters());
        println!("{id} {counted} {:+}", bytes as i64 - counted as i64);
        let more = bytes as f64 / counted as f64 - 1.0;
        assert!(more.abs() < 0.01, "{id}: {bytes} for {counted}");
    }
}

/// Nemotron Puzzle: a part of its published file, as public tests of other engines quote it. Layers of one kind differ
/// in their experts alone.
#[test]
fn puzzles_experts_have_the_sizes_of_their_own_block() {
    let block = |width: u32, chosen: u32| {
        format!(r#"{{"block_type":"moe","moe_intermediate_size":{width},"num_experts_per_tok":{chosen}}}"#)
    };
    let config = |blocks: &str| {
        format!(
            r#"{{"architectures":["NemotronHPuzzleForCausalLM"],"hidden_size":4096,"num_hidden_layers":null,"num_attention_heads":32,"num_key_value_heads":2,"head_dim":128,"n_routed_experts":512,"n_shared_experts":1,"moe_latent_size":1024,"moe_shared_expert_intermediate_size":5376,"vocab_size":131072,"mamba_num_heads":128,"mamba_head_dim":64,"ssm_state_size":96,"n_groups":8,"conv_kernel":4,"max_position_embeddings":262144,"block_configs":[{{"block_type":"mamba"}},{{"block_type":"attention"}}{blocks}]}}"#
        )
    };
    let count = |blocks: &[String]| {
        let blocks = [&[String::new()], blocks].concat().join(",");
        ModelInput::from_config("nvidia/puzzle", &config(&blocks))
            .unwrap()
            .spec
            .map(|spec| (spec.num_hidden_layers(), spec.parameters()))
    };
    let none = count(&[]).unwrap();
    let layer = |width: u64| {
        let experts = 512 * 2 * 1024 * width;
        let around = 2 * 4096 * 1024 + 2 * 4096 * 5376;
        experts + around + 512 * 4096 + 512 + 4096
    };
    let both = count(&[block(1280, 4), block(2688, 22)]).unwrap();
    assert_eq!(both, (none.0 + 2, none.1 + layer(1280) + layer(2688)));
    let unknown = count(&[r#"{"block_type":"moe","window_length":8192}"#.to_owned()]).unwrap_err();
    assert!(unknown.to_string().contains("`window_length`"), "{unknown}");
}
