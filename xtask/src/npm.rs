//! Packages from the npm registry, kept in the tool cache.

use crate::{cache, process, steps::Steps};
use anyhow::{Context, Result};
use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// Whether npm can be used here.
pub(crate) fn is_there() -> bool {
    process::on_path("npm").is_some_and(|npm| process::answer(npm, &["--version"]).is_some())
}

/// A package's own folder, installed into the cache where it is not there yet; `check` tries it before it counts.
pub(crate) fn package(
    steps: &Steps,
    name: &str,
    version: &str,
    check: impl FnOnce(&Path) -> Result<()>,
) -> Result<PathBuf> {
    let folder = cache::ensure(steps, &cache::tools()?, &format!("{name}-{version}"), |site| {
        steps.note(&format!("installing {name} {version} with npm, once per user"));
        install(&site.prefix, name, version)?;
        check(&site.prefix.join("node_modules"))
    })?;
    Ok(folder.join("node_modules"))
}

fn install(prefix: &Path, name: &str, version: &str) -> Result<()> {
    let npm = process::on_path("npm").context("there is no npm on PATH")?;
    let quiet = [
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--no-update-notifier",
    ];
    let mut command = Command::new(npm);
    command
        .args(["install", "--prefix"])
        .arg(prefix)
        .args(quiet)
        .arg(format!("{name}@{version}"));
    process::run(&mut command)
}
