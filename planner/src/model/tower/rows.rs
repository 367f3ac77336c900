//! What vLLM's classes make of a `vision_config` or `audio_config`, one row per kind of tower.
use super::{
    Uneven,
    kinds::{Block, Connector, Covered, Positions, Rotary, Row, Tokens, Video},
};

const LAYER_NORMS: u32 = 4;
const RMS_NORMS: u32 = 2;

const QWEN3: Row = Row {
    architectures: &[
        "Qwen3VLForConditionalGeneration",
        "Qwen3VLMoeForConditionalGeneration",
        "Cosmos3ForConditionalGeneration",
    ],
    object: "vision_config",
    model_type: "",
    defaults: "depth 27 hidden_size 1152 intermediate_size 4304 num_heads 16 patch_size 16 \
                temporal_patch_size 2 out_hidden_size 3584 num_position_embeddings 2304 deepstack 3",
    roots: &["visual", "model.visual"],
    connector_roots: &["visual", "model.visual"],
    connector: Connector::Merger,
    covered: Covered::All,
    whole: false,
    uneven: Uneven::Refused,
    by_data: true,
    patch_bias: true,
    class_token: false,
    positions: Positions::Rows("num_position_embeddings"),
    rotary: Rotary::Cache,
    block: Block {
        names: [
            "blocks",
            "attn.qkv",
            "attn.proj",
            "mlp.linear_fc1",
            "mlp.linear_fc2",
        ],
        qkv_bias: true,
        o_bias: true,
        mlp_bias: true,
        gated: false,
        grouped: false,
        vectors: LAYER_NORMS,
    },
    vectors: 0,
    tokens: Tokens::Pixels(16_777_216),
    video: Video::None,
    modalities: &["image", "video"],
    unchecked: false,
};

const QWEN2_5: Row = Row {
    architectures: &["Qwen2_5_VLForConditionalGeneration"],
    defaults: "depth 32 hidden_size 3584 intermediate_size 3420 num_heads 16 patch_size 14 \
                temporal_patch_size 2 out_hidden_size 3584",
    patch_bias: false,
    positions: Positions::None,
    block: Block {
        names: [
            "blocks",
            "attn.qkv",
            "attn.proj",
            "mlp.gate_up_proj",
            "mlp.down_proj",
        ],
        gated: true,
        vectors: RMS_NORMS,
        ..QWEN3.block
    },
    tokens: Tokens::Pixels(12_845_056),
    video: Video::Pairs(7),
    ..QWEN3
};

/// `models/exaone4_5.py`.
const EXAONE: Row = Row {
    architectures: &["Exaone4_5_ForConditionalGeneration"],
    defaults: "depth 32 hidden_size 3584 intermediate_size 3420 num_heads 16 num_key_value_heads 8 patch_size 14 \
                temporal_patch_size 2 out_hidden_size 3584",
    block: Block {
        grouped: true,
        ..QWEN2_5.block
    },
    unchecked: true,
    // What its own preprocessor takes at most is not known here; Qwen2.5-VL's would be 20 GiB.
    tokens: Tokens::Unknown,
    video: Video::None,
    ..QWEN2_5
};

const SIGLIP: Row = Row {
    architectures: &["Gemma3ForConditionalGeneration"],
    by_data: false,
    defaults: "hidden_size 768 intermediate_size 3072 num_hidden_layers 12 num_attention_heads 12 \
                image_size 224 patch_size 16",
    roots: &[
        "vision_tower.vision_model.encoder",
        "model.vision_tower.vision_model.encoder",
    ],
    connector_roots: &["multi_modal_projector", "model.multi_modal_projector"],
    connector: Connector::Averaged,
    covered: Covered::In64,
    positions: Positions::GridAndIds,
    rotary: Rotary::None,
    block: Block {
        names: [
            "layers",
            "self_attn.q_proj",
            "self_attn.out_proj",
            "mlp.fc1",
            "mlp.fc2",
        ],
        ..QWEN3.block
    },
    vectors: 2,
    tokens: Tokens::Fixed(256),
    modalities: &["image"],
    ..QWEN3
};

const CLIP: Row = Row {
    architectures: &["LlavaForConditionalGeneration"],
    model_type: "clip_vision_model",
    defaults: "hidden_size 768 intermediate_size 3072 num_hidden_layers 12 num_attention_heads 12 \
                image_size 224 patch_size 32",
    connector: Connector::TwoLayers,
    covered: Covered::All,
    patch_bias: false,
    class_token: true,
    tokens: Tokens::Image,
    ..SIGLIP
};

