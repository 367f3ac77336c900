//! A plan held against what a log measured.
use super::VllmLog;
use crate::plan::Plan;
use serde::Serialize;

/// A figure with its unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(tag = "unit", content = "value", rename_all = "snake_case")]
pub enum Quantity {
    /// Bytes, below zero where more is taken than there is.
    Bytes(i64),
    /// Tokens.
    Tokens(u64),
    /// How many full-length sequences at once.
    Sequences(f64),
}

impl Quantity {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a ratio for display; the figures stand beside it"
    )]
    fn number(self) -> f64 {
        match self {
            Self::Bytes(bytes) => bytes as f64,
            Self::Tokens(tokens) => tokens as f64,
            Self::Sequences(times) => times,
        }
    }
}

/// One line of the log beside the plan's figure for it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// Stable name: `weights`, `kv_cache_available`, …
    pub id: &'static str,
    /// As the log calls it.
    pub label: &'static str,
    /// What the plan says.
    pub predicted: Quantity,
    /// What the log says.
    pub measured: Quantity,
    /// `predicted / measured - 1`; `None` where the measured figure is zero.
    pub deviation: Option<f64>,
}

/// Every figure that both have, in the order of the log.
pub fn compare(plan: &Plan, log: &VllmLog) -> Vec<Comparison> {
    let Some(memory) = &plan.memory else {
        return Vec::new();
    };
    let figures = &log.figures;
    let mut rows = Vec::new();
    let mut row = |id, label, predicted: Quantity, measured: Option<Quantity>| {
        let Some(measured) = measured else { return };
        let (p, m) = (predicted.number(), measured.number());
        rows.push(Comparison {
            id,
            label,
            predicted,
            measured,
            deviation: (m != 0.0).then(|| p / m - 1.0),
        });
    };
    let bytes = |bytes: Option<i64>| bytes.map(Quantity::Bytes);
    row(
        "gpu_total",
        "GPU as the process sees it",
        Quantity::Bytes(memory.gpu_total_bytes.signed()),
        bytes(figures.gpu_total),
    );
    row(
        "weights",
        "Model loading took",
        Quantity::Bytes(memory.weights_bytes.signed()),
        bytes(figures.weights),
    );
    row(
        "activation_peak",
        "Peak of the profile run",
        Quantity::Bytes(memory.activation_peak_bytes.signed()),
        bytes(figures.activation_peak),
    );
    row(
        "cuda_graphs",
        "Estimated CUDA graph memory",
        Quantity::Bytes(memory.cuda_graph_bytes.signed()),
        bytes(figures.graphs_estimated),
    );
    row(
        "kv_cache_available",
        "Available KV cache memory",
        Quantity::Bytes(memory.kv_cache_available_logged),
        bytes(figures.kv_cache_available),
    );
    row(
        "kv_cache_tokens",
        "GPU KV cache size",
        Quantity::Tokens(memory.kv_cache_tokens),
        figures.kv_cache_tokens.map(Quantity::Tokens),
    );
    // Another length is another question.
    let length = plan.args.as_ref().map(|args| u64::from(args.max_model_len.value));
    let same = figures.max_concurrency.filter(|(at, _)| Some(*at) == length);
    row(
        "max_concurrency",
        "Maximum concurrency",
        Quantity::Sequences(memory.max_concurrency),
        same.map(|(_, times)| Quantity::Sequences(times)),
    );
    rows
}
