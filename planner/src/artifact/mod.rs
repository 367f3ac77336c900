//! The files. All of them render from one plan, every command line from one argument list.
pub(crate) mod flags;
pub mod quote;
mod set;
pub(crate) mod yaml;

pub use flags::{Flag, FlagKind, FlagTable};
pub use set::{Artifact, ArtifactKind, ArtifactSet, RenderOptions, render};
