//! The estimate as the plan states it: figures with their ranges, what limits them, what they assume.
use super::{
    machine::{Generation, Machine},
    serving::{Arrivals, Limits, Request, Steady, steady},
    simulation::{Course, Run, simulate},
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
#[derive(Clone, Copy, Debug, PartialEq)]
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

    /// Of a rate whose time has that range.
    fn rate(estimate: f64, (low, high): (f64, f64)) -> Self {
        Self::new(estimate, (1.0 / high, 1.0 / low))
    }
}

/// The estimate.
#[derive(Clone, Debug, PartialEq)]
pub struct Performance {
    /// Milliseconds to the first token; `None` where requests come faster than they are done.
    pub ttft_ms: Option<Ranged>,
    /// Milliseconds between tokens after the first.
    pub tpot_ms: Ranged,
    /// Tokens of answers per second, over all replicas.
    pub output_tok_per_s: Ranged,
    /// Requests per second, over all replicas.
    pub req_per_s: f64,
    /// Tokens per second of one sequence alone.
    pub decode_toks_per_s: Ranged,
    /// Tokens per second of one prompt alone.
    pub prefill_toks_per_s: Ranged,
    /// Sequences that run at once, over all replicas.
    pub running: f64,
    /// Where the time of an average step goes.
    pub step: StepTime,
    /// What limits it.
    pub bound_by: BoundBy,
    /// What it takes for granted.
    pub assumptions: Vec<&'static str>,
}

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
}

impl Question {
    /// Of one replica.
    fn share(&self) -> Arrivals {
        match self.arrivals {
            Arrivals::Closed(sequences) => Arrivals::Closed(sequences / self.replicas),
            Arrivals::Open(rate) => Arrivals::Open(rate / self.replicas),
        }
    }

    /// Request by request, on one of the replicas.
    pub fn simulate(&self, course: Course) -> Run {
        simulate(&self.engine, self.request, self.share(), self.limits, course)
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
    ttft: (0.47, 2.6),
    tpot: (0.63, 1.55),
    rate: (0.51, 1.30),
};

/// GPUs of a generation that no run was fitted on: as far again.
fn spread(generation: Generation) -> Spread {
    let wider = |(low, high): (f64, f64)| (low * low, high * high);
    match generation {
        Generation::Volta => Spread {
            ttft: wider(SPREAD.ttft),
            tpot: wider(SPREAD.tpot),
            rate: wider(SPREAD.rate),
        },
        _ => SPREAD,
    }
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
    let found = steady(engine, *request, question.share(), *limits);
    let spread = spread(engine.machine.generation);
    let alone = Batch {
        sequences: 1.0,
        context: request.prompt,
        ..Batch::default()
    };
    let first = Batch {
        prompt: request.prompt.min(limits.max_num_batched_tokens),
        ..Batch::default()
    };
    Performance {
        ttft_ms: Some(found.ttft)
            .filter(|ttft| ttft.is_finite())
            .map(|ttft| Ranged::new(ttft * 1e3, spread.ttft)),
        tpot_ms: Ranged::new(found.tpot * 1e3, spread.tpot),
        output_tok_per_s: Ranged::new(found.requests * replicas * request.generated, spread.rate),
        req_per_s: found.requests * replicas,
        decode_toks_per_s: Ranged::rate(1.0 / engine.step(&alone).total(), spread.tpot),
        prefill_toks_per_s: Ranged::rate(first.prompt / engine.step(&first).total(), spread.ttft),
        running: found.running * replicas,
        bound_by: bound_by(&found, limits),
        step: found.step,
        assumptions: assumptions(question, &found),
    }
}

fn bound_by(found: &Steady, limits: &Limits) -> BoundBy {
    if found.queues && found.running >= limits.cached {
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
    let mut list = vec![
        "All requests are as long as stated, and no prompt is found in the prefix cache.",
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
    if matches!(
        question.engine.machine,
        Machine {
            generation: Generation::Volta,
            ..
        }
    ) {
        list.push("No published run of this generation of GPUs was fitted: the range is wider.");
    }
    if found.ttft.is_infinite() {
        list.push(
            "Requests come faster than they are done: the queue grows, and so does the time to the first token.",
        );
    }
    list
}

#[derive(Serialize)]
struct Middle {
    p50: Option<f64>,
    p90: Option<f64>,
    p99: Option<f64>,
}

impl Middle {
    /// The closed form knows the middle alone.
    fn alone(p50: Option<f64>) -> Self {
        Self {
            p50: p50.map(short),
            p90: None,
            p99: None,
        }
    }
}

#[derive(Serialize)]
struct Document<'a> {
    decode_toks_per_s_range: [f64; 2],
    prefill_toks_per_s_range: [f64; 2],
    ttft_ms_range: Option<[f64; 2]>,
    tpot_ms_range: [f64; 2],
    output_tok_per_s_range: [f64; 2],
    output_tok_per_s: f64,
    req_per_s: f64,
    ttft_ms: Middle,
    tpot_ms: Middle,
    running: f64,
    bound_by: BoundBy,
    assumptions: &'a [&'static str],
}

impl Serialize for Performance {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let range = |ranged: &Ranged| [short(ranged.low), short(ranged.high)];
        Document {
            decode_toks_per_s_range: range(&self.decode_toks_per_s),
            prefill_toks_per_s_range: range(&self.prefill_toks_per_s),
            ttft_ms_range: self.ttft_ms.as_ref().map(range),
            tpot_ms_range: range(&self.tpot_ms),
            output_tok_per_s_range: range(&self.output_tok_per_s),
            output_tok_per_s: short(self.output_tok_per_s.estimate),
            req_per_s: short(self.req_per_s),
            ttft_ms: Middle::alone(self.ttft_ms.map(|ttft| ttft.estimate)),
            tpot_ms: Middle::alone(Some(self.tpot_ms.estimate)),
            running: short(self.running),
            bound_by: self.bound_by,
            assumptions: &self.assumptions,
        }
        .serialize(serializer)
    }
}

