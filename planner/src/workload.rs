//! What the server has to carry.
use crate::text::milli_text;
use serde::{Deserialize, Serialize};

/// What matters most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BatchingMode {
    /// Neither at the cost of the other.
    #[default]
    Balanced,
    /// Tokens per second over all requests.
    Throughput,
    /// Time per token of one request.
    Latency,
}

impl BatchingMode {
    /// The name in scenarios and profiles.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Balanced => "balanced",
            Self::Throughput => "throughput",
            Self::Latency => "latency",
        }
    }
}

/// The load.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workload {
    /// Typical prompt, in tokens.
    pub prompt_tokens: u32,
    /// Typical answer, in tokens.
    pub gen_tokens: u32,
    /// Sequences that run at once.
    pub concurrency: u32,
    /// Requests per second in thousandths, if known.
    pub request_rate_milli: Option<u64>,
    /// What matters most.
    pub batching_mode: BatchingMode,
}

impl Default for Workload {
    fn default() -> Self {
        Self {
            prompt_tokens: 1024,
            gen_tokens: 512,
            concurrency: 32,
            request_rate_milli: None,
            batching_mode: BatchingMode::Balanced,
        }
    }
}

impl Workload {
    /// Thousandths of a request per second, where they come at a rate.
    pub fn rate_milli(&self) -> Option<u64> {
        self.request_rate_milli.filter(|milli| *milli > 0)
    }

    /// How the requests come, in words.
    pub fn pace(&self) -> String {
        self.rate_milli().map_or_else(
            || format!("{} at a time", self.concurrency),
            |rate| format!("{} a second", milli_text(rate)),
        )
    }

    /// Tokens of one typical request from first to last.
    pub fn tokens_per_sequence(&self) -> u32 {
        self.prompt_tokens.saturating_add(self.gen_tokens)
    }
}
