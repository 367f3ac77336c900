//! `cargo xtask test`: every check, cheapest first. What a check needs and cannot get fails it; nothing is skipped, but
//! for readers of files that a developer's machine lacks, which are named.

use crate::{
    artifacts, browser, e2e, layering,
    process::{cargo, on_path, run as run_command},
    rust,
    rust::WASM,
    steps::Steps,
    tools::Toolbox,
    workspace,
};
use anyhow::{Context, Result, bail};
use std::{fs, path::PathBuf, process::Command, time::Duration};

/// A group of checks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Part {
    /// Format, clippy, layers.
    Lint,
    /// What runs without a browser, and the documentation.
    Native,
    /// The same arithmetic in wasm, and the page's components in a browser.
    Wasm,
    /// The release build of page and binary, in a browser.
    E2e,
    /// The files of many plans, read by the programs that they are for.
    Artifacts,
}

/// All parts, in the order they run.
pub(crate) const ALL: [Part; 5] = [Part::Lint, Part::Native, Part::Wasm, Part::E2e, Part::Artifacts];

impl Part {
    fn name(self) -> &'static str {
        match self {
            Self::Lint => "lint",
            Self::Native => "native",
            Self::Wasm => "wasm",
            Self::E2e => "e2e",
            Self::Artifacts => "artifacts",
        }
    }
}

/// The parts named, or all.
pub(crate) fn parts(names: &[String]) -> Result<Vec<Part>> {
    if names.is_empty() {
        return Ok(ALL.to_vec());
    }
    let part = |name: &String| ALL.into_iter().find(|part| part.name() == name);
    names
        .iter()
        .map(|name| part(name).with_context(|| format!("there are no tests called `{name}`")))
        .collect()
}

/// Runs these parts and says how long each took.
pub(crate) fn run(steps: &Steps, parts: &[Part]) -> Result<()> {
    let mut times: Vec<(Part, Duration)> = Vec::new();
    for &part in parts {
        let before = steps.elapsed();
        match part {
            Part::Lint => lint(steps),
            Part::Native => native(steps),
            Part::Wasm => wasm(steps),
            Part::E2e => e2e::run(steps),
            Part::Artifacts => artifacts::check(steps),
        }
        .with_context(|| format!("test {} failed", part.name()))?;
        times.push((part, steps.elapsed().saturating_sub(before)));
    }
    let times: Vec<String> = times
        .iter()
        .map(|(part, time)| format!("{} {} s", part.name(), time.as_secs()))
        .collect();
    steps.next(&format!("all passed: {}", times.join(", ")));
    Ok(())
}

fn lint(steps: &Steps) -> Result<()> {
    steps.next("layers of planner");
    layering::check(&workspace::root().join("planner").join("src"))?;
    rust::ensure_component(steps, "rustfmt", "fmt")?;
    steps.next("format");
    run_command(cargo().args(["fmt", "--all", "--check"]))?;
    rust::ensure_component(steps, "clippy", "clippy")?;
    rust::ensure_wasm_target(steps)?;
    let deny = ["--", "-D", "warnings"];
    steps.next("clippy, every target of the workspace");
    run_command(
        cargo()
            .args(["clippy", "--locked", "--workspace", "--all-targets"])
            .args(deny),
    )?;
    steps.next("clippy, the page as it is compiled for the browser");
    run_command(
        cargo()
            .args([
                "clippy",
                "--locked",
                "--package",
                "web",
                "--tests",
                "--target",
                WASM,
            ])
            .args(deny),
    )
}

fn native(steps: &Steps) -> Result<()> {
    steps.next("tests of planner, agent and xtask, and the examples in planner's documentation");
    // Not `embed-ui`, which needs a built page: `dist` builds it in.
    let features = "agent/hub,agent/manual";
    run_command(cargo().args(["test", "--locked", "--features", features]))?;
    steps.next("tests of the page that need no browser");
    run_command(cargo().args(["test", "--locked", "--package", "web", "--lib"]))?;
    steps.next("documentation of planner");
    let doc = [
        "doc",
        "--locked",
        "--no-deps",
        "--all-features",
        "--package",
        "planner",
    ];
    run_command(cargo().args(doc).env("RUSTDOCFLAGS", "-D warnings"))
}

