//! Keeps two runs at once from doing the same thing in the same place.

use crate::steps::Steps;
use anyhow::{Context, Result};
use std::{
    fs::{File, TryLockError},
    path::Path,
};

/// Takes the lock; where another run has it, says `wait` and waits. Held until dropped: the system lets go of it when the
/// process ends, however it ends.
pub(crate) fn hold(steps: &Steps, path: &Path, wait: &str) -> Result<File> {
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path);
    let file = file.with_context(|| format!("opening {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => return Ok(file),
        Err(TryLockError::WouldBlock) => steps.note(wait),
        Err(TryLockError::Error(error)) => {
            return Err(error).with_context(|| format!("locking {}", path.display()));
        }
    }
    file.lock()
        .with_context(|| format!("locking {}", path.display()))?;
    Ok(file)
}
