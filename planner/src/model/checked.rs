//! How far an architecture was held against start-up logs of real runs (tests/measured/start_up_logs.json).

/// What the logs of one architecture say. Errors in hundredths of a percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checked {
    /// `architectures[0]`.
    pub architecture: &'static str,
    /// Logs with a version and a plan here.
    pub logs: u32,
    /// Largest error of "Model loading took"; `None` where no log has it.
    pub weights: Option<u32>,
    /// Error of "Available KV cache memory" at the median; `None` where no log has it.
    pub kv_cache: Option<u32>,
}

const fn row(architecture: &'static str, logs: u32, weights: Option<u32>, kv_cache: Option<u32>) -> Checked {
    Checked {
        architecture,
        logs,
        weights,
        kv_cache,
    }
}

/// A test holds these against the logs.
pub const CHECKED: &[Checked] = &[
    row("Gemma4ForConditionalGeneration", 1, Some(80), Some(30)),
    row("GptOssForCausalLM", 6, Some(10), Some(750)),
    row("LlamaForCausalLM", 5, Some(140), Some(120)),
    row("NemotronHForCausalLM", 1, Some(10), Some(20)),
    row("Qwen2ForCausalLM", 11, Some(40), Some(100)),
    row("Qwen3ForCausalLM", 4, Some(10), Some(1270)),
    row("Qwen3MoeForCausalLM", 16, Some(60), Some(40)),
    row("Qwen3NextForCausalLM", 2, Some(20), Some(90)),
    row("Qwen3VLForConditionalGeneration", 1, Some(10), Some(220)),
    row("Qwen3_5ForConditionalGeneration", 4, Some(10), Some(240)),
    row("Qwen3_5MoeForConditionalGeneration", 1, Some(80), None),
];

/// The logs of an architecture, if there are any.
pub fn checked(architecture: &str) -> Option<Checked> {
    CHECKED
        .iter()
        .find(|row| row.architecture == architecture)
        .copied()
}
