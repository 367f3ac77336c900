//! Where the things under test lie: as `cargo xtask test e2e` says in the environment, else where it puts them.

use crate::Res;
use std::{
    env,
    path::{Path, PathBuf},
};

/// The release build of the page: `E2E_DIST`, else `<target>/e2e/dist`.
pub fn dist() -> Res<PathBuf> {
    named_or("E2E_DIST", target_dir()?.join("e2e").join("dist"))
}

/// The release build of `vllm-wizard`: `E2E_BINARY`, else `<target>/release/vllm-wizard`.
pub fn binary() -> Res<PathBuf> {
    let name = format!("vllm-wizard{}", env::consts::EXE_SUFFIX);
    named_or("E2E_BINARY", target_dir()?.join("release").join(name))
}

/// `xtask` itself, which completes builds: `E2E_XTASK`, else `<target>/debug/xtask`.
pub fn xtask() -> Res<PathBuf> {
    let name = format!("xtask{}", env::consts::EXE_SUFFIX);
    named_or("E2E_XTASK", target_dir()?.join("debug").join(name))
}

/// axe-core's script: `E2E_AXE`.
pub fn axe() -> Res<PathBuf> {
    named_or("E2E_AXE", PathBuf::new())
}

/// Chromium: `CHROME`, else the first of its names on PATH.
pub fn chrome() -> Res<PathBuf> {
    const NAMES: [&str; 4] = [
        "chromium",
        "chromium-browser",
        "google-chrome-stable",
        "google-chrome",
    ];
    let folders: Vec<PathBuf> = env::split_paths(&env::var_os("PATH").unwrap_or_default()).collect();
    let mut candidates = NAMES
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    named_or(
        "CHROME",
        candidates.find(|path| path.is_file()).unwrap_or_default(),
    )
}

/// Firefox: `FIREFOX`.
pub fn firefox() -> Res<PathBuf> {
    named_or("FIREFOX", PathBuf::new())
}

/// Where screenshots go, made where missing: `<target>/e2e/screenshots`.
pub fn screenshots() -> Res<PathBuf> {
    let folder = target_dir()?.join("e2e").join("screenshots");
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn named_or(variable: &str, otherwise: PathBuf) -> Res<PathBuf> {
    let path = env::var_os(variable)
        .filter(|value| !value.is_empty())
        .map_or(otherwise, PathBuf::from);
    if path.exists() {
        return Ok(path);
    }
    let wrong = if path.as_os_str().is_empty() {
        "is not set".into()
    } else {
        format!("{} is not there", path.display())
    };
    Err(format!("{variable}: {wrong}; `cargo xtask test e2e` brings everything these tests use").into())
}

/// The test binary runs from `<target>/<profile>/deps/`.
fn target_dir() -> Res<PathBuf> {
    let executable = env::current_exe()?;
    executable
        .ancestors()
        .nth(3)
        .map(Path::to_path_buf)
        .ok_or_else(|| "no target folder around the test".into())
}
