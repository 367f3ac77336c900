//! Where the memory goes.
pub mod allocator;
pub mod kv_cache;
pub mod shape;
pub mod tensors;
mod term;

pub use term::{Basis, Segment, Term};