/// No more digits than it has worth.
fn short(value: f64) -> f64 {
    if value >= 100.0 {
        value.round()
    } else if value >= 1.0 {
        (value * 100.0).round() / 100.0
    } else {
        (value * 10_000.0).round() / 10_000.0
    }
}

/// A figure for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpeedRow {
    /// What it is.
    pub label: &'static str,
    /// Estimate and range.
    pub value: String,
}

impl Performance {
    /// The figures for people, the most asked for first.
    pub fn rows(&self) -> Vec<SpeedRow> {
        let row = |label, value| SpeedRow { label, value };
        let ranged = |ranged: &Ranged, unit: &str| {
            let [estimate, low, high] = [ranged.estimate, ranged.low, ranged.high].map(figure);
            format!("about {estimate}{unit} ({low} to {high})")
        };
        let time = |ms: &Ranged| {
            if ms.estimate < 10_000.0 {
                return ranged(ms, " ms");
            }
            let [estimate, low, high] = [ms.estimate, ms.low, ms.high].map(|ms| ms / 1000.0);
            ranged(&Ranged { estimate, low, high }, " s")
        };
        let (what, help) = self.bound_by.words();
        vec![
            row(
                "Time to first token",
                self.ttft_ms.as_ref().map_or_else(
                    || "grows: requests come faster than they are done".to_owned(),
                    time,
                ),
            ),
            row("Time per output token", time(&self.tpot_ms)),
            row("Output tokens per second", ranged(&self.output_tok_per_s, "")),
            row("Requests per second", format!("about {}", figure(self.req_per_s))),
            row(
                "One sequence alone, tokens per second",
                ranged(&self.decode_toks_per_s, ""),
            ),
            row("Limited by", format!("{what}; what helps: {help}")),
        ]
    }
}

impl Run {
    /// The run for people.
    pub fn rows(&self) -> Vec<SpeedRow> {
        let row = |label, value| SpeedRow { label, value };
        let times = |times: &super::Percentiles| {
            let [p50, p90, p99] = [times.p50, times.p90, times.p99].map(|seconds| figure(seconds * 1e3));
            format!("p50 {p50} ms, p90 {p90} ms, p99 {p99} ms")
        };
        vec![
            row("Time to first token", times(&self.ttft)),
            row("Time per output token", times(&self.tpot)),
            row("From request to last token", times(&self.end_to_end)),
            row(
                "Requests per second",
                figure(f64::from(self.requests) / self.duration.max(f64::MIN_POSITIVE)),
            ),
            row("Requests under way", figure(self.under_way)),
            row("Preemptions", self.preemptions.to_string()),
        ]
    }
}

/// Three digits.
fn figure(value: f64) -> String {
    let digits = match value {
        ..10.0 => 2,
        ..100.0 => 1,
        _ => 0,
    };
    format!("{value:.digits$}")
}
