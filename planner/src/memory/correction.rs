//! What a start of vLLM measured beyond what the formulas say.
//!
//! Added to every rank: a question that makes a part larger (a longer batch, more sequences) still follows that part's
//! formula, and what the formula missed on this machine stays.
use super::term::{Basis, Segment, Term};
use crate::units::Bytes;

/// In bytes on each GPU; below zero where the formulas say too much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Correction {
    /// Of "Model loading took".
    pub weights: i64,
    /// Of the profile run's peak.
    pub activation_peak: i64,
    /// Of the CUDA graphs.
    pub cuda_graphs: i64,
    /// Of what the log does not tell apart: buffers and what lies outside torch.
    pub rest: i64,
}

impl Correction {
    /// Name, value and part of the bar, in the order of links.
    pub fn parts(&self) -> [(&'static str, i64, Segment); 4] {
        [
            ("weights", self.weights, Segment::Weights),
            ("activation_peak", self.activation_peak, Segment::Activations),
            ("cuda_graphs", self.cuda_graphs, Segment::Overhead),
            ("rest", self.rest, Segment::Overhead),
        ]
    }

    /// The sum.
    pub fn total(&self) -> i64 {
        self.parts()
            .iter()
            .fold(0, |sum, (_, bytes, _)| sum.saturating_add(*bytes))
    }

    /// The same where no part that it corrects falls below zero; without graphs there is nothing to correct in them.
    #[must_use]
    pub fn within(self, weights: Bytes, peak: Bytes, graphs: Bytes, rest: Bytes) -> Self {
        let least = |correction: i64, part: Bytes| correction.max(-part.signed());
        Self {
            weights: least(self.weights, weights),
            activation_peak: least(self.activation_peak, peak),
            cuda_graphs: if graphs == Bytes::ZERO {
                0
            } else {
                least(self.cuda_graphs, graphs)
            },
            rest: least(self.rest, rest),
        }
    }

    /// The amount with a part's correction.
    pub fn applied(amount: Bytes, correction: i64) -> Bytes {
        Bytes::new(u64::try_from(amount.signed().saturating_add(correction)).unwrap_or(0))
    }

    /// One term for each part that differs.
    pub(super) fn terms(&self) -> Vec<Term> {
        let names = [
            ("measured.weights", "Weights, measured against estimated"),
            ("measured.activation_peak", "Peak, measured against estimated"),
            ("measured.cuda_graphs", "CUDA graphs, measured against estimated"),
            ("measured.rest", "Rest, measured against estimated"),
        ];
        let parts = self.parts().into_iter().zip(names);
        parts
            .filter(|((_, bytes, _), _)| *bytes != 0)
            .map(|((_, bytes, segment), (id, label))| Term {
                id,
                label,
                segment,
                bytes,
                formula: "measured − estimated, for the start whose log was taken over",
                inputs: Vec::new(),
                source: "vLLM's start-up log",
                basis: Basis::Measured,
                checked: "measured on this machine; kept when the question changes, as long as model, version, GPU and layout stay",
            })
            .collect()
    }
}
