//! The estimate: figures with their ranges, what limits them, what they assume.
use super::{
    chance::Lengths,
    machine::Generation,
    serving::{Arrivals, Limits, Request, Steady, steady},
    simulation::{Course, Run, Simulation},
    step::{Batch, Engine, StepTime},
    work::Work,
};
use serde::Serialize;

/// What limits the rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BoundBy {
    /// Reading weights and cache.
    MemoryBandwidth,
    /// Products.
    Compute,
    /// Ranks that wait for each other.
    Communication,
    /// Launches, small kernels, sampling, Python.
    Host,
    /// More requests than the cache holds.
    KvCapacity,
}

impl BoundBy {
    /// What it is, and what would help.
    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::MemoryBandwidth => (
                "reading weights and cache from memory",
                "narrower weights or cache, more tensor parallelism, or GPUs with more bandwidth",
            ),
            Self::Compute => (
                "computing",
                "FP8 where the GPU has it, more GPUs, shorter prompts or prefix caching",
            ),
            Self::Communication => (
                "waiting between GPUs",
                "NVLink, less tensor parallelism, or replicas instead",
            ),
            Self::Host => (
                "small kernels and the host",
                "more sequences at once, fewer GPUs per replica, or a newer vLLM",
            ),
            Self::KvCapacity => (
                "the KV cache: requests wait for room in it",
                "an FP8 cache, shorter requests, or more memory",
            ),
        }
    }
}

/// A figure with the range that four of five measured runs lie in.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Ranged {
    /// The estimate.
    pub estimate: f64,
    /// From.
    pub low: f64,
    /// To.
    pub high: f64,
}

impl Ranged {
    fn new(estimate: f64, (low, high): (f64, f64)) -> Self {
        Self {
            estimate,
            low: estimate * low,
            high: estimate * high,
        }
    }

    fn times(self, factor: f64) -> Self {
        Self {
            estimate: self.estimate * factor,
            low: self.low * factor,
            high: self.high * factor,
        }
    }

    /// With another so many times, both off the same way.
    fn plus(self, times: f64, other: Self) -> Self {
        Self {
            estimate: self.estimate + times * other.estimate,
            low: self.low + times * other.low,
            high: self.high + times * other.high,
        }
    }

    /// Of a rate whose time has that range.
    fn rate(estimate: f64, (low, high): (f64, f64)) -> Self {
        Self::new(estimate, (1.0 / high, 1.0 / low))
    }
}

/// The estimate.
#[derive(Clone, Debug, PartialEq)]
pub struct Performance {
    /// The model pools: there is no answer, and tokens per second are those of prompts.
    pub pools: bool,
    /// Milliseconds to the first token, or to the vector.
    pub ttft_ms: Ranged,
    /// Milliseconds between tokens after the first; 0 where the model pools.
    pub tpot_ms: Ranged,
    /// Tokens of answers per second, over all replicas: with a rate, of a run of [`RUN_AT_A_RATE`].
    pub output_tok_per_s: Ranged,
    /// From request to last token.
    pub end_to_end_ms: Ranged,
    /// Requests per second, over all replicas, while it goes on.
    pub req_per_s: f64,
    /// They come at a rate.
    pub at_a_rate: bool,
    /// Scaled to a benchmark of this machine.
    pub measured: bool,
    /// No published run of such an engine was held against it.
    pub assumed: bool,
    /// Tokens per second of one sequence alone; 0 where the model pools.
    pub decode_toks_per_s: Ranged,
    /// Tokens per second of one prompt alone.
    pub prefill_toks_per_s: Ranged,
    /// Sequences that run at once, over all replicas.
    pub running: f64,
    /// Where the time of an average step goes.
    pub step: StepTime,
    /// What limits it.
    pub bound_by: BoundBy,
    /// Requests come faster than they are done: the time to the first token grows, and is the middle of a run.
    pub overloaded: bool,
    /// What it takes for granted.
    pub assumptions: Vec<&'static str>,
    /// The same request by request, where it was asked for: percentiles are stated from it.
    pub simulated: Option<Run>,
}

/// Requests of a run at a rate: of 8 published ones (60 to 900 requests, each size of a source counted once) the middle.
pub const RUN_AT_A_RATE: u32 = 300;
/// Requests of a run with a concurrency, or that concurrency where it is more: published runs of thousands of requests
/// are bursts of 500 or 1000 as often as loops.
pub const RUN_AT_ONCE: u32 = 500;

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// One replica.
    pub engine: Engine,
    /// Replicas.
    pub replicas: f64,
    /// Each request.
    pub request: Request,
    /// Over all replicas.
    pub arrivals: Arrivals,
    /// Of one replica.
    pub limits: Limits,
    /// How long requests are beside that.
    pub lengths: Lengths,
    /// Times from one request to the next against the average one, where they are known; else chance has them.
    pub gaps: Vec<f64>,
    /// max_model_len: none is longer.
    pub longest: f64,
    /// Tokens are drafted, and nobody said how many are accepted.
    pub undrafted: bool,
}

