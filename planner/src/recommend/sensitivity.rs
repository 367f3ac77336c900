//! What each doubling brings, and which single input the verdict hangs on most.
use super::Speed;
use crate::{
    order,
    plan::{Looks, Outcome, Scenario, evaluate, with_overrides},
    text::milli_text,
    units::real,
};

/// An input twice as large, everything else as it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Doubling {
    /// The input, in words.
    pub input: &'static str,
    /// Its value now and then, as [`Scenario::set`] takes it.
    pub values: [String; 2],
    /// The verdict then.
    pub outcome: Outcome,
    /// The speed then.
    pub speed: Option<Speed>,
}

/// The value of an input at which the verdict changes, everything else as it is.
#[derive(Clone, Debug, PartialEq)]
pub struct TurningPoint {
    /// The field.
    pub id: &'static str,
    /// The input, in words.
    pub input: &'static str,
    /// Its value now, in the field's smallest steps: thousandths of rates and shares.
    now: u64,
    at: u64,
    /// The verdict there.
    pub outcome: Outcome,
}

/// As [`Scenario::set`] takes it.
fn text(id: &str, value: u64) -> String {
    match id {
        "request_rate" | "gpu_memory_utilization" => milli_text(value),
        _ => value.to_string(),
    }
}

impl TurningPoint {
    /// The value now, and the nearest with another verdict, as [`Scenario::set`] takes them.
    pub fn values(&self) -> [String; 2] {
        [self.now, self.at].map(|value| text(self.id, value))
    }

    /// The verdict changes where there is less of it.
    pub fn is_below(&self) -> bool {
        self.at < self.now
    }

    /// How far away it is: 1.1 for a tenth more or less.
    fn distance(&self) -> f64 {
        let ratio = real(self.at) / real(self.now.max(1));
        if ratio < 1.0 { 1.0 / ratio.max(1e-9) } else { ratio }
    }
}

/// Fields that are varied, with their words.
const INPUTS: &[(&str, &str)] = &[
    ("concurrency", "requests at once"),
    ("request_rate", "requests a second"),
    ("prompt_tokens", "tokens of a prompt"),
    ("gen_tokens", "tokens of an answer"),
    ("max_model_len", "max_model_len"),
    ("max_num_seqs", "max_num_seqs"),
    ("gpu_memory_utilization", "gpu_memory_utilization"),
    ("gpus", "GPUs of a node"),
];

/// Farthest that is looked, as a power of two.
const FARTHEST: u32 = 10;

struct Varied<'a> {
    base: &'a Scenario,
    looks: Looks,
}

impl Varied<'_> {
    fn at(&mut self, id: &str, value: u64) -> Option<(Outcome, Option<Speed>)> {
        let mut scenario = self.base.clone();
        scenario.set(id, &text(id, value)).ok()?;
        if id == "gpus" {
            // More GPUs are for wider layers, as far as the sizes were set.
            let tp = scenario.engine.tensor_parallel_size.map(u64::from);
            let wider = tp.map(|tp| tp * value / u64::from(self.base.hardware.gpus.max(1)));
            if let Some(wider) = wider.filter(|wider| *wider > 0) {
                scenario.set("tensor_parallel_size", &wider.to_string()).ok()?;
            }
        }
        let look = self.looks.look(&scenario);
        // What is refused says nothing about how much fits.
        (look.outcome != Outcome::Unsupported).then(|| (look.outcome, look.performance.map(Into::into)))
    }
}

/// The values now, of those inputs that have one.
fn values(scenario: &Scenario) -> Vec<(&'static str, &'static str, u64)> {
    let plan = evaluate(scenario);
    let args = plan.args.as_ref();
    let value = |id: &str| match id {
        "request_rate" => scenario.workload.rate_milli(),
        "max_model_len" => args.map(|args| u64::from(args.max_model_len.value)),
        "max_num_seqs" => args.map(|args| u64::from(args.max_num_seqs.value)),
        "gpu_memory_utilization" => args.and_then(|args| {
            let text = args.gpu_memory_utilization.value.to_string();
            crate::bounds::parse_decimal(id, &text).ok()
        }),
        "concurrency" if scenario.workload.rate_milli().is_some() => None,
        _ => scenario.get(id)?.parse().ok(),
    };
    INPUTS
        .iter()
        .filter_map(|(id, words)| Some((*id, *words, value(id).filter(|value| *value > 0)?)))
        .collect()
}

/// Each input twice as large.
pub fn doublings(scenario: &Scenario) -> Vec<Doubling> {
    let base = with_overrides(scenario).into_owned();
    let mut varied = Varied {
        base: &base,
        looks: Looks::new(&base.model),
    };
    values(&base)
        .into_iter()
        .filter(|(id, ..)| *id != "gpu_memory_utilization")
        .filter_map(|(id, input, now)| {
            let (outcome, speed) = varied.at(id, now * 2)?;
            Some(Doubling {
                input,
                values: [now, now * 2].map(|value| text(id, value)),
                outcome,
                speed,
            })
        })
        .collect()
}

/// For each input the nearest value with another verdict, the nearest first: that is what the verdict hangs on most.
pub fn turning_points(scenario: &Scenario) -> Vec<TurningPoint> {
    let base = with_overrides(scenario).into_owned();
    let mut varied = Varied {
        base: &base,
        looks: Looks::new(&base.model),
    };
    let present = varied.looks.look(&base).outcome;
    if present == Outcome::Unsupported {
        return Vec::new();
    }
    let mut all: Vec<TurningPoint> = values(&base)
        .into_iter()
        .filter_map(|(id, input, now)| {
            let sides = [true, false].map(|up| turn(&mut varied, id, now, present, up));
            let points = sides.into_iter().flatten().map(|(at, outcome)| TurningPoint {
                id,
                input,
                now,
                at,
                outcome,
            });
            points.min_by(|a, b| a.distance().total_cmp(&b.distance()))
        })
        .collect();
    order::sort(&mut all, |a, b| a.distance().total_cmp(&b.distance()));
    all
}

/// The nearest value on one side whose verdict is another.
fn turn(varied: &mut Varied<'_>, id: &str, now: u64, present: Outcome, up: bool) -> Option<(u64, Outcome)> {
    let mut inside = now;
    let (mut outside, mut outcome) = (1..=FARTHEST).find_map(|bits| {
        let value = if up {
            now.checked_shl(bits)?
        } else {
            (now >> bits).max(1)
        };
        let found = varied.at(id, value)?.0;
        if found == present {
            inside = value;
            return None;
        }
        Some((value, found))
    })?;
    while inside.abs_diff(outside) > 1 {
        let middle = inside.midpoint(outside);
        match varied.at(id, middle) {
            Some((found, _)) if found != present => (outside, outcome) = (middle, found),
            _ => inside = middle,
        }
    }
    Some((outside, outcome))
}
