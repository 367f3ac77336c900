//! Chromium and its driver: found on PATH or where CHROME and CHROMEDRIVER point, installed where that is simple.

use crate::{
    artifacts::incomplete,
    process::{answer, on_path, run},
    steps::Steps,
    version::Version,
};
use anyhow::{Context, Result, bail, ensure};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

const CHROME_NAMES: &[&str] = &[
    "chromium",
    "chromium-browser",
    "google-chrome-stable",
    "google-chrome",
    "chrome",
];

const FIREFOX_NAMES: &[&str] = &["firefox-esr", "firefox"];

/// Where browsers live that are not on PATH.
const CHROME_PLACES: &[&str] = &[
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
];

/// A browser that was found.
#[derive(Debug)]
pub(crate) struct Chrome {
    /// The browser.
    pub(crate) program: PathBuf,
    /// It lies where its driver would not look.
    pub(crate) is_own: bool,
}

/// The browser, installed where it is missing and that is simple.
pub(crate) fn chrome(steps: &Steps) -> Result<Chrome> {
    if let Some(program) = pointed_at("CHROME")? {
        return Ok(Chrome {
            program,
            is_own: true,
        });
    }
    let program = match find_chrome() {
        Some(program) => program,
        None => install(steps, find_chrome)?,
    };
    steps.note(&format!("browser: {}", program.display()));
    Ok(Chrome {
        program,
        is_own: false,
    })
}

/// The driver that goes with a browser: the same major version, or every session would be refused.
pub(crate) fn driver(steps: &Steps, chrome: &Chrome) -> Result<PathBuf> {
    let find = || on_path("chromedriver");
    let driver = match pointed_at("CHROMEDRIVER")?.or_else(find) {
        Some(driver) => driver,
        None => install(steps, find)?,
    };
    let (browser, drives) = (version(&chrome.program), version(&driver));
    if let (Some(browser), Some(drives)) = (browser, drives) {
        ensure!(
            browser.major() == drives.major(),
            "{} drives version {}, and {} is version {}: install a pair that matches, or set CHROME and CHROMEDRIVER",
            driver.display(),
            drives.major(),
            chrome.program.display(),
            browser.major(),
        );
    }
    steps.note(&format!("driver: {}", driver.display()));
    Ok(driver)
}

/// Firefox, for one journey in another engine. Installed on Debian where it is missing; elsewhere it may be missing on a
/// developer's machine, and that is said.
pub(crate) fn firefox(steps: &Steps) -> Result<Option<PathBuf>> {
    let find = || {
        let mut on_path = FIREFOX_NAMES.iter().filter_map(|name| on_path(name));
        on_path.find(|program| !is_snap(program))
    };
    let mut found = pointed_at("FIREFOX")?.or_else(find);
    if found.is_none() {
        let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
        let simple = field(&release, "ID") == "debian" && on_path("apt-get").is_some();
        if simple && apt_install(&["firefox-esr"]).is_ok() {
            found = find();
        }
    }
    if let Some(program) = &found {
        steps.note(&format!("Firefox: {}", program.display()));
    } else {
        let what = "Firefox is not here, so its journey is not run; FIREFOX may name one";
        steps.note(what);
        incomplete(what)?;
    }
    Ok(found)
}

/// A snap sees other folders than the tests do.
fn is_snap(program: &Path) -> bool {
    fs::read_to_string(program).is_ok_and(|script| script.contains("/snap/"))
        || fs::canonicalize(program).is_ok_and(|path| path.starts_with("/snap") || path.ends_with("snap"))
}

fn find_chrome() -> Option<PathBuf> {
    let places = || {
        CHROME_PLACES
            .iter()
            .map(PathBuf::from)
            .find(|path| path.is_file())
    };
    CHROME_NAMES.iter().find_map(|name| on_path(name)).or_else(places)
}

fn pointed_at(variable: &str) -> Result<Option<PathBuf>> {
    let path = env::var_os(variable)
        .filter(|value| !value.is_empty())
        .map(PathBuf::from);
    if let Some(path) = &path {
        ensure!(
            path.is_file(),
            "{variable} names {}, which is not a file",
            path.display()
        );
    }
    Ok(path)
}

