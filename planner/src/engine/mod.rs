//! `vllm serve`'s arguments: as set, as resolved, and the version whose rules decide.
pub(crate) mod args;
mod resolved;
mod version;

pub use args::{EngineArgs, KvCacheDtype, MaxModelLen, Runner};
pub use resolved::{ArgRow, Chosen, ResolvedArgs, SetBy};
pub use version::{MemoryRules, VllmVersion, versions};
