//! Architectures that vLLM knew once: `_PREVIOUSLY_SUPPORTED_MODELS` in `model_executor/models/registry.py` at 0.33.0.

/// The last version that had them.
const REMOVED: &[(&str, &[&str])] = &[
    ("0.9.2", &["Phi3SmallForCausalLM"]),
    (
        "0.10.2",
        &[
            "DonutForConditionalGeneration",
            "MllamaForConditionalGeneration",
            "MotifForCausalLM",
            "Phi4FlashForCausalLM",
        ],
    ),
    ("0.12.0", &["Phi4MultimodalForCausalLM"]),
    ("0.22.0", &["JAISLMHeadModel"]),
    (
        "0.23.0",
        &[
            "BaiChuanForCausalLM",
            "BaichuanForCausalLM",
            "BambaForCausalLM",
            "Dots1ForCausalLM",
            "ErnieForSequenceClassification",
            "ErnieForTokenClassification",
            "ErnieModel",
            "InternLM2VEForCausalLM",
            "InternLMForCausalLM",
            "MiniMaxForCausalLM",
            "MiniMaxM1ForCausalLM",
            "MiniMaxText01ForCausalLM",
            "MiniMaxVL01ForConditionalGeneration",
            "QWenLMHeadModel",
            "QwenVLForConditionalGeneration",
            "Tarsier2ForConditionalGeneration",
            "XverseForCausalLM",
        ],
    ),
    (
        "0.24.0",
        &[
            "AquilaForCausalLM",
            "AquilaModel",
            "AyaVisionForConditionalGeneration",
            "Grok1ForCausalLM",
            "Grok1ModelForCausalLM",
            "MantisForConditionalGeneration",
            "MusicFlamingoForConditionalGeneration",
            "TarsierForConditionalGeneration",
        ],
    ),
    (
        "0.25.0",
        &["FuyuForCausalLM", "PersimmonForCausalLM", "TeleChatForCausalLM"],
    ),
    ("0.26.0", &["OuroForCausalLM", "Plamo2ForCausalLM"]),
    (
        "0.28.0",
        &[
            "ArcticForCausalLM",
            "ChameleonForConditionalGeneration",
            "Cheers",
            "CheersForConditionalGeneration",
            "Fairseq2LlamaForCausalLM",
            "FireRedLIDForConditionalGeneration",
            "GritLM",
            "HCXVisionForCausalLM",
            "MPTForCausalLM",
            "MptForCausalLM",
            "PrithviGeoSpatialMAE",
            "RWForCausalLM",
            "StableLMEpochForCausalLM",
        ],
    ),
];

/// Names that published files have and the registry lacks, and what it has for such models.
const UNREGISTERED: &[(&str, &str)] = &[
    ("MiniMaxM3ForCausalLM", "MiniMaxM3SparseForCausalLM"),
    ("MixFormerSequentialForCausalLM", "PhiForCausalLM"),
    ("RwkvForCausalLM", ""),
    ("Step3p7FlashForCausalLM", "Step3p7ForConditionalGeneration"),
];

/// What vLLM says to an architecture that it dropped, or that it has no class for it.
pub(super) fn refusal(architecture: &str) -> Option<String> {
    if let Some((name, like)) = UNREGISTERED.iter().find(|(name, _)| *name == architecture) {
        let other = if like.is_empty() {
            String::new()
        } else {
            format!("; such models are {like} there")
        };
        return Some(format!(
            "Model architectures ['{name}'] are not supported for now. It is not in vLLM 0.33.0's registry{other}."
        ));
    }
    let (last, _) = REMOVED.iter().find(|(_, names)| names.contains(&architecture))?;
    Some(format!(
        "Model architecture {architecture} was supported in vLLM until v{last}, and is not supported anymore. Please use an older version of vLLM if you want to use this model architecture."
    ))
}
