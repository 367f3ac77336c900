//! Starts other programs.

use anyhow::{Context, Result, bail};
use std::{
    env,
    ffi::OsStr,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Endings a program's file may have on this system.
#[cfg(windows)]
const ENDINGS: &[&str] = &[".exe", ".cmd", ".bat"];
#[cfg(not(windows))]
const ENDINGS: &[&str] = &[""];

/// The program of this name in a folder.
pub(crate) fn program_in(folder: &Path, name: &str) -> Option<PathBuf> {
    ENDINGS
        .iter()
        .map(|ending| folder.join(format!("{name}{ending}")))
        .find(|path| path.is_file())
}

/// The first program of this name on PATH.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).find_map(|folder| program_in(&folder, name))
}

/// Runs to the end with the user's own terminal; an error names the command.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let shown = show(command);
    let status = command.status().with_context(|| format!("starting `{shown}`"))?;
    if !status.success() {
        bail!("`{shown}` failed ({status})");
    }
    Ok(())
}

/// Runs quietly for at most `limit`, writing to `log`; an error ends with the last line there.
pub(crate) fn run_within(command: &mut Command, limit: Duration, log: &Path) -> Result<()> {
    let shown = beginning(&show(command));
    let output = File::create(log).with_context(|| format!("writing {}", log.display()))?;
    let started = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .spawn()
        .with_context(|| format!("starting `{shown}`"))?;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if started.elapsed() > limit {
            child.kill().and_then(|()| child.wait())?;
            bail!("`{shown}` did not end within {} s", limit.as_secs());
        }
        thread::sleep(Duration::from_millis(20));
    };
    if !status.success() {
        let said = String::from_utf8_lossy(&fs::read(log)?).into_owned();
        let last = said.lines().rfind(|line| !line.trim().is_empty());
        bail!("`{shown}` failed ({status}): {}", last.unwrap_or_default().trim());
    }
    Ok(())
}

/// What a program prints, or nothing where it cannot be started or fails.
pub(crate) fn answer(program: impl AsRef<OsStr>, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Cargo, as the user would call it at the workspace root.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(crate::workspace::root());
    command
}

/// The command as one would type it.
fn show(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_stem().unwrap_or_default();
    let mut words = vec![program.to_string_lossy()];
    words.extend(command.get_args().map(OsStr::to_string_lossy));
    words.join(" ")
}

/// As much of a long command as tells which it is.
fn beginning(shown: &str) -> String {
    match shown.char_indices().nth(60) {
        Some((at, _)) => format!("{}…", &shown[..at]),
        None => shown.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failure_names_the_command() {
        let error = run(Command::new("rustc")
            .arg("--no-such-flag")
            .stderr(std::process::Stdio::null()));
        let message = error.map_or_else(|error| error.to_string(), |()| String::new());
        assert!(message.starts_with("`rustc --no-such-flag` failed"), "{message}");
    }

    #[test]
    fn quiet_run_ends_in_time_and_hands_on_what_was_said() -> Result<()> {
        let log = env::temp_dir().join(format!("xtask-quiet-{}", std::process::id()));
        let mut said = Command::new("rustc");
        let error = run_within(said.arg("--no-such-flag"), Duration::from_mins(1), &log);
        let message = error.map_or_else(|error| error.to_string(), |()| String::new());
        assert!(
            message.contains("no-such-flag") && message.contains("error"),
            "{message}"
        );
        let mut slow = cargo();
        let error = run_within(slow.arg("metadata"), Duration::ZERO, &log);
        let message = error.map_or_else(|error| error.to_string(), |()| String::new());
        assert!(message.ends_with("did not end within 0 s"), "{message}");
        Ok(fs::remove_file(log)?)
    }

    #[test]
    fn long_command_is_cut_between_characters() {
        assert_eq!(beginning("pip install"), "pip install");
        assert_eq!(beginning(&"ä".repeat(70)), format!("{}…", "ä".repeat(60)));
    }

    #[test]
    fn program_that_is_not_there_gives_no_answer() {
        assert_eq!(answer("no-such-program-anywhere", &["--version"]), None);
        assert_eq!(on_path("no-such-program-anywhere"), None);
    }
}
