//! The float types a checkpoint and an engine compute in.
use serde::{Deserialize, Serialize};

/// An unquantised element type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FloatDtype {
    /// 16 bits, 8 of exponent.
    Bfloat16,
    /// 16 bits, 5 of exponent.
    Float16,
    /// 32 bits.
    Float32,
}

impl FloatDtype {
    /// Bytes of one element.
    pub const fn size(self) -> u64 {
        match self {
            Self::Bfloat16 | Self::Float16 => 2,
            Self::Float32 => 4,
        }
    }

    /// The name that vLLM and Hugging Face use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bfloat16 => "bfloat16",
            Self::Float16 => "float16",
            Self::Float32 => "float32",
        }
    }

    /// Reads a `torch_dtype`, with or without its `torch.` prefix.
    pub fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix("torch.").unwrap_or(text) {
            "bfloat16" => Some(Self::Bfloat16),
            "float16" | "half" => Some(Self::Float16),
            "float32" | "float" => Some(Self::Float32),
            _ => None,
        }
    }
}
