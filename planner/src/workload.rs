//! What the server has to carry.
use crate::{bounds::MAX_TOKENS, order, text::milli_text, units::real};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What matters most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BatchingMode {
    /// Neither at the cost of the other.
    #[default]
    Balanced,
    /// Tokens per second over all requests.
    Throughput,
    /// Time per token of one request.
    Latency,
}

impl BatchingMode {
    /// The name in scenarios and profiles.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Balanced => "balanced",
            Self::Throughput => "throughput",
            Self::Latency => "latency",
        }
    }
}

/// How requests differ from the average one, and what they find. Shares are in thousandths.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// Lengths lie evenly within that share of the average, as `--random-range-ratio`.
    pub length_range: Option<u32>,
    /// 95th percentile of the prompts' lengths, which are lognormal then.
    pub prompt_p95: Option<u32>,
    /// The same of answers.
    pub gen_p95: Option<u32>,
    /// Prompts and answers that came, one after the other.
    pub trace: Vec<[u32; 2]>,
    /// When each of them came, in milliseconds after the first; nothing where the trace does not say.
    #[serde(default)]
    pub times: Vec<u64>,
    /// `--burstiness`: the shape of the gaps between requests, in thousandths.
    pub burstiness: Option<u64>,
    /// Of a prompt, what is found in the prefix cache.
    pub prefix_cache_hit_rate: Option<u32>,
    /// Of drafted tokens, what is accepted.
    pub spec_acceptance_rate: Option<u32>,
}

/// Requests of a trace that are kept: evenly spread ones of a longer trace.
const TRACE: usize = 1000;

/// Prompt and answer of a request, and when it came.
type Seen = ([u32; 2], Option<Value>);

impl Shape {
    /// Reads a trace: a request in each line or word, its prompt and its answer in tokens, such as `512/128`, and the
    /// second at which it came, such as `512/128@0.25`, in all of them or none; or lines of JSON with `input_length`,
    /// `output_length` and `timestamp`, which is in milliseconds where all are whole, else in seconds.
    pub fn read_trace(text: &str) -> Option<(Vec<[u32; 2]>, Vec<u64>)> {
        let lengths = |pair: [u64; 2]| {
            let [prompt, answer] = pair.map(|tokens| {
                u32::try_from(tokens)
                    .ok()
                    .filter(|n| (1..=MAX_TOKENS).contains(&u64::from(*n)))
            });
            Some([prompt?, answer?])
        };
        let text = text.trim();
        let lines = text.contains('\n');
        let row = |line: &str| -> Option<Seen> {
            let value = json(line)?;
            let length = |key: &str| value.get(key)?.as_u64();
            let pair = lengths([length("input_length")?, length("output_length")?])?;
            Some((pair, value.get("timestamp").cloned()))
        };
        let pair = |line: &str| -> Option<Seen> {
            let (pair, time) = line
                .split_once('@')
                .map_or((line, None), |(pair, time)| (pair, Some(time)));
            let (prompt, answer) = pair.split_once(['/', ',', ':', '\t'])?;
            let pair = lengths([prompt.trim().parse().ok()?, answer.trim().parse().ok()?])?;
            Some((pair, time.map(|time| json(time).unwrap_or_default())))
        };
        let all: Option<Vec<Seen>> = if text.starts_with('{') {
            text.lines()
                .filter(|line| !line.trim().is_empty())
                .map(row)
                .collect()
        } else {
            text.split(|c| if lines { c == '\n' } else { c == ' ' || c == ';' })
                .map(str::trim)
                .filter(|word| !word.is_empty())
                .map(pair)
                .collect()
        };
        let all = all.filter(|all| !all.is_empty())?;
        let stamps: Vec<&Value> = all.iter().filter_map(|(_, stamp)| stamp.as_ref()).collect();
        let whole = text.starts_with('{') && !stamps.iter().any(|stamp| stamp.is_f64());
        let unit = if whole { 1.0 } else { 1000.0 };
        let known: Option<Vec<f64>> = stamps.iter().map(|stamp| stamp.as_f64()).collect();
        let known = known.filter(|known| known.is_empty() || known.len() == all.len())?;
        let begin = known.iter().copied().fold(f64::INFINITY, f64::min);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "none is before the first"
        )]
        let mut times: Vec<u64> = known
            .iter()
            .map(|time| ((time - begin) * unit).round() as u64)
            .collect();
        let mut by_time: Vec<usize> = (0..all.len()).collect();
        order::sort(&mut by_time, |a, b| times.get(*a).cmp(&times.get(*b)));
        order::sort(&mut times, u64::cmp);
        // Where some are left out the rest come closer together, so that as many come each second.
        let apart = all.len().div_ceil(TRACE);
        times = times
            .into_iter()
            .step_by(apart)
            .map(|time| time / apart as u64)
            .collect();
        if times.last() == Some(&0) {
            // All at once is no rate.
            times.clear();
        }
        let kept = by_time.iter().step_by(apart).filter_map(|at| all.get(*at));
        Some((kept.map(|(pair, _)| *pair).collect(), times))
    }

    /// Thousandths of a request per second, where the trace says when they came.
    pub fn rate_milli(&self) -> Option<u64> {
        let span = *self.times.last()?;
        let gaps = self.times.len().saturating_sub(1) as u64;
        Some((gaps * 1_000_000 / span.max(1)).max(1))
    }

    /// The times from one request to the next against the average one, where the trace says when they came; before the
    /// first lies an average one.
    pub fn gaps(&self) -> Vec<f64> {
        let Some(span) = self.times.last() else {
            return Vec::new();
        };
        let mean = real(*span) / real(self.times.len() as u64 - 1);
        let gap = |pair: &[u64]| real(pair[1] - pair[0]) / mean;
        std::iter::once(1.0)
            .chain(self.times.windows(2).map(gap))
            .collect()
    }

    /// Lengths are a trace's or lognormal.
    pub fn is_uneven(&self) -> bool {
        !self.trace.is_empty() || self.prompt_p95.is_some() || self.gen_p95.is_some()
    }

    /// What lengths a simulated run has.
    pub fn lengths_said(&self) -> &'static str {
        if !self.times.is_empty() {
            "the trace's lengths and gaps"
        } else if !self.trace.is_empty() {
            "the trace's lengths"
        } else if self.is_uneven() {
            "lognormal lengths"
        } else if self.length_range.is_some() {
            "lengths within the range"
        } else {
            "lengths within 20 % of those stated"
        }
    }

    /// The trace as it is read.
    pub fn trace_text(&self) -> String {
        self.trace_words().join(" ")
    }

    /// A word for each request of it.
    pub fn trace_words(&self) -> Vec<String> {
        let word = |(at, [prompt, answer]): (usize, &[u32; 2])| match self.times.get(at) {
            Some(time) => format!("{prompt}/{answer}@{}", milli_text(*time)),
            None => format!("{prompt}/{answer}"),
        };
        self.trace.iter().enumerate().map(word).collect()
    }

    /// The trace's average prompt and answer.
    pub fn averages(&self) -> Option<[u32; 2]> {
        let count = u64::try_from(self.trace.len()).ok().filter(|count| *count > 0)?;
        let mean = |at: usize| {
            let sum: u64 = self.trace.iter().map(|pair| u64::from(pair[at])).sum();
            u32::try_from((sum + count / 2) / count).unwrap_or(u32::MAX)
        };
        Some([mean(0), mean(1)])
    }
}

