//! planner against the outside: vLLM's own code, its logs, published counts.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    missing_docs
)]

mod oracle_activations;
mod oracle_kv;
mod oracle_weights;
mod support;
