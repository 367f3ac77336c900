//! One table of the fields that a person can set: name, label, unit, limits, help.
//! Validation, error texts, form labels and the command line's help all come from here.
use crate::error::InputError;

/// How a field is entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// A whole number within limits.
    Count {
        /// Smallest value.
        min: u64,
        /// Largest value.
        max: u64,
    },
    /// A fraction above 0 and at most 1.
    Fraction,
    /// A decimal number of at least 0.
    Decimal,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// `true` or `false`.
    Switch,
    /// Any text without control characters.
    Text,
    /// An amount of memory.
    Memory,
}

/// One field.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// The name in scenarios, links and profiles; vLLM's name where vLLM has one.
    pub id: &'static str,
    /// `vllm serve`'s flag, where there is one.
    pub flag: Option<&'static str>,
    /// Plain words.
    pub label: &'static str,
    /// The unit, or nothing.
    pub unit: &'static str,
    /// What may be entered.
    pub kind: FieldKind,
    /// One or two sentences of help.
    pub help: &'static str,
}

const fn count(min: u64, max: u64) -> FieldKind {
    FieldKind::Count { min, max }
}

const fn engine(
    id: &'static str,
    flag: &'static str,
    label: &'static str,
    unit: &'static str,
    kind: FieldKind,
    help: &'static str,
) -> Field {
    Field {
        id,
        flag: Some(flag),
        label,
        unit,
        kind,
        help,
    }
}

const fn other(
    id: &'static str,
    label: &'static str,
    unit: &'static str,
    kind: FieldKind,
    help: &'static str,
) -> Field {
    Field {
        id,
        flag: None,
        label,
        unit,
        kind,
        help,
    }
}

/// `--dtype`.
pub const DTYPES: &[&str] = &["auto", "bfloat16", "float16", "float32"];
/// `--kv-cache-dtype` values whose sizes are known.
pub const KV_CACHE_DTYPES: &[&str] = &[
    "auto",
    "bfloat16",
    "float16",
    "fp8",
    "fp8_e4m3",
    "fp8_e5m2",
    "int8_per_token_head",
    "fp8_per_token_head",
    "int4_per_token_head",
    "nvfp4",
    "nvfp4_4over6",
    "nvfp4_ds_mla",
    "turboquant_k8v4",
    "turboquant_4bit_nc",
    "turboquant_k3v4_nc",
    "turboquant_3bit_nc",
];
/// How GPUs of one node talk to each other.
pub const INTERCONNECTS: &[&str] = &["unknown", "pcie", "nvlink"];
/// What the workload cares about.
pub const BATCHING_MODES: &[&str] = &["balanced", "throughput", "latency"];
/// Shares of requests that keep a limit, in per cent: what a simulated run is summed up in.
pub const PERCENTILES: &[&str] = &["50", "90", "95", "99"];
/// Who fills in what was not set.
pub const DEFAULTS: &[&str] = &["recommended", "vllm"];

/// The longest context that any field accepts: 2^27 tokens.
pub const MAX_TOKENS: u64 = 1 << 27;

