//! Archives whose bytes depend on their files alone, and checksums in the form of sha256sum.
use super::page_files::files;
use anyhow::{Context, Result};
use flate2::{Compression, write::GzEncoder};
use sha2::{Digest, Sha256};
use std::{fmt::Write as _, fs, path::Path};

/// Files of 1980, of nobody, in the order of their names.
pub(super) fn archive(folder: &Path, name: &str, target: &Path) -> Result<()> {
    let file = fs::File::create(target).with_context(|| format!("writing {}", target.display()))?;
    let mut archive = tar::Builder::new(GzEncoder::new(file, Compression::best()));
    for path in files(folder)? {
        let bytes = fs::read(&path)?;
        let inside = Path::new(name).join(path.strip_prefix(folder)?);
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(if is_program(&path) { 0o755 } else { 0o644 });
        header.set_mtime(315_532_800);
        archive.append_data(&mut header, inside, &bytes[..])?;
    }
    archive.into_inner()?.finish()?;
    Ok(())
}

fn is_program(path: &Path) -> bool {
    path.file_stem().is_some_and(|name| name == "vllm-wizard")
        && path.extension().is_none_or(|ending| ending == "exe")
}

/// `hash  name` for each file of the folder itself.
pub(super) fn of_files(folder: &Path) -> Result<String> {
    let mut text = String::new();
    for path in files(folder)? {
        if path.parent() != Some(folder) {
            continue;
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let hash = Sha256::digest(fs::read(&path)?);
        for byte in hash {
            write!(text, "{byte:02x}")?;
        }
        writeln!(text, "  {name}")?;
    }
    Ok(text)
}
