//! The parts of the page.
mod arguments;
mod artifacts;
mod engine;
mod explain;
mod footer;
mod hardware;
mod header;
mod import_dialog;
mod memory;
mod model;
mod notes;
mod speed;
mod verdict;
mod workload;

pub(crate) use arguments::Arguments;
pub(crate) use artifacts::Artifacts;
pub(crate) use engine::Engine;
pub(crate) use footer::Footer;
pub(crate) use hardware::HardwarePanel;
pub(crate) use header::Header;
pub(crate) use import_dialog::ImportDialog;
pub(crate) use memory::MemoryPanel;
pub(crate) use model::ModelPanel;
pub(crate) use notes::Notes;
pub(crate) use speed::SpeedPanel;
pub(crate) use verdict::{Dock, VerdictPanel};
pub(crate) use workload::WorkloadPanel;
