//! The files. All of them render from one plan, every command line from one argument list.
mod argv;
mod compose;
mod deployment;
mod header;
mod plan_json;
mod profile_yaml;
pub mod quote;
mod set;
mod shell;
mod values;
mod yaml;
mod zip;

pub use crate::plan::{ArtifactKind, PLAN_SCHEMA};
pub use argv::{Arg, serve_args, serve_words};
pub use deployment::omitted;
pub use plan_json::plan_json;
pub use profile_yaml::profile_yaml;
pub use set::{Artifact, ArtifactSet, RenderOptions, render};
pub use zip::zip;
