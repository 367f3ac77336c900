//! What rustup brings: the wasm target, rustfmt, clippy.

use crate::{
    process::{answer, on_path, run},
    steps::Steps,
    workspace,
};
use anyhow::{Result, bail};
use std::{path::Path, process::Command};

/// The target the page is built for.
pub(crate) const WASM: &str = "wasm32-unknown-unknown";

/// Adds the wasm target to the toolchain in use where it is missing.
pub(crate) fn ensure_wasm_target(steps: &Steps) -> Result<()> {
    if has_wasm_target() {
        return Ok(());
    }
    steps.next(&format!("Rust target {WASM}: adding it with rustup"));
    rustup(&["target", "add", WASM])?;
    if !has_wasm_target() {
        bail!("rustup added {WASM}, but not to the toolchain whose rustc is first on PATH");
    }
    Ok(())
}

/// Adds a component such as `clippy` where its cargo command is missing.
pub(crate) fn ensure_component(steps: &Steps, component: &str, command: &str) -> Result<()> {
    if answer("cargo", &[command, "--version"]).is_some() {
        return Ok(());
    }
    steps.next(&format!("Rust component {component}: adding it with rustup"));
    rustup(&["component", "add", component])
}

/// Adds another target where it can be had; says whether it is there.
pub(crate) fn add_target(steps: &Steps, target: &str) -> bool {
    if !has_target(target) {
        steps.next(&format!("Rust target {target}: adding it with rustup"));
        if let Err(error) = rustup(&["target", "add", target]) {
            steps.note(&format!("{error:#}"));
        }
    }
    has_target(target)
}

fn has_wasm_target() -> bool {
    has_target(WASM)
}

fn has_target(target: &str) -> bool {
    answer("rustc", &["--print", "target-libdir", "--target", target])
        .is_some_and(|folder| Path::new(folder.trim()).is_dir())
}

fn rustup(arguments: &[&str]) -> Result<()> {
    if on_path("rustup").is_none() {
        bail!(
            "this needs `rustup {}`, and there is no rustup on PATH: install Rust with rustup, \
             or that part with your system's package manager",
            arguments.join(" ")
        );
    }
    run(Command::new("rustup")
        .args(arguments)
        .current_dir(workspace::root()))
}