/// A line of JSON, or a number.
fn json(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok()
}

/// The load.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workload {
    /// Typical prompt, in tokens.
    pub prompt_tokens: u32,
    /// Typical answer, in tokens.
    pub gen_tokens: u32,
    /// Sequences that run at once.
    pub concurrency: u32,
    /// Requests per second in thousandths, if known.
    pub request_rate_milli: Option<u64>,
    /// The same at the busiest time, if known.
    pub peak_rate_milli: Option<u64>,
    /// What matters most.
    pub batching_mode: BatchingMode,
    /// How lengths and arrivals spread, and what saves work.
    pub shape: Shape,
    /// Thousandths of a millisecond that the first token may take, if there is a limit.
    pub slo_ttft_us: Option<u64>,
    /// The same between tokens.
    pub slo_tpot_us: Option<u64>,
    /// The same to the last token.
    pub slo_e2e_us: Option<u64>,
    /// The share of requests that must keep them, in per cent.
    pub slo_percentile: u32,
}

impl Default for Workload {
    fn default() -> Self {
        Self {
            prompt_tokens: 1024,
            gen_tokens: 512,
            concurrency: 32,
            request_rate_milli: None,
            peak_rate_milli: None,
            batching_mode: BatchingMode::Balanced,
            shape: Shape::default(),
            slo_ttft_us: None,
            slo_tpot_us: None,
            slo_e2e_us: None,
            slo_percentile: 50,
        }
    }
}

impl Workload {
    /// Tokens of an average prompt.
    pub fn prompt(&self) -> u32 {
        self.shape
            .averages()
            .map_or(self.prompt_tokens, |[prompt, _]| prompt)
    }

    /// Tokens of an average answer.
    pub fn generated(&self) -> u32 {
        self.shape
            .averages()
            .map_or(self.gen_tokens, |[_, answer]| answer)
    }

    /// Thousandths of a request per second, where they come at a rate: what is set, else the trace's.
    pub fn rate_milli(&self) -> Option<u64> {
        let known = self.request_rate_milli.or_else(|| self.shape.rate_milli());
        known.filter(|milli| *milli > 0)
    }

    /// The most that the first token and each further one may take, in milliseconds.
    pub fn limits_ms(&self) -> [Option<f64>; 2] {
        [self.slo_ttft_us, self.slo_tpot_us].map(|limit| limit.map(|us| real(us) / 1000.0))
    }

    /// How the requests come, in words.
    pub fn pace(&self) -> String {
        self.rate_milli().map_or_else(
            || format!("{} at a time", self.concurrency),
            |rate| format!("{} a second", milli_text(rate)),
        )
    }

    /// Tokens of one typical request from first to last.
    pub fn tokens_per_sequence(&self) -> u32 {
        self.prompt().saturating_add(self.generated())
    }
}
