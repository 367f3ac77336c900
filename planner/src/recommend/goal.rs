//! What is better.
use super::search::Answer;
use crate::{
    plan::{Outcome, Slo},
    workload::BatchingMode,
};
use std::cmp::Ordering;

/// What matters most among layouts that hold the load.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Objective {
    /// The rate of all and the rate of one, alike: the root of their product.
    #[default]
    Balanced,
    /// Output tokens a second over all requests.
    Throughput,
    /// The time of one request from its arrival to its last token.
    Latency,
    /// Few GPUs.
    Gpus,
    /// Little money for each token.
    Cost,
}

impl Objective {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Balanced,
        Self::Throughput,
        Self::Latency,
        Self::Gpus,
        Self::Cost,
    ];

    /// What a load's mode asks for.
    pub const fn of(mode: BatchingMode) -> Self {
        match mode {
            BatchingMode::Balanced => Self::Balanced,
            BatchingMode::Throughput => Self::Throughput,
            BatchingMode::Latency => Self::Latency,
        }
    }

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Balanced => "balanced",
            Self::Throughput => "throughput",
            Self::Latency => "latency",
            Self::Gpus => "gpus",
            Self::Cost => "cost",
        }
    }
}

/// What is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Goal {
    /// Among those that hold the load.
    pub objective: Objective,
    /// Limits.
    pub slo: Slo,
}

impl Goal {
    /// What the objective measures, the more the better; `None` where it is not known.
    pub fn merit(&self, answer: &Answer) -> Option<f64> {
        match self.objective {
            Objective::Gpus => Some(1.0 / f64::from(answer.total_gpus.max(1))),
            Objective::Cost => answer.cost_per_million.map(|cost| 1.0 / cost),
            Objective::Throughput => answer.rate(),
            Objective::Latency => answer.end_to_end().map(|time| 1.0 / time),
            Objective::Balanced => answer.balance(),
        }
    }

    /// The better ones first.
    pub(super) fn rank(&self, answers: &mut [Answer]) {
        crate::order::sort(answers, |a, b| self.order(a, b));
    }

    /// The better one first. A total order: what is equal in every figure is told apart by its hardware and layout.
    ///
    /// First whether vLLM starts, then whether the load is carried within the limits and a simulation has shown it where
    /// they hold for more than the middle, then whether it surely fits, then the objective, then fewer GPUs, fewer changed number formats, less splitting.
    pub fn order(&self, a: &Answer, b: &Answer) -> Ordering {
        let standing = |answer: &Answer| {
            (
                answer.outcome.starts(),
                answer.keeps_limits && answer.keeps_up(),
                answer.tail.is_some(),
                answer.outcome == Outcome::Fits,
                answer.outcome != Outcome::Unsupported,
            )
        };
        standing(b)
            .cmp(&standing(a))
            .then_with(|| self.objective.order(a, b))
            .then_with(|| a.total_gpus.cmp(&b.total_gpus))
            .then_with(|| a.layout.changed_formats().cmp(&b.layout.changed_formats()))
            .then_with(|| a.layout.cmp(&b.layout))
            .then_with(|| a.offer.cmp(&b.offer))
    }
}

impl Objective {
    fn order(self, a: &Answer, b: &Answer) -> Ordering {
        match self {
            Self::Gpus => a
                .total_gpus
                .cmp(&b.total_gpus)
                .then_with(|| a.layout.changed_formats().cmp(&b.layout.changed_formats()))
                .then_with(|| descending(a.rate(), b.rate())),
            Self::Cost => ascending(a.cost_per_million, b.cost_per_million)
                .then_with(|| a.total_gpus.cmp(&b.total_gpus))
                .then_with(|| descending(a.rate(), b.rate())),
            Self::Throughput => descending(a.rate(), b.rate()),
            Self::Latency => ascending(a.end_to_end(), b.end_to_end()),
            Self::Balanced => descending(a.balance(), b.balance()),
        }
    }
}

/// Known figures first, the larger before the smaller.
fn descending(a: Option<f64>, b: Option<f64>) -> Ordering {
    ascending(a.map(|a| -a), b.map(|b| -b))
}

/// Known figures first, the smaller before the larger.
fn ascending(a: Option<f64>, b: Option<f64>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    }
}
