//! Quantities: integer bytes, and the two places where a fraction is needed.
mod bytes;
mod dtype;
mod fraction;

pub use bytes::{Bytes, GIB, KIB, MIB, ParseBytesError};
pub use dtype::FloatDtype;
pub use fraction::{Utilization, UtilizationError};
pub(crate) use fraction::{decimal, real};

/// The greatest number that divides both.
pub(crate) const fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}
