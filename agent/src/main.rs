//! `vllm-wizard`: detects GPUs, plans, generates and checks vLLM deployments. The only crate that touches the driver,
//! sockets, files and the environment; every figure comes from `planner`.
mod batch;
mod check;
mod cli;
mod date;
mod detect;
mod error;
mod files;
mod generate;
mod hardware_source;
mod hub_cache;
mod link;
mod log_check;
mod model_source;
mod output;
mod plan_cmd;
mod report;
mod scenario_flags;
mod scenario_source;
mod schema;
mod serve;
mod suggest;

use cli::Command;
use error::{Exit, ExpectedError};
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = cli::parse();
    // A defect ends with its own code and a request, not with Rust's 101.
    let end = std::panic::catch_unwind(|| run(&cli.command)).unwrap_or_else(|_| {
        Err(
            ExpectedError::new(Exit::Internal, "internal error; this is a defect of vllm-wizard")
                .help("Please report the command and the lines above."),
        )
    });
    let exit = end.unwrap_or_else(|error| {
        output::say(&error.to_string());
        error.exit
    });
    ExitCode::from(exit.code())
}

fn run(command: &Command) -> Result<Exit, ExpectedError> {
    match command {
        Command::Detect(args) => detect::run(args),
        Command::Serve(args) => serve::run(args),
        Command::Plan(args) => plan_cmd::run(args),
        Command::Generate(args) => generate::run(args),
        Command::Check(args) => check::run(args),
        Command::Schema(args) => schema::run(args),
    }
}
