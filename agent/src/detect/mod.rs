//! The GPUs of this machine, as a `vllm-wizard/host/v1` report.
//!
//! A report holds no host name, UUID, serial number or user: it may be pasted into a page or an issue as it is.
mod amd;
mod amd_tools;
mod answers;
mod assemble;
mod explain;
mod fixture;
mod host;
mod machine;
mod nvidia_smi;
mod nvml;
#[cfg(test)]
mod pretend;
mod program;
mod qr;
mod source;
mod table;
mod tegra;
mod visible;

use crate::{
    cli::DetectArgs,
    error::{Exit, ExpectedError},
    link::{self, Amount},
    output::{self, Screen},
};
use planner::host_report::HostReport;
use std::path::Path;

pub(crate) use fixture::FixtureSource;

/// The drivers of this machine, asked anew each time.
#[derive(Clone, Copy, Debug)]
struct ThisMachine;

impl GpuSource for ThisMachine {
    fn report(&self) -> Result<HostReport, ExpectedError> {
        source::report()
    }
}

/// Where a report comes from.
pub(crate) trait GpuSource: Send + Sync {
    /// A fresh report.
    fn report(&self) -> Result<HostReport, ExpectedError>;
}

/// The driver, or a saved report in its place.
pub(crate) fn source(file: Option<&Path>) -> Box<dyn GpuSource> {
    match file {
        Some(path) => Box::new(FixtureSource::new(path)),
        None => Box::new(ThisMachine),
    }
}

/// `detect`.
pub(crate) fn run(args: &DetectArgs) -> Result<Exit, ExpectedError> {
    let report = source(args.from_file.as_deref()).report()?;
    let text = if let Some(url) = &args.link {
        if args.qr {
            let link = link::host(url, &report, Amount::Needed)?;
            output::complain(&link);
            qr::code(&link, Screen::of_stdout())?
        } else {
            link::host(url, &report, Amount::All)?
        }
    } else if args.compact {
        json(&report, false)?
    } else if args.json {
        json(&report, true)?
    } else {
        table::table(&report, Screen::of_stdout())
    };
    output::answer(&text)?;
    usable(&report).map(|()| Exit::Ok)
}

/// At least one GPU can be read.
pub(crate) fn usable(report: &HostReport) -> Result<(), ExpectedError> {
    if report.gpus.iter().any(|gpu| gpu.error.is_none()) {
        return Ok(());
    }
    let error = match report.gpus.first().and_then(|gpu| gpu.error.as_deref()) {
        None => ExpectedError::new(Exit::NoGpu, "the NVIDIA driver runs but reports no GPU")
            .help("In a container, start it with `--gpus all`; else look at `nvidia-smi` and `dmesg`."),
        Some(problem) => ExpectedError::new(
            Exit::NoGpu,
            format!("no GPU could be read: {}", output::printable(problem)),
        )
        .help("`nvidia-smi` should show the same; a reset of the GPU or of the machine is often the cure."),
    };
    Err(error)
}

/// The report as JSON, on one line or readable.
pub(crate) fn json(report: &HostReport, pretty: bool) -> Result<String, ExpectedError> {
    let text = if pretty {
        serde_json::to_string_pretty(report)
    } else {
        serde_json::to_string(report)
    };
    text.map_err(|error| ExpectedError::new(Exit::Internal, format!("cannot write the report: {error}")))
}
