//! The files. All of them render from one plan, every command line from one argument list.
mod argv;
mod compose;
mod deployment;
pub(crate) mod flags;
mod header;
mod plan_json;
pub mod quote;
mod set;
mod shell;
mod values;
pub(crate) mod yaml;
mod zip;

pub use crate::plan::PLAN_SCHEMA;
pub use argv::{Arg, serve_args, serve_words};
pub use deployment::omitted;
pub use flags::{Flag, FlagKind, FlagTable};
pub use plan_json::plan_json;
pub use set::{Artifact, ArtifactKind, ArtifactSet, RenderOptions, render};
pub use zip::zip;
