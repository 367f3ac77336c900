//! Rows that name nothing but the language model. Most of their towers are not modelled: those plan with
//! `--language-model-only`.
//!
//! Mirrors what `vllm/model_executor/models/<module>.py` at 0.33.0 hands to `init_vllm_registered_model` or builds itself.
use super::rows::{DEEPSEEK, LLAMA_TEXT, MINICPMV, Wrapper};
use crate::model::{
    plain::MOLMO2,
    routed::{ARIA, ERNIE_VL, MOONDREAM, STEP3},
};

const fn row(architecture: &'static str, language: &'static str) -> Wrapper {
    Wrapper {
        architecture,
        language,
        defaults: "",
    }
}

/// The text config names its own.
const fn any(architecture: &'static str) -> Wrapper {
    row(architecture, "")
}

const fn llama(architecture: &'static str) -> Wrapper {
    Wrapper {
        defaults: LLAMA_TEXT,
        ..any(architecture)
    }
}

/// Llama, whatever the text config names.
const fn llamas(architecture: &'static str) -> Wrapper {
    Wrapper {
        language: "LlamaForCausalLM",
        ..llama(architecture)
    }
}

/// `Moondream3TextConfig`.
const fn moondream(architecture: &'static str) -> Wrapper {
    Wrapper {
        defaults: "hidden_size 2048 intermediate_size 8192 num_hidden_layers 24 vocab_size 51200 \
                   max_position_embeddings 4096 num_attention_heads 32 num_key_value_heads 32 moe.start_layer 4 \
                   moe.n_experts 64 moe.n_experts_per_tok 8 moe.expert_inner_dim 1024",
        ..row(architecture, MOONDREAM)
    }
}

pub(super) const PALIGEMMA: &str = "PaliGemmaForConditionalGeneration";

pub(super) const WRAPPERS: &[Wrapper] = &[
    row("AriaForConditionalGeneration", ARIA),
    row("AudioFlamingo3ForConditionalGeneration", "Qwen2ForCausalLM"),
    row(
        "CohereCompassForConditionalGeneration",
        "CohereCompassForCausalLM",
    ),
    row("Cosmos3ForConditionalGeneration", "Qwen3ForCausalLM"),
    row("Ernie4_5_VLMoeForConditionalGeneration", ERNIE_VL),
    row("Exaone4_5_ForConditionalGeneration", "Exaone4ForCausalLM"),
    row("FunAudioChatForConditionalGeneration", "Qwen3ForCausalLM"),
    row("GLM4VForCausalLM", "ChatGLMModel"),
    row("Gemma4UnifiedForConditionalGeneration", "Gemma4ForCausalLM"),
    row("GlmAsrForConditionalGeneration", "LlamaForCausalLM"),
    row("GlmOcrForConditionalGeneration", "Glm4ForCausalLM"),
    row("Granite4VisionForConditionalGeneration", "GraniteForCausalLM"),
    row("HunYuanVLForConditionalGeneration", "HunYuanDenseV1ForCausalLM"),
    row("InternS2PreviewForConditionalGeneration", "Qwen3_5MoeForCausalLM"),
    row("IsaacForConditionalGeneration", "Qwen3ForCausalLM"),
    row("KananaVForConditionalGeneration", "LlamaForCausalLM"),
    row("KeyeForConditionalGeneration", "Qwen3ForCausalLM"),
    row("KeyeVL1_5ForConditionalGeneration", "Qwen3ForCausalLM"),
    row("KimiVLForConditionalGeneration", "DeepseekV2ForCausalLM"),
    row("LlavaOnevision2ForConditionalGeneration", "Qwen3ForCausalLM"),
    row("MiMoV2OmniForCausalLM", "MiMoV2FlashForCausalLM"),
    row("MiDashengLMModel", "Qwen2ForCausalLM"),
    row("MiniCPMO", MINICPMV),
    row("MiniCPMV4_6ForConditionalGeneration", "Qwen3_5ForCausalLM"),
    row("MiniCPMV4_7ForConditionalGeneration", "Qwen3_5ForCausalLM"),
    row("Molmo2ForConditionalGeneration", MOLMO2),
    row(
        "MossTranscribeDiarizeForConditionalGeneration",
        "Qwen3ForCausalLM",
    ),
    row("MoonshotKimiaForCausalLM", "Qwen2ForCausalLM"),
    moondream("Moondream3ForCausalLM"),
    moondream("HfMoondream"),
    Wrapper {
        // `MBartConfig`.
        defaults: "intermediate_size 4096",
        ..row("NemotronParseForConditionalGeneration", "MBartDecoderNoPos")
    },
    row("NemotronH_Nano_VL_V2", "NemotronHForCausalLM"),
    row("NemotronH_Omni_Reasoning_V3", "NemotronHForCausalLM"),
    row("OpenCUAForConditionalGeneration", "Qwen2ForCausalLM"),
    row("OpenPanguVLForConditionalGeneration", "PanguEmbeddedForCausalLM"),
    row("PaddleOCRVLForConditionalGeneration", "Ernie4_5ForCausalLM"),
    row("Phi4ForCausalLMV", "Phi3ForCausalLM"),
    row("Phi4MMForCausalLM", "Phi3ForCausalLM"),
    row("Qwen3ASRForConditionalGeneration", "Qwen3ForCausalLM"),
    row("Qwen3ASRRealtimeGeneration", "Qwen3ForCausalLM"),
    row("Qwen3OmniMoeForConditionalGeneration", "Qwen3MoeForCausalLM"),
    row("Step3VLForConditionalGeneration", STEP3),
    row("UnlimitedOCRForCausalLM", DEEPSEEK),
    row("BagelForConditionalGeneration", "Qwen2ForCausalLM"),
    any("BeeForConditionalGeneration"),
    any("Cohere2VisionForConditionalGeneration"),
    any("Eagle2_5_VLForConditionalGeneration"),
    any("GraniteSpeechForConditionalGeneration"),
    any("GraniteSpeechPlusForConditionalGeneration"),
    any("H2OVLChatModel"),
    any("InternS1ForConditionalGeneration"),
    any("InternVLForConditionalGeneration"),
    any("Lfm2VlForConditionalGeneration"),
    any("LightOnOCRForConditionalGeneration"),
    any("Llama_Nemotron_Nano_VL"),
    any("LlavaOnevisionForConditionalGeneration"),
    any("Blip2ForConditionalGeneration"),
    any("NVLM_D"),
    any("Ovis"),
    any("Ovis2_5"),
    any("Ovis2_6ForCausalLM"),
    any("Ovis2_6_MoeForCausalLM"),
    Wrapper {
        // `GemmaConfig` and `Gemma2Config`; Gemma itself has no windows.
        defaults: "head_dim 256 max_position_embeddings 8192 sliding_window 4096",
        ..any(PALIGEMMA)
    },
    any("PixtralForConditionalGeneration"),
    any("QianfanOCRForConditionalGeneration"),
    any("RForConditionalGeneration"),
    any("SkyworkR1VChatModel"),
    any("StepVLForConditionalGeneration"),
    any("UltravoxModel"),
    any("VoxtralForConditionalGeneration"),
    llamas("Idefics3ForConditionalGeneration"),
    llama("LlavaNextVideoForConditionalGeneration"),
    llamas("SmolVLMForConditionalGeneration"),
];
