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

/// The versions whose flags and rules are bundled, newest first.
pub fn versions() -> &'static [VllmVersion] {
    const { &[VllmVersion::new(33, 0)] }
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

    /// Whether this version's flags and rules are bundled.
    pub fn is_bundled(self) -> bool {
        versions().contains(&self)
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