/// Every field that is not the model itself.
pub const FIELDS: &[Field] = &[
    other(
        "gpus",
        "GPUs per node",
        "",
        count(1, 64),
        "How many of this GPU one machine has.",
    ),
    other(
        "nodes",
        "Nodes",
        "",
        count(1, 64),
        "How many machines work on one copy of the model.",
    ),
    other(
        "gpu_memory",
        "Memory of the custom GPU",
        "GiB",
        FieldKind::Memory,
        "What the driver gives a process (torch.cuda.mem_get_info), a little less than nvidia-smi prints.",
    ),
    other(
        "gpu_memory_used",
        "Memory used by other processes",
        "GiB",
        FieldKind::Memory,
        "On each GPU, before vLLM starts.",
    ),
    other(
        "other_gpus",
        "Other GPUs of the node",
        "",
        FieldKind::Text,
        "GPUs of other kinds behind those, in the order of their PCI slots, such as `RTX 5090, RTX 5090`; `NAME=BYTES` gives the memory that a process sees, `NAME=BYTES@12.0` also the compute capability of a kind that the catalogue lacks.",
    ),
    other(
        "pp_layer_partition",
        "Layers of each stage",
        "",
        FieldKind::Text,
        "How many layers each pipeline stage has, such as `16,32`: VLLM_PP_LAYER_PARTITION. Empty leaves it to the plan where GPUs differ, and to vLLM where they are alike.",
    ),
    other(
        "compute_capability",
        "Compute capability",
        "",
        FieldKind::Text,
        "Such as 9.0 for Hopper or 8.0 for A100.",
    ),
    other(
        "interconnect",
        "Interconnect",
        "",
        FieldKind::Choice(INTERCONNECTS),
        "How the GPUs of one node are connected.",
    ),
    other(
        "prompt_tokens",
        "Prompt",
        "tokens",
        count(1, MAX_TOKENS),
        "Typical length of a prompt, the conversation so far included.",
    ),
    other(
        "gen_tokens",
        "Answer",
        "tokens",
        count(1, MAX_TOKENS),
        "Typical length of an answer.",
    ),
    other(
        "concurrency",
        "Concurrent sequences",
        "",
        count(1, 65_536),
        "Requests that should run at the same time without waiting for KV cache.",
    ),
    other(
        "request_rate",
        "Request rate",
        "per second",
        FieldKind::Decimal,
        "Requests that arrive per second, if known.",
    ),
    other(
        "peak_rate",
        "Request rate at the peak",
        "per second",
        FieldKind::Decimal,
        "The same at the busiest time: the autoscaler's file counts replicas for it.",
    ),
    other(
        "burstiness",
        "Burstiness",
        "",
        FieldKind::Decimal,
        "With a request rate: 1 is by chance (Poisson), less comes in bursts, more evenly; as `--burstiness` of `vllm bench serve`.",
    ),
    other(
        "length_range",
        "Lengths vary by",
        "share",
        FieldKind::Decimal,
        "Lengths lie evenly so much below and above the averages: 0.5 is from half to one and a half times; as `--random-range-ratio`.",
    ),
    other(
        "prompt_p95",
        "Prompt, 95th percentile",
        "tokens",
        count(1, MAX_TOKENS),
        "Nineteen of twenty prompts are shorter: lengths are lognormal around the average. At most 3.87 times the average.",
    ),
    other(
        "gen_p95",
        "Answer, 95th percentile",
        "tokens",
        count(1, MAX_TOKENS),
        "The same of the answers.",
    ),
    other(
        "trace",
        "Trace of requests",
        "",
        FieldKind::Text,
        "Requests as they came, such as `512/128 2048/64`: prompt and answer in tokens. With the second they came at, as in `512/128@0.5`, they come so again, or as often as the request rate says. Lines of JSON with `input_length`, `output_length` and `timestamp` (milliseconds where all are whole, else seconds) can be pasted. It goes before the averages.",
    ),
    other(
        "prefix_cache_hit_rate",
        "Prefix cache hit rate",
        "share",
        FieldKind::Decimal,
        "The share of prompt tokens that is found in the prefix cache (`vllm:prefix_cache_hits` over `vllm:prefix_cache_queries`).",
    ),
    other(
        "spec_acceptance_rate",
        "Accepted draft tokens",
        "share",
        FieldKind::Decimal,
        "With speculative decoding: the share of drafted tokens that is accepted, as vLLM logs its draft acceptance rate.",
    ),
    other(
        "slo_ttft_ms",
        "Longest time to first token",
        "ms",
        FieldKind::Decimal,
        "What answers have to keep to: the charts of speed show it, and up to which load it is kept.",
    ),
    other(
        "slo_tpot_ms",
        "Longest time per output token",
        "ms",
        FieldKind::Decimal,
        "The same for the time between tokens after the first.",
    ),
    other(
        "slo_e2e_ms",
        "Longest time to last token",
        "ms",
        FieldKind::Decimal,
        "The same from the request to the end of its answer.",
    ),
    other(
        "slo_percentile",
        "Requests that keep these times",
        "%",
        FieldKind::Choice(PERCENTILES),
        "50 is the middle, which the estimate knows. For more, a search simulates its first answers request by request.",
    ),
    other(
        "batching_mode",
        "Optimise for",
        "",
        FieldKind::Choice(BATCHING_MODES),
        "Throughput takes larger batches; latency keeps steps short.",
    ),
    other(
        "headroom_gb",
        "Memory to keep free",
        "GB",
        FieldKind::Decimal,
        "Left untouched on each GPU, on top of what vLLM leaves; lowers gpu_memory_utilization.",
    ),
    other(
        "defaults",
        "What is not set",
        "",
        FieldKind::Choice(DEFAULTS),
        "`recommended` fills it in for this workload; `vllm` leaves vLLM's own default.",
    ),
    engine(
        "tensor_parallel_size",
        "--tensor-parallel-size",
        "Tensor parallel",
        "GPUs",
        count(1, 64),
        "Each layer is split over this many GPUs. Must divide the attention heads.",
    ),
    engine(
        "pipeline_parallel_size",
        "--pipeline-parallel-size",
        "Pipeline parallel",
        "stages",
        count(1, 64),
        "The layers are split into this many stages.",
    ),
    engine(
        "data_parallel_size",
        "--data-parallel-size",
        "Data parallel",
        "replicas",
        count(1, 64),
        "Copies of the engine behind one endpoint. Routed experts are spread over all of them.",
    ),
    engine(
        "enable_expert_parallel",
        "--enable-expert-parallel",
        "Expert parallel",
        "",
        FieldKind::Switch,
        "Whole experts on each GPU instead of a slice of every expert.",
    ),
    engine(
        "max_model_len",
        "--max-model-len",
        "Context length",
        "tokens",
        count(1, MAX_TOKENS),
        "Prompt and answer together. vLLM only starts if one sequence of this length fits.",
    ),
    engine(
        "gpu_memory_utilization",
        "--gpu-memory-utilization",
        "GPU memory utilization",
        "",
        FieldKind::Fraction,
        "The part of the whole GPU that vLLM may fill.",
    ),
    engine(
        "kv_cache_memory_bytes",
        "--kv-cache-memory-bytes",
        "KV cache size",
        "bytes",
        FieldKind::Memory,
        "Exactly this much KV cache on each GPU; the utilization is then ignored.",
    ),
    engine(
        "kv_cache_dtype",
        "--kv-cache-dtype",
        "KV cache type",
        "",
        FieldKind::Choice(KV_CACHE_DTYPES),
        "fp8 halves the KV cache; it costs a little accuracy and needs a GPU and a backend that read it.",
    ),
    engine(
        "block_size",
        "--block-size",
        "Block size",
        "tokens",
        count(1, 2048),
        "Tokens in one KV cache block; vLLM chooses it by attention backend.",
    ),
    engine(
        "max_num_seqs",
        "--max-num-seqs",
        "Sequences per step",
        "",
        count(1, 65_536),
        "The largest batch. Each slot costs sampler memory, about 18 bytes times the vocabulary.",
    ),
    engine(
        "max_num_batched_tokens",
        "--max-num-batched-tokens",
        "Tokens per step",
        "tokens",
        count(1, MAX_TOKENS),
        "The largest step. Larger is better for throughput and costs activation memory.",
    ),
    engine(
        "enable_prefix_caching",
        "--enable-prefix-caching",
        "Prefix caching",
        "",
        FieldKind::Switch,
        "Prompts that begin alike share KV cache.",
    ),
    engine(
        "enable_chunked_prefill",
        "--enable-chunked-prefill",
        "Chunked prefill",
        "",
        FieldKind::Switch,
        "Long prompts are computed in pieces between the steps of others.",
    ),
    engine(
        "enforce_eager",
        "--enforce-eager",
        "Eager mode",
        "",
        FieldKind::Switch,
        "No CUDA graphs: less memory, slower steps.",
    ),
    engine(
        "disable_hybrid_kv_cache_manager",
        "--disable-hybrid-kv-cache-manager",
        "Without hybrid KV cache manager",
        "",
        FieldKind::Switch,
        "Sliding-window layers then keep the full length.",
    ),
    engine(
        "dtype",
        "--dtype",
        "Weight type",
        "",
        FieldKind::Choice(DTYPES),
        "The type of weights and activations that are not quantised.",
    ),
    engine(
        "quantization",
        "--quantization",
        "Quantization",
        "",
        FieldKind::Text,
        "Only where the checkpoint does not say it itself.",
    ),
    engine(
        "language_model_only",
        "--language-model-only",
        "Language model only",
        "",
        FieldKind::Switch,
        "Leaves vision and audio towers out: text in, text out, and their memory saved.",
    ),
    engine(
        "trust_remote_code",
        "--trust-remote-code",
        "Trust remote code",
        "",
        FieldKind::Switch,
        "Runs Python code from the model's repository. Only for models that need it.",
    ),
    engine(
        "served_model_name",
        "--served-model-name",
        "Served model name",
        "",
        FieldKind::Text,
        "The name that clients ask for.",
    ),
    engine(
        "port",
        "--port",
        "Port",
        "",
        count(1, 65_535),
        "Where the server listens.",
    ),
    other(
        "image",
        "Container image",
        "",
        FieldKind::Text,
        "Empty: vLLM's own image for the chosen version.",
    ),
    other(
        "name",
        "Deployment name",
        "",
        FieldKind::Text,
        "Of the container and the Kubernetes objects. Never `vllm`: Kubernetes would then set VLLM_PORT to a URL.",
    ),
    other(
        "hf_secret",
        "Kubernetes secret",
        "",
        FieldKind::Text,
        "The secret that holds HF_TOKEN under the key `token`.",
    ),
    other(
        "non_root",
        "Not as root",
        "",
        FieldKind::Switch,
        "Containers run as user 2000 of group 0, for whom vLLM's CUDA image is prepared since 0.22.0; caches lie in /home/vllm.",
    ),
    other(
        "device_ids",
        "GPUs by name",
        "",
        FieldKind::Text,
        "Which GPUs of each machine: `0,1`, or UUIDs as `nvidia-smi -L` prints them. Kubernetes chooses itself.",
    ),
    other(
        "measured",
        "Measured values",
        "",
        FieldKind::Text,
        "What a start-up log measured beyond the estimate, in bytes, and of what; `check --log --json` and the page write it.",
    ),
    other(
        "measured_speed",
        "Measured speed",
        "",
        FieldKind::Text,
        "What a benchmark measured, in thousandths of the estimate, and of what; `check --bench --json` writes it.",
    ),
];

