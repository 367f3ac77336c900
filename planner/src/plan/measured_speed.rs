//! What a benchmark measured, as multiples of the estimate, for further questions about the same machine.
use super::{Scenario, measured::subject};
use crate::{bounds, engine::ResolvedArgs, error::InputError, performance::Scale};
use std::fmt;

/// Measured over estimated, in thousandths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeasuredSpeed {
    /// Of the time to the first token.
    pub ttft: u32,
    /// Of the time between tokens.
    pub tpot: u32,
    /// Of output tokens per second.
    pub rate: u32,
    /// Of what: model, version, GPU and layout in one line.
    pub on: String,
}

/// A hundredth and a hundred times the estimate: what is further off is of something else.
const LIMITS: std::ops::RangeInclusive<u32> = 10..=100_000;

/// As in links and files: `ttft:1150,tpot:980,rate:1020,on:0.33.0 …`.
impl fmt::Display for MeasuredSpeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ttft, tpot, rate, on } = self;
        write!(f, "ttft:{ttft},tpot:{tpot},rate:{rate},on:{on}")
    }
}

impl MeasuredSpeed {
    /// Reads what [`fmt::Display`] writes.
    pub fn parse(text: &str) -> Result<Self, InputError> {
        let wrong = || {
            InputError::new(
                "measured_speed",
                "expected `ttft:N,tpot:N,rate:N,on:…` in thousandths of the estimate from 10 to 100000, as `check --bench --json` writes it",
            )
        };
        let (numbers, on) = text.split_once(",on:").ok_or_else(wrong)?;
        let mut parts = numbers.split(',');
        let mut part = |name: &str| {
            let (key, value) = parts.next().and_then(|part| part.split_once(':'))?;
            let value = value.trim().parse().ok()?;
            (key.trim() == name && LIMITS.contains(&value)).then_some(value)
        };
        let [ttft, tpot, rate] = ["ttft", "tpot", "rate"].map(&mut part);
        Ok(Self {
            ttft: ttft.ok_or_else(wrong)?,
            tpot: tpot.ok_or_else(wrong)?,
            rate: rate.ok_or_else(wrong)?,
            on: bounds::parse_text("measured_speed", on)?,
        })
    }

    /// Of measured and estimated figures; a figure that was not measured is as estimated.
    pub(crate) fn of(ratios: [Option<f64>; 3], on: String) -> Self {
        let [ttft, tpot, rate] = ratios.map(|ratio| {
            let (low, high) = (f64::from(*LIMITS.start()), f64::from(*LIMITS.end()));
            let thousandths = (ratio.unwrap_or(1.0) * 1000.0).clamp(low, high).round();
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "within the limits"
            )]
            {
                thousandths as u32
            }
        });
        Self { ttft, tpot, rate, on }
    }
}

/// The multiples, where they hold for what is asked.
pub(super) fn applying(scenario: &Scenario, args: &ResolvedArgs) -> Option<Scale> {
    let measured = scenario.measured_speed.as_ref()?;
    let of = |thousandths: u32| f64::from(thousandths) / 1000.0;
    (measured.on == subject(scenario, args)).then(|| Scale {
        ttft: of(measured.ttft),
        tpot: of(measured.tpot),
        rate: of(measured.rate),
    })
}