const PIXTRAL: Row = Row {
    architectures: &["Mistral3ForConditionalGeneration"],
    by_data: false,
    defaults: "hidden_size 1024 intermediate_size 4096 num_hidden_layers 24 num_attention_heads 16 \
                image_size 1024 patch_size 16",
    roots: &["vision_tower.transformer", "model.vision_tower.transformer"],
    connector_roots: &["multi_modal_projector", "model.multi_modal_projector"],
    connector: Connector::PatchMerger,
    patch_bias: false,
    positions: Positions::None,
    rotary: Rotary::Frequencies(2),
    block: Block {
        names: [
            "layers",
            "attention.q_proj",
            "attention.o_proj",
            "feed_forward.gate_proj",
            "feed_forward.down_proj",
        ],
        qkv_bias: false,
        o_bias: false,
        mlp_bias: false,
        gated: true,
        grouped: false,
        vectors: RMS_NORMS,
    },
    vectors: 1,
    tokens: Tokens::Image,
    modalities: &["image"],
    ..QWEN3
};

/// `models/deepseek_v4/common/vision.py`, around it `models/deepseek_v41/nvidia/vl_model.py`.
const DEEPSEEK_V41: Row = Row {
    architectures: &["DeepseekV41ForCausalLM"],
    defaults: "hidden_size 1024 num_attention_heads 16 intermediate_size 2816 patch_size 14 downsample_ratio 3",
    roots: &["vision"],
    connector_roots: &["aligner"],
    connector: Connector::Downsampled,
    covered: Covered::None,
    uneven: Uneven::Whole,
    positions: Positions::None,
    rotary: Rotary::None,
    block: Block {
        names: ["blocks", "attn.wqkv", "attn.wo", "mlp.w1", "mlp.w2"],
        mlp_bias: false,
        gated: true,
        vectors: RMS_NORMS,
        ..QWEN3.block
    },
    vectors: 1,
    tokens: Tokens::Fixed(1024),
    modalities: &["image"],
    unchecked: true,
    ..QWEN3
};

const KIMI: Row = Row {
    architectures: &["KimiK25ForConditionalGeneration"],
    defaults: "vt_hidden_size 1152 vt_num_hidden_layers 27 vt_num_attention_heads 16 vt_intermediate_size \
                4304 patch_size 14 init_pos_emb_height 64 init_pos_emb_width 64 init_pos_emb_time 4",
    roots: &["vision_tower.encoder"],
    connector_roots: &["mm_projector"],
    connector: Connector::Whole,
    covered: Covered::NotCompressed,
    uneven: Uneven::Whole,
    positions: Positions::PlaneAndTime,
    rotary: Rotary::None,
    block: Block {
        names: ["blocks", "wqkv", "wo", "mlp.fc0", "mlp.fc1"],
        ..QWEN3.block
    },
    vectors: 2,
    tokens: Tokens::Fixed(4096),
    modalities: &["vision_chunk"],
    ..QWEN3
};

const QWEN2_AUDIO: Row = Row {
    architectures: &["Qwen2AudioForConditionalGeneration"],
    by_data: false,
    object: "audio_config",
    defaults: "num_mel_bins 128 encoder_layers 32 encoder_attention_heads 20 encoder_ffn_dim 5120 d_model \
                1280 max_source_positions 1500",
    connector_roots: &[],
    connector: Connector::Audio,
    covered: Covered::None,
    whole: true,
    patch_bias: false,
    positions: Positions::Sound,
    rotary: Rotary::None,
    vectors: 2,
    tokens: Tokens::Fixed(750),
    modalities: &["audio"],
    ..QWEN3
};

/// transformers' Whisper, of whose parts vLLM makes none anew.
const MINICPM_AUDIO: Row = Row {
    architectures: &["MiniCPMO"],
    unchecked: true,
    // `WhisperConfig`.
    defaults: "num_mel_bins 80 encoder_layers 4 encoder_attention_heads 6 encoder_ffn_dim 1536 d_model \
                384 max_source_positions 1500",
    connector: Connector::AudioDense,
    ..QWEN2_AUDIO
};

