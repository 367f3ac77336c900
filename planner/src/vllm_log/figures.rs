//! The figures of a start-up log and how they are found in a line.
use crate::units::Bytes;

/// What a log measured. Bytes are signed: vLLM prints them below zero where the rest takes more than the budget.
/// With several ranks it is the worst: the most of what is taken, the least of what is left.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// "Model loading took".
    pub weights: Option<i64>,
    /// Peak of the profile run above the weights.
    pub activation_peak: Option<i64>,
    /// Outside torch.
    pub non_torch: Option<i64>,
    /// "Estimated CUDA graph memory": what is taken from the budget.
    pub graphs_estimated: Option<i64>,
    /// What capturing took in the end.
    pub graphs_taken: Option<i64>,
    /// "Available KV cache memory".
    pub kv_cache_available: Option<i64>,
    /// "GPU KV cache size".
    pub kv_cache_tokens: Option<u64>,
    /// Blocks, where only they are printed.
    pub num_blocks: Option<u64>,
    /// "Maximum concurrency for N tokens per request: X": N and X.
    pub max_concurrency: Option<(u64, f64)>,
    /// The GPU as the process sees it.
    pub gpu_total: Option<i64>,
    /// What was free at the start.
    pub gpu_free: Option<i64>,
}

/// The larger, where there is one already.
fn most(slot: &mut Option<i64>, value: Option<i64>) -> bool {
    if let Some(value) = value {
        *slot = Some(slot.map_or(value, |old| old.max(value)));
    }
    value.is_some()
}

/// The smaller, where there is one already.
fn least<T: PartialOrd + Copy>(slot: &mut Option<T>, value: Option<T>) -> bool {
    if let Some(value) = value {
        let smaller = slot.is_none_or(|old| value < old);
        if smaller {
            *slot = Some(value);
        }
    }
    value.is_some()
}

/// Line by line: the words before an amount of memory, and where it goes.
type Slot = fn(&mut Figures) -> &mut Option<i64>;

const MOST: &[(&str, Slot)] = &[
    ("Model loading took", |f| &mut f.weights),
    ("Loading model weights took", |f| &mut f.weights),
    ("PyTorch activation peak memory takes", |f| &mut f.activation_peak),
    ("PyTorch activation peak memory", |f| &mut f.activation_peak),
    ("torch peak memory increase:", |f| &mut f.activation_peak),
    ("non_torch_memory takes", |f| &mut f.non_torch),
    ("non_torch_memory", |f| &mut f.non_torch),
    ("Estimated CUDA graph memory:", |f| &mut f.graphs_estimated),
    ("total_gpu_memory", |f| &mut f.gpu_total),
];

const LEAST: &[(&str, Slot)] = &[
    ("Available KV cache memory:", |f| &mut f.kv_cache_available),
    ("the rest of the memory reserved for KV Cache is", |f| {
        &mut f.kv_cache_available
    }),
    ("available_kv_cache_memory", |f| &mut f.kv_cache_available),
    ("kv_cache_size=", |f| &mut f.kv_cache_available),
    ("available KV cache memory (", |f| &mut f.kv_cache_available),
];

impl Figures {
    /// Takes what a line says; `false` where it says nothing.
    pub(super) fn take(&mut self, line: &str) -> bool {
        let mut found = false;
        for (words, slot) in MOST {
            found |= most(slot(self), after(line, words).and_then(memory));
        }
        // With fewer digits than the line that comes before it.
        let again = after(line, "model weights take").and_then(memory);
        self.weights = self.weights.or(again);
        found |= again.is_some();
        for (words, slot) in LEAST {
            found |= least(slot(self), after(line, words).and_then(memory));
        }
        found |= self.take_free(line);
        if let Some(rest) = after(line, "Graph capturing finished in") {
            let taken = after(rest, "took").and_then(memory);
            found |= most(&mut self.graphs_taken, taken);
        }
        for words in ["GPU KV cache size:", "tokens that can be stored in KV cache ("] {
            found |= least(&mut self.kv_cache_tokens, after(line, words).and_then(count));
        }
        for words in ["GPU blocks:", "CUDA blocks:", "cuda blocks:", "rocm blocks:"] {
            found |= least(&mut self.num_blocks, after(line, words).and_then(count));
        }
        if let Some(rest) = after(line, "Maximum concurrency for") {
            let times = after(rest, "per request:").and_then(number);
            if let (Some(length), Some(times)) = (count(rest), times) {
                let fewer = self.max_concurrency.is_none_or(|(_, old)| times < old);
                if fewer {
                    self.max_concurrency = Some((length, times));
                }
                found = true;
            }
        }
        found
    }

