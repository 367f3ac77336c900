//! Memory as integer bytes. IEC units appear on display only; a datasheet's GB is never a capacity.
use serde::{Deserialize, Serialize};
use std::{fmt, iter::Sum, ops};

/// 2^10 bytes.
pub const KIB: u64 = 1 << 10;
/// 2^20 bytes.
pub const MIB: u64 = 1 << 20;
/// 2^30 bytes.
pub const GIB: u64 = 1 << 30;

/// A number of bytes. There is no subtraction operator: every deficit is looked at through [`Bytes::checked_sub`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bytes(u64);

impl Bytes {
    /// No bytes.
    pub const ZERO: Self = Self(0);

    /// That many bytes.
    pub const fn new(bytes: u64) -> Self {
        Self(bytes)
    }

    /// That many MiB; saturates at the largest number of bytes.
    pub const fn from_mib(mib: u64) -> Self {
        Self(mib.saturating_mul(MIB))
    }

    /// That many GiB; saturates at the largest number of bytes.
    pub const fn from_gib(gib: u64) -> Self {
        Self(gib.saturating_mul(GIB))
    }

    /// The number itself.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The difference, or `None` where it would be negative.
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(rest) => Some(Self(rest)),
            None => None,
        }
    }

    /// The difference, or zero where it would be negative.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// Rounded up to a multiple of `unit`.
    #[must_use]
    pub const fn round_up(self, unit: u64) -> Self {
        Self(self.0.div_ceil(unit).saturating_mul(unit))
    }

    /// `self - other` as a signed number, for the terms of a breakdown.
    pub fn signed(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }

    /// In GiB with `digits` decimals, rounded half up once, without the unit: `79.18`.
    pub fn gib_text(self, digits: u32) -> String {
        decimal(u128::from(self.0), u128::from(GIB), digits)
    }

    /// GiB as a float, for the compatibility figures of plan.json only.
    #[expect(
        clippy::cast_precision_loss,
        reason = "display figure; exact bytes stand beside it"
    )]
    pub fn gib_f64(self) -> f64 {
        (self.0 as f64 / GIB as f64 * 1000.0).round() / 1000.0
    }

    /// Reads `80GiB`, `80 GB`, `1.5 TiB`, `512MiB` or a plain number of bytes. `GB` here is 10^9.
    pub fn parse(text: &str) -> Result<Self, ParseBytesError> {
        let text = text.trim();
        let split = text
            .find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '_'))
            .unwrap_or(text.len());
        let (number, unit) = text.split_at(split);
        let scale: u128 = match unit.trim().to_ascii_lowercase().as_str() {
            "" | "b" => 1,
            "kib" | "ki" => 1 << 10,
            "mib" | "mi" => 1 << 20,
            "gib" | "gi" => 1 << 30,
            "tib" | "ti" => 1 << 40,
            "kb" | "k" => 1_000,
            "mb" | "m" => 1_000_000,
            "gb" | "g" => 1_000_000_000,
            "tb" | "t" => 1_000_000_000_000,
            _ => return Err(ParseBytesError::Unit),
        };
        scaled(&number.replace('_', ""), scale).map(Self)
    }
}

/// `number * scale` for a decimal number, exact, rounded down to a whole byte.
fn scaled(number: &str, scale: u128) -> Result<u64, ParseBytesError> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let fraction = fraction.get(..fraction.len().min(12)).unwrap_or_default();
    let parse = |digits: &str| match digits {
        "" => Ok(0_u128),
        digits => digits.parse::<u128>().map_err(|_| ParseBytesError::Number),
    };
    if whole.is_empty() && fraction.is_empty() {
        return Err(ParseBytesError::Number);
    }
    let tens = 10_u128.pow(u32::try_from(fraction.len()).map_err(|_| ParseBytesError::Number)?);
    let whole = parse(whole)?.checked_mul(scale).ok_or(ParseBytesError::Number)?;
    let total = whole + parse(fraction)? * scale / tens;
    u64::try_from(total).map_err(|_| ParseBytesError::Number)
}

/// `value / unit` with a fixed number of decimals, rounded half up.
fn decimal(value: u128, unit: u128, digits: u32) -> String {
    let tens = 10_u128.pow(digits);
    let scaled = (value * tens + unit / 2) / unit;
    if digits == 0 {
        return scaled.to_string();
    }
    let width = digits as usize;
    format!("{}.{:0width$}", scaled / tens, scaled % tens)
}

/// Why a text is not an amount of memory.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseBytesError {
    /// The unit is none of B, KiB, MiB, GiB, TiB, kB, MB, GB, TB.
    #[error("unknown unit (expected MiB, GiB, TiB, MB, GB or TB)")]
    Unit,
    /// The number is missing, malformed or too large.
    #[error("not a number of bytes")]
    Number,
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = u128::from(self.0);
        match self.0 {
            0..KIB => write!(f, "{} B", self.0),
            KIB..MIB => write!(f, "{} KiB", decimal(value, u128::from(KIB), 1)),
            MIB..GIB => write!(f, "{} MiB", decimal(value, u128::from(MIB), 1)),
            _ => write!(f, "{} GiB", decimal(value, u128::from(GIB), 1)),
        }
    }
}

impl ops::Add for Bytes {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl ops::AddAssign for Bytes {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl ops::Mul<u64> for Bytes {
    type Output = Self;
    fn mul(self, times: u64) -> Self {
        Self(self.0.saturating_mul(times))
    }
}

impl Sum for Bytes {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::ZERO, ops::Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_iec_units_with_one_decimal() {
        for (bytes, shown) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1536, "1.5 KiB"),
            (2 * MIB, "2.0 MiB"),
            (85_899_345_920, "80.0 GiB"),
            (85_019_000_000, "79.2 GiB"),
        ] {
            assert_eq!(Bytes::new(bytes).to_string(), shown);
        }
        assert_eq!(Bytes::new(85_019_000_000).gib_text(2), "79.18");
    }

    #[test]
    fn reads_units_and_refuses_the_rest() {
        assert_eq!(Bytes::parse("80GiB"), Ok(Bytes::from_gib(80)));
        assert_eq!(Bytes::parse(" 80 GB "), Ok(Bytes::new(80_000_000_000)));
        assert_eq!(Bytes::parse("79.18 GiB"), Ok(Bytes::new(85_018_877_624)));
        assert_eq!(Bytes::parse("1024"), Ok(Bytes::new(1024)));
        assert_eq!(Bytes::parse("80 GX"), Err(ParseBytesError::Unit));
        assert_eq!(Bytes::parse(""), Err(ParseBytesError::Number));
        assert_eq!(Bytes::parse("1.2.3GiB"), Err(ParseBytesError::Number));
        assert_eq!(
            Bytes::parse("99999999999999999999 TiB"),
            Err(ParseBytesError::Number)
        );
    }
}
