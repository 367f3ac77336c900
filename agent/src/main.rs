//! `vllm-wizard`: detects GPUs, plans, generates and checks vLLM deployments. The only crate that touches the driver,
//! sockets, files and the environment; every figure comes from `planner`.
mod batch;
mod bench_check;
mod check;
mod cli;
mod date;
mod detect;
mod error;
mod explore;
mod files;
mod fleet;
mod generate;
mod goal;
mod hardware_source;
#[cfg(feature = "hub")]
mod hub;
mod hub_cache;
mod link;
mod log_check;
#[cfg(feature = "manual")]
mod manual;
mod model_source;
mod output;
mod plan_cmd;
mod report;
mod scenario_flags;
mod scenario_source;
mod schema;
mod search;
mod sensitivity;
mod serve;
mod suggest;
mod table;

use cli::Command;
use error::{Exit, ExpectedError};
use std::{panic, process::ExitCode};

fn main() -> ExitCode {
    panic::set_hook(Box::new(defect));
    let cli = cli::parse();
    if cli.quiet {
        output::be_quiet();
    }
    let exit = run(&cli.command).unwrap_or_else(|error| {
        output::complain(&error.to_string());
        error.exit
    });
    ExitCode::from(exit.code())
}

/// A defect ends the program with a code of its own and a request, not with Rust's 101 or a core file.
fn defect(info: &panic::PanicHookInfo<'_>) {
    let error = ExpectedError::new(
        Exit::Internal,
        format!("internal error; this is a defect of vllm-wizard: {info}"),
    )
    .help("Please report the command and the lines above.");
    output::complain(&error.to_string());
    std::process::exit(i32::from(error.exit.code()));
}

fn run(command: &Command) -> Result<Exit, ExpectedError> {
    match command {
        Command::Detect(args) => detect::run(args),
        Command::Serve(args) => serve::run(args),
        Command::Plan(args) => plan_cmd::run(args),
        Command::Explore(args) => explore::run(args),
        Command::Fleet(args) => fleet::run(args),
        Command::Generate(args) => generate::run(args),
        Command::Check(args) => check::run(args),
        Command::Schema(args) => schema::run(args),
        #[cfg(feature = "manual")]
        Command::Manual(args) => manual::run(args),
    }
}