/// Lets the tests that hold tables in README.md and docs/methodology.md write them.
pub(crate) fn numbers(steps: &Steps) -> Result<()> {
    steps.next("plans against start-up logs and published runs, and every formula");
    let test = [
        "test",
        "--locked",
        "--package",
        "planner",
        "--test",
        "it",
        "--",
        "start_up_logs",
        "methodology",
        "speed",
    ];
    run_command(cargo().args(test).env("WRITE_NUMBERS", "1"))
}

fn wasm(steps: &Steps) -> Result<()> {
    rust::ensure_wasm_target(steps)?;
    let tools = Toolbox::default().wasm_bindgen(steps)?;
    let environment = browser_environment(steps)?;
    let test = |package: &str, what: &[&str]| -> Result<Command> {
        let mut command = tools.command("cargo")?;
        command
            .args(["test", "--locked", "--target", WASM, "--package", package])
            .args(what);
        // With either of these the runner leaves tests out and says that all is well.
        command
            .env_remove("WASM_BINDGEN_TEST_ONLY_NODE")
            .env_remove("WASM_BINDGEN_TEST_ONLY_WEB");
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        Ok(command)
    };
    let node = on_path("node").is_some();
    steps.next(if node {
        "planner in wasm, under node"
    } else {
        "planner in wasm, in the browser"
    });
    let mut command = test("planner", &["--test", "wasm"])?;
    if !node {
        command.env("WASM_BINDGEN_USE_BROWSER", "1");
    }
    run_command(&mut command)?;
    steps.next("the page's components in the browser");
    run_command(&mut test("web", &["--tests"])?)
}

/// What the runner of browser tests reads from its environment.
fn browser_environment(steps: &Steps) -> Result<Vec<(&'static str, PathBuf)>> {
    steps.next("a browser and its driver");
    let chrome = browser::chrome(steps)?;
    let driver = browser::driver(steps, &chrome)?;
    let settings = workspace::root().join("web").join("webdriver.json");
    let settings = if chrome.is_own {
        let text =
            fs::read_to_string(&settings).with_context(|| format!("reading {}", settings.display()))?;
        let own = workspace::target_dir()?.join("webdriver.json");
        fs::write(&own, with_binary(&text, &chrome.program.to_string_lossy())?)?;
        own
    } else {
        settings
    };
    Ok(vec![
        ("CHROMEDRIVER", driver),
        ("WASM_BINDGEN_TEST_WEBDRIVER_JSON", settings),
    ])
}

/// The driver's settings, with the browser to start.
fn with_binary(settings: &str, program: &str) -> Result<String> {
    let Some((before, after)) = settings.split_once("\"args\"") else {
        bail!("web/webdriver.json has no \"args\"");
    };
    let program = program.replace('\\', "\\\\").replace('"', "\\\"");
    Ok(format!("{before}\"binary\": \"{program}\", \"args\"{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_run_as_named_or_all() -> Result<()> {
        assert_eq!(parts(&[])?, ALL);
        assert_eq!(parts(&["e2e".into(), "lint".into()])?, [Part::E2e, Part::Lint]);
        assert!(parts(&["unit".into()]).is_err());
        Ok(())
    }

    #[test]
    fn own_browser_goes_into_the_settings() -> Result<()> {
        assert_eq!(
            with_binary(r#"{"goog:chromeOptions": {"args": ["--headless"]}}"#, r"C:\c.exe")?,
            r#"{"goog:chromeOptions": {"binary": "C:\\c.exe", "args": ["--headless"]}}"#
        );
        Ok(())
    }
}