const MINICPM: Row = Row {
    architectures: &["MiniCPMV", "MiniCPMO"],
    by_data: true,
    roots: &["vpm.encoder"],
    connector_roots: &["resampler"],
    connector: Connector::Resampler,
    covered: Covered::All,
    positions: Positions::Grid,
    // A whole image and nine slices of 64 queries each, or 16 frames.
    tokens: Tokens::Fixed(640),
    video: Video::Fixed(1024),
    modalities: &["image", "video"],
    ..SIGLIP
};

const QWEN3_AUDIO: Row = Row {
    architectures: &["Qwen3ASRForConditionalGeneration"],
    unchecked: true,
    defaults: "num_mel_bins 128 encoder_layers 32 encoder_attention_heads 20 encoder_ffn_dim 5120 d_model \
                1280 max_source_positions 1500 output_dim 3584 downsample_hidden_size 480",
    connector: Connector::AudioTwice,
    whole: false,
    uneven: Uneven::Whole,
    positions: Positions::SoundPictures,
    // Thirty seconds, 13 tokens each.
    tokens: Tokens::Fixed(390),
    ..QWEN2_AUDIO
};

const GLM_OCR: Row = Row {
    architectures: &["GlmOcrForConditionalGeneration"],
    unchecked: true,
    defaults: "depth 24 hidden_size 1024 num_heads 16 intermediate_size 4096 patch_size 14 \
                temporal_patch_size 2 out_hidden_size 1536",
    connector: Connector::GatedByText,
    positions: Positions::None,
    block: Block {
        names: [
            "blocks",
            "attn.qkv",
            "attn.proj",
            "mlp.gate_up_proj",
            "mlp.down_proj",
        ],
        gated: true,
        vectors: RMS_NORMS,
        ..QWEN3.block
    },
    vectors: 1,
    tokens: Tokens::Unknown,
    ..QWEN3
};

/// `aimv2.py: AIMv2Block`; dots.ocr's blocks are made the same way.
const AIMV2: Block = Block {
    names: ["blocks", "attn.qkv", "attn.proj", "mlp.fc13", "mlp.fc2"],
    qkv_bias: false,
    o_bias: false,
    mlp_bias: false,
    gated: true,
    grouped: false,
    vectors: RMS_NORMS,
};

/// An image of 3024 × 3024, and 36 tiles of 504 × 504 with two marks each and the ends of five lines
/// (`transformers_utils/processors/step3_vl.py: Step3VLImageProcessor`).
const STEP_TOKENS: Tokens = Tokens::Fixed(3164);

/// Ovis 1.6 has SigLIP, Ovis 2 AIMv2.
const OVIS: Row = Row {
    architectures: &["Ovis"],
    unchecked: true,
    object: "vit_config",
    model_type: "siglip_vision_model",
    roots: &["visual_tokenizer.vision_model.encoder"],
    connector_roots: &[],
    connector: Connector::Words(5),
    covered: Covered::All,
    positions: Positions::Grid,
    // Nine tiles and the whole image.
    tokens: Tokens::Tiles(10),
    ..SIGLIP
};

