//! The programs that read what planner writes: at pinned versions in the tool cache, from pip, apt and git, or the
//! machine's own where those do not answer. What cannot be had is named, with the reason.

use crate::{
    apt::{Apt, Package},
    cache::{self, Site},
    process::{answer, on_path, run_within},
    steps::Steps,
    workspace,
};
use anyhow::{Context, Result, ensure};
use sha2::{Digest as _, Sha256};
use std::{
    cell::OnceCell,
    env,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

const DOCKER: Package = Package {
    name: "docker-cli",
    version: "26.1.5+dfsg1-9+deb13u1+b1",
    program: "usr/bin/docker",
};
const COMPOSE: Package = Package {
    name: "docker-compose",
    version: "2.26.1-4",
    program: "usr/libexec/docker/cli-plugins/docker-compose",
};
const QUADLET: Package = Package {
    name: "podman",
    version: "5.4.2+ds1-2+b2",
    program: "usr/libexec/podman/quadlet",
};
/// Where distributions put what is not on PATH.
const COMPOSE_PLACES: [&str; 4] = [
    "/usr/libexec/docker/cli-plugins/docker-compose",
    "/usr/lib/docker/cli-plugins/docker-compose",
    "/usr/local/lib/docker/cli-plugins/docker-compose",
    "/usr/local/libexec/docker/cli-plugins/docker-compose",
];
const QUADLET_PLACES: [&str; 2] = ["/usr/libexec/podman/quadlet", "/usr/lib/podman/quadlet"];
/// The release whose chart the values are for.
const VLLM: &str = "0.33.0";
/// Names a copy of production-stack's chart, `helm/` in its repository.
const PRODUCTION_STACK: &str = "PRODUCTION_STACK_CHART";
const PRODUCTION_STACK_SOURCE: &str = "https://github.com/vllm-project/production-stack";
const PRODUCTION_STACK_TAG: &str = "vllm-stack-0.1.12";
/// pip's longest, `SkyPilot`, takes a minute; a network that swallows packets takes this.
const PIP_LIMIT: Duration = Duration::from_mins(4);
const GIT_LIMIT: Duration = Duration::from_mins(2);
/// What failed sooner than this is tried again: it was an answer, and the next may be another.
const TRY_AGAIN: Duration = Duration::from_mins(1);

/// A tool by the name that `xtask/artifacts/tools.py` knows it by, where it lies or why it is not here.
pub(crate) type Tool = (&'static str, Result<PathBuf>);

/// Finds or installs all of them.
pub(crate) fn find(steps: &Steps) -> Result<Vec<Tool>> {
    let cache = cache::tools()?;
    steps.next("readers of files: Python's, for YAML, Kubernetes and Helm");
    let python = environment(steps, &cache, "readers", "requirements.txt");
    steps.next("readers of files: SkyPilot");
    let skypilot = environment(steps, &cache, "skypilot", "requirements-skypilot.txt");
    steps.next("readers of files: Docker's command line, Compose and Podman's generator");
    let apt = OnceCell::new();
    let debian = |package, own: Option<PathBuf>| debian(steps, &cache, &apt, package, own);
    let at = |places: &[&str]| places.iter().map(PathBuf::from).find(|path| path.is_file());
    let docker = debian(&DOCKER, on_path("docker"));
    let compose = debian(&COMPOSE, at(&COMPOSE_PLACES));
    let quadlet = debian(&QUADLET, at(&QUADLET_PLACES));
    steps.next("readers of files: the charts of vLLM and production-stack");
    let vllm_chart = vllm_chart(steps, &cache, python.as_deref().ok());
    let stack_chart = stack_chart(steps, &cache);
    let tools = vec![
        ("readers", python),
        ("skypilot", skypilot),
        ("docker", docker),
        ("compose", compose),
        ("quadlet", quadlet),
        ("vllm-chart", vllm_chart),
        ("production-stack-chart", stack_chart),
    ];
    for (name, found) in &tools {
        if let Err(error) = found {
            steps.note(&format!("no {name}: {error:#}"));
        }
    }
    Ok(tools)
}

/// A name that changes with what is pinned.
fn named(name: &str, pins: &str) -> String {
    let digest = Sha256::digest(pins.as_bytes());
    let hex = digest.iter().take(4).fold(String::new(), |mut hex, byte| {
        // Writing into a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    format!("{name}-{hex}")
}

/// Once more, where the first failure came soon.
fn twice(mut what: impl FnMut() -> Result<()>) -> Result<()> {
    let started = Instant::now();
    what().or_else(|error| {
        if started.elapsed() < TRY_AGAIN {
            what()
        } else {
            Err(error)
        }
    })
}

fn log(site: &Site) -> Result<PathBuf> {
    fs::create_dir_all(&site.scratch).with_context(|| format!("making {}", site.scratch.display()))?;
    Ok(site.scratch.join("log"))
}

fn pip(python: &Path, what: &str) -> Command {
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", what, "--quiet", "--disable-pip-version-check"])
        .args(["--no-input", "--retries", "3", "--timeout", "30"]);
    pip
}

/// A virtual environment with what a list of requirements pins.
fn environment(steps: &Steps, cache: &Path, name: &str, list: &str) -> Result<PathBuf> {
    let list = workspace::root().join("xtask").join("artifacts").join(list);
    let pins = fs::read_to_string(&list).with_context(|| format!("reading {}", list.display()))?;
    cache::ensure(steps, cache, &named(name, &pins), |site| {
        steps.note("installing with pip, once per user");
        let log = log(site)?;
        run_within(
            Command::new("python3").args(["-m", "venv"]).arg(&site.prefix),
            PIP_LIMIT,
            &log,
        )
        .context("no virtual environments here: apt-get install python3-venv")?;
        // The environment moves afterwards: only its python and programs that are no scripts are called.
        let python = site.prefix.join("bin").join("python");
        twice(|| {
            let mut install = pip(&python, "install");
            run_within(install.arg("--requirement").arg(&list), PIP_LIMIT, &log)
        })
        .with_context(|| format!("pip cannot install what {} pins", list.display()))
    })
}

/// A program out of Debian's package, or the machine's own.
fn debian(
    steps: &Steps,
    cache: &Path,
    apt: &OnceCell<Result<Apt>>,
    package: &Package,
    own: Option<PathBuf>,
) -> Result<PathBuf> {
    let name = named(package.name, &format!("{package:?}"));
    let made = cache::ensure(steps, cache, &name, |site| {
        let apt = match apt.get_or_init(Apt::new) {
            Ok(apt) => apt,
            Err(error) => anyhow::bail!("{error:#}"),
        };
        let took = apt.unpack(package, &site.prefix)?;
        steps.note(&format!("unpacked {took}, once per user"));
        let program = site.prefix.join(package.program);
        ensure!(starts(&program), "{} does not start here", package.program);
        Ok(())
    });
    match (made, own.filter(|program| starts(program))) {
        (Ok(folder), _) => Ok(folder.join(package.program)),
        (Err(error), Some(own)) => {
            steps.note(&format!("{}, since {error:#}", own.display()));
            Ok(own)
        }
        (Err(error), None) => Err(error),
    }
}

fn starts(program: &Path) -> bool {
    let says = |flag: &str| answer(program, &[flag]).is_some();
    // Compose knows the one, Podman's generator the other.
    says("version") || says("--version") || says("-version")
}

/// vLLM's chart, from its source package.
fn vllm_chart(steps: &Steps, cache: &Path, venv: Option<&Path>) -> Result<PathBuf> {
    cache::ensure(steps, cache, &format!("vllm-chart-{VLLM}"), |site| {
        let venv = venv.context("its reader, Helm in Python, is not here")?;
        steps.note("downloading vLLM's source package with pip, once per user");
        let log = log(site)?;
        // Without torch the package's metadata cannot be made; what pip unpacked before it found out stays.
        let mut download = pip(&venv.join("bin").join("python"), "download");
        download
            .args(["--no-deps", "--no-binary", ":all:"])
            .args(["--no-build-isolation", "--no-clean", "--dest"])
            .arg(site.scratch.join("packages"))
            .arg(format!("vllm=={VLLM}"))
            .env("TMPDIR", &site.scratch);
        let said = run_within(&mut download, PIP_LIMIT, &log);
        let Some(found) = folder_of(&site.scratch, "chart-helm", 5) else {
            return said
                .and_then(|()| anyhow::bail!("it holds no folder chart-helm"))
                .with_context(|| format!("the source package of vLLM {VLLM}, which holds its chart"));
        };
        copy(&found, &site.prefix, &log)
    })
}

/// production-stack's chart, which no registry of packages has: from its repository.
fn stack_chart(steps: &Steps, cache: &Path) -> Result<PathBuf> {
    if let Some(own) = env::var_os(PRODUCTION_STACK).filter(|value| !value.is_empty()) {
        let own = PathBuf::from(own);
        ensure!(
            own.join("Chart.yaml").is_file(),
            "{PRODUCTION_STACK} names {}, which holds no Chart.yaml",
            own.display()
        );
        return Ok(own);
    }
    cache::ensure(steps, cache, PRODUCTION_STACK_TAG, |site| {
        let log = log(site)?;
        let repository = site.scratch.join("repository");
        if repository.exists() {
            fs::remove_dir_all(&repository)?;
        }
        let mut clone = Command::new("git");
        clone
            .args([
                "clone",
                "--quiet",
                "--depth",
                "1",
                "--branch",
                PRODUCTION_STACK_TAG,
            ])
            .arg(PRODUCTION_STACK_SOURCE)
            .arg(&repository)
            .env("GIT_TERMINAL_PROMPT", "0");
        run_within(&mut clone, GIT_LIMIT, &log).with_context(|| {
            format!("it comes from {PRODUCTION_STACK_SOURCE}, or from {PRODUCTION_STACK}")
        })?;
        copy(&repository.join("helm"), &site.prefix, &log)
    })
}

fn copy(from: &Path, to: &Path, log: &Path) -> Result<()> {
    let mut copy = Command::new("cp");
    run_within(copy.arg("-r").arg(from.join(".")).arg(to), GIT_LIMIT, log)
}

/// The folder of that name, so deep below another at most.
fn folder_of(below: &Path, name: &str, depth: u32) -> Option<PathBuf> {
    let folders: Vec<PathBuf> = fs::read_dir(below)
        .ok()?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect();
    let here = folders
        .iter()
        .find(|path| path.file_name().is_some_and(|own| own == name));
    here.cloned().or_else(|| {
        let deeper = depth.checked_sub(1)?;
        folders.iter().find_map(|path| folder_of(path, name, deeper))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::anyhow;

    #[test]
    fn other_pins_are_another_folder() {
        assert_eq!(named("readers", "a==1"), named("readers", "a==1"));
        assert_ne!(named("readers", "a==1"), named("readers", "a==2"));
    }

    #[test]
    fn quick_failure_is_tried_once_more() {
        let mut tries = 0;
        let mut second = || {
            tries += 1;
            if tries == 2 { Ok(()) } else { Err(anyhow!("busy")) }
        };
        assert!(twice(&mut second).is_ok());
        assert!(twice(|| Err(anyhow!("gone"))).is_err());
        assert_eq!(tries, 2);
    }

    #[test]
    fn program_that_does_not_start_is_none() {
        assert!(starts(Path::new("rustc")));
        assert!(!starts(Path::new("no-such-program-anywhere")));
    }
}