/// The field of that name.
pub fn field(id: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.id == id)
}

/// A whole number within the field's limits. Accepts vLLM's suffixes: `32k` is 32000, `32K` is 32768.
pub fn parse_count(id: &str, text: &str) -> Result<u64, InputError> {
    let (min, max) = match field(id).map(|field| field.kind) {
        Some(FieldKind::Count { min, max }) => (min, max),
        _ => (0, u64::MAX),
    };
    let expected = || {
        InputError::new(
            id,
            format!("expected a whole number from {min} to {max}, got {}", shown(text)),
        )
    };
    let value = human_readable(text).ok_or_else(expected)?;
    if value < min || value > max {
        Err(expected())
    } else {
        Ok(value)
    }
}

/// vLLM's `human_readable_int`: lower-case suffixes are powers of 1000, upper-case ones of 1024.
fn human_readable(text: &str) -> Option<u64> {
    let text: String = text
        .trim()
        .chars()
        .filter(|c| !matches!(c, ' ' | '_' | '\u{a0}' | '\u{202f}'))
        .collect();
    let scale: u64 = match text.chars().last()? {
        'k' => 1_000,
        'm' => 1_000_000,
        'g' => 1_000_000_000,
        'K' => 1 << 10,
        'M' => 1 << 20,
        'G' => 1 << 30,
        _ => return text.parse().ok(),
    };
    let number = text.get(..text.len() - 1)?;
    match number.split_once('.') {
        None => number.parse::<u64>().ok()?.checked_mul(scale),
        Some((whole, fraction)) if fraction.len() <= 9 => {
            let tens = 10_u64.pow(u32::try_from(fraction.len()).ok()?);
            let whole = whole.parse::<u64>().ok()?.checked_mul(scale)?;
            whole.checked_add(fraction.parse::<u64>().ok()?.checked_mul(scale)? / tens)
        }
        Some(_) => None,
    }
}

