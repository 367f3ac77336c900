//! Builds and serves the page with Trunk.

use crate::{csp, lock, offline, process, rust, steps::Steps, tools::Toolbox, workspace};
use anyhow::{Context, Result, bail};
use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

/// Serves the page and rebuilds it on change, until interrupted.
pub(crate) fn serve(steps: &Steps, arguments: &[String]) -> Result<()> {
    rust::ensure_wasm_target(steps)?;
    let mut tools = Toolbox::default().trunk(steps)?.wasm_bindgen(steps)?;
    if arguments.iter().any(|argument| argument.starts_with("--release")) {
        tools = tools.wasm_opt(steps)?; // a debug build does without
    }
    steps.next("trunk serve: builds the page, then says where it serves it (Ctrl-C ends it)");
    // Not into dist/, where a release build would be overwritten with the next change.
    let dist = workspace::target_dir()?.join("serve");
    process::run(trunk(&tools, "serve")?.args(with_dist(arguments, &dist)))
}

/// Builds the page for release into a folder.
pub(crate) fn build(steps: &Steps, dist: &Path, arguments: &[String]) -> Result<()> {
    rust::ensure_wasm_target(steps)?;
    let tools = Toolbox::default()
        .trunk(steps)?
        .wasm_bindgen(steps)?
        .wasm_opt(steps)?;
    steps.next(&format!("trunk build --release into {}", dist.display()));
    let path = workspace::target_dir()?.join("page.lock");
    let _lock = lock::hold(steps, &path, "another run is building the page: waiting")?;
    process::run(
        trunk(&tools, "build")?
            .arg("--release")
            .args(with_dist(arguments, dist)),
    )
}

/// Trunk's post_build hook: the last step before the folder where it stages a build becomes `dist/`.
pub(crate) fn finish() -> Result<()> {
    let staging = env::var_os("TRUNK_STAGING_DIR").context("Trunk calls this as its post_build hook")?;
    let release = env::var("TRUNK_PROFILE").is_ok_and(|profile| profile == "release");
    let staging = PathBuf::from(staging);
    csp::complete(&staging, release)?;
    offline::complete(&staging, release)
}

/// Completes the service worker of a built page again.
pub(crate) fn offline(arguments: &[String]) -> Result<()> {
    let [folder] = arguments else {
        bail!("offline takes the folder of a built page, such as `dist`");
    };
    offline::complete(Path::new(folder), true)
}

/// The user's arguments, and the folder to build into where they name none.
fn with_dist(arguments: &[String], dist: &Path) -> Vec<OsString> {
    let mut all: Vec<OsString> = arguments.iter().map(OsString::from).collect();
    if !arguments
        .iter()
        .any(|argument| argument.starts_with("--dist") || argument.starts_with("-d"))
    {
        all.extend([OsString::from("--dist"), dist.into()]);
    }
    all
}

/// Without `--offline`: Trunk hands that on to cargo, which then refuses crates it has not fetched yet. With all tools on
/// its PATH Trunk asks the network for nothing, so a machine without internet is served as well.
fn trunk(tools: &Toolbox, subcommand: &str) -> Result<Command> {
    let mut command = tools.command("trunk")?;
    command.args([subcommand, "--skip-version-check", "--locked"]);
    command.env_remove("NO_COLOR"); // NO_COLOR=1 is a usage error for trunk 0.21
    Ok(command)
}
