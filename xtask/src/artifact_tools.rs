//! The programs that read what planner writes, at pinned versions, in the tool cache.
//!
//! Python's packages by pip, Debian's by apt from the mirror that the machine uses anyway; nothing of the system is
//! changed. What cannot be had fails the check and is named.

use crate::{
    cache,
    process::{answer, on_path, run},
    steps::Steps,
    workspace,
};
use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest as _, Sha256};
use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Debian 13, and its packages: name, version, the program in it.
const SUITE: &str = "trixie";
const PACKAGES: [(&str, &str, &str); 3] = [
    ("docker-cli", "26.1.5+dfsg1-9+deb13u1+b1", "usr/bin/docker"),
    (
        "docker-compose",
        "2.26.1-4",
        "usr/libexec/docker/cli-plugins/docker-compose",
    ),
    ("podman", "5.4.2+ds1-2+b2", "usr/libexec/podman/quadlet"),
];
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
/// The release whose chart the values are for.
const VLLM: &str = "0.33.0";

/// Where they lie.
#[derive(Debug)]
pub(crate) struct Tools {
    /// Python with the readers that are libraries.
    pub(crate) venv: PathBuf,
    /// Python with SkyPilot.
    pub(crate) skypilot: PathBuf,
    /// Docker's command line.
    pub(crate) docker: PathBuf,
    /// Docker Compose.
    pub(crate) compose: PathBuf,
    /// Podman's generator of units.
    pub(crate) quadlet: PathBuf,
    /// The Helm chart in vLLM's source.
    pub(crate) vllm_chart: PathBuf,
}

/// Finds or installs all of them.
pub(crate) fn find(steps: &Steps) -> Result<Tools> {
    for (program, package) in [
        ("bash", "bash"),
        ("systemd-analyze", "systemd"),
        ("python3", "python3"),
    ] {
        ensure!(
            on_path(program).is_some(),
            "check-artifacts needs {program}, which is not here: apt-get install {package}"
        );
    }
    let cache = cache::tools()?;
    steps.next("Python's readers: shellcheck, kubernetes-validate, Helm, YAML and JSON schemas");
    let venv = environment(steps, &cache, "readers", "requirements.txt")?;
    steps.next("SkyPilot");
    let skypilot = environment(steps, &cache, "skypilot", "requirements-skypilot.txt")?;
    steps.next("Docker's command line, Compose and Podman's generator");
    let debian = debian(steps, &cache)?;
    steps.next(&format!("the chart of vLLM {VLLM}"));
    let vllm_chart = chart(steps, &cache, &venv)?;
    let [docker, compose, quadlet] = PACKAGES.map(|(.., program)| debian.join(program));
    Ok(Tools {
        venv,
        skypilot,
        docker,
        compose,
        quadlet,
        vllm_chart,
    })
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

/// A virtual environment with what a list of requirements pins.
fn environment(steps: &Steps, cache: &Path, name: &str, list: &str) -> Result<PathBuf> {
    let list = workspace::root().join("xtask").join("artifacts").join(list);
    let pins = fs::read_to_string(&list).with_context(|| format!("reading {}", list.display()))?;
    cache::ensure(steps, cache, &named(name, &pins), |site| {
        steps.note("installing with pip, once per user");
        run(Command::new("python3").args(["-m", "venv"]).arg(&site.prefix))
            .context("no virtual environments here: apt-get install python3-venv")?;
        // The environment moves afterwards: only its python and programs that are no scripts are called.
        let mut pip = Command::new(site.prefix.join("bin").join("python"));
        pip.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--requirement",
        ]);
        run(pip.arg(&list)).with_context(|| format!("pip cannot install what {} pins", list.display()))
    })
}