/// One of the field's words.
pub fn parse_choice(id: &str, text: &str, choices: &[&'static str]) -> Result<&'static str, InputError> {
    choices
        .iter()
        .find(|choice| **choice == text.trim())
        .copied()
        .ok_or_else(|| {
            InputError::new(
                id,
                format!("expected one of {}, got {}", choices.join(", "), shown(text)),
            )
        })
}

/// `true` or `false`.
pub fn parse_switch(id: &str, text: &str) -> Result<bool, InputError> {
    match text.trim() {
        "true" | "1" | "on" => Ok(true),
        "false" | "0" | "off" => Ok(false),
        _ => Err(InputError::new(
            id,
            format!("expected true or false, got {}", shown(text)),
        )),
    }
}

/// Any text of at most 512 characters without control characters.
pub fn parse_text(id: &str, text: &str) -> Result<String, InputError> {
    if text.chars().any(char::is_control) {
        return Err(InputError::new(
            id,
            "expected one line without control characters",
        ));
    }
    if text.chars().count() > 512 {
        return Err(InputError::new(id, "expected at most 512 characters"));
    }
    Ok(text.to_owned())
}

/// A decimal number of at least 0, kept as thousandths.
pub fn parse_decimal(id: &str, text: &str) -> Result<u64, InputError> {
    let expected = || {
        InputError::new(
            id,
            format!("expected a number of at least 0, got {}", shown(text)),
        )
    };
    let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let all_digits = |part: &str| part.chars().all(|c| c.is_ascii_digit());
    // `.5` is what vLLM's own parser takes as well.
    let whole = if whole.is_empty() && !fraction.is_empty() {
        "0"
    } else {
        whole
    };
    if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) {
        return Err(expected());
    }
    let milli: String = fraction.chars().chain("000".chars()).take(3).collect();
    let whole: u64 = whole.parse().map_err(|_| expected())?;
    let value = whole
        .checked_mul(1000)
        .and_then(|w| w.checked_add(milli.parse().ok()?))
        .ok_or_else(expected)?;
    if value > 1_000_000_000 {
        Err(expected())
    } else {
        Ok(value)
    }
}

/// A short, quoted form of what somebody typed.
fn shown(text: &str) -> String {
    let mut short: String = text.chars().take(40).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("{short:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_follow_vllms_suffixes() {
        for (text, value) in [
            ("32k", 32_000),
            ("32K", 32_768),
            ("1.5k", 1_500),
            ("131 072", 131_072),
            ("1M", 1 << 20),
        ] {
            assert_eq!(parse_count("max_model_len", text), Ok(value), "{text}");
        }
        for text in [
            "",
            "k",
            "-1",
            "0",
            "1e3",
            "99999999999999999999",
            "1.2.3k",
            "\u{1f600}",
        ] {
            assert!(parse_count("max_model_len", text).is_err(), "{text}");
        }
    }

    #[test]
    fn decimals_are_kept_as_thousandths() {
        for (text, value) in [("0.5", 500), (".5", 500), (" 2. ", 2_000), ("1.2345", 1_234)] {
            assert_eq!(parse_decimal("request_rate", text), Ok(value), "{text}");
        }
        for text in ["", ".", "-.5", "1e3", "0..5", "1.2.3", "9999999999"] {
            assert!(parse_decimal("request_rate", text).is_err(), "{text}");
        }
    }

    #[test]
    fn field_ids_are_unique() {
        for (i, a) in FIELDS.iter().enumerate() {
            assert!(FIELDS.iter().skip(i + 1).all(|b| a.id != b.id), "{}", a.id);
        }
    }
}
