//! One row per architecture whose language model stands beside a vision or audio tower.
use super::{super::qwen4::QWEN4, plain};

/// Architectures whose language model is a family of its own, beside a vision or audio tower.
pub(in crate::model) struct Wrapper {
    pub(in crate::model) architecture: &'static str,
    /// The language model's row; empty where the text config names its architecture.
    pub(in crate::model) language: &'static str,
    /// What the text config's class fills in where the file leaves it out, as in Gemma 3's published files.
    pub(in crate::model) defaults: &'static str,
}

const GEMMA3_TEXT: &str = "vocab_size 262208 hidden_size 2304 intermediate_size 9216 num_hidden_layers 26 \
                num_attention_heads 8 num_key_value_heads 4 head_dim 256 max_position_embeddings 131072 \
                sliding_window 4096";

/// `LlamaConfig`: what LLaVA's files leave out.
pub(super) const LLAMA_TEXT: &str = "vocab_size 32000 hidden_size 4096 intermediate_size 11008 num_hidden_layers 32 \
                num_attention_heads 32 max_position_embeddings 2048";

/// `Qwen2Config`: what Qwen2-Audio's files leave out.
const QWEN2_TEXT: &str = "vocab_size 151936 hidden_size 4096 intermediate_size 22016 num_hidden_layers 32 \
                num_attention_heads 32 num_key_value_heads 32 max_position_embeddings 32768";

const GLM4V: &str = "Glm4vForConditionalGeneration";

const GLM4V_TEXT: &str = "vocab_size 151552 hidden_size 4096 intermediate_size 13696 num_hidden_layers 40 \
                num_attention_heads 32 num_key_value_heads 2 max_position_embeddings 32768";

impl Wrapper {
    /// Its config's class reads `text_config` alone: a file without one gets the class's own sizes, whatever stands
    /// beside it (`transformers/models/glm4v/configuration_glm4v.py` at 5.24).
    pub(in crate::model) fn ignores_flat_files(&self) -> bool {
        self.architecture == GLM4V
    }
}

