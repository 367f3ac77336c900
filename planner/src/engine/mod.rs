//! `vllm serve`'s arguments: as set, as resolved, and the version whose rules decide.
mod architectures;
pub(crate) mod args;
pub(crate) mod extras;
mod flags;
mod json_flag;
mod resolved;
mod speculative;
mod version;

pub use architectures::last_without;
pub use args::{EngineArgs, KvCacheDtype, MaxModelLen, OTHER_CACHES, Runner, ScaledCache};
pub use extras::{Engram, Extras, IndexType, Lora};
pub(crate) use flags::negation;
pub use flags::{Flag, FlagKind, FlagTable, Found};
pub use resolved::{ArgRow, Chosen, ResolvedArgs, SetBy};
pub use speculative::{Method, Speculative};
pub use version::{MemoryRules, Sampling, VllmVersion, versions};

/// `--limit-mm-per-prompt` that says what `--language-model-only` does, where that is not there yet.
pub const NO_ITEMS: &str = r#"{"audio": 0, "image": 0, "video": 0}"#;
