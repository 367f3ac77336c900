//! Runs the real binary: a clean environment, a folder of its own, no network.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
mod check;
mod detect;
#[cfg(target_os = "linux")]
mod driver;
mod examples;
mod explore;
mod fleet;
mod generate;
mod help;
mod plan;
mod serve;
mod support;
