//! `cargo xtask <what>`: one command for each thing a developer does.
//!
//! Finds the tools it needs, installs what is missing into a per-user cache, and says what it does while it does it.
//! It never changes the user's PATH, nor anything in the working tree but `dist/` and `target/`.

mod apt;
mod artifact_tools;
mod artifacts;
mod binary;
mod browser;
mod cache;
mod csp;
mod dist;
mod e2e;
mod layering;
mod limits;
mod lock;
mod npm;
mod offline;
mod page;
mod process;
mod rust;
mod size;
mod steps;
mod test;
mod tools;
mod version;
mod workspace;

use anyhow::{Result, bail};
use std::{env, process::ExitCode};
use steps::Steps;

const USAGE: &str = "\
usage: cargo xtask <command>

  serve [trunk arguments]         serve the page on http://127.0.0.1:8080/ and rebuild it on change
  build [trunk arguments]         build the page for release into dist/
  test [lint|native|wasm|e2e|artifacts]...
                                  run these checks, or all of them in this order
  check-artifacts                 the last of them: read the files of many plans with the programs that they are for
  bench                           time one keystroke, natively and in the browser on the release build
  numbers                         write the tables of README.md (errors against start-up logs) and docs/methodology.md (formulas)
  size                            build the page and the binary for release and hold them against their budgets
  limits                          time the binary: a process, batches, `serve`, and what they take
  dist [--page FOLDER]            build and pack a release: page, binaries, lists of dependencies, checksums
  ci                              every check of `test`
  offline FOLDER                  complete the service worker of a built page again, after files of it were changed

Tools that are missing are installed once per user, into $XDG_CACHE_HOME/vllm-wizard/tools or the platform's
equivalent. CHROME and CHROMEDRIVER point at a browser and driver of your own.";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[String]) -> Result<()> {
    let steps = Steps::start();
    let Some((command, rest)) = arguments.split_first() else {
        bail!("say what to do\n\n{USAGE}")
    };
    match command.as_str() {
        "serve" => page::serve(&steps, rest),
        "build" => page::build(&steps, &workspace::root().join("dist"), rest),
        "test" => test::run(&steps, &test::parts(rest)?),
        "check-artifacts" => artifacts::check(&steps),
        "bench" => e2e::bench(&steps),
        "numbers" => test::numbers(&steps),
        "size" => size::run(&steps),
        "limits" => limits::run(&steps),
        "dist" => dist::run(&steps, rest),
        "ci" => test::run(&steps, &test::ALL),
        "finish" => page::finish(),
        "offline" => page::offline(rest),
        "help" | "-h" | "--help" => {
            println!("{USAGE}");
            Ok(())
        }
        other => bail!("there is no command `{other}`\n\n{USAGE}"),
    }
}
