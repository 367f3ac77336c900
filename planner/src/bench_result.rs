//! A benchmark's result → what it measured, to hold a plan's speed against a real run.
//!
//! Reads `vllm bench serve`'s JSON (a file of one or several lines) and what it prints, guidellm's report, and the exports
//! of GenAI-Perf and AIPerf; of several runs the last one counts.
mod json;
mod text;

use crate::{
    plan::{MeasuredSpeed, Plan, Scenario, evaluate},
    text::short,
};
use serde::Serialize;

/// The longest text that is read.
pub const LONGEST: u64 = 64 << 20;

/// What a run measured, and at which load.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct BenchResult {
    /// The program.
    pub tool: &'static str,
    /// The model that it asked for.
    pub model: Option<String>,
    /// Requests done.
    pub requests: Option<f64>,
    /// Tokens of a prompt, on average.
    pub prompt_tokens: Option<f64>,
    /// Tokens of an answer, on average.
    pub gen_tokens: Option<f64>,
    /// Requests at once, where the run kept to that.
    pub concurrency: Option<f64>,
    /// Requests each second, where the run kept to that.
    pub request_rate: Option<f64>,
    /// Milliseconds to the first token: the middle, or the mean where no middle is given.
    pub ttft_ms: Option<f64>,
    /// Milliseconds between tokens after the first.
    pub tpot_ms: Option<f64>,
    /// Tokens of answers per second.
    pub output_tok_per_s: Option<f64>,
}

/// Why a text is no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BenchError {
    /// Over [`LONGEST`].
    #[error("the text is longer than 64 MiB (expected a benchmark's summary)")]
    TooLong,
    /// Nothing that is known.
    #[error(
        "no result is in it (expected the JSON or the printed table of `vllm bench serve`, guidellm's JSON, or GenAI-Perf's or AIPerf's profile_export JSON)"
    )]
    NothingFound,
}

/// One figure of both.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BenchRow {
    /// Stable name, as in plan.json.
    pub id: &'static str,
    /// For people.
    pub label: &'static str,
    /// What the plan says.
    pub estimated: f64,
    /// What the run says.
    pub measured: f64,
    /// The measured one is in the plan's range.
    pub in_range: bool,
}

/// Reads it.
pub fn read(text: &str) -> Result<BenchResult, BenchError> {
    if text.len() as u64 > LONGEST {
        return Err(BenchError::TooLong);
    }
    let text = text.trim_start_matches('\u{feff}').trim();
    let found = json::read(text).or_else(|| text::read(text));
    let result = found.ok_or(BenchError::NothingFound)?;
    let known = [result.ttft_ms, result.tpot_ms, result.output_tok_per_s];
    if known.iter().all(Option::is_none) {
        return Err(BenchError::NothingFound);
    }
    Ok(result)
}

impl BenchResult {
    /// The fields of a scenario that the run says, as texts for [`Scenario::set`].
    pub fn load(&self) -> Vec<(&'static str, String)> {
        let whole = |tokens: f64| format!("{}", tokens.round().max(1.0));
        let mut fields = Vec::new();
        let mut add = |id, value: Option<String>| fields.extend(value.map(|value| (id, value)));
        add("prompt_tokens", self.prompt_tokens.map(whole));
        add("gen_tokens", self.gen_tokens.map(whole));
        // A run that keeps to both is the cap's where it is reached; the plan takes the cap.
        match (self.concurrency, self.request_rate) {
            (Some(concurrency), _) => {
                add("request_rate", Some("0".to_owned()));
                add("concurrency", Some(whole(concurrency)));
            }
            (None, rate) => add("request_rate", rate.map(|rate| format!("{rate:.3}"))),
        }
        fields
    }

    /// The run's model, where it is not the plan's by its name without owner or folder.
    pub fn other_model(&self, plan: &Plan) -> Option<String> {
        let name = |id: &str| id.trim_end_matches('/').rsplit('/').next().map(str::to_lowercase);
        let served = plan.scenario.engine.served_model_name.as_deref();
        let asked = self.model.as_deref()?;
        let known = [Some(plan.scenario.model.id.as_str()), served];
        let same = known.into_iter().flatten().any(|id| name(id) == name(asked));
        (!same).then(|| short(asked))
    }

    /// Every figure that plan and run have.
    pub fn compare(&self, plan: &Plan) -> Vec<BenchRow> {
        let Some(found) = &plan.performance else {
            return Vec::new();
        };
        let (first, tokens) = if found.pools {
            ("Time of a request, ms", "Prompt tokens per second")
        } else {
            ("Time to first token, ms", "Output tokens per second")
        };
        let figures = [
            ("ttft_ms", first, found.ttft_ms, self.ttft_ms),
            (
                "tpot_ms",
                "Time per output token, ms",
                found.tpot_ms,
                self.tpot_ms.filter(|_| !found.pools),
            ),
            (
                "output_tok_per_s",
                tokens,
                found.output_tok_per_s,
                self.output_tok_per_s,
            ),
        ];
        let row = |(id, label, ranged, measured): (_, _, crate::plan::Ranged, Option<f64>)| {
            let measured = measured?;
            Some(BenchRow {
                id,
                label,
                estimated: ranged.estimate,
                measured,
                in_range: (ranged.low..=ranged.high).contains(&measured),
            })
        };
        figures.into_iter().filter_map(row).collect()
    }

    /// The scenario with what the run measured; `None` where there is nothing to hold it against.
    pub fn calibrated(&self, scenario: &Scenario) -> Option<Scenario> {
        let mut scenario = Scenario {
            measured_speed: None,
            ..scenario.clone()
        };
        let plan = evaluate(&scenario);
        let found = plan.performance.as_ref()?;
        let ratio = |measured: Option<f64>, estimated: f64| measured.map(|measured| measured / estimated);
        let ratios = [
            ratio(self.ttft_ms, found.ttft_ms.estimate),
            ratio(self.tpot_ms, found.tpot_ms.estimate),
            ratio(self.output_tok_per_s, found.output_tok_per_s.estimate),
        ];
        scenario.measured_speed = Some(MeasuredSpeed::of(ratios, plan.subject()?));
        Some(scenario)
    }
}

/// A figure in words. By JSON's reader: the standard library's has tables of 14 kB, which the page would load.
fn number(word: &str) -> Option<f64> {
    positive(serde_json::from_str(word).ok()?)
}

/// Above zero and finite, as every figure here is.
fn positive(value: f64) -> Option<f64> {
    (value.is_finite() && value > 0.0).then_some(value)
}