impl Question {
    /// Requests at once, or each second.
    fn load(&self) -> f64 {
        match self.arrivals {
            Arrivals::Closed { sequences: load, .. } | Arrivals::Open { rate: load, .. } => load,
        }
    }

    /// They come at a rate.
    pub fn is_open(&self) -> bool {
        matches!(self.arrivals, Arrivals::Open { .. })
    }

    /// Of one replica, at another load than its own.
    fn share(&self, load: f64) -> Arrivals {
        let load = load / self.replicas;
        match self.arrivals {
            Arrivals::Closed { requests, .. } => Arrivals::Closed {
                sequences: load,
                requests: requests / self.replicas,
            },
            Arrivals::Open {
                requests, burstiness, ..
            } => Arrivals::Open {
                rate: load,
                requests: requests / self.replicas,
                burstiness,
            },
        }
    }

    /// The steady state of one replica, with so many requests over all of them at once or each second.
    pub fn steady(&self, load: f64) -> Steady {
        steady(&self.engine, self.request, self.share(load), self.limits)
    }

    /// Request by request, on one of the replicas.
    pub fn simulation(&self, course: Course, scale: Option<Scale>) -> Simulation {
        Simulation::new(self, self.share(self.load()), course, scale)
    }
}

/// Four of five measured figures lie between these multiples of the estimate, in groups of runs that the fit had not
/// seen (docs/methodology.md has the table).
struct Spread {
    ttft: (f64, f64),
    tpot: (f64, f64),
    rate: (f64, f64),
}

const SPREAD: Spread = Spread {
    ttft: (0.53, 2.45),
    tpot: (0.73, 1.32),
    rate: (0.77, 1.26),
};

/// As far again.
fn wider((low, high): (f64, f64)) -> (f64, f64) {
    (low * low, high * high)
}

/// What no run was fitted on lies further off.
fn spread(known: bool) -> Spread {
    if known {
        return SPREAD;
    }
    Spread {
        ttft: wider(SPREAD.ttft),
        tpot: wider(SPREAD.tpot),
        rate: wider(SPREAD.rate),
    }
}

/// Why the range is wider.
fn doubts(question: &Question) -> impl Iterator<Item = &'static str> {
    let engine = &question.engine;
    let all = [
        (
            engine.machine.generation == Generation::Volta,
            "No published run of this generation of GPUs was fitted: the range is wider.",
        ),
        (
            !engine.machines.is_empty(),
            "Assumed: stages on GPUs of different kinds take turns, each at the speed of its own GPU. No published run of such an engine was fitted: the range is wider.",
        ),
        (
            engine.drafting.is_some(),
            "Speculative decoding: what a draft takes is fitted on one published series and held against two more, all of one model and one request at a time: the range is wider.",
        ),
        (
            engine.spans_nodes(),
            "Between nodes 400 Gb/s for each GPU is assumed; no published run on several nodes was fitted: the range is wider.",
        ),
        (
            engine.machine.slice,
            "Assumed: a MIG slice has the bandwidth and arithmetic of its profile, so many parts of its GPU's. No published run on a slice was fitted: the range is wider.",
        ),
        (
            engine.stages.iter().any(|work| work.offloaded > 0.0),
            "Assumed: in every step the weights in the host's memory are read over the GPU's link at its full rate. No published run of that was fitted: the range is wider.",
        ),
        (
            question.request.pools(),
            "A prompt to a request, each done with its step. What takes requests before the engine is from two published runs, the rest as fitted on prompts of generating models: the range is wider.",
        ),
    ];
    all.into_iter().filter_map(|(holds, why)| holds.then_some(why))
}

/// Answers it.
pub fn estimate(question: &Question) -> Performance {
    let Question {
        engine,
        replicas,
        request,
        limits,
        ..
    } = question;
    let found = question.steady(question.load());
    let pools = request.pools();
    let assumed = doubts(question).next().is_some();
    let spread = spread(!assumed);
    // How long the queue gets is the difference of two rates.
    let ttft_spread = if found.overloaded {
        wider(spread.ttft)
    } else {
        spread.ttft
    };
    let alone = Batch {
        sequences: 1.0,
        context: request.prompt,
        ..Batch::default()
    };
    let first = Batch {
        prompt: request.prompt.min(limits.max_num_batched_tokens),
        ..Batch::default()
    };
    let ttft_ms = Ranged::new(found.ttft * 1e3, ttft_spread);
    let tpot_ms = Ranged::new(found.tpot * 1e3, spread.tpot);
    let rest = (request.generated - 1.0).max(0.0);
    Performance {
        pools,
        ttft_ms,
        tpot_ms,
        end_to_end_ms: ttft_ms.plus(rest, tpot_ms),
        output_tok_per_s: Ranged::new(found.in_run * replicas * request.counted(), spread.rate),
        req_per_s: found.requests * replicas,
        measured: false,
        assumed,
        at_a_rate: question.is_open(),
        decode_toks_per_s: if pools {
            Ranged::default()
        } else {
            Ranged::rate(1.0 / engine.step(&alone).total(), spread.tpot)
        },
        prefill_toks_per_s: Ranged::rate(first.prompt / engine.step(&first).total(), spread.ttft),
        running: found.running * replicas,
        bound_by: bound_by(&found, limits, request),
        step: found.step,
        overloaded: found.overloaded,
        assumptions: assumptions(question, &found),
        simulated: None,
    }
}

