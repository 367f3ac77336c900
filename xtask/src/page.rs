//! Builds and serves the page with Trunk.

use crate::{process, rust, steps::Steps, tools::Toolbox};
use anyhow::Result;
use std::{path::Path, process::Command};

/// Serves the page and rebuilds it on change, until interrupted.
pub(crate) fn serve(steps: &Steps, arguments: &[String]) -> Result<()> {
    rust::ensure_wasm_target(steps)?;
    let mut tools = Toolbox::default().trunk(steps)?.wasm_bindgen(steps)?;
    if arguments.iter().any(|argument| argument.starts_with("--release")) {
        tools = tools.wasm_opt(steps)?; // a debug build does without
    }
    steps.next("trunk serve: builds the page, then serves it on http://127.0.0.1:8080/ (Ctrl-C ends it)");
    process::run(trunk(&tools, "serve")?.args(arguments))
}

/// Builds the page for release into a folder.
pub(crate) fn build(steps: &Steps, dist: &Path, arguments: &[String]) -> Result<()> {
    rust::ensure_wasm_target(steps)?;
    let tools = Toolbox::default()
        .trunk(steps)?
        .wasm_bindgen(steps)?
        .wasm_opt(steps)?;
    steps.next(&format!("trunk build --release into {}", dist.display()));
    process::run(
        trunk(&tools, "build")?
            .arg("--release")
            .arg("--dist")
            .arg(dist)
            .args(arguments),
    )
}

/// Without `--offline`: Trunk hands that on to cargo, which then refuses crates it has not fetched yet. With all tools on
/// its PATH Trunk asks the network for nothing, so a machine without internet is served as well.
fn trunk(tools: &Toolbox, subcommand: &str) -> Result<Command> {
    let mut command = tools.command("trunk")?;
    command.args([subcommand, "--skip-version-check", "--locked"]);
    command.env_remove("NO_COLOR"); // NO_COLOR=1 is a usage error for trunk 0.21
    Ok(command)
}
