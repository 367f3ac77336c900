//! vLLM's start-up log → what it measured, and the command that it ran: to hold a plan against a real start.
//!
//! Reads the lines of both engines from 0.4 to 0.33, with colours, process prefixes, `docker` and `kubectl` prefixes,
//! or as strings in JSON. A line that is not known is passed over; of several starts the last one counts.
mod calibrate;
mod compare;
mod figures;
mod literal;
mod read;

pub use calibrate::calibrated;
pub use compare::{Comparison, Quantity, compare};
pub use figures::Figures;
pub use read::{LONGEST, read};

use crate::engine::VllmVersion;

/// What a log says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct VllmLog {
    /// The version as the log names it, such as `0.21.1rc1.dev339+g1967a56`.
    pub version_text: Option<String>,
    /// Its release; for a build between two releases the one that it precedes.
    pub version: Option<VllmVersion>,
    /// `vllm serve MODEL FLAGS…` as words, from the arguments that the log prints; empty where it prints none.
    pub argv: Vec<String>,
    /// What it measured.
    pub figures: Figures,
    /// The error that ended the start, in vLLM's words.
    pub error: Option<String>,
    /// Lines that said something.
    pub lines_read: usize,
}

/// Why a text is no log of vLLM's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// Nothing in it.
    #[error(
        "the text is empty (expected vLLM's start-up log, with lines such as `Model loading took 15.0 GiB`)"
    )]
    Empty,
    /// Over [`LONGEST`].
    #[error("the text is longer than 16 MiB (expected vLLM's start-up log; its first minutes are enough)")]
    TooLong,
    /// No line that is known.
    #[error(
        "no line of vLLM's start-up is in it (expected lines such as `Model loading took 15.0 GiB`, `Available KV cache memory: 56.1 GiB` or `GPU KV cache size: 401,328 tokens`)"
    )]
    NothingFound,
}
