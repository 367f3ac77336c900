//! The built page: its files are read once, at the start. What is not among them does not exist, whatever a path says.
use super::{
    media_type::media_type,
    route::{Answer, not_found},
};
use crate::{error::ExpectedError, files};
use hyper::{
    HeaderMap, StatusCode,
    body::Bytes,
    header::{
        ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, ETAG, HeaderValue,
        IF_NONE_MATCH, VARY,
    },
};
use std::{
    collections::{BTreeMap, hash_map::DefaultHasher},
    fs,
    hash::Hasher,
    path::Path,
};

/// A page has a dozen files of two megabytes; a folder with more is another one.
const MAX_BYTES: u64 = 64 << 20;
const MAX_FILES: usize = 1000;
/// `/a/b/c.js`.
const MAX_DEPTH: usize = 4;
/// Endings of compressed copies and what HTTP calls them, the smaller first.
const COPIES: &[(&str, &str)] = &[(".br", "br"), (".gz", "gzip")];
/// The page inside this binary, if it was built in.
#[cfg(feature = "embed-ui")]
const EMBEDDED: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/ui.rs"));

/// Files by their paths, such as `/index.html`.
#[derive(Clone, Debug, Default)]
pub(super) struct Ui {
    files: BTreeMap<String, File>,
    policy: Option<HeaderValue>,
}

#[derive(Clone, Debug)]
struct File {
    bytes: Bytes,
    etag: HeaderValue,
}

impl Ui {
    /// A folder that has an index.html.
    pub(super) fn open(folder: &Path) -> Result<Self, ExpectedError> {
        let name = files::shown(folder);
        let failed = |error: std::io::Error| {
            ExpectedError::input(format!("--ui {name}: {error}, expected the built page"))
        };
        let root = fs::canonicalize(folder).map_err(failed)?;
        if !root.join("index.html").is_file() {
            return Err(
                ExpectedError::input(format!("--ui {name}: no index.html in this folder"))
                    .help("Build the page first, and give the folder with its index.html, such as dist."),
            );
        }
        let mut found = Vec::new();
        let mut left = MAX_BYTES;
        read_folder(&root, &root, "", &mut left, &mut found).map_err(failed)?;
        Ok(Self::of(found))
    }

    /// The page inside this binary.
    #[cfg(feature = "embed-ui")]
    pub(super) fn embedded() -> Self {
        let files = EMBEDDED
            .iter()
            .map(|(path, bytes)| ((*path).to_owned(), Bytes::from_static(bytes)));
        Self::of(files.collect())
    }

    fn of(found: Vec<(String, Bytes)>) -> Self {
        let files: BTreeMap<String, File> = found
            .into_iter()
            .map(|(path, bytes)| {
                let etag = etag(&bytes);
                (path, File { bytes, etag })
            })
            .collect();
        let index = files.get("/index.html");
        let policy = index.and_then(|file| policy(std::str::from_utf8(&file.bytes).ok()?));
        Self { files, policy }
    }

    /// The file of that path; `/` is index.html.
    pub(super) fn file(&self, path: &str, headers: &HeaderMap) -> Answer {
        let path = if path == "/" { "/index.html" } else { path };
        let Some(plain) = self.files.get(path) else {
            return not_found();
        };
        let (file, encoding) = self.best(path, plain, headers);
        let known = headers
            .get(IF_NONE_MATCH)
            .is_some_and(|etags| contains(etags.as_bytes(), file.etag.as_bytes()));
        let mut answer = if known {
            Answer::empty(StatusCode::NOT_MODIFIED)
        } else {
            Answer::new(StatusCode::OK, media_type(path), file.bytes.clone())
        };
        answer.put(ETAG, file.etag.clone());
        answer.put(VARY, HeaderValue::from_static("Accept-Encoding"));
        answer.put(CACHE_CONTROL, HeaderValue::from_static(caching(path)));
        if let (Some(encoding), false) = (encoding, known) {
            answer.put(CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        if let (Some(policy), true) = (&self.policy, media_type(path).starts_with("text/html")) {
            answer.put(CONTENT_SECURITY_POLICY, policy.clone());
        }
        answer
    }

    /// The smallest copy that the browser reads.
    fn best<'a>(
        &'a self,
        path: &str,
        plain: &'a File,
        headers: &HeaderMap,
    ) -> (&'a File, Option<&'static str>) {
        COPIES
            .iter()
            .filter(|(_, encoding)| accepts(headers, encoding))
            .find_map(|(ending, encoding)| {
                let copy = self.files.get(&format!("{path}{ending}"))?;
                Some((copy, Some(*encoding)))
            })
            .unwrap_or((plain, None))
    }
}

/// Plain names only, none hidden, no link that leads out.
fn read_folder(
    root: &Path,
    folder: &Path,
    prefix: &str,
    left: &mut u64,
    found: &mut Vec<(String, Bytes)>,
) -> std::io::Result<()> {
    let too_much = || std::io::Error::other("more files than a page has");
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        if name.starts_with('.') {
            continue;
        }
        let real = fs::canonicalize(entry.path())?;
        if !real.starts_with(root) {
            continue;
        }
        let path = format!("{prefix}/{name}");
        if real.is_dir() {
            if path.matches('/').count() >= MAX_DEPTH {
                return Err(too_much());
            }
            read_folder(root, &real, &path, left, found)?;
            continue;
        }
        *left = left
            .checked_sub(fs::metadata(&real)?.len())
            .ok_or_else(too_much)?;
        if found.len() >= MAX_FILES {
            return Err(too_much());
        }
        found.push((path, Bytes::from(fs::read(real)?)));
    }
    Ok(())
}

