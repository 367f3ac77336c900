//! Where the memory goes.
pub mod activations;
pub mod allocator;
pub mod kv_cache;
pub mod overhead;
pub mod shape;
pub mod tensors;
mod term;

pub use term::{Basis, Segment, Term};
