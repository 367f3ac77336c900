//! Plans a vLLM deployment: memory as vLLM accounts it, whether it fits, the smallest change that makes it fit,
//! the flags with their reasons, and the files that start it.
//!
//! What this crate does not do: no I/O, no clock, no randomness, no threads, no HTML. The same input gives the
//! same bytes natively and in WebAssembly; what the caller knows (today's date, a link) is an argument.
pub mod artifact;
pub mod bench_result;
pub mod bounds;
mod built;
pub mod command;
pub mod engine;
pub mod error;
pub mod gpu;
pub mod host_report;
pub mod import;
mod json;
pub mod memory;
pub mod model;
pub mod order;
pub mod performance;
pub mod plan;
pub mod profile;
pub mod recommend;
pub mod share;
mod text;
pub mod units;
pub mod vllm_log;
pub mod workload;
mod yaml;

pub use artifact::{ArtifactKind, ArtifactSet, RenderOptions, render};
pub use plan::{Outcome, Plan, Scenario, evaluate};
