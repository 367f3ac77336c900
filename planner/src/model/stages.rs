//! What a class builds on every pipeline stage, not just on the first or the last: embedding, last norm, output head.
//!
//! `vllm/model_executor/models/<module>.py` at 0.33.0: classes without `PPMissingLayer` in those places.

use super::qwen4::QWEN4;

/// What stands on every pipeline stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EveryStage {
    /// The embedding, with what belongs to it.
    pub embedding: bool,
    /// The norm behind the last layer.
    pub norm: bool,
    /// The output head.
    pub head: bool,
}

const ALL: &[&str] = &[
    "BloomForCausalLM",
    "ChatGLMForConditionalGeneration",
    "ChatGLMModel",
    "Cohere2ForCausalLM",
    "CohereForCausalLM",
    "DbrxForCausalLM",
    "FalconForCausalLM",
    "GPT2LMHeadModel",
    "GPTJForCausalLM",
    "Gemma2ForCausalLM",
    "Gemma3ForCausalLM",
    "Gemma4ForCausalLM",
    "GemmaForCausalLM",
    "GptOssForCausalLM",
    "GraniteMoeForCausalLM",
    "InklingForCausalLM",
    "InternLM2ForCausalLM",
    "MiniCPM3ForCausalLM",
    "MiniCPMForCausalLM",
    "MixtralForCausalLM",
    "NemotronHForCausalLM",
    "NemotronHPuzzleForCausalLM",
    "OPTForCausalLM",
    "OlmoeForCausalLM",
    "OrionForCausalLM",
    "PhiMoEForCausalLM",
    "Qwen2MoeForCausalLM",
    "Qwen3MoeForCausalLM",
    "StableLmForCausalLM",
];

/// What the class of that architecture builds on every stage.
pub(super) fn of(architecture: &str) -> EveryStage {
    let all = ALL.contains(&architecture);
    let next = architecture == "Qwen3NextForCausalLM";
    let next = next || architecture == QWEN4;
    let hybrid = matches!(architecture, "Qwen3_5ForCausalLM" | "Qwen3_5MoeForCausalLM");
    EveryStage {
        embedding: all || next || hybrid,
        norm: all,
        head: all || next,
    }
}
