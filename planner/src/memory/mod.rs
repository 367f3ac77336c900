//! Where the memory goes: tensors, buffers, peaks, the KV cache, and the budget that holds them.
pub mod activations;
pub mod allocator;
pub mod budget;
pub mod checkpoint;
mod correction;
pub mod encoder;
pub mod kv_cache;
pub mod lora;
mod offload;
pub mod overhead;
pub mod packed;
pub mod rank_weights;
mod rocm;
pub mod shape;
pub mod sparse_latent;
pub mod tensors;
mod term;
mod terms;

pub use correction::Correction;
pub use term::{Basis, Segment, Term};
pub use terms::terms;