fn bound_by(found: &Steady, limits: &Limits, request: &Request) -> BoundBy {
    if found.queues && found.running >= limits.in_cache(*request) {
        return BoundBy::KvCapacity;
    }
    let step = found.step;
    let parts = [
        (step.memory, BoundBy::MemoryBandwidth),
        (step.compute, BoundBy::Compute),
        (step.communication, BoundBy::Communication),
        (step.host, BoundBy::Host),
    ];
    let longest = parts
        .into_iter()
        .fold(parts[0], |a, b| if b.0 > a.0 { b } else { a });
    longest.1
}

fn assumptions(question: &Question, found: &Steady) -> Vec<&'static str> {
    let stated = question.lengths == Lengths::Stated;
    let found_prefix = question.request.found > 0.0;
    let mut list = vec![
        match (stated, found_prefix) {
            (true, false) => {
                "All requests are as long as stated, and no prompt is found in the prefix cache."
            }
            (true, true) => {
                "All requests are as long as stated; what is found in the prefix cache takes room for each of them."
            }
            (false, false) => {
                "The estimate takes every request for an average one, the simulation draws lengths; no prompt is found in the prefix cache."
            }
            (false, true) => {
                "The estimate takes every request for an average one, the simulation draws lengths; what is found in the prefix cache takes room for each of them."
            }
        },
        "Ranges hold four of five published runs of vLLM that the fit had not seen.",
    ];
    if question
        .engine
        .stages
        .iter()
        .any(|work: &Work| !work.experts.is_empty())
    {
        list.push("Tokens choose their experts almost evenly.");
    }
    list.extend(doubts(question));
    if question.undrafted {
        list.push(
            "Speculative decoding is left out of the speed: give its acceptance rate (spec_acceptance_rate) to count it.",
        );
    }
    if question.is_open() && !question.request.pools() {
        list.push(
            "Output tokens per second are those of a run of 300 requests, as benchmarks count: it ends with its longest answer, 3.4 times the average.",
        );
    }
    if found.overloaded {
        list.push(
            "Requests come faster than they are done: the queue grows, and so does the time to the first token. Stated is that in the middle of a run of 300 requests.",
        );
    }
    list
}

/// Multiples that a benchmark of the same machine showed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// Of the time to the first token.
    pub ttft: f64,
    /// Of the time between tokens.
    pub tpot: f64,
    /// Of output tokens per second.
    pub rate: f64,
}

impl Scale {
    /// As estimated.
    pub const NONE: Self = Self {
        ttft: 1.0,
        tpot: 1.0,
        rate: 1.0,
    };
}

impl Performance {
    /// As that machine was measured. A rate that is served stays what it is asked.
    pub fn scale(&mut self, scale: Scale, generated: f64) {
        self.ttft_ms = self.ttft_ms.times(scale.ttft);
        self.tpot_ms = self.tpot_ms.times(scale.tpot);
        self.end_to_end_ms = self.ttft_ms.plus((generated - 1.0).max(0.0), self.tpot_ms);
        self.decode_toks_per_s = self.decode_toks_per_s.times(1.0 / scale.tpot);
        self.prefill_toks_per_s = self.prefill_toks_per_s.times(1.0 / scale.ttft);
        if !self.at_a_rate || self.overloaded {
            self.output_tok_per_s = self.output_tok_per_s.times(scale.rate);
            self.req_per_s *= scale.rate;
        }
        self.measured = true;
        self.assumptions.push(
            "Scaled to a benchmark of this machine, and marked as measured: the ranges stay as wide, since runs of one machine differ among loads nearly as much.",
        );
    }

    /// States the percentiles of that run from here on.
    pub fn take_simulated(&mut self, run: Run) {
        self.simulated = Some(run);
        self.assumptions.push(
            "The percentiles are a simulation's, with lengths within 20 % of those stated where no distribution is given; the ranges are about the closed form's middle.",
        );
    }
}
