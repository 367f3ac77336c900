//! Where the memory goes: tensors, buffers, peaks, the KV cache, and the budget that holds them.
pub mod activations;
pub mod allocator;
pub mod budget;
pub mod kv_cache;
pub mod overhead;
pub mod packed;
pub mod shape;
pub mod sparse_latent;
pub mod tensors;
mod term;
mod terms;

pub use term::{Basis, Segment, Term};
pub use terms::terms;