    /// "Free memory on device (78.66/79.19 GiB) on startup. … Actual usage is 14.08 GiB for weight, 1.97 GiB for …".
    fn take_free(&mut self, line: &str) -> bool {
        let Some(rest) = after(line, "Free memory on device") else {
            return false;
        };
        let inside = rest.split_once('(').map_or(rest, |(_, inside)| inside);
        let device = rest.split('(').next().unwrap_or_default();
        // 0.14 names the device before the figures: `cuda:0 (23.1/23.5 GiB)`.
        if device.len() > 16 {
            return false;
        }
        let Some((free, total)) = inside.split_once('/') else {
            return false;
        };
        least(&mut self.gpu_free, gib(free));
        let found = most(&mut self.gpu_total, memory(total));
        if let Some(usage) = after(line, "Actual usage is") {
            let part = |name: &str| {
                let (before, _) = usage.split_once(name)?;
                let words = before.trim_end().strip_suffix("for").unwrap_or(before);
                let words = words.rsplit([',', '(']).next()?;
                memory(words.trim_start().trim_start_matches("and "))
            };
            self.weights = self.weights.or(part("weight"));
            most(&mut self.activation_peak, part("peak activation"));
            most(&mut self.non_torch, part("non-torch memory"));
        }
        found
    }
}

/// What follows these words in a line.
pub(super) fn after<'a>(line: &'a str, words: &str) -> Option<&'a str> {
    let at = line.find(words)?;
    line.get(at + words.len()..)
}

/// The digits, dot and sign that a text begins with, thousands unmarked.
fn digits(text: &str) -> Option<String> {
    let text = text.trim_start_matches([' ', '\t', '=', '(', '`', '*', '|']);
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | ',' | '-')))
        .unwrap_or(text.len());
    let number: String = text.get(..end)?.chars().filter(|c| *c != ',').collect();
    number
        .chars()
        .any(|c| c.is_ascii_digit())
        .then(|| number.trim_end_matches('.').to_owned())
}

fn count(text: &str) -> Option<u64> {
    digits(text)?.parse().ok()
}

fn number(text: &str) -> Option<f64> {
    crate::units::decimal(&digits(text)?)
}

fn gib(text: &str) -> Option<i64> {
    signed(&digits(text)?, "GiB")
}

fn signed(number: &str, unit: &str) -> Option<i64> {
    let (sign, number) = match number.strip_prefix('-') {
        Some(number) => (-1, number),
        None => (1, number),
    };
    Some(sign * Bytes::parse(&format!("{number}{unit}")).ok()?.signed())
}

/// An amount with its unit. vLLM's old lines write GB and mean GiB.
fn memory(text: &str) -> Option<i64> {
    let number = digits(text)?;
    let start = text.find(|c: char| c.is_ascii_digit())?;
    let rest = text
        .get(start..)?
        .trim_start_matches(|c: char| c.is_ascii_digit() || c == '.' || c == ',');
    let rest = rest.trim_start();
    match rest.get(..3).unwrap_or(rest) {
        "MiB" => signed(&number, "MiB"),
        unit if unit.starts_with("Gi") || unit.starts_with("GB") => signed(&number, "GiB"),
        _ => None,
    }
}
