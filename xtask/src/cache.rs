//! The per-user cache of tools: one folder per tool and version, shared by every clone.
//!
//! An install goes into a folder beside its final place, is tried there, and is renamed when whole, so an interrupted
//! one leaves nothing that looks finished. A lock file keeps two runs at once from installing the same thing.

use crate::{lock, steps::Steps};
use anyhow::{Context, Result};
use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// Folder for tools: `$XDG_CACHE_HOME` or the platform's cache folder, then `vllm-wizard/tools`.
pub(crate) fn tools() -> Result<PathBuf> {
    let folder = |name: &str| {
        env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let home = || folder("HOME").or_else(|| folder("USERPROFILE"));
    let cache = folder("XDG_CACHE_HOME")
        .filter(|path| path.is_absolute())
        .or_else(|| {
            if cfg!(windows) {
                folder("LOCALAPPDATA")
            } else {
                None
            }
        })
        .or_else(|| {
            home().map(|home| {
                home.join(if cfg!(target_os = "macos") {
                    "Library/Caches"
                } else {
                    ".cache"
                })
            })
        })
        .context("no place to keep tools: set XDG_CACHE_HOME")?;
    Ok(cache.join("vllm-wizard").join("tools"))
}

/// Where an install works.
#[derive(Debug)]
pub(crate) struct Site {
    /// Becomes the tool's folder once `install` returned.
    pub(crate) prefix: PathBuf,
    /// For build products; kept after a failure, so that the next try goes on from there.
    pub(crate) scratch: PathBuf,
}

/// The folder `name` in the cache, made by `install` where it is not there yet.
pub(crate) fn ensure(
    steps: &Steps,
    cache: &Path,
    name: &str,
    install: impl FnOnce(&Site) -> Result<()>,
) -> Result<PathBuf> {
    let done = cache.join(name);
    if done.is_dir() {
        return Ok(done);
    }
    fs::create_dir_all(cache).with_context(|| format!("making {}", cache.display()))?;
    let _lock = lock::hold(
        steps,
        &cache.join(format!("{name}.lock")),
        "another run is installing it: waiting",
    )?;
    if done.is_dir() {
        return Ok(done); // another run made it while this one waited
    }
    let site = Site {
        prefix: cache.join(format!("{name}.partial")),
        scratch: cache.join(format!("{name}.build")),
    };
    remove(&site.prefix)?;
    fs::create_dir(&site.prefix).with_context(|| format!("making {}", site.prefix.display()))?;
    install(&site)?;
    fs::rename(&site.prefix, &done).with_context(|| format!("moving {name} to its place"))?;
    remove(&site.scratch)?;
    Ok(done)
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {}", folder.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    /// A folder of this test's own.
    fn scratch(name: &str) -> PathBuf {
        let folder = env::temp_dir().join(format!("xtask-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).ok();
        folder
    }

    #[test]
    fn interrupted_install_leaves_nothing_that_looks_finished() -> Result<()> {
        let cache = scratch("interrupted");
        let steps = Steps::start();
        let failed = ensure(&steps, &cache, "tool-1", |site| {
            fs::write(site.prefix.join("half"), "")?;
            fs::create_dir(&site.scratch)?;
            anyhow::bail!("interrupted")
        });
        assert!(failed.is_err());
        assert!(!cache.join("tool-1").exists());
        assert!(
            cache.join("tool-1.build").exists(),
            "build products are kept for the next try"
        );
        let done = ensure(&steps, &cache, "tool-1", |site| {
            assert!(!site.prefix.join("half").exists(), "the next try starts clean");
            Ok(fs::write(site.prefix.join("whole"), "")?)
        })?;
        assert!(done.join("whole").is_file());
        assert!(!cache.join("tool-1.build").exists());
        Ok(fs::remove_dir_all(cache)?)
    }

    #[test]
    fn two_runs_at_once_install_once() -> Result<()> {
        let cache = scratch("twice");
        let installs = AtomicU32::new(0);
        let run = || {
            ensure(&Steps::start(), &cache, "tool-2", |_| {
                installs.fetch_add(1, Ordering::SeqCst);
                std::thread::sleep(std::time::Duration::from_millis(200));
                Ok(())
            })
        };
        std::thread::scope(|scope| {
            let other = scope.spawn(run);
            assert!(run().is_ok());
            assert!(matches!(other.join(), Ok(Ok(_))));
        });
        assert_eq!(installs.load(Ordering::SeqCst), 1);
        Ok(fs::remove_dir_all(cache)?)
    }
}