const WRAPPERS: &[Wrapper] = &[
    Wrapper {
        architecture: "Gemma4ForConditionalGeneration",
        language: "Gemma4ForCausalLM",
        defaults: "",
    },
    Wrapper {
        architecture: "Gemma3nForConditionalGeneration",
        language: "Gemma3nForCausalLM",
        defaults: "hidden_size_per_layer_input 256 vocab_size_per_layer_input 262144",
    },
    Wrapper {
        architecture: "Llama4ForConditionalGeneration",
        language: "Llama4ForCausalLM",
        defaults: "",
    },
    Wrapper {
        architecture: "InklingForConditionalGeneration",
        language: "InklingForCausalLM",
        defaults: "",
    },
    Wrapper {
        architecture: "DeepseekV41ForCausalLM",
        language: "DeepseekV41ForCausalLM",
        defaults: "",
    },
    Wrapper {
        architecture: "KimiK25ForConditionalGeneration",
        language: "DeepseekV3ForCausalLM",
        defaults: "",
    },
    Wrapper {
        architecture: "MiniMaxM3SparseForConditionalGeneration",
        language: "MiniMaxM3SparseForCausalLM",
        defaults: "",
    },
    Wrapper {
        architecture: "Glm5NextForConditionalGeneration",
        language: "Glm5NextForCausalLM",
        defaults: "",
    },
    Wrapper {
        architecture: "KimiK3ForConditionalGeneration",
        language: "KimiLinearForCausalLM",
        defaults: "",
    },
    Wrapper {
        architecture: "Gemma3ForConditionalGeneration",
        language: "Gemma3ForCausalLM",
        defaults: GEMMA3_TEXT,
    },
    Wrapper {
        architecture: "Qwen3VLForConditionalGeneration",
        language: "Qwen3ForCausalLM",
        defaults: "",
    },
    Wrapper {
        architecture: "Qwen3VLMoeForConditionalGeneration",
        language: "Qwen3MoeForCausalLM",
        defaults: "",
    },
    Wrapper {
        architecture: "Qwen2_5_VLForConditionalGeneration",
        language: "Qwen2ForCausalLM",
        defaults: "",
    },
    Wrapper {
        architecture: "Qwen2VLForConditionalGeneration",
        language: "Qwen2ForCausalLM",
        defaults: "",
    },
    Wrapper {
        architecture: "Qwen3_5ForConditionalGeneration",
        language: "Qwen3_5ForCausalLM",
        defaults: "",
    },
    Wrapper {
        architecture: "Qwen3_5MoeForConditionalGeneration",
        language: "Qwen3_5MoeForCausalLM",
        defaults: "",
    },
    Wrapper {
        architecture: "Qwen4ExpForConditionalGeneration",
        language: QWEN4,
        defaults: "",
    },
    Wrapper {
        architecture: "Mistral3ForConditionalGeneration",
        language: "",
        defaults: "",
    },
    Wrapper {
        architecture: "NemotronH_Nano_Omni_Reasoning_V3",
        language: "NemotronHForCausalLM",
        defaults: "",
    },
    Wrapper {
        architecture: "NemotronH_Super_Omni_Reasoning_V3",
        language: "NemotronHForCausalLM",
        defaults: "",
    },
    Wrapper {
        architecture: "Step3p7ForConditionalGeneration",
        language: "Step3p5ForCausalLM",
        defaults: "",
    },
    Wrapper {
        architecture: "MuseGlimmerForConditionalGeneration",
        language: "MuseGlimmerForCausalLM",
        defaults: "",
    },
    Wrapper {
        architecture: "LlavaForConditionalGeneration",
        language: "",
        defaults: LLAMA_TEXT,
    },
    Wrapper {
        architecture: "LlavaNextForConditionalGeneration",
        language: "",
        defaults: LLAMA_TEXT,
    },
    Wrapper {
        architecture: "DeepseekOCRForCausalLM",
        language: DEEPSEEK,
        defaults: "",
    },
    Wrapper {
        architecture: "DeepseekOCR2ForCausalLM",
        language: DEEPSEEK,
        defaults: "",
    },
    Wrapper {
        architecture: "DeepseekVLV2ForCausalLM",
        language: DEEPSEEK,
        defaults: "",
    },
    Wrapper {
        architecture: "MolmoForCausalLM",
        language: "MolmoForCausalLM",
        defaults: "",
    },
    Wrapper {
        architecture: "Phi3VForCausalLM",
        language: "Phi3ForCausalLM",
        defaults: "",
    },
    Wrapper {
        architecture: "DotsOCRForCausalLM",
        language: "Qwen2ForCausalLM",
        defaults: "",
    },
    Wrapper {
        architecture: GLM4V,
        language: "Glm4ForCausalLM",
        defaults: GLM4V_TEXT,
    },
    Wrapper {
        architecture: "Glm4vMoeForConditionalGeneration",
        language: "Glm4MoeForCausalLM",
        defaults: "",
    },
    Wrapper {
        architecture: "Qwen2AudioForConditionalGeneration",
        language: "Qwen2ForCausalLM",
        defaults: QWEN2_TEXT,
    },
    Wrapper {
        architecture: "Qwen2_5OmniForConditionalGeneration",
        language: "Qwen2ForCausalLM",
        defaults: "",
    },
    Wrapper {
        architecture: "Qwen2_5OmniModel",
        language: "Qwen2ForCausalLM",
        defaults: "",
    },
    Wrapper {
        architecture: "WhisperForConditionalGeneration",
        language: "WhisperDecoder",
        defaults: "",
    },
    Wrapper {
        architecture: "MiniCPMV",
        language: MINICPMV,
        defaults: "",
    },
    Wrapper {
        architecture: "InternVLChatModel",
        language: "",
        defaults: "",
    },
];

/// With latent attention, but where its sizes are 0 (`models/deepseek_v2.py: DeepseekV2DecoderLayer`).
pub(in crate::model) const DEEPSEEK: &str = "DeepseekV2ForCausalLM";

/// Stands for the language model of the version that the config gives.
pub(in crate::model) const MINICPMV: &str = "MiniCPMV";

/// The language model of a MiniCPM-V (`models/minicpmv.py: _SUPPORT_VERSION` at 0.33.0).
pub(in crate::model) fn minicpmv(version: Option<f64>) -> Option<&'static str> {
    const VERSIONS: [(f64, &str); 4] = [
        (2.5, "LlamaForCausalLM"),
        (2.6, "Qwen2ForCausalLM"),
        (4.0, "LlamaForCausalLM"),
        (4.5, "Qwen3ForCausalLM"),
    ];
    let version = version?;
    let found = VERSIONS.iter().find(|(of, _)| (of - version).abs() < 0.01);
    found.map(|(_, language)| *language)
}

/// The wrapper of that architecture.
pub(in crate::model) fn wrapper(architecture: &str) -> Option<&'static Wrapper> {
    WRAPPERS
        .iter()
        .chain(plain::WRAPPERS)
        .find(|wrapper| wrapper.architecture == architecture)
}
