//! The files. All of them render from one plan, every command line from one argument list.
mod set;

pub use set::{Artifact, ArtifactKind, ArtifactSet, RenderOptions, render};
