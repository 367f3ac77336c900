//! Completes the page's service worker, after everything else of a build is there: with the names and hashes of the files
//! that the page loads. A build whose files differ has another worker, which is how browsers notice a new version; a file
//! that is not of the build has another hash, so a worker keeps the whole build or nothing.

use crate::dist::files;
use anyhow::{Context, Result};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::{fmt::Write as _, fs, path::Path};

/// The worker's name in a build.
const NAME: &str = "sw.js";
const WORKER: &str = include_str!("../../web/offline/sw.js");
/// While serving for development every load is a new build, so nothing may be kept, and what was kept goes.
const NOTHING_KEPT: &str = "addEventListener(\"install\", () => skipWaiting());\n\
    addEventListener(\"activate\", (event) => event.waitUntil(registration.unregister()));\n";
/// Endings of what the page loads, and of what browsers load beside it, to offer that it is installed.
const LOADED: [&str; 6] = ["html", "css", "js", "wasm", "webmanifest", "png"];

/// Writes the worker into the folder of the build.
pub(crate) fn complete(folder: &Path, release: bool) -> Result<()> {
    let text = if release {
        worker(&loaded(folder)?)?
    } else {
        NOTHING_KEPT.to_owned()
    };
    let path = folder.join(NAME);
    fs::write(&path, text).with_context(|| format!("writing {}", path.display()))
}

/// The files that the page loads, by their names as the page asks for them, with what browsers check them by.
fn loaded(folder: &Path) -> Result<Map<String, Value>> {
    let mut loaded = Map::new();
    for path in files(folder)? {
        let name = path.strip_prefix(folder)?.to_string_lossy().replace('\\', "/");
        let ending = path.extension().unwrap_or_default().to_string_lossy();
        if name == NAME || !LOADED.contains(&&*ending) {
            continue;
        }
        let bytes = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
        let hash = format!("sha256-{}", STANDARD.encode(Sha256::digest(bytes)));
        let name = if name == "index.html" {
            "./".to_owned()
        } else {
            name
        };
        loaded.insert(name, hash.into());
    }
    Ok(loaded)
}

fn worker(files: &Map<String, Value>) -> Result<String> {
    let files = serde_json::to_string_pretty(files)?;
    let mut build = String::new();
    for byte in &Sha256::digest(&files)[..8] {
        write!(build, "{byte:02x}")?;
    }
    Ok(WORKER.replace("__FILES__", &files).replace("__BUILD__", &build))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(files: &[(&str, &str)]) -> Result<String> {
        let folder = tempfile::tempdir()?;
        for (name, text) in files {
            fs::write(folder.path().join(name), text)?;
        }
        complete(folder.path(), true)?;
        Ok(fs::read_to_string(folder.path().join(NAME))?)
    }

    #[test]
    fn the_worker_names_what_the_page_loads_with_its_hash() -> Result<()> {
        let text = written(&[
            ("index.html", "abc"),
            ("a-1f.css", ""),
            ("icon-192.png", "x"),
            ("sw.js", "before"),
        ])?;
        // SHA-256 of "abc" and of nothing, as published with the standard.
        assert!(
            text.contains("\"./\": \"sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=\""),
            "{text}"
        );
        assert!(
            text.contains("\"a-1f.css\": \"sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\""),
            "{text}"
        );
        for absent in [".br", "\"index.html\":", "\"sw.js\":", "__"] {
            assert!(!text.contains(absent), "{absent}: {text}");
        }
        Ok(())
    }

    #[test]
    fn the_same_build_gives_the_same_worker_and_another_build_another_cache() -> Result<()> {
        let build = |text: &str| Some(text.split_once("OURS + \"")?.1.split_once('"')?.0.to_owned());
        let (one, other) = (
            written(&[("index.html", "one")])?,
            written(&[("index.html", "other")])?,
        );
        assert_eq!(one, written(&[("index.html", "one")])?);
        assert_eq!(build(&one).map(|build| build.len()), Some(16));
        assert_ne!(build(&one), build(&other));
        Ok(())
    }

    #[test]
    fn development_keeps_nothing() -> Result<()> {
        let folder = tempfile::tempdir()?;
        complete(folder.path(), false)?;
        let text = fs::read_to_string(folder.path().join(NAME))?;
        assert!(text.contains("unregister") && !text.contains("caches"), "{text}");
        Ok(())
    }
}
