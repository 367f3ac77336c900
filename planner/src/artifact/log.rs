//! The lines that vLLM will log while it starts, with the planned values.
use crate::{
    plan::{Memory, Plan},
    units::Bytes,
};

/// Weights, KV cache, concurrency, as vLLM writes them. Empty where there is no plan.
pub fn log_lines(plan: &Plan) -> Vec<String> {
    let Some(memory) = &plan.memory else {
        return Vec::new();
    };
    let mut lines = vec![format!(
        "Model loading took {} GiB memory",
        memory.weights_bytes.gib_text(2)
    )];
    if keeps_none(memory) {
        return lines;
    }
    let logged = memory.kv_cache_available_logged;
    let sign = if logged < 0 { "-" } else { "" };
    lines.push(format!(
        "Available KV cache memory: {sign}{} GiB",
        Bytes::new(logged.unsigned_abs()).gib_text(2)
    ));
    // Where nothing is left for it, vLLM stops here.
    if logged > 0 {
        let length = plan.args.as_ref().map_or(0, |args| args.max_model_len.value);
        lines.push(format!(
            "GPU KV cache size: {} tokens",
            grouped(memory.kv_cache_tokens)
        ));
        lines.push(format!(
            "Maximum concurrency for {} tokens per request: {:.2}x",
            grouped(u64::from(length)),
            memory.max_concurrency
        ));
    }
    lines
}

/// The model keeps no KV cache.
fn keeps_none(memory: &Memory) -> bool {
    memory.bytes_per_block == Bytes::ZERO
}

/// `1,234,567`, as Python groups.
pub(crate) fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
