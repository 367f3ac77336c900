//! How throughput and latency change with the load: other loads on the same engine, each in the closed form.
use super::{Plan, evaluate::asked};
use crate::performance::{Arrivals, Limit, Question, Scale, ceiling};

/// One load.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SweepPoint {
    /// Requests at once, or each second, over all replicas.
    pub load: f64,
    /// Milliseconds to the first token.
    pub ttft_ms: f64,
    /// Milliseconds between tokens after the first.
    pub tpot_ms: f64,
    /// Tokens of answers per second, over all replicas.
    pub output_tok_per_s: f64,
}

/// Loads from the lightest to far beyond what is served at once.
#[derive(Clone, Debug, PartialEq)]
pub struct Sweep {
    /// Rising.
    pub points: Vec<SweepPoint>,
    /// Which of them is the plan's.
    pub chosen: usize,
    /// Which of them is the last without a queue, and what is full there.
    pub knee: Option<(usize, Limit)>,
    /// They come at a rate.
    pub at_a_rate: bool,
}

/// Doublings that are shown at most.
const MOST: usize = 17;
/// Loads that are nearer than that are one.
const CLOSE: f64 = 1.02;

impl Sweep {
    /// The heaviest of these loads that keeps to both limits, in milliseconds.
    pub fn within(&self, ttft_ms: Option<f64>, tpot_ms: Option<f64>) -> Option<&SweepPoint> {
        let keeps = |time: f64, limit: Option<f64>| limit.is_none_or(|limit| time <= limit);
        self.points
            .iter()
            .take_while(|point| keeps(point.ttft_ms, ttft_ms) && keeps(point.tpot_ms, tpot_ms))
            .last()
    }
}

impl Plan {
    /// Other loads; `None` where the speed cannot be said.
    pub fn sweep(&self) -> Option<Sweep> {
        asked(&self.scenario, sweep)
    }
}

fn sweep(question: &Question, scale: Option<Scale>) -> Sweep {
    let ceiling = ceiling(&question.engine, question.request, question.limits);
    let (chosen, knee, least, at_a_rate) = match question.arrivals {
        Arrivals::Closed { sequences, .. } => {
            let most = (ceiling.running * question.replicas).floor().max(1.0);
            (sequences, most, 1.0, false)
        }
        Arrivals::Open { rate, .. } => {
            let most = ceiling.requests * question.replicas;
            (rate, most, most.min(rate) / 64.0, true)
        }
    };
    let end = (4.0 * knee).max(2.0 * chosen);
    let mut loads: Vec<f64> = Vec::new();
    let mut load = least;
    while load <= end && loads.len() < MOST {
        loads.push(load);
        load *= 2.0;
    }
    // The two that matter take the place of one that is next to them, or stand between.
    for own in [knee, chosen] {
        let at = loads
            .iter()
            .position(|load| *load * CLOSE > own)
            .unwrap_or(loads.len());
        match loads.get_mut(at).filter(|load| **load < own * CLOSE) {
            Some(near) => *near = own,
            None => loads.insert(at, own),
        }
    }
    let place = |of: f64| {
        loads
            .iter()
            .position(|load| (1.0 / CLOSE..CLOSE).contains(&(load / of)))
    };
    let mut sweep = Sweep {
        chosen: place(chosen).unwrap_or(0),
        knee: place(knee).map(|at| (at, ceiling.limit)),
        points: Vec::new(),
        at_a_rate,
    };
    sweep.points = loads.iter().map(|load| point(question, scale, *load)).collect();
    sweep
}

fn point(question: &Question, scale: Option<Scale>, load: f64) -> SweepPoint {
    let found = question.steady(load);
    let scale = scale.unwrap_or(Scale::NONE);
    let rate = if question.is_open() && !found.overloaded {
        1.0
    } else {
        scale.rate
    };
    SweepPoint {
        load,
        ttft_ms: found.ttft * scale.ttft * 1e3,
        tpot_ms: found.tpot * scale.tpot * 1e3,
        output_tok_per_s: found.in_run * question.replicas * question.request.counted() * rate,
    }
}
