//! The command line.
use crate::error::Exit;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use std::{net::SocketAddr, path::PathBuf};

const ABOUT: &str = "Plans vLLM deployments: GPU memory as vLLM accounts it, whether a model fits, which flags, and the files that start it.";

const EXAMPLES: &str = "Examples:
  vllm-wizard detect
  vllm-wizard serve --ui dist";

const DETECT_EXAMPLES: &str = "Examples:
  vllm-wizard detect
  vllm-wizard detect --json > host.json
  vllm-wizard detect --link https://wizard.example/";

const SERVE_EXAMPLES: &str = "Examples:
  vllm-wizard serve
  vllm-wizard serve --allow-origin https://wizard.example
  vllm-wizard serve --ui dist

GET /v1/host answers with the host report, GET /v1/health with the version.
Nothing is written, nothing is run.";

/// The whole command line.
#[derive(Debug, Parser)]
#[command(name = "vllm-wizard", about = ABOUT, max_term_width = 110, propagate_version = true)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the GPUs of this machine
    #[command(after_help = DETECT_EXAMPLES)]
    Detect(DetectArgs),
    /// Answer the page's question for the GPUs of this machine
    #[command(after_help = SERVE_EXAMPLES)]
    Serve(ServeArgs),
}

/// `detect`.
#[derive(Debug, Args)]
pub(crate) struct DetectArgs {
    /// Print the report as JSON (vllm-wizard/host/v1)
    #[arg(long)]
    pub(crate) json: bool,
    /// The same on one line, to paste
    #[arg(long)]
    pub(crate) compact: bool,
    /// Print a link that opens the page at URL with this hardware in it
    #[arg(long, value_name = "URL", conflicts_with_all = ["json", "compact"])]
    pub(crate) link: Option<String>,
    /// Read a saved report instead of the driver; `-` is stdin
    #[arg(long, value_name = "FILE")]
    pub(crate) from_file: Option<PathBuf>,
}

/// `serve`.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Address to listen on; other machines reach it only if this is not a loopback address
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9177")]
    pub(crate) listen: SocketAddr,
    /// Let pages of this origin read the report, besides this server's own and those of localhost; can be repeated
    #[arg(long, value_name = "URL")]
    pub(crate) allow_origin: Vec<String>,
    /// Also serve the built page from this folder
    #[arg(long, value_name = "DIR")]
    pub(crate) ui: Option<PathBuf>,
    /// Serve a saved report instead of the driver's
    #[arg(long, value_name = "FILE")]
    pub(crate) from_file: Option<PathBuf>,
}

/// Version of this program and of its facts.
fn version() -> String {
    format!(
        "{} (data {}, vLLM {})",
        env!("CARGO_PKG_VERSION"),
        planner::gpu::data_revision(),
        planner::engine::VllmVersion::latest()
    )
}

/// The command with all that is computed.
fn command() -> clap::Command {
    let after = format!("{EXAMPLES}\n\n{}", Exit::table());
    Cli::command().version(version()).after_help(after)
}

/// Parses the process's arguments; ends the process for `--help`, `--version` and wrong usage.
pub(crate) fn parse() -> Cli {
    let matches = command().get_matches();
    Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_sound() {
        command().debug_assert();
    }
}
