//! Where things lie in this workspace.

use anyhow::{Context, Result};
use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// The workspace root: the folder above xtask's own.
pub(crate) fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_path_buf()
}

/// Cargo's target folder, wherever the user moved it: xtask itself runs from `<target>/debug/`.
pub(crate) fn target_dir() -> Result<PathBuf> {
    let executable = env::current_exe().context("asking where xtask itself lies")?;
    let target = executable
        .parent()
        .and_then(Path::parent)
        .context("xtask does not lie in a target folder")?;
    Ok(target.to_path_buf())
}

/// The version of a package that Cargo.lock names.
pub(crate) fn locked_version(package: &str) -> Result<String> {
    let path = root().join("Cargo.lock");
    let lock = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    version_in_lock(&lock, package)
        .with_context(|| format!("{} names no package `{package}`", path.display()))
}

fn version_in_lock(lock: &str, package: &str) -> Option<String> {
    let name = format!("name = \"{package}\"");
    lock.split("[[package]]")
        .find(|entry| entry.lines().any(|line| line == name))?
        .lines()
        .find_map(|line| line.strip_prefix("version = \"")?.strip_suffix('"'))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locked_version_is_of_the_very_package() {
        let lock = "[[package]]\nname = \"wasm-bindgen-test\"\nversion = \"0.3.79\"\n\n\
                    [[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.129\"\n";
        assert_eq!(version_in_lock(lock, "wasm-bindgen").as_deref(), Some("0.2.129"));
        assert_eq!(version_in_lock(lock, "wasm"), None);
    }

    #[test]
    fn this_workspace_locks_wasm_bindgen() {
        assert!(locked_version("wasm-bindgen").is_ok());
    }
}
