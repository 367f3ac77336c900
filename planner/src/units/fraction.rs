//! `gpu_memory_utilization`: the one float that memory arithmetic needs, because vLLM multiplies by it in double precision.
use crate::units::Bytes;
use serde::{Deserialize, Deserializer, Serialize};
use std::{fmt, str::FromStr};

/// A fraction `0 < u <= 1`. Never NaN, so equality is total.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Utilization(f64);

impl Eq for Utilization {}

impl Utilization {
    /// Checks the range.
    pub fn new(value: f64) -> Result<Self, UtilizationError> {
        if value > 0.0 && value <= 1.0 {
            Ok(Self(value))
        } else {
            Err(UtilizationError)
        }
    }

    /// In hundredths: `from_percent(92)` is 0.92. Clamped to 1..=100.
    pub fn from_percent(percent: u8) -> Self {
        Self(f64::from(percent.clamp(1, 100)) / 100.0)
    }

    /// The number itself.
    pub const fn get(self) -> f64 {
        self.0
    }

    /// `ceil(total * u)`, the product in double precision as vLLM takes it (`v1/worker/utils.py: request_memory`).
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "mirrors Python's float product; totals are far below 2^53"
    )]
    pub fn of(self, total: Bytes) -> Bytes {
        Bytes::new((total.get() as f64 * self.0).ceil() as u64).min(total)
    }
}

impl fmt::Display for Utilization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl FromStr for Utilization {
    type Err = UtilizationError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let value = match text.strip_suffix('%') {
            Some(percent) => percent.trim().parse::<f64>().map_err(|_| UtilizationError)? / 100.0,
            None => text.parse().map_err(|_| UtilizationError)?,
        };
        Self::new(value)
    }
}

impl<'de> Deserialize<'de> for Utilization {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(f64::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// A utilization outside `0 < u <= 1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a fraction above 0 and at most 1, such as 0.92")]
pub struct UtilizationError;
