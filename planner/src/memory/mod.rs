//! Where the memory goes.
mod term;

pub use term::{Basis, Segment, Term};
