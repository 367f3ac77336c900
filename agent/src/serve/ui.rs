//! The built page from a folder: files by their names, nothing else.
use super::route::{Answer, not_found};
use crate::{error::ExpectedError, files};
use hyper::{
    StatusCode,
    header::{CACHE_CONTROL, HeaderValue},
};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Larger files are not part of the page.
const MAX_FILE: u64 = 64 << 20;

/// The folder.
#[derive(Clone, Debug)]
pub(super) struct Ui {
    /// Without symbolic links.
    root: PathBuf,
}

impl Ui {
    /// A folder that has an index.html.
    pub(super) fn open(folder: &Path) -> Result<Self, ExpectedError> {
        let name = files::shown(folder);
        let root = fs::canonicalize(folder).map_err(|error| {
            ExpectedError::input(format!("--ui {name}: {error}, expected the built page"))
        })?;
        if !root.join("index.html").is_file() {
            return Err(
                ExpectedError::input(format!("--ui {name}: no index.html in this folder"))
                    .help("Build the page first, and give the folder with its index.html, such as dist."),
            );
        }
        Ok(Self { root })
    }

    /// The file of that path; `/` is index.html.
    pub(super) fn file(&self, path: &str) -> Answer {
        let Some(bytes) = self.read(path) else {
            return not_found();
        };
        let name = if path == "/" { "index.html" } else { path };
        let mut answer = Answer::new(StatusCode::OK, content_type(name), bytes);
        answer
            .headers
            .insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        answer
    }

    fn read(&self, path: &str) -> Option<Vec<u8>> {
        let relative = if path == "/" {
            "index.html".to_owned()
        } else {
            relative(path)?
        };
        // A link inside the folder may still point out of it.
        let file = fs::canonicalize(self.root.join(relative)).ok()?;
        if !file.starts_with(&self.root) {
            return None;
        }
        let meta = fs::metadata(&file).ok()?;
        if !meta.is_file() || meta.len() > MAX_FILE {
            return None;
        }
        fs::read(file).ok()
    }
}

/// The path below the folder: plain names only, none hidden.
fn relative(path: &str) -> Option<String> {
    let decoded = decode(path.strip_prefix('/')?)?;
    let sound = decoded.split('/').all(|name| {
        !name.is_empty()
            && !name.starts_with('.')
            && !name.contains(['\\', ':'])
            && !name.chars().any(char::is_control)
    });
    sound.then_some(decoded)
}

/// Percent-decoding; `None` where it is not UTF-8 or cut off.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            let digits = std::str::from_utf8(&digits)
                .ok()
                .filter(|digits| !digits.starts_with('+'))?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

/// By the name's ending. Browsers refuse modules and WebAssembly of another type.
fn content_type(name: &str) -> &'static str {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    match ending.to_ascii_lowercase().as_str() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_lead_anywhere() {
        for path in [
            "/../secret",
            "/%2e%2e/secret",
            "/a/../../secret",
            "/..%2fsecret",
            "//etc/passwd",
            "/a//b",
            "/.git/config",
            "/a\\..\\b",
            "/C:/x",
            "/a%00b",
            "/a%",
            "/a%zz",
            "/a%+1",
            "/%ff",
            "/dir/",
            "a",
        ] {
            assert_eq!(relative(path), None, "{path}");
        }
        assert_eq!(
            relative("/style%20sheet/a.css").as_deref(),
            Some("style sheet/a.css")
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_link_does_not_lead_out_of_the_folder() {
        let outside = tempfile::tempdir().unwrap();
        let inside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("secret.txt"), "secret").unwrap();
        fs::write(inside.path().join("index.html"), "page").unwrap();
        std::os::unix::fs::symlink(outside.path().join("secret.txt"), inside.path().join("link.txt"))
            .unwrap();
        let ui = Ui::open(inside.path()).unwrap();
        assert_eq!(ui.file("/link.txt").status, StatusCode::NOT_FOUND);
        assert_eq!(ui.file("/").body, b"page");
    }

    #[test]
    fn wasm_has_the_type_that_browsers_ask_for() {
        assert_eq!(content_type("/a-1f.wasm"), "application/wasm");
        assert_eq!(content_type("/a.JS"), "text/javascript; charset=utf-8");
        assert_eq!(content_type("/LICENSE"), "application/octet-stream");
    }
}