/// Every kind of tower that is modelled.
const ROWS: &[Row] = &[
    DEEPSEEK_V41,
    QWEN3,
    Row {
        architectures: &[
            "Qwen3_5ForConditionalGeneration",
            "Qwen3_5MoeForConditionalGeneration",
            "Qwen4ExpForConditionalGeneration",
        ],
        defaults: "depth 27 hidden_size 1152 intermediate_size 4304 num_heads 16 patch_size 16 \
                temporal_patch_size 2 out_hidden_size 3584 num_position_embeddings 2304",
        ..QWEN3
    },
    QWEN2_5,
    EXAONE,
    Row {
        architectures: &["Qwen2VLForConditionalGeneration"],
        defaults: "depth 32 embed_dim 1280 hidden_size 3584 mlp_ratio 4 num_heads 16 patch_size 14 \
                temporal_patch_size 2",
        block: Block {
            names: ["blocks", "attn.qkv", "attn.proj", "mlp.fc1", "mlp.fc2"],
            ..QWEN3.block
        },
        ..QWEN2_5
    },
    SIGLIP,
    Row {
        architectures: &["Gemma4ForConditionalGeneration"],
        by_data: false,
        defaults: "hidden_size 768 intermediate_size 3072 num_hidden_layers 16 num_attention_heads 12 \
                head_dim 64 patch_size 16 position_embedding_size 10240",
        roots: &["vision_tower.encoder", "model.vision_tower.encoder"],
        connector_roots: &["embed_vision", "model.embed_vision"],
        connector: Connector::Plain,
        covered: Covered::TowerIn64,
        whole: true,
        patch_bias: false,
        positions: Positions::Axes,
        rotary: Rotary::Frequencies(4),
        block: Block {
            names: [
                "layers",
                "self_attn.q_proj",
                "self_attn.o_proj",
                "mlp.gate_proj",
                "mlp.down_proj",
            ],
            qkv_bias: false,
            o_bias: false,
            mlp_bias: false,
            gated: true,
            grouped: false,
            vectors: 4,
        },
        vectors: 0,
        tokens: Tokens::Fixed(280),
        // 32 frames of 70 tokens each, with what marks them.
        video: Video::Fixed(2496),
        ..QWEN3
    },
    CLIP,
    Row {
        architectures: &["LlavaNextForConditionalGeneration"],
        connector: Connector::TwoLayersNewline,
        tokens: Tokens::Fixed(2880),
        ..CLIP
    },
    Row {
        architectures: &["Phi3VForCausalLM"],
        object: "img_processor",
        model_type: "",
        // `CLIP_VIT_LARGE_PATCH14_336_CONFIG`: the file names no shapes.
        defaults: "hidden_size 1024 intermediate_size 4096 num_hidden_layers 24 num_attention_heads 16 \
                image_size 336 patch_size 14",
        roots: &["model.vision_embed_tokens.img_processor.vision_model.encoder"],
        connector_roots: &[],
        connector: Connector::Separators,
        tokens: Tokens::Tiles(17),
        ..CLIP
    },
    PIXTRAL,
    Row {
        architectures: &["LlavaForConditionalGeneration"],
        model_type: "pixtral",
        connector: Connector::TwoLayers,
        ..PIXTRAL
    },
    Row {
        architectures: &["LlavaForConditionalGeneration"],
        model_type: "siglip_vision_model",
        connector: Connector::TwoLayers,
        vectors: 0,
        tokens: Tokens::Image,
        ..SIGLIP
    },
    Row {
        architectures: &["Llama4ForConditionalGeneration"],
        defaults: "hidden_size 768 num_hidden_layers 34 num_attention_heads 16 intermediate_size 5632 \
                vision_output_dim 7680 image_size 448 patch_size 14 projector_input_dim 4096 \
                projector_output_dim 4096",
        connector: Connector::PixelShuffle,
        covered: Covered::None,
        patch_bias: false,
        class_token: true,
        positions: Positions::Grid,
        rotary: Rotary::Complex,
        vectors: 4,
        tokens: Tokens::Tiles(17),
        modalities: &["image"],
        ..QWEN3
    },
    KIMI,
    Row {
        architectures: &["InternVLChatModel"],
        defaults: "image_size 448 patch_size 14",
        roots: &["vision_model.encoder"],
        connector_roots: &["mlp1"],
        connector: Connector::InternVl,
        uneven: Uneven::AttentionWhole,
        class_token: true,
        positions: Positions::Grid,
        rotary: Rotary::None,
        block: Block {
            names: ["layers", "attn.qkv", "attn.proj", "mlp.fc1", "mlp.fc2"],
            vectors: LAYER_NORMS + 2,
            ..QWEN3.block
        },
        tokens: Tokens::Tiles(13),
        ..QWEN3
    },
    Row {
        architectures: &[
            "Glm4vForConditionalGeneration",
            "Glm4vMoeForConditionalGeneration",
        ],
        defaults: "depth 24 hidden_size 1536 num_heads 12 intermediate_size 13696 image_size 336 patch_size \
                14 temporal_patch_size 2 out_hidden_size 4096",
        connector: Connector::Gated,
        positions: Positions::GridAndIds,
        block: Block {
            names: [
                "blocks",
                "attn.qkv",
                "attn.proj",
                "mlp.gate_up_proj",
                "mlp.down_proj",
            ],
            qkv_bias: false,
            o_bias: false,
            mlp_bias: false,
            gated: true,
            grouped: false,
            vectors: RMS_NORMS,
        },
        vectors: 2,
        tokens: Tokens::Unknown,
        ..QWEN3
    },
    Row {
        architectures: &["DotsOCRForCausalLM"],
        defaults: "embed_dim 1536 hidden_size 1536 intermediate_size 4224 num_hidden_layers 42 \
                num_attention_heads 12 patch_size 14 temporal_patch_size 1",
        roots: &["vision_tower"],
        connector_roots: &[],
        covered: Covered::Blocks,
        positions: Positions::None,
        rotary: Rotary::Inverse,
        block: AIMV2,
        vectors: 2,
        tokens: Tokens::Pixels(11_289_600),
        modalities: &["image"],
        ..QWEN3
    },
    QWEN2_AUDIO,
    Row {
        architectures: &["Qwen2_5OmniForConditionalGeneration", "Qwen2_5OmniModel"],
        by_data: false,
        ..QWEN2_5
    },
    Row {
        architectures: &["Qwen2_5OmniForConditionalGeneration", "Qwen2_5OmniModel"],
        connector: Connector::AudioTokens,
        positions: Positions::SoundWaves,
        ..QWEN2_AUDIO
    },
    Row {
        architectures: &["Gemma4ForConditionalGeneration"],
        by_data: false,
        object: "audio_config",
        defaults: "hidden_size 1024 num_hidden_layers 12 num_attention_heads 8 conv_kernel_size 5 \
                output_proj_dims 1536",
        roots: &["audio_tower", "model.audio_tower"],
        connector_roots: &["embed_audio", "model.embed_audio"],
        connector: Connector::Conformer,
        covered: Covered::All,
        whole: true,
        patch_bias: false,
        positions: Positions::SoundPicture,
        rotary: Rotary::None,
        vectors: 0,
        tokens: Tokens::Unknown,
        modalities: &["audio"],
        ..QWEN3
    },
    Row {
        architectures: &["KimiK3ForConditionalGeneration"],
        modalities: &["image"],
        connector: Connector::WholeNormed,
        ..KIMI
    },
    Row {
        architectures: &["MiniMaxM3SparseForConditionalGeneration"],
        defaults: "",
        roots: &[
            "vision_tower.vision_model.encoder",
            "model.vision_tower.vision_model.encoder",
        ],
        connector_roots: &["vision_tower"],
        connector: Connector::Twice,
        patch_bias: false,
        positions: Positions::None,
        rotary: Rotary::ThreeAxes,
        block: Block {
            names: ["layers", "self_attn.q_proj", "self_attn.out_proj", "fc1", "fc2"],
            ..QWEN3.block
        },
        vectors: 2,
        tokens: Tokens::Image,
        ..QWEN3
    },
    Row {
        architectures: &["MuseGlimmerForConditionalGeneration"],
        by_data: false,
        defaults: "",
        connector: Connector::Adapter,
        covered: Covered::None,
        uneven: Uneven::Whole,
        patch_bias: false,
        positions: Positions::Plane,
        rotary: Rotary::None,
        vectors: 4,
        tokens: Tokens::Fixed(4096),
        // At most 96 frames, two by two, of 144 tokens.
        video: Video::Parts(144, 48),
        ..QWEN3
    },
    MINICPM,
    MINICPM_AUDIO,
    Row {
        architectures: &[
            "MiniCPMV4_6ForConditionalGeneration",
            "MiniCPMV4_7ForConditionalGeneration",
        ],
        unchecked: true,
        connector: Connector::Windowed,
        ..MINICPM
    },
    OVIS,
    Row {
        architectures: &["Ovis"],
        model_type: "aimv2",
        defaults: "hidden_size 1024 intermediate_size 2816 num_hidden_layers 24 num_attention_heads 8 \
                image_size 224 patch_size 14",
        roots: &["visual_tokenizer.trunk"],
        block: AIMV2,
        vectors: 1,
        ..OVIS
    },
    Row {
        architectures: &["Ovis2_5", "Ovis2_6ForCausalLM", "Ovis2_6_MoeForCausalLM"],
        unchecked: true,
        object: "vit_config",
        defaults: "hidden_size 1024 intermediate_size 4096 num_hidden_layers 24 num_attention_heads 16 \
                image_size 512 patch_size 16",
        roots: &["visual_tokenizer.vit.vision_model.encoder"],
        connector_roots: &[],
        connector: Connector::Words(4),
        covered: Covered::All,
        positions: Positions::Grid,
        rotary: Rotary::Inverse,
        tokens: Tokens::Pixels(3_211_264),
        modalities: &["image", "video"],
        ..SIGLIP
    },
    Row {
        architectures: &["Molmo2ForConditionalGeneration"],
        by_data: false,
        unchecked: true,
        object: "vit_config",
        defaults: "hidden_size 1152 intermediate_size 4304 num_hidden_layers 27 num_attention_heads 16 \
                patch_size 14 image_num_pos 577",
        roots: &["vision_backbone.image_vit.transformer"],
        connector_roots: &["vision_backbone.image_projector"],
        connector: Connector::Pooled,
        positions: Positions::Rows("image_num_pos"),
        rotary: Rotary::None,
        block: Block {
            names: [
                "resblocks",
                "attention.merged_qkv",
                "attention.wo",
                "feed_forward.w1",
                "feed_forward.w2",
            ],
            ..QWEN3.block
        },
        tokens: Tokens::Unknown,
        ..QWEN3
    },
    Row {
        architectures: &["GLM4VForCausalLM"],
        by_data: false,
        unchecked: true,
        defaults: "",
        roots: &["transformer.vision.transformer"],
        connector_roots: &["transformer.vision.linear_proj"],
        connector: Connector::GatedTokens,
        class_token: true,
        positions: Positions::Rows("num_positions"),
        rotary: Rotary::None,
        block: Block {
            names: [
                "layers",
                "attention.query_key_value",
                "attention.dense",
                "mlp.fc1",
                "mlp.fc2",
            ],
            ..QWEN3.block
        },
        // 1120 pixels by 1120, and the two learned tokens.
        tokens: Tokens::Fixed(1602),
        modalities: &["image"],
        ..QWEN3
    },
    Row {
        architectures: &["LlavaOnevisionForConditionalGeneration"],
        unchecked: true,
        model_type: "siglip_vision_model",
        connector: Connector::TwoWhole,
        covered: Covered::In64,
        vectors: 0,
        // Six by six tiles, of whose features every second in each direction stays, their lines' ends, and the whole.
        tokens: Tokens::Fixed(7371),
        modalities: &["image", "video"],
        ..SIGLIP
    },
    Row {
        architectures: &["PaliGemmaForConditionalGeneration"],
        unchecked: true,
        connector: Connector::OneWhole,
        tokens: Tokens::Image,
        ..SIGLIP
    },
    Row {
        architectures: &["Lfm2VlForConditionalGeneration"],
        unchecked: true,
        model_type: "siglip2_vision_model",
        defaults: "hidden_size 768 intermediate_size 3072 num_hidden_layers 12 num_attention_heads 12 \
                num_patches 256 patch_size 16",
        connector_roots: &[],
        connector: Connector::Merged,
        covered: Covered::Blocks,
        positions: Positions::Rows("num_patches"),
        // The profiled image is the largest that is not cut into tiles.
        tokens: Tokens::Fixed(256),
        ..SIGLIP
    },
    Row {
        architectures: &["Cohere2VisionForConditionalGeneration"],
        unchecked: true,
        connector_roots: &[],
        connector: Connector::MergedGated,
        // Twelve tiles in a column, and the whole image.
        tokens: Tokens::Tiles(13),
        ..SIGLIP
    },
    Row {
        architectures: &[
            "Idefics3ForConditionalGeneration",
            "SmolVLMForConditionalGeneration",
        ],
        unchecked: true,
        defaults: "hidden_size 1152 intermediate_size 3072 num_hidden_layers 12 num_attention_heads 16 \
                image_size 224 patch_size 32",
        roots: &["model.vision_model.encoder"],
        connector_roots: &["model.connector.modality_projection"],
        connector: Connector::Shuffled,
        covered: Covered::All,
        positions: Positions::Grid,
        // Four by four tiles and the whole image.
        tokens: Tokens::Tiles(17),
        ..SIGLIP
    },
    Row {
        architectures: &["Ernie4_5_VLMoeForConditionalGeneration"],
        by_data: false,
        unchecked: true,
        defaults: "depth 32 embed_dim 1280 hidden_size 1280 mlp_ratio 4 num_heads 16 patch_size 14",
        connector: Connector::Spacetime,
        block: Block {
            names: ["blocks", "attn.qkv", "attn.proj", "mlp.fc1", "mlp.fc2"],
            ..QWEN3.block
        },
        vectors: 2,
        rotary: Rotary::Inverse,
        tokens: Tokens::Unknown,
        ..QWEN2_5
    },
    Row {
        architectures: &["Step3VLForConditionalGeneration"],
        by_data: true,
        unchecked: true,
        model_type: "",
        defaults: "hidden_size 1792 intermediate_size 3072 output_hidden_size 4096 num_hidden_layers 63 \
                num_attention_heads 16 image_size 728 patch_size 14",
        connector_roots: &[],
        connector: Connector::Convolutions,
        covered: Covered::None,
        patch_bias: true,
        vectors: 0,
        tokens: STEP_TOKENS,
        ..CLIP
    },
    Row {
        architectures: &[
            "StepVLForConditionalGeneration",
            "Step3p7ForConditionalGeneration",
        ],
        by_data: true,
        unchecked: true,
        model_type: "",
        defaults: "",
        roots: &["vision_model.transformer", "model.vision_model.transformer"],
        connector_roots: &["", "model"],
        connector: Connector::Perception,
        covered: Covered::All,
        uneven: Uneven::Refused,
        patch_bias: false,
        class_token: false,
        positions: Positions::Grid,
        rotary: Rotary::InBlocks,
        block: Block {
            names: [
                "resblocks",
                "attn.qkv_proj",
                "attn.out_proj",
                "mlp.fc1",
                "mlp.fc2",
            ],
            ..QWEN3.block
        },
        vectors: 0,
        tokens: STEP_TOKENS,
        ..CLIP
    },
    Row {
        architectures: &["Blip2ForConditionalGeneration"],
        unchecked: true,
        defaults: "hidden_size 1408 intermediate_size 6144 num_hidden_layers 39 num_attention_heads 16 image_size \
                224 patch_size 14",
        roots: &["vision_model.encoder"],
        connector_roots: &[],
        connector: Connector::QFormer,
        covered: Covered::Blocks,
        patch_bias: true,
        class_token: true,
        positions: Positions::Grid,
        block: Block {
            names: [
                "layers",
                "self_attn.qkv",
                "self_attn.projection",
                "mlp.fc1",
                "mlp.fc2",
            ],
            ..QWEN3.block
        },
        tokens: Tokens::Fixed(32),
        ..SIGLIP
    },
    Row {
        // vLLM runs transformers' own class (`models/transformers/`): its fuser cuts the attention, and no plan names
        // the rest.
        architectures: &["HunYuanVLForConditionalGeneration"],
        unchecked: true,
        defaults: "hidden_size 1152 intermediate_size 4304 num_hidden_layers 27 num_attention_heads 16 patch_size 16 \
                max_image_size 2048",
        roots: &["vision_tower", "model.vision_tower", "vit"],
        connector_roots: &["vision_tower.patch_merger", "model.vision_tower.patch_merger"],
        connector: Connector::Convolved,
        covered: Covered::All,
        positions: Positions::LargestImage,
        vectors: 0,
        // 2048 × 2048: 64 lines of 64 tokens and an end each, between two marks.
        tokens: Tokens::Fixed(4162),
        ..SIGLIP
    },
    Row {
        architectures: &["CohereCompassForConditionalGeneration"],
        unchecked: true,
        modalities: &["image"],
        ..QWEN3
    },
    Row {
        architectures: &["Granite4VisionForConditionalGeneration"],
        unchecked: true,
        connector: Connector::Windows,
        vectors: 0,
        // Ten tiles of 12 × 12 above each other with their lines' ends, and the whole image.
        tokens: Tokens::Fixed(1704),
        ..SIGLIP
    },
    Row {
        architectures: &["AriaForConditionalGeneration"],
        unchecked: true,
        connector_roots: &[],
        connector: Connector::Queries,
        covered: Covered::Blocks,
        positions: Positions::Grid,
        vectors: 0,
        tokens: Tokens::Fixed(256),
        ..SIGLIP
    },
    Row {
        architectures: &["KimiVLForConditionalGeneration"],
        unchecked: true,
        defaults: "hidden_size 1152 num_hidden_layers 27 num_attention_heads 16 intermediate_size 4304 \
                patch_size 14 init_pos_emb_height 64 init_pos_emb_width 64",
        covered: Covered::None,
        uneven: Uneven::Refused,
        positions: Positions::Plane,
        // 4096 patches.
        tokens: Tokens::Fixed(1024),
        modalities: &["image"],
        ..KIMI
    },
    Row {
        architectures: &["PaddleOCRVLForConditionalGeneration"],
        unchecked: true,
        defaults: "hidden_size 768 intermediate_size 3072 num_hidden_layers 12 num_attention_heads 12 \
                image_size 224 patch_size 14",
        roots: &["visual.vision_model.encoder"],
        connector_roots: &["mlp_AR"],
        connector: Connector::Whole,
        covered: Covered::Blocks,
        rotary: Rotary::Inverse,
        tokens: Tokens::Pixels(2_822_400),
        ..SIGLIP
    },
    GLM_OCR,
    Row {
        architectures: &["Glm5NextForConditionalGeneration"],
        covered: Covered::None,
        rotary: Rotary::TextCache,
        ..GLM_OCR
    },
    Row {
        architectures: &[
            "InternVLForConditionalGeneration",
            "InternS1ForConditionalGeneration",
        ],
        by_data: false,
        unchecked: true,
        defaults: "hidden_size 1024 intermediate_size 4096 num_hidden_layers 24 num_attention_heads 16 \
                image_size 448 patch_size 14",
        roots: &["vision_tower.encoder", "model.vision_tower.encoder"],
        connector_roots: &[],
        connector: Connector::InternWhole,
        covered: Covered::None,
        uneven: Uneven::AttentionWhole,
        class_token: true,
        positions: Positions::Grid,
        rotary: Rotary::None,
        block: Block {
            names: [
                "layer",
                "attention.q_proj",
                "attention.projection_layer",
                "mlp.fc1",
                "mlp.fc2",
            ],
            qkv_bias: false,
            vectors: LAYER_NORMS + 2,
            ..QWEN3.block
        },
        tokens: Tokens::Tiles(13),
        ..QWEN3
    },
    QWEN3_AUDIO,
    Row {
        architectures: &["Qwen3OmniMoeForConditionalGeneration"],
        unchecked: true,
        by_data: false,
        defaults: "depth 27 hidden_size 1152 intermediate_size 4304 num_heads 16 patch_size 16 image_size 768 \
                temporal_patch_size 2 out_hidden_size 3584 deepstack 3",
        positions: Positions::Grid,
        tokens: Tokens::Pixels(12_845_056),
        ..QWEN3
    },
    Row {
        architectures: &["Qwen3OmniMoeForConditionalGeneration"],
        ..QWEN3_AUDIO
    },
    Row {
        architectures: &["VoxtralForConditionalGeneration"],
        unchecked: true,
        defaults: "num_mel_bins 128 num_hidden_layers 32 num_attention_heads 20 intermediate_size 5120 \
                hidden_size 1280 max_source_positions 1500",
        roots: &["whisper_encoder.whisper_encoder"],
        block: Block {
            names: [
                "layers",
                "self_attn.qkv_proj",
                "self_attn.out_proj",
                "mlp.fc1",
                "mlp.fc2",
            ],
            ..QWEN3.block
        },
        connector: Connector::AudioMerged,
        covered: Covered::Blocks,
        whole: false,
        positions: Positions::SoundWaves,
        tokens: Tokens::Context,
        ..QWEN2_AUDIO
    },
    Row {
        architectures: &["WhisperForConditionalGeneration"],
        object: "encoder_config",
        defaults: "",
        roots: &["model.encoder"],
        block: Block {
            names: ["layers", "self_attn.q_proj", "self_attn.out_proj", "fc1", "fc2"],
            ..QWEN3.block
        },
        connector: Connector::Decoder,
        covered: Covered::All,
        whole: false,
        tokens: Tokens::Fixed(1500),
        ..QWEN2_AUDIO
    },
];

/// The rows of that architecture: the tower that is profiled first.
pub(super) fn find(architecture: &str) -> impl Iterator<Item = &'static Row> {
    let architecture = architecture.to_owned();
    ROWS.iter()
        .filter(move |row| row.architectures.contains(&architecture.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_names_and_numbers_in_turn() {
        for row in ROWS {
            let words: Vec<&str> = row.defaults.split_ascii_whitespace().collect();
            assert!(words.len().is_multiple_of(2), "{}", row.defaults);
            for pair in words.chunks(2) {
                let [name, number] = [pair[0], pair[1]].map(|word| word.parse::<u32>().is_ok());
                assert!(!name && number, "{pair:?}");
            }
        }
    }
}