/// Changes with the content; it is no secret and guards nothing.
fn etag(bytes: &[u8]) -> HeaderValue {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    HeaderValue::from_str(&format!("\"{:016x}\"", hasher.finish()))
        .unwrap_or_else(|_| HeaderValue::from_static("\"0\""))
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// Trunk puts a hash into the names of all files but index.html: those never change.
fn caching(path: &str) -> &'static str {
    let stem = path.rsplit('/').next().unwrap_or_default();
    let hash = stem
        .split(['-', '.', '_'])
        .any(|part| part.len() >= 14 && part.chars().all(|c| c.is_ascii_hexdigit()));
    if hash {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    }
}

/// Whether `Accept-Encoding` names it, and not with `q=0`.
fn accepts(headers: &HeaderMap, encoding: &str) -> bool {
    headers
        .get_all(ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|item| {
            let mut parts = item.split(';').map(str::trim);
            let named = parts
                .next()
                .is_some_and(|name| name.eq_ignore_ascii_case(encoding));
            let refused = parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"));
            named && !refused
        })
}

/// The page's own policy, from its `<meta>`; a header can also forbid that others frame the page.
fn policy(html: &str) -> Option<HeaderValue> {
    let name = html.find("Content-Security-Policy")?;
    let (before, after) = html.split_at_checked(name)?;
    let start = before.rfind("<meta")?;
    let tag_end = after.find('>').map(|end| name + end)?;
    let tag = html.get(start..tag_end)?;
    let (_, content) = tag.split_once("content=\"")?;
    let (content, _) = content.split_once('"')?;
    HeaderValue::from_str(&format!("{content}; frame-ancestors 'none'")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ui(files: &[(&str, &str)]) -> Ui {
        let files = files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), Bytes::copy_from_slice(text.as_bytes())));
        Ui::of(files.collect())
    }

    fn asking(encodings: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(encodings));
        headers
    }

    #[test]
    fn only_what_was_read_exists() {
        let ui = ui(&[("/index.html", "page")]);
        for path in [
            "/../secret",
            "/%2e%2e/secret",
            "//etc/passwd",
            "/index.html/",
            "/index%2ehtml",
            "",
            "/.",
        ] {
            assert_eq!(
                ui.file(path, &HeaderMap::new()).status,
                StatusCode::NOT_FOUND,
                "{path}"
            );
        }
        assert_eq!(ui.file("/", &HeaderMap::new()).body, "page");
    }

    #[cfg(unix)]
    #[test]
    fn links_out_and_hidden_files_are_not_read() {
        let outside = tempfile::tempdir().unwrap();
        let inside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("secret.txt"), "secret").unwrap();
        fs::write(inside.path().join("index.html"), "page").unwrap();
        fs::write(inside.path().join(".env"), "secret").unwrap();
        let link = inside.path().join("link.txt");
        std::os::unix::fs::symlink(outside.path().join("secret.txt"), link).unwrap();
        let ui = Ui::open(inside.path()).unwrap();
        assert_eq!(ui.files.keys().collect::<Vec<_>>(), ["/index.html"]);
    }

    #[test]
    fn the_smallest_copy_that_the_browser_reads_is_sent() {
        let ui = ui(&[("/a.js", "plain"), ("/a.js.br", "b"), ("/a.js.gz", "gz")]);
        for (encodings, body, encoding) in [
            ("gzip, deflate, br, zstd", "b", Some("br")),
            ("gzip, deflate", "gz", Some("gzip")),
            ("br;q=0, gzip;q=0.5", "gz", Some("gzip")),
            ("identity", "plain", None),
            ("brotli", "plain", None),
        ] {
            let answer = ui.file("/a.js", &asking(encodings));
            assert_eq!(answer.body, body, "{encodings}");
            let header = answer
                .headers
                .get(CONTENT_ENCODING)
                .map(|value| value.to_str().unwrap());
            assert_eq!(header, encoding, "{encodings}");
            assert_eq!(answer.headers["content-type"], "text/javascript; charset=utf-8");
            assert_eq!(answer.headers[VARY], "Accept-Encoding");
        }
    }

    #[test]
    fn what_has_a_hash_in_its_name_is_kept_for_good() {
        for name in [
            "/web-8df8200aa745d6a0_bg.wasm",
            "/base-9515f68446470952.css",
            "/web-30e755a0b244bf4.js",
        ] {
            assert!(caching(name).contains("immutable"), "{name}");
        }
        // A browser that kept sw.js would not see the next version.
        for name in ["/index.html", "/sw.js", "/web.js", "/deadbeef.js"] {
            assert_eq!(caching(name), "no-cache", "{name}");
        }
    }

    #[test]
    fn a_known_file_is_not_sent_again() {
        let ui = ui(&[("/index.html", "page")]);
        let etag = ui.file("/", &HeaderMap::new()).headers[ETAG].clone();
        let mut headers = HeaderMap::new();
        headers.insert(IF_NONE_MATCH, etag);
        let again = ui.file("/", &headers);
        assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0));
        headers.insert(IF_NONE_MATCH, HeaderValue::from_static("\"other\""));
        assert_eq!(ui.file("/", &headers).status, StatusCode::OK);
    }

    #[test]
    fn the_pages_policy_becomes_a_header() {
        let long =
            "<head><meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'\" /></head>";
        let short =
            "<meta charset=utf-8><meta content=\"default-src 'none'\" http-equiv=Content-Security-Policy><p>";
        for html in [long, short] {
            let answer = ui(&[("/index.html", html), ("/a.js", "")]).file("/", &HeaderMap::new());
            assert_eq!(
                answer.headers[CONTENT_SECURITY_POLICY],
                "default-src 'none'; frame-ancestors 'none'"
            );
        }
        assert_eq!(policy("<p>Content-Security-Policy</p>"), None);
    }
}