/// What the program says of itself. Chrome on Windows opens a window instead, so it is not asked.
fn version(program: &Path) -> Option<Version> {
    if cfg!(windows) {
        None
    } else {
        Version::find(&answer(program, &["--version"])?)
    }
}

/// Installs browser and driver together, for they must match, and looks again.
fn install(steps: &Steps, find: impl Fn() -> Option<PathBuf>) -> Result<PathBuf> {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let Some(packages) = debian_packages(&release).filter(|_| on_path("apt-get").is_some()) else {
        bail!("{}", advice(&release));
    };
    steps.note(&format!(
        "Chromium or its driver is missing: installing {} with apt-get",
        packages.join(" ")
    ));
    apt_install(packages).with_context(|| advice(&release))?;
    let found = find().with_context(|| advice(&release))?;
    ensure!(
        version(&found).is_some(),
        "{} does not start. {}",
        found.display(),
        advice(&release)
    );
    Ok(found)
}

fn apt_install(packages: &[&str]) -> Result<()> {
    let root = answer("id", &["-u"]).is_some_and(|id| id.trim() == "0");
    let apt = |arguments: &[&str]| {
        let mut command = if root {
            Command::new("apt-get")
        } else {
            Command::new("sudo")
        };
        if !root {
            command.args(["-n", "apt-get"]); // never asks for a password
        }
        run(command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive"))
    };
    let install = [&["install", "-y", "--no-install-recommends"], packages].concat();
    apt(&install).or_else(|_| apt(&["update"]).and_then(|()| apt(&install)))
}

/// Names of browser and driver in this distribution, if it uses apt.
fn debian_packages(os_release: &str) -> Option<&'static [&'static str]> {
    match field(os_release, "ID") {
        "ubuntu" => Some(&["chromium-browser", "chromium-chromedriver"]),
        "debian" => Some(&["chromium", "chromium-driver"]),
        _ if field(os_release, "ID_LIKE")
            .split(' ')
            .any(|like| like == "debian") =>
        {
            Some(&["chromium", "chromium-driver"])
        }
        _ => None,
    }
}

/// What to install by hand here.
fn advice(os_release: &str) -> String {
    let system = format!("{} {}", field(os_release, "ID"), field(os_release, "ID_LIKE"));
    let has = |name: &str| system.split(' ').any(|word| word == name);
    let command = if cfg!(target_os = "macos") {
        "brew install --cask google-chrome chromedriver"
    } else if has("fedora") || has("rhel") {
        "sudo dnf install chromium chromedriver"
    } else if has("arch") {
        "sudo pacman -S chromium"
    } else if has("ubuntu") {
        "sudo apt-get install chromium-browser chromium-chromedriver"
    } else if has("debian") {
        "sudo apt-get install chromium chromium-driver"
    } else {
        "Chromium and the chromedriver of the same version, with your package manager"
    };
    format!(
        "The browser tests need Chromium and chromedriver. Install: {command}. \
         Or point CHROME and CHROMEDRIVER at copies of your own."
    )
}

fn field<'a>(os_release: &'a str, key: &str) -> &'a str {
    let value = os_release
        .lines()
        .find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    value.unwrap_or_default().trim_matches('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_named_for_the_distribution() {
        assert_eq!(
            debian_packages("NAME=\"x\"\nID=debian\n"),
            Some(&["chromium", "chromium-driver"][..])
        );
        assert_eq!(
            debian_packages("ID=ubuntu\nID_LIKE=debian"),
            Some(&["chromium-browser", "chromium-chromedriver"][..])
        );
        assert_eq!(
            debian_packages("ID=linuxmint\nID_LIKE=\"ubuntu debian\"").map(<[_]>::len),
            Some(2)
        );
        assert_eq!(debian_packages("ID=fedora"), None);
        assert_eq!(debian_packages(""), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn advice_names_what_to_install() {
        assert!(advice("ID=fedora").contains("dnf install chromium chromedriver"));
        assert!(advice("ID=manjaro\nID_LIKE=arch").contains("pacman -S chromium"));
        assert!(advice("ID=debian").contains("apt-get install chromium chromium-driver"));
        assert!(advice("").contains("CHROMEDRIVER"));
    }
}
