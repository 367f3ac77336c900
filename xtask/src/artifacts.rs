//! `cargo xtask check-artifacts`: the files of many plans, read by the programs that will read them.
//!
//! The checks themselves are Python's, in `xtask/artifacts/`: four of the readers are its libraries.

use crate::{
    artifact_tools::{self, Tools},
    process::{cargo, run},
    steps::Steps,
    workspace,
};
use anyhow::{Context, Result};
use std::{env, fs, path::Path, process::Command};

/// Names a checkout of production-stack's chart, `helm/` in its repository: no package carries it.
const PRODUCTION_STACK: &str = "PRODUCTION_STACK_CHART";

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
    let both = run(&mut readers(&tools, &files, &work)).and(run(&mut skypilot(&tools, &files)));
    both?;
    steps.next("every file was read as it is meant");
    Ok(())
}

fn scripts() -> std::path::PathBuf {
    workspace::root().join("xtask").join("artifacts")
}

fn readers(tools: &Tools, files: &Path, work: &Path) -> Command {
    let mut command = Command::new(tools.venv.join("bin").join("python"));
    command.arg("-B").arg(scripts().join("check.py"));
    for (name, path) in [
        ("--files", files),
        ("--work", work),
        ("--venv", &tools.venv),
        ("--docker", &tools.docker),
        ("--compose", &tools.compose),
        ("--quadlet", &tools.quadlet),
        ("--vllm-chart", &tools.vllm_chart),
        ("--schemas", &workspace::root().join("tests").join("schemas")),
    ] {
        command.arg(name).arg(path);
    }
    if let Some(chart) = env::var_os(PRODUCTION_STACK) {
        command.arg("--production-stack-chart").arg(chart);
    }
    command
}

fn skypilot(tools: &Tools, files: &Path) -> Command {
    let mut command = Command::new(tools.skypilot.join("bin").join("python"));
    command
        .arg("-B")
        .arg(scripts().join("sky_tasks.py"))
        .arg(files)
        // It writes where it is told to, and calls nobody.
        .env("HOME", files)
        .env("SKYPILOT_DISABLE_USAGE_COLLECTION", "1");
    command
}
