//! Why the first won, and what the others lack, in words.
use super::{Answer, Goal, Objective, Offer};
use crate::plan::Outcome;
use serde::Serialize;

/// A layout that one would have thought of, and why it is not the first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lost {
    /// The layout.
    pub layout: String,
    /// In one sentence.
    pub reason: String,
}

/// Why the first of a ranking is first, against the second.
pub fn won(goal: &Goal, offers: &[Offer], first: &Answer, second: Option<&Answer>) -> String {
    if !first.serves() {
        return format!("Nothing serves this load. Nearest is this: {}", first.lacks(goal));
    }
    let simulated = simulated(goal, first);
    let Some(second) = second else {
        return format!("{simulated}The only one there is.");
    };
    let next = name(offers, first, second);
    if second.serves() {
        format!("{simulated}Next, {next}: {}", behind(goal, first, second))
    } else {
        format!(
            "{simulated}The only one that serves this load. Next, {next}: {}",
            second.lacks(goal)
        )
    }
}

/// What a simulation showed of the percentile that was asked for.
pub fn simulated(goal: &Goal, first: &Answer) -> String {
    match (goal.slo.tail(), first.tail) {
        (Some(_), Some(tail)) => {
            let held: Vec<String> = goal
                .slo
                .held(tail.times_ms)
                .map(|(name, _, figure)| format!("{name} {figure:.0} ms"))
                .collect();
            format!(
                "{} % of {} simulated requests keep {}. ",
                tail.percentile,
                tail.requests,
                held.join(", ")
            )
        }
        (Some(percentile), None) => format!(
            "Its middle keeps the limits; whether {percentile} % of requests do was not simulated, after as many layouts that missed them as there is time for. "
        ),
        _ => String::new(),
    }
}

/// Why another is not the first.
pub fn lost(goal: &Goal, first: &Answer, other: &Answer) -> String {
    if other.serves() {
        behind(goal, first, other)
    } else {
        other.lacks(goal)
    }
}

/// The layout, with its hardware where that is another.
fn name(offers: &[Offer], first: &Answer, other: &Answer) -> String {
    match offers.get(other.offer) {
        Some(offer) if other.offer != first.offer => format!("{offer}, {}", other.layout),
        _ => other.layout.to_string(),
    }
}

/// How far another that serves is behind the first.
fn behind(goal: &Goal, first: &Answer, other: &Answer) -> String {
    let gpus = |answer: &Answer| answer.total_gpus;
    let rate = || less(first.rate(), other.rate()).map(|by| format!("{by} fewer tokens per second."));
    let by = match goal.objective {
        Objective::Gpus if gpus(first) < gpus(other) => None,
        Objective::Gpus | Objective::Throughput => rate(),
        Objective::Cost if first.cost_per_million.is_some() && other.cost_per_million.is_none() => {
            Some("its price is not known.".to_owned())
        }
        Objective::Cost => more(first.cost_per_million, other.cost_per_million)
            .map(|by| format!("{by} the price of a token.")),
        Objective::Latency => {
            more(first.end_to_end(), other.end_to_end()).map(|by| format!("{by} the time to the last token."))
        }
        Objective::Balanced => less(first.balance(), other.balance())
            .map(|by| format!("{by} behind in rate and speed of one together.")),
    };
    let close = is_close(goal, first, other);
    let by = by.map(|by| {
        if close {
            format!("{} (within the estimate's range).", by.trim_end_matches('.'))
        } else {
            by
        }
    });
    by.unwrap_or_else(|| {
        if gpus(first) != gpus(other) {
            let noun = if gpus(other) == 1 { "GPU" } else { "GPUs" };
            format!("{} {noun} instead of {}.", gpus(other), gpus(first))
        } else if first.layout.changed_formats() == other.layout.changed_formats() {
            "the same by this estimate.".to_owned()
        } else {
            "the same, with other number formats than the checkpoint's.".to_owned()
        }
    })
}

/// Whether the other is within the range of the first's estimate: these cannot be told apart by it.
fn is_close(goal: &Goal, first: &Answer, other: &Answer) -> bool {
    let costs = other
        .cost_per_million
        .zip(first.cost_per_million)
        .map(|(other, first)| other / first);
    let (Some(first), Some(other)) = (&first.speed, &other.speed) else {
        return false;
    };
    match goal.objective {
        Objective::Latency => other.end_to_end_ms.estimate <= first.end_to_end_ms.high,
        // The price of a token is off as the rate is.
        Objective::Cost => {
            let range = first.output_tok_per_s.estimate / first.output_tok_per_s.low;
            costs.is_some_and(|times| times <= range)
        }
        Objective::Balanced => {
            // Rate and time of a token are off together.
            let low = (first.output_tok_per_s.low / first.pace().high).sqrt();
            (other.output_tok_per_s.estimate / other.pace().estimate).sqrt() >= low
        }
        _ => other.output_tok_per_s.estimate >= first.output_tok_per_s.low,
    }
}

/// How much less the other has, as a percentage of the first; `None` for next to nothing.
fn less(first: Option<f64>, other: Option<f64>) -> Option<String> {
    let percent = (1.0 - other? / first?) * 100.0;
    (percent >= 0.05).then(|| format!("{percent:.*} %", usize::from(percent < 10.0)))
}

/// How many times the first's the other's is; `None` for next to nothing more.
fn more(first: Option<f64>, other: Option<f64>) -> Option<String> {
    let times = other? / first?;
    (times >= 1.0005).then(|| format!("{times:.*} times", if times < 1.1 { 3 } else { 2 }))
}

impl Answer {
    /// What keeps it from serving the load within the limits, in one sentence.
    pub fn lacks(&self, goal: &Goal) -> String {
        match self.outcome {
            Outcome::Unsupported => return self.reason.clone(),
            Outcome::DoesNotFit => {
                return format!("does not fit, short by {} on each GPU.", self.shortfall_bytes);
            }
            Outcome::Fits | Outcome::Tight => {}
        }
        let Some(speed) = &self.speed else {
            return "its speed cannot be said.".to_owned();
        };
        let missed = goal
            .slo
            .missed(self.tail.map_or(speed.times(), |tail| tail.times_ms));
        if !missed.is_empty() {
            let of = self.tail.map_or_else(String::new, |tail| {
                format!(" for {} % of requests", tail.percentile)
            });
            return format!("{missed}{of}.");
        }
        if speed.overloaded {
            return "requests come faster than they are done.".to_owned();
        }
        self.reason.clone()
    }
}

impl Lost {
    /// The other splits of the winner's hardware, the best of each, with what they lack.
    pub fn of(goal: &Goal, ranked: &[Answer], most: usize) -> Vec<Self> {
        let Some(first) = ranked.first() else {
            return Vec::new();
        };
        let mut seen = vec![split(first)];
        let mut all = Vec::new();
        for answer in ranked.iter().filter(|answer| answer.offer == first.offer) {
            if all.len() == most {
                break;
            }
            if seen.contains(&split(answer)) {
                continue;
            }
            seen.push(split(answer));
            all.push(Self {
                layout: answer.layout.to_string(),
                reason: lost(goal, first, answer),
            });
        }
        all
    }
}

fn split(answer: &Answer) -> [u32; 3] {
    let layout = &answer.layout;
    [
        layout.tensor_parallel_size,
        layout.pipeline_parallel_size,
        layout.data_parallel_size,
    ]
}
