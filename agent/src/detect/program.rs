//! Asks the makers' own tools: a fixed program with fixed arguments, no shell, and not for longer than they should take.
use std::{
    env,
    io::Read,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc,
    time::Duration,
};

/// nvidia-smi takes seconds where it wakes eight GPUs up.
const TIME: Duration = Duration::from_secs(15);
/// Far more than any of them prints.
const MAX_ANSWER: u64 = 4 << 20;
/// Where they lie when PATH does not say.
const FOLDERS: &[&str] = &["/usr/bin", "/usr/lib/wsl/lib", "/opt/rocm/bin"];

/// What the program prints, if it is there and ends well.
pub(super) fn answer(name: &str, arguments: &[&str]) -> Option<String> {
    let mut child = Command::new(path(name)?)
        .args(arguments)
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let stdout = child.stdout.take()?;
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        let mut text = String::new();
        let read = stdout.take(MAX_ANSWER).read_to_string(&mut text);
        // Nobody listens any more where it took too long.
        let _ = send.send(read.is_ok().then_some(text));
    });
    let text = receive.recv_timeout(TIME).ok().flatten();
    if text.is_none() {
        let _ = child.kill();
    }
    let ended = child.wait().ok()?;
    text.filter(|_| ended.success())
}

/// Only absolute folders of PATH: a program in the current one is somebody else's.
fn path(name: &str) -> Option<PathBuf> {
    let of_path = env::var_os("PATH").unwrap_or_default();
    let name = format!("{name}{}", env::consts::EXE_SUFFIX);
    env::split_paths(&of_path)
        .filter(|folder| folder.is_absolute())
        .chain(FOLDERS.iter().map(PathBuf::from))
        .map(|folder| folder.join(&name))
        .find(|path| is_program(path))
}

fn is_program(path: &Path) -> bool {
    path.is_file()
}
