//! `cargo xtask test artifacts`: the files of many plans, read by the programs that will read them.
//!
//! The checks themselves are Python's, in `xtask/artifacts/`: most of the readers are its libraries. Every reader that is
//! not here is named, and what it would have read counts as not run. On a developer's machine that is all; in CI it
//! fails, since there every reader can be had.

use crate::{
    artifact_tools::{self, Tool},
    process::{cargo, on_path, run},
    steps::Steps,
    workspace,
};
use anyhow::{Context, Result, bail};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// What `check.py` ends with where nothing failed, and a reader that can be had was not here.
const INCOMPLETE: i32 = 3;

/// Installs the readers, writes the files, reads them.
pub(crate) fn check(steps: &Steps) -> Result<()> {
    let tools = artifact_tools::find(steps)?;
    let own = workspace::target_dir()?.join("check-artifacts");
    let (files, work) = (own.join("files"), own.join("work"));
    for folder in [&files, &work] {
        if folder.exists() {
            fs::remove_dir_all(folder).with_context(|| format!("removing {}", folder.display()))?;
        }
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    steps.next("files of every kind of plan");
    let example = [
        "run",
        "--locked",
        "--package",
        "planner",
        "--example",
        "artifact_matrix",
        "--",
    ];
    run(cargo().args(example).arg(&files))?;
    steps.next("read by the programs that will read them");
    let complete = read(&tools, &files, &work)?;
    steps.next(if complete {
        "every file was read as it is meant"
    } else {
        "nothing was read otherwise than it is meant; what NOT RUN stands above is not checked"
    });
    Ok(())
}

/// Whether every reader was here.
fn read(tools: &[Tool], files: &Path, work: &Path) -> Result<bool> {
    let Some(python) = python(tools) else {
        return incomplete("no file was read: NOT RUN, for python3 is not here");
    };
    let mut command = Command::new(python);
    command.arg("-B").arg(scripts().join("check.py"));
    let root = workspace::root();
    for (name, path) in [
        ("--files", files),
        ("--work", work),
        ("--schemas", &root.join("tests").join("schemas")),
        ("--own-schemas", &root.join("docs").join("schema")),
    ] {
        command.arg(name).arg(path);
    }
    for (name, found) in tools {
        match found {
            Ok(path) => command.args(["--tool", name]).arg(path),
            Err(error) => command.args(["--missing", name, &format!("{error:#}")]),
        };
    }
    let status = command.status().context("starting python")?;
    match status.code() {
        Some(0) => Ok(true),
        Some(INCOMPLETE) => incomplete("readers are missing, see NOT RUN above"),
        _ => bail!("files are not read as they are meant ({status})"),
    }
}

/// The one with the readers, or the machine's own, which may have some of them.
fn python(tools: &[Tool]) -> Option<PathBuf> {
    let readers = tools.iter().find(|(name, _)| *name == "readers");
    readers
        .and_then(|(_, found)| found.as_ref().ok())
        .map(|venv| venv.join("bin").join("python"))
        .or_else(|| on_path("python3"))
}

/// An error in CI.
pub(crate) fn incomplete(what: &str) -> Result<bool> {
    if env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false") {
        bail!("{what}; in CI that fails");
    }
    Ok(false)
}

fn scripts() -> PathBuf {
    workspace::root().join("xtask").join("artifacts")
}
