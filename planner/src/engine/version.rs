//! vLLM releases and the rules that changed between them.
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A released version, such as 0.33.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct VllmVersion {
    minor: u16,
    patch: u16,
}

/// The versions whose flags are bundled, newest first.
pub fn versions() -> &'static [VllmVersion] {
    const {
        &[
            VllmVersion::new(33, 0),
            VllmVersion::new(11, 2),
            VllmVersion::new(10, 2),
        ]
    }
}

/// What changed between releases in how memory is accounted. Each rule was located between two releases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryRules {
    /// gpu_memory_utilization in percent where it is not set: 92 from 0.20.0 on, 90 before.
    pub default_utilization_percent: u8,
    /// CUDA graphs are taken out of the budget: from 0.20.0 on.
    pub graphs_in_budget: bool,
    /// The runner keeps sampler state for every sequence slot: the second runner, default from 0.25 on.
    pub sampler_state: bool,
    /// GPUs of 160 GiB or more get larger batches: from 0.28.0 on.
    pub large_gpu_batches: bool,
    /// One block is kept back: from 0.29.0 on.
    pub null_block: bool,
    /// Sliding windows count all steps in flight, not one: from 0.26.0 on.
    pub steps_in_flight: bool,
    /// "GPU KV cache size" is concurrency times length: from 0.20.0 on; before, blocks over groups.
    pub tokens_from_concurrency: bool,
}

impl VllmVersion {
    /// 0.`minor`.`patch`.
    pub const fn new(minor: u16, patch: u16) -> Self {
        Self { minor, patch }
    }

    /// The newest bundled version.
    pub fn latest() -> Self {
        versions().first().copied().unwrap_or(Self::new(33, 0))
    }

    /// Whether this version's flags are bundled.
    pub fn is_bundled(self) -> bool {
        versions().contains(&self)
    }

    /// Whether its memory rules are known: 0.8 to the newest bundled one.
    pub fn has_rules(self) -> bool {
        self.minor >= 8 && self <= Self::latest()
    }

    /// How it accounts memory.
    pub fn memory_rules(self) -> MemoryRules {
        MemoryRules {
            default_utilization_percent: if self.minor >= 20 { 92 } else { 90 },
            graphs_in_budget: self.minor >= 20,
            sampler_state: self.minor >= 25,
            large_gpu_batches: self.minor >= 28,
            null_block: self.minor >= 29,
            steps_in_flight: self.minor >= 26,
            tokens_from_concurrency: self.minor >= 20,
        }
    }
}

impl Default for VllmVersion {
    fn default() -> Self {
        Self::latest()
    }
}

impl fmt::Display for VllmVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0.{}.{}", self.minor, self.patch)
    }
}

impl From<VllmVersion> for String {
    fn from(version: VllmVersion) -> Self {
        version.to_string()
    }
}

impl FromStr for VllmVersion {
    type Err = String;

    /// Reads `0.33.0`, `v0.33.0` or `0.33`.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("expected a vLLM version such as {}", Self::latest());
        let text = text.trim();
        let mut parts = text.strip_prefix('v').unwrap_or(text).split('.');
        let zero = parts.next();
        let minor = parts.next().and_then(|p| p.parse().ok()).ok_or_else(wrong)?;
        let patch = parts.next().map_or(Ok(0), |p| p.parse().map_err(|_| wrong()))?;
        if zero != Some("0") || parts.next().is_some() {
            Err(wrong())
        } else {
            Ok(Self { minor, patch })
        }
    }
}

impl TryFrom<String> for VllmVersion {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}
