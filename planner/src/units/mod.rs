//! Quantities: integer bytes, and the two places where a fraction is needed.
mod bytes;
mod dtype;
mod fraction;

pub use bytes::{Bytes, GIB, KIB, MIB, ParseBytesError};
pub use dtype::FloatDtype;
pub use fraction::{Utilization, UtilizationError};
pub(crate) use fraction::{decimal, real};
