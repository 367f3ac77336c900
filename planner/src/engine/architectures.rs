//! Architectures that came after 0.8: the last release whose registry was seen without them.
//!
//! From `vllm/model_executor/models/registry.py` of 0.8.2, 0.9.1, 0.10.0, 0.10.1.1, 0.11.0, 0.11.2, 0.12.0, 0.14.1, 0.17.1,
//! 0.19.1, 0.30.0 and 0.31.0; of Inkling and Hy4 the least release that vLLM's recipe names, of Moondream 3 the one
//! in whose weeks its pull request was still open (vllm-project/vllm#32325). The first release that has one
//! may be any up to the next of these, so that nothing is said of those between.
use super::VllmVersion;

const ABSENT: &[((u16, u16), &str)] = &[
    (
        (8, 2),
        "AyaVisionForConditionalGeneration ChatGLMForConditionalGeneration FalconH1ForCausalLM \
         Glm4ForCausalLM GraniteMoeHybridForCausalLM GraniteSpeechForConditionalGeneration GteModel \
         GteNewModel KimiVLForConditionalGeneration Llama4ForConditionalGeneration MiMoForCausalLM \
         MiniMaxText01ForCausalLM MiniMaxVL01ForConditionalGeneration Mistral3ForConditionalGeneration \
         ModernBertForSequenceClassification ModernBertModel NemotronHForCausalLM NomicBertModel \
         Plamo2ForCausalLM Qwen2_5OmniModel Qwen3ForCausalLM Qwen3MoeForCausalLM SkyworkR1VChatModel \
         SmolVLMForConditionalGeneration TarsierForConditionalGeneration",
    ),
    (
        (9, 1),
        "ArceeForCausalLM BailingMoeForCausalLM Dots1ForCausalLM Ernie4_5_MoeForCausalLM Exaone4ForCausalLM \
         Gemma3nForConditionalGeneration Glm4MoeForCausalLM Glm4vForConditionalGeneration \
         HunYuanDenseV1ForCausalLM HunYuanMoEV1ForCausalLM KeyeForConditionalGeneration \
         Llama_Nemotron_Nano_VL MiniMaxForCausalLM MiniMaxM1ForCausalLM Phi4FlashForCausalLM \
         Tarsier2ForConditionalGeneration VoxtralForConditionalGeneration",
    ),
    (
        (10, 0),
        "Cohere2VisionForConditionalGeneration Ernie4_5ForCausalLM Glm4vMoeForConditionalGeneration \
         GptOssForCausalLM HCXVisionForCausalLM InternS1ForConditionalGeneration Phi4MultimodalForCausalLM \
         SmolLM3ForCausalLM",
    ),
    (
        (10, 1),
        "ApertusForCausalLM BailingMoeV2ForCausalLM BertForTokenClassification CwmForCausalLM \
         DeepseekV32ForCausalLM DotsOCRForCausalLM Gemma3TextModel GteNewForSequenceClassification \
         InternVLForConditionalGeneration KeyeVL1_5ForConditionalGeneration Lfm2ForCausalLM MiDashengLMModel \
         MotifForCausalLM NemotronH_Nano_VL_V2 Olmo3ForCausalLM Qwen3NextForCausalLM \
         Qwen3VLForConditionalGeneration Qwen3VLMoeForConditionalGeneration SeedOssForCausalLM",
    ),
    (
        (11, 0),
        "AfmoeForCausalLM BeeForConditionalGeneration DeepseekOCRForCausalLM KimiLinearForCausalLM \
         Lfm2MoeForCausalLM LightOnOCRForConditionalGeneration MiniMaxM2ForCausalLM OuroForCausalLM \
         PaddleOCRVLForConditionalGeneration PanguEmbeddedForCausalLM PanguUltraMoEForCausalLM \
         Qwen3OmniMoeForConditionalGeneration",
    ),
    (
        (11, 2),
        "MistralLarge3ForCausalLM OpenCUAForConditionalGeneration TeleChatForCausalLM",
    ),
    (
        (12, 0),
        "AudioFlamingo3ForConditionalGeneration ExaoneMoEForCausalLM GlmAsrForConditionalGeneration \
         Grok1ForCausalLM IQuestCoderForCausalLM Jais2ForCausalLM KananaVForConditionalGeneration \
         Lfm2VlForConditionalGeneration LlamaBidirectionalForSequenceClassification LlamaBidirectionalModel \
         MiMoV2FlashForCausalLM",
    ),
    (
        (14, 1),
        "AXK1ForCausalLM ColBERTModernBertModel DeepseekOCR2ForCausalLM Eagle2_5_VLForConditionalGeneration \
         FunAudioChatForConditionalGeneration Glm4MoeLiteForCausalLM GlmMoeDsaForCausalLM \
         GlmOcrForConditionalGeneration HfMoondream KimiK25ForConditionalGeneration \
         Moondream3ForCausalLM OpenPanguVLForConditionalGeneration \
         Ovis2_6ForCausalLM Ovis2_6_MoeForCausalLM Qwen3ASRForConditionalGeneration \
         Qwen3ASRRealtimeGeneration Qwen3_5ForConditionalGeneration Qwen3_5MoeForConditionalGeneration \
         Step1ForCausalLM Step3p5ForCausalLM StepVLForConditionalGeneration",
    ),
    (
        (17, 1),
        "ErnieForSequenceClassification ErnieForTokenClassification ErnieModel Gemma4ForCausalLM \
         Gemma4ForConditionalGeneration HyperCLOVAXForCausalLM MoonshotKimiaForCausalLM OlmoHybridForCausalLM \
         SarvamMLAForCausalLM SarvamMoEForCausalLM",
    ),
    (
        (19, 1),
        "Cohere2MoeForCausalLM DeepseekV4ForCausalLM Exaone4_5_ForConditionalGeneration ExaoneMoeForCausalLM \
         Gemma4UnifiedForConditionalGeneration Glm5NextForConditionalGeneration GraniteMoeSWAForCausalLM \
         GraniteSWAForCausalLM GraniteSpeechPlusForConditionalGeneration HYV3ForCausalLM \
         InternS2PreviewForConditionalGeneration KimiK3ForConditionalGeneration LagunaForCausalLM \
         LlavaOnevision2ForConditionalGeneration MiMoV2ForCausalLM MiniCPMV4_6ForConditionalGeneration \
         MiniMaxM3SparseForConditionalGeneration MuseGlimmerForConditionalGeneration \
         NemotronH_Nano_Omni_Reasoning_V3 NemotronH_Omni_Reasoning_V3 NemotronH_Super_Omni_Reasoning_V3 \
         Param2MoEForCausalLM Phi4ForCausalLMV QianfanOCRForConditionalGeneration \
         RobertaForTokenClassification Step3p7ForConditionalGeneration TeleChat3ForCausalLM \
         XLMRobertaForTokenClassification",
    ),
    ((25, 1), "InklingForCausalLM InklingForConditionalGeneration"),
    ((28, 0), "HYV4ForCausalLM"),
    ((31, 0), "MiniCPMV4_7ForConditionalGeneration"),
];

/// The last release that was seen without that architecture; `None` where all of 0.8 and later have it, or it is not
/// known.
pub fn last_without(architecture: &str) -> Option<VllmVersion> {
    let named = |names: &&str| names.split_ascii_whitespace().any(|name| name == architecture);
    let ((minor, patch), _) = ABSENT.iter().find(|(_, names)| named(names))?;
    Some(VllmVersion::new(*minor, *patch))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stands_once() {
        let mut all: Vec<&str> = ABSENT
            .iter()
            .flat_map(|(_, names)| names.split_ascii_whitespace())
            .collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!((all.len(), ABSENT.is_sorted()), (count, true));
    }
}
