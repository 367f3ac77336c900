//! `cargo xtask test e2e`: journeys through the release build of the page, beside the release binary.

use crate::{
    binary, browser, npm, page,
    process::{cargo, run as run_command},
    steps::Steps,
    workspace,
};
use anyhow::{Context, Result, ensure};
use std::{
    env,
    path::{Path, PathBuf},
};

/// axe-core, which checks the page's accessibility from inside.
const AXE: &str = "4.14.1";

/// Builds what the journeys use and runs them. The page goes into a folder of its own, so that a `serve` in another
/// terminal, which writes to `dist/`, disturbs nothing.
pub(crate) fn run(steps: &Steps) -> Result<()> {
    let dist = workspace::target_dir()?.join("e2e").join("dist");
    page::build(steps, &dist, &[])?;
    let binary = binary(steps)?;
    let axe = axe(steps)?;
    steps.next("journeys in the browser");
    let chrome = browser::chrome(steps)?;
    let firefox = browser::firefox(steps)?;
    let mut tests = cargo();
    tests.args(["test", "--locked", "--package", "e2e"]);
    tests
        .env("E2E_DIST", dist)
        .env("E2E_BINARY", binary)
        .env("E2E_AXE", axe)
        .env("E2E_XTASK", env::current_exe()?)
        .env("CHROME", chrome.program)
        .envs(firefox.map(|program| ("FIREFOX", program)));
    run_command(&mut tests)
}

/// Times one keystroke: planner alone, and the page.
pub(crate) fn bench(steps: &Steps) -> Result<()> {
    steps.next("planner");
    run_command(cargo().args(["bench", "--locked", "--package", "planner", "--bench", "plan"]))?;
    let dist = workspace::target_dir()?.join("e2e").join("dist");
    page::build(steps, &dist, &[])?;
    steps.next("the page in the browser");
    let chrome = browser::chrome(steps)?;
    let mut bench = cargo();
    // What is timed is the page; the driver need not be fast.
    bench.args([
        "bench",
        "--locked",
        "--profile",
        "dev",
        "--package",
        "e2e",
        "--bench",
        "keystroke",
    ]);
    run_command(bench.env("E2E_DIST", dist).env("CHROME", chrome.program))
}

/// The release build of `vllm-wizard`.
pub(crate) fn binary(steps: &Steps) -> Result<PathBuf> {
    steps.next("the binary, for release");
    binary::build(binary::Build::default())
}

/// axe-core's script: the user's own where E2E_AXE points at one, else npm's.
fn axe(steps: &Steps) -> Result<PathBuf> {
    if let Some(own) = env::var_os("E2E_AXE").map(PathBuf::from) {
        ensure!(
            own.is_file(),
            "E2E_AXE names {}, which is not a file",
            own.display()
        );
        return Ok(own);
    }
    steps.next(&format!("axe-core {AXE} from npm"));
    let script = Path::new("axe-core").join("axe.min.js");
    let check = |modules: &Path| {
        ensure!(modules.join(&script).is_file(), "the package holds no axe.min.js");
        Ok(())
    };
    let hint =
        "the journeys check accessibility with axe-core: install npm, or point E2E_AXE at its axe.min.js";
    Ok(npm::package(steps, "axe-core", AXE, check)
        .context(hint)?
        .join(script))
}
