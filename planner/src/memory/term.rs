//! A figure that carries its own derivation.
use serde::Serialize;

/// How a figure is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Basis {
    /// Follows from shapes.
    Exact,
    /// A formula with constants fitted on measurements.
    Fitted,
    /// A round figure from experience.
    Assumed,
    /// Read from a start-up log of this machine.
    Measured,
}

/// The part of the memory bar that a term belongs to, in the bar's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Segment {
    /// Parameters.
    Weights,
    /// KV cache that the workload uses.
    KvCache,
    /// KV cache beyond the workload, inside the limit.
    KvCacheFree,
    /// Transient peak.
    Activations,
    /// Graphs and buffers.
    Overhead,
    /// Context, NCCL and other processes, outside the limit.
    Baseline,
    /// Left out by gpu_memory_utilization.
    Withheld,
    /// What is missing; its terms are negative.
    Overrun,
}

impl Segment {
    /// The sum of each, in their order.
    pub fn sums(terms: &[Term]) -> Vec<(Self, i64)> {
        let mut sums: Vec<(Self, i64)> = Vec::new();
        for term in terms {
            match sums.binary_search_by_key(&term.segment, |(segment, _)| *segment) {
                Ok(at) => sums[at].1 += term.bytes,
                Err(at) => sums.insert(at, (term.segment, term.bytes)),
            }
        }
        sums
    }

    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Weights => "Weights",
            Self::KvCache => "KV cache, this workload",
            Self::KvCacheFree => "KV cache, free",
            Self::Activations => "Activations",
            Self::Overhead => "Graphs and buffers",
            Self::Baseline => "CUDA context, NCCL, other processes",
            Self::Withheld => "Left free by gpu_memory_utilization",
            Self::Overrun => "Missing",
        }
    }
}

/// One figure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Term {
    /// Stable id, such as `weights.attention`.
    pub id: &'static str,
    /// In words.
    pub label: &'static str,
    /// Part of the memory bar.
    pub segment: Segment,
    /// Bytes; negative only in [`Segment::Overrun`], and where less was measured than estimated.
    pub bytes: i64,
    /// With names.
    pub formula: &'static str,
    /// The names' values here, in the formula's order.
    #[serde(serialize_with = "crate::json::values")]
    pub inputs: Vec<(&'static str, String)>,
    /// vLLM's file and version.
    pub source: &'static str,
    /// How it is known.
    pub basis: Basis,
    /// How far it was checked.
    pub checked: &'static str,
}
