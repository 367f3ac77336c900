//! The estimate as the plan states it: for programs and for people.
use super::{
    estimate::{BoundBy, Performance, Ranged},
    simulation::{Percentiles, Run},
};
use serde::Serialize;

#[derive(Serialize)]
struct Middle {
    p50: Option<f64>,
    p90: Option<f64>,
    p99: Option<f64>,
}

impl Middle {
    /// The closed form knows the middle alone.
    fn of(estimate: Ranged, simulated: Option<Percentiles>) -> Self {
        let ms = |seconds: f64| Some(short(seconds * 1e3));
        simulated.map_or(
            Self {
                p50: Some(short(estimate.estimate)),
                p90: None,
                p99: None,
            },
            |times| Self {
                p50: ms(times.p50),
                p90: ms(times.p90),
                p99: ms(times.p99),
            },
        )
    }
}

#[derive(Serialize)]
struct Document<'a> {
    decode_toks_per_s_range: Option<[f64; 2]>,
    prefill_toks_per_s_range: Option<[f64; 2]>,
    ttft_ms_range: Option<[f64; 2]>,
    tpot_ms_range: Option<[f64; 2]>,
    end_to_end_ms_range: Option<[f64; 2]>,
    output_tok_per_s_range: Option<[f64; 2]>,
    output_tok_per_s: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_tok_per_s_range: Option<[f64; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_tok_per_s: Option<f64>,
    req_per_s: f64,
    ttft_ms: Option<Middle>,
    tpot_ms: Option<Middle>,
    end_to_end_ms: Option<Middle>,
    simulated_requests: Option<u32>,
    basis: &'static str,
    running: f64,
    bound_by: BoundBy,
    assumptions: &'a [&'static str],
}

impl Serialize for Performance {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let run = self.simulated.as_ref();
        let range = |ranged: &Ranged| Some([short(ranged.low), short(ranged.high)]);
        let answers = |ranged: &Ranged| range(ranged).filter(|_| !self.pools);
        let middle = |ranged, of: fn(&Run) -> Percentiles| Some(Middle::of(ranged, run.map(of)));
        let tokens = short(self.output_tok_per_s.estimate);
        Document {
            decode_toks_per_s_range: answers(&self.decode_toks_per_s),
            prefill_toks_per_s_range: range(&self.prefill_toks_per_s),
            ttft_ms_range: range(&self.ttft_ms),
            tpot_ms_range: answers(&self.tpot_ms),
            end_to_end_ms_range: range(&self.end_to_end_ms),
            output_tok_per_s_range: answers(&self.output_tok_per_s),
            output_tok_per_s: (!self.pools).then_some(tokens),
            prompt_tok_per_s_range: range(&self.output_tok_per_s).filter(|_| self.pools),
            prompt_tok_per_s: self.pools.then_some(tokens),
            req_per_s: short(self.req_per_s),
            ttft_ms: middle(self.ttft_ms, |run| run.ttft),
            tpot_ms: middle(self.tpot_ms, |run| run.tpot).filter(|_| !self.pools),
            end_to_end_ms: middle(self.end_to_end_ms, |run| run.end_to_end),
            simulated_requests: run.map(|run| run.requests),
            basis: match (self.measured, self.assumed) {
                (true, _) => "measured",
                (_, true) => "assumed",
                _ => "fitted",
            },
            running: short(self.running),
            bound_by: self.bound_by,
            assumptions: &self.assumptions,
        }
        .serialize(serializer)
    }
}

/// No more digits than it has worth.
pub(crate) fn short(value: f64) -> f64 {
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
    /// What the figures are, as a heading.
    pub fn title(&self) -> &'static str {
        if self.measured {
            "Speed, scaled to a benchmark"
        } else {
            "Speed, an estimate"
        }
    }

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
        let (what, mut help) = self.bound_by.words();
        if self.pools && self.bound_by == BoundBy::Host {
            help = "several prompts in a request, or more API servers (`--api-server-count`)";
        }
        let mut first = time(&self.ttft_ms);
        if self.overloaded {
            first.push_str(" amid 300 requests, and it grows");
        }
        let mut output = ranged(&self.output_tok_per_s, "");
        if self.at_a_rate {
            output.push_str(" in a run of 300 requests");
        }
        let requests = row("Requests per second", format!("about {}", figure(self.req_per_s)));
        let limit = row("Limited by", format!("{what}; what helps: {help}"));
        if self.pools {
            let alone = ranged(&self.prefill_toks_per_s, "");
            return vec![
                row("Time of a request", first),
                row(PROMPT_TOKENS, output),
                requests,
                row("One prompt alone, tokens per second", alone),
                limit,
            ];
        }
        let alone = ranged(&self.decode_toks_per_s, "");
        vec![
            row("Time to first token", first),
            row("Time per output token", time(&self.tpot_ms)),
            row(OUTPUT_TOKENS, output),
            requests,
            row("One sequence alone, tokens per second", alone),
            limit,
        ]
    }
}

const OUTPUT_TOKENS: &str = "Output tokens per second";
const PROMPT_TOKENS: &str = "Prompt tokens per second";

impl Run {
    /// The run for people.
    pub fn rows(&self) -> Vec<SpeedRow> {
        let row = |label, value| SpeedRow { label, value };
        let times = |times: &Percentiles| {
            let time = |seconds: f64| {
                if seconds < 1.0 {
                    format!("{} ms", figure(seconds * 1e3))
                } else {
                    format!("{} s", figure(seconds))
                }
            };
            let [p50, p90, p99] = [times.p50, times.p90, times.p99].map(time);
            format!("p50 {p50}, p90 {p90}, p99 {p99}")
        };
        let mut rows = if self.pools {
            vec![row("Time of a request", times(&self.end_to_end))]
        } else {
            vec![
                row("Time to first token", times(&self.ttft)),
                row("Time per output token", times(&self.tpot)),
                row("From request to last token", times(&self.end_to_end)),
            ]
        };
        let tokens = if self.pools { PROMPT_TOKENS } else { OUTPUT_TOKENS };
        rows.extend([
            row("Requests per second", figure(self.req_per_s)),
            row(tokens, figure(self.output_tok_per_s)),
            row("Requests under way", figure(self.under_way)),
            row("Time in steps", format!("{:.0} %", self.busy * 100.0)),
        ]);
        if self.cache_most > 0.0 {
            let [mean, most] = [self.cache_mean, self.cache_most].map(|share| share * 100.0);
            rows.extend([
                row("KV cache in use", format!("{mean:.0} %, at most {most:.0} %")),
                row("Preemptions", self.preemptions.to_string()),
            ]);
        }
        rows
    }
}

/// An estimate in three digits.
pub fn figure(value: f64) -> String {
    let digits = match value {
        ..10.0 => 2,
        ..100.0 => 1,
        _ => 0,
    };
    format!("{value:.digits$}")
}
