//! Reads input files with a limit on their size, so that a wrong path is a short message and not a full memory.
use crate::{
    error::{Exit, ExpectedError},
    output,
};
use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

/// Of a config.json; the largest published one has 3.1 MB.
pub(crate) const MAX_CONFIG: u64 = 8 << 20;
/// Of a checkpoint's index; those of models with hundreds of experts have some 20 MB.
pub(crate) const MAX_INDEX: u64 = 64 << 20;
/// Of a host report.
pub(crate) const MAX_REPORT: u64 = 1 << 20;
/// Of a profile or a scenario.
pub(crate) const MAX_SCENARIO: u64 = 8 << 20;

/// Of a script, a manifest or a unit.
pub(crate) const MAX_DEPLOYMENT: u64 = 1 << 20;

/// The file's text, or stdin's for `-`. `what` says what the file should be.
pub(crate) fn read_text(path: &Path, limit: u64, what: &str) -> Result<String, ExpectedError> {
    if path == Path::new("-") {
        return read_limited(io::stdin().lock(), limit, "stdin", what);
    }
    let name = shown(path);
    let file = File::open(path).map_err(|error| cannot_read(&name, what, &error))?;
    let meta = file
        .metadata()
        .map_err(|error| cannot_read(&name, what, &error))?;
    if meta.is_dir() {
        return Err(ExpectedError::input(format!(
            "{name}: is a folder, expected {what}"
        )));
    }
    if meta.len() > limit {
        return Err(too_large(&name, Some(meta.len()), limit, what));
    }
    read_limited(file, limit, &name, what)
}

fn read_limited(reader: impl Read, limit: u64, name: &str, what: &str) -> Result<String, ExpectedError> {
    let mut bytes = Vec::new();
    reader
        .take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| cannot_read(name, what, &error))?;
    if bytes.len() as u64 > limit {
        return Err(too_large(name, None, limit, what));
    }
    String::from_utf8(bytes).map_err(|error| {
        ExpectedError::input(format!(
            "{name}: not text (byte {} is not UTF-8), expected {what}",
            error.utf8_error().valid_up_to()
        ))
    })
}

fn too_large(name: &str, size: Option<u64>, limit: u64, what: &str) -> ExpectedError {
    let size = size.map_or_else(
        || format!("has more than {limit} bytes"),
        |size| format!("has {size} bytes"),
    );
    ExpectedError::input(format!("{name}: {size}, but {what} has at most {limit}"))
}

fn cannot_read(name: &str, what: &str, error: &io::Error) -> ExpectedError {
    let why = match error.kind() {
        io::ErrorKind::NotFound => "no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "not allowed to read it".to_owned(),
        _ => error.to_string(),
    };
    ExpectedError::input(format!("{name}: {why}, expected {what}"))
}

/// A file could not be written.
pub(crate) fn cannot_write(path: &Path, error: &io::Error) -> ExpectedError {
    ExpectedError::new(
        Exit::Internal,
        format!("{}: cannot be written: {error}", shown(path)),
    )
}

/// A path for a message.
pub(crate) fn shown(path: &Path) -> String {
    output::printable(&path.to_string_lossy())
}
