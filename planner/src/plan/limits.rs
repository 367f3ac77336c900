//! The limits of a load, and whether a plan keeps them.
use super::output::{Bias, Note, Plan, Severity};
use crate::{
    performance::{Performance, Run},
    workload::Workload,
};

/// What requests must keep; milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Slo {
    /// To the first token.
    pub ttft_ms: Option<u32>,
    /// Between tokens.
    pub tpot_ms: Option<u32>,
    /// To the last token.
    pub end_to_end_ms: Option<u32>,
    /// How many of a hundred: 90, 95 or 99; else the one in the middle.
    pub percentile: u32,
}

impl Slo {
    /// Those of a load, in whole milliseconds.
    pub fn of(load: &Workload) -> Self {
        let whole = |us: Option<u64>| us.map(|us| u32::try_from(us.div_ceil(1000)).unwrap_or(u32::MAX));
        Self {
            ttft_ms: whole(load.slo_ttft_us),
            tpot_ms: whole(load.slo_tpot_us),
            end_to_end_ms: whole(load.slo_e2e_us),
            percentile: load.slo_percentile,
        }
    }

    fn limits(&self) -> [Option<u32>; 3] {
        [self.ttft_ms, self.tpot_ms, self.end_to_end_ms]
    }

    /// The percentile, where the estimate's middle cannot tell.
    pub(crate) fn tail(&self) -> Option<u32> {
        (self.percentile > 50 && self.limits() != [None; 3]).then_some(self.percentile)
    }

    /// Each limit with its figure, as (name, limit, figure); figures in the order of the limits.
    pub(crate) fn held(&self, figures: [f64; 3]) -> impl Iterator<Item = (&'static str, f64, f64)> {
        ["TTFT", "TPOT", "end to end"]
            .into_iter()
            .zip(self.limits())
            .zip(figures)
            .filter_map(|((name, limit), figure)| Some((name, f64::from(limit?), figure)))
    }

    /// The limits that figures miss, in words; empty for none.
    pub(crate) fn missed(&self, figures: [f64; 3]) -> String {
        let missed: Vec<String> = self
            .held(figures)
            .filter(|(_, limit, figure)| figure > limit)
            .map(|(name, limit, figure)| format!("{name} {figure:.0} ms instead of {limit:.0}"))
            .collect();
        missed.join(", ")
    }

    /// Whether figures keep all limits; without any, none may be asked.
    pub(crate) fn is_kept(&self, figures: Option<[f64; 3]>) -> bool {
        match figures {
            Some(figures) => self.held(figures).all(|(_, limit, figure)| figure <= limit),
            None => self.limits() == [None; 3],
        }
    }
}

/// What the estimate, or a run that was simulated, says of the load's limits; `None` where all are known to be kept.
pub(super) fn note(load: &Workload, speed: &Performance) -> Option<Note> {
    let slo = Slo::of(load);
    let middle = [speed.ttft_ms, speed.tpot_ms, speed.end_to_end_ms].map(|time| time.estimate);
    let (of, figures) = match (slo.tail(), &speed.simulated) {
        (Some(percentile), Some(run)) => {
            let times = [run.ttft, run.tpot, run.end_to_end];
            let of = format!(
                "For {percentile} % of {} simulated requests, the run",
                run.requests
            );
            (of, times.map(|times| times.at(percentile) * 1e3))
        }
        _ => ("The estimate".to_owned(), middle),
    };
    let missed = slo.missed(figures);
    let (severity, message) = if !missed.is_empty() {
        let message = format!(
            "{of} misses the load's limits: {missed}. Fewer requests at once, or another layout (a search ranks them), may keep them."
        );
        (Severity::Caution, message)
    } else if let (Some(percentile), None) = (slo.tail(), &speed.simulated) {
        let message = format!(
            "The middle of the requests keeps the load's limits; whether {percentile} % do, a simulation tells (`plan --simulate`, and the search)."
        );
        (Severity::Info, message)
    } else {
        return None;
    };
    Some(Note {
        code: NOTE,
        severity,
        bias: Bias::None,
        message,
    })
}

const NOTE: &str = "load.limits";

impl Plan {
    /// States the percentiles of that run from here on, and holds the load's limits against them.
    pub fn take_simulated(&mut self, run: Run) {
        let Some(speed) = &mut self.performance else {
            return;
        };
        speed.take_simulated(run);
        self.notes.retain(|note| note.code != NOTE);
        self.notes.extend(note(&self.scenario.workload, speed));
        if let Some(feasibility) = &mut self.feasibility {
            feasibility.warnings = super::notes::warnings(&self.notes);
        }
    }
}
