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
            Some(percent) => decimal(percent.trim()).ok_or(UtilizationError)? / 100.0,
            None => decimal(text).ok_or(UtilizationError)?,
        };
        Self::new(value)
    }
}

/// A count as a real number, where times and rates are estimated.
#[expect(clippy::cast_precision_loss, reason = "counts lie far below 2^53")]
pub(crate) fn real(count: u64) -> f64 {
    count as f64
}

/// A decimal number, by the parser that reads configs: the standard library's would bring 15 kB of tables to the page.
/// Exact up to 15 digits.
pub(crate) fn decimal(text: &str) -> Option<f64> {
    let text = text.strip_prefix('+').unwrap_or(text);
    let zero = if text.starts_with('.') { "0" } else { "" };
    let digits = text.strip_suffix('.').filter(|digits| !digits.is_empty());
    let digits = digits.unwrap_or(text);
    serde_json::from_str(&format!("{zero}{digits}")).ok()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_read_as_pythons_floats() {
        for (text, value) in [
            ("0.92", Some(0.92)),
            (".9", Some(0.9)),
            ("1.", Some(1.0)),
            ("+0.5", Some(0.5)),
            ("9e-1", Some(0.9)),
            ("0.123456789012345", Some(0.123_456_789_012_345)),
            ("", None),
            (".", None),
            ("0x1", None),
            ("inf", None),
            ("NaN", None),
            ("0.9 ", Some(0.9)),
        ] {
            assert_eq!(decimal(text), value, "{text:?}");
        }
    }
}
