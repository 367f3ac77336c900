//! A saved report in place of the driver: `--from-file`, and every test without a GPU.
use super::GpuSource;
use crate::{
    error::{Exit, ExpectedError},
    files,
};
use planner::host_report::{HostReport, ReportError};
use std::path::{Path, PathBuf};

/// Reads a report from a file, each time anew.
#[derive(Clone, Debug)]
pub(crate) struct FixtureSource {
    path: PathBuf,
}

impl FixtureSource {
    /// Of that file, or of stdin for `-`.
    pub(crate) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
        }
    }
}

impl GpuSource for FixtureSource {
    fn report(&self) -> Result<HostReport, ExpectedError> {
        let text = files::read_text(&self.path, files::MAX_REPORT, "a host report")?;
        planner::host_report::read(&text).map_err(|error| {
            let exit = match error {
                ReportError::NoGpus | ReportError::NoUsableGpu { .. } => Exit::NoGpu,
                _ => Exit::BadInput,
            };
            ExpectedError::new(exit, format!("{}: {error}", files::shown(&self.path))).help(error.help())
        })
    }
}