/// Debian's packages, unpacked.
fn debian(steps: &Steps, cache: &Path) -> Result<PathBuf> {
    cache::ensure(steps, cache, &named("debian", &format!("{PACKAGES:?}")), |site| {
        steps.note(&format!("downloading from Debian {SUITE}, once per user"));
        let apt = Apt::new(&site.scratch)?;
        run(&mut apt.command("update"))?;
        for (package, version, program) in PACKAGES {
            run(apt.command("download").arg(format!("{package}={version}"))).with_context(|| {
                format!("Debian {SUITE} has no {package} {version} (any more); xtask/src/artifact_tools.rs pins it")
            })?;
            let file = downloaded(&apt.folder, package)?;
            run(Command::new("dpkg-deb")
                .arg("--extract")
                .arg(file)
                .arg(&site.prefix))?;
            ensure!(
                answer(site.prefix.join(program), &["--version"]).is_some()
                    || answer(site.prefix.join(program), &["version"]).is_some(),
                "{program} of {package} does not start here"
            );
        }
        Ok(())
    })
}

/// apt with lists of its own.
struct Apt {
    folder: PathBuf,
}

impl Apt {
    fn new(folder: &Path) -> Result<Self> {
        for part in ["lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(folder.join(part)).with_context(|| format!("making {}", folder.display()))?;
        }
        let line = format!(
            "deb [target=Packages signed-by={KEYRING}] {} {SUITE} main\n",
            mirror()?
        );
        fs::write(folder.join("sources.list"), line)?;
        Ok(Self {
            folder: folder.to_path_buf(),
        })
    }

    fn command(&self, what: &str) -> Command {
        let mut command = Command::new("apt-get");
        let at = |part: &str| self.folder.join(part).display().to_string();
        for option in [
            format!("Dir::Etc::SourceList={}", at("sources.list")),
            "Dir::Etc::SourceParts=/dev/null".to_owned(),
            format!("Dir::State::Lists={}", at("lists")),
            format!("Dir::Cache={}", at("cache")),
            "APT::Sandbox::User=root".to_owned(),
        ] {
            command.args(["-o", &option]);
        }
        command.args(["--quiet", what]).current_dir(&self.folder);
        command
    }
}

/// Where this machine gets Debian from.
fn mirror() -> Result<String> {
    let format = ["indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)"];
    let targets = answer("apt-get", &format)
        .context("check-artifacts gets Docker, Compose and Podman by apt-get, which is not here")?;
    let found = targets.lines().find_map(|line| {
        let mut words = line.split(' ');
        let (uri, suite, part) = (words.next()?, words.next()?, words.next()?);
        let main = part == "main" && !suite.contains("security");
        (main && uri.trim_end_matches('/').ends_with("/debian")).then(|| uri.to_owned())
    });
    match found {
        Some(uri) => Ok(uri),
        None => bail!("apt-get knows no mirror of Debian here, from which Docker, Compose and Podman come"),
    }
}

fn downloaded(folder: &Path, package: &str) -> Result<PathBuf> {
    let start = format!("{package}_");
    fs::read_dir(folder)?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .find(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with(&start))
        })
        .with_context(|| format!("apt-get downloaded no {package}"))
}

/// vLLM's chart, from its source package.
fn chart(steps: &Steps, cache: &Path, venv: &Path) -> Result<PathBuf> {
    cache::ensure(steps, cache, &format!("vllm-chart-{VLLM}"), |site| {
        steps.note("downloading vLLM's source package with pip, once per user");
        fs::create_dir_all(&site.scratch)?;
        // Without torch the package's metadata cannot be made; what pip unpacked before it found out stays.
        let mut pip = Command::new(venv.join("bin").join("python"));
        pip.args([
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--no-binary",
            ":all:",
        ])
        .args(["--no-build-isolation", "--no-clean", "--dest"])
        .arg(site.scratch.join("packages"))
        .arg(format!("vllm=={VLLM}"))
        .env("TMPDIR", &site.scratch)
        .stderr(Stdio::null());
        let _ = pip.status().context("starting pip")?;
        let found = folder_of(&site.scratch, "chart-helm", 5).with_context(|| {
            format!("pip cannot download the source package of vLLM {VLLM}, which holds its chart")
        })?;
        run(Command::new("cp")
            .arg("-r")
            .arg(found.join("."))
            .arg(&site.prefix))
    })
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

    #[test]
    fn other_pins_are_another_folder() {
        assert_eq!(named("readers", "a==1"), named("readers", "a==1"));
        assert_ne!(named("readers", "a==1"), named("readers", "a==2"));
    }
}
