//! Programs out of Debian's packages, by apt with lists of its own: nothing of the system is changed.

use crate::process::run_within;
use anyhow::{Context, Result};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

/// Debian 13: its programs start on Debian 12 too, whose own are too old.
const SUITE: &str = "trixie";
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
/// Lists are 10 MB, the largest package 25.
const LIMIT: Duration = Duration::from_mins(3);

/// A package, and the program in it.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) name: &'static str,
    /// Taken where the mirror still has it; a point release of Debian replaces it by a newer one.
    pub(crate) version: &'static str,
    pub(crate) program: &'static str,
}

/// apt with a folder for its lists and downloads, removed at the end.
#[derive(Debug)]
pub(crate) struct Apt {
    folder: PathBuf,
}

impl Apt {
    /// Reads what packages there are.
    pub(crate) fn new() -> Result<Self> {
        let folder = env::temp_dir().join(format!("vllm-wizard-apt-{}", std::process::id()));
        let apt = Self { folder };
        for part in ["lists/partial", "cache/archives/partial"] {
            let part = apt.folder.join(part);
            fs::create_dir_all(&part).with_context(|| format!("making {}", part.display()))?;
        }
        let mirror = mirror(Path::new("/etc/apt"))
            .context("apt knows no mirror of Debian here, from which Docker, Compose and Podman come")?;
        let line = format!("deb [target=Packages signed-by={KEYRING}] {mirror} {SUITE} main\n");
        fs::write(apt.folder.join("sources.list"), line)?;
        apt.run(&["update", "-o", "APT::Update::Error-Mode=any"])?;
        Ok(apt)
    }

    /// Unpacks a package; says which version it was.
    pub(crate) fn unpack(&self, package: &Package, into: &Path) -> Result<String> {
        let Package { name, version, .. } = package;
        let pinned = format!("{name}={version}");
        self.run(&["download", &pinned])
            .or_else(|_| self.run(&["download", name]))?;
        let file = self
            .downloaded(name)
            .with_context(|| format!("apt-get downloaded no {name}"))?;
        run_within(
            Command::new("dpkg-deb").arg("--extract").arg(&file).arg(into),
            LIMIT,
            &self.folder.join("log"),
        )?;
        let said = file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        Ok(said.replace("%3a", ":"))
    }

    fn run(&self, what: &[&str]) -> Result<()> {
        let mut command = Command::new("apt-get");
        command.arg("--quiet").args(what).current_dir(&self.folder);
        let at = |part: &str| self.folder.join(part).display().to_string();
        for option in [
            format!("Dir::Etc::SourceList={}", at("sources.list")),
            "Dir::Etc::SourceParts=/dev/null".to_owned(),
            format!("Dir::State::Lists={}", at("lists")),
            format!("Dir::Cache={}", at("cache")),
            "APT::Sandbox::User=root".to_owned(),
            "Acquire::Retries=3".to_owned(),
            "Acquire::http::Timeout=30".to_owned(),
            "Acquire::https::Timeout=30".to_owned(),
        ] {
            command.args(["-o", &option]);
        }
        run_within(&mut command, LIMIT, &self.folder.join("log"))
    }

    fn downloaded(&self, package: &str) -> Option<PathBuf> {
        let start = format!("{package}_");
        let files = fs::read_dir(&self.folder).ok()?.filter_map(Result::ok);
        files.map(|entry| entry.path()).find(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with(&start))
        })
    }
}

impl Drop for Apt {
    fn drop(&mut self) {
        // In the folder for what may be lost.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Where this machine gets Debian from. apt itself tells only after a first `apt-get update`, so its files are read.
fn mirror(settings: &Path) -> Option<String> {
    let mut files: Vec<PathBuf> = fs::read_dir(settings.join("sources.list.d"))
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            path.extension()
                .is_some_and(|end| end == "list" || end == "sources")
        })
        .collect();
    files.sort();
    files.insert(0, settings.join("sources.list"));
    files
        .iter()
        .filter_map(|file| fs::read_to_string(file).ok())
        .find_map(|text| debian_in(&text))
}

fn debian_in(sources: &str) -> Option<String> {
    let lines = sources.lines().filter(|line| !line.trim_start().starts_with('#'));
    lines
        .flat_map(str::split_whitespace)
        .map(|word| word.trim_end_matches('/'))
        .find(|word| word.contains("://") && word.ends_with("/debian"))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mirror_is_found_in_either_form_of_apts_files() {
        let new = "Types: deb\n# http://snapshot.example/archive/debian\nURIs: http://mirror.example/debian/\nSuites: bookworm\n";
        let old = "# deb cdrom:[x]/ y main\ndeb [arch=amd64] https://mirror.example/debian trixie main\n";
        let other =
            "deb http://mirror.example/ubuntu noble main\ndeb http://mirror.example/debian-security x main\n";
        assert_eq!(debian_in(new).as_deref(), Some("http://mirror.example/debian"));
        assert_eq!(debian_in(old).as_deref(), Some("https://mirror.example/debian"));
        assert_eq!(debian_in(other), None);
        assert_eq!(mirror(Path::new("/no/such/folder")), None);
    }
}
