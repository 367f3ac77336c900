//! A static file server that is right for the page and no more: a port of its own, the right media types, no way out of
//! its folder.

use crate::Res;
use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

/// A running server; it ends with the test's process.
#[derive(Clone, Debug)]
pub struct Server {
    /// `http://127.0.0.1:<port>`.
    pub origin: String,
    /// The path that the folder is served under: begins and ends with `/`.
    pub base: String,
    away: Arc<AtomicBool>,
}

#[derive(Debug)]
struct Site {
    root: PathBuf,
    base: String,
    /// A Content-Security-Policy header, where one is sent.
    policy: Option<String>,
}

impl Server {
    /// Serves a folder under a path such as `/` or `/tools/wizard/`. With `policy`, every response repeats as a header the
    /// policy that the page carries in its markup, as a careful host would send it.
    pub fn start(root: &Path, base: &str, policy: bool) -> Res<Self> {
        let root = root.canonicalize()?;
        let policy = if policy {
            Some(policy_of(&fs::read_to_string(root.join("index.html"))?)?)
        } else {
            None
        };
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let server = Self {
            origin: format!("http://{}", listener.local_addr()?),
            base: base.to_owned(),
            away: Arc::default(),
        };
        let away = Arc::clone(&server.away);
        let site = Arc::new(Site {
            root,
            base: base.to_owned(),
            policy,
        });
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if away.load(Ordering::Relaxed) {
                    continue;
                }
                let site = Arc::clone(&site);
                // A browser that hangs up early is no fault of the page's.
                thread::spawn(move || site.answer(stream).ok());
            }
        });
        Ok(server)
    }

    /// Hangs up on everybody, or answers again.
    pub fn set_away(&self, away: bool) {
        self.away.store(away, Ordering::Relaxed);
    }

    /// The page's address.
    #[must_use]
    pub fn page(&self) -> String {
        format!("{}{}", self.origin, self.base)
    }
}

impl Site {
    fn answer(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut request = String::new();
        reader.read_line(&mut request)?;
        let mut header = String::new();
        while reader.read_line(&mut header)? > 2 {
            header.clear();
        }
        let found = request.split(' ').nth(1).and_then(|target| self.file(target));
        let (status, kind, body) =
            match found.and_then(|path| Some((media_type(&path), fs::read(path).ok()?))) {
                Some((kind, body)) => ("200 OK", kind, body),
                None => ("404 Not Found", "text/plain", b"not found".to_vec()),
            };
        let policy = self
            .policy
            .as_ref()
            .map(|policy| format!("Content-Security-Policy: {policy}\r\n"));
        write!(
            stream,
            "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
             X-Content-Type-Options: nosniff\r\n{}Connection: close\r\n\r\n",
            body.len(),
            policy.unwrap_or_default(),
        )?;
        stream.write_all(&body)
    }

    /// The file for a request target, if it lies within the folder.
    fn file(&self, target: &str) -> Option<PathBuf> {
        let path = target.split(['?', '#']).next()?.strip_prefix(&self.base)?;
        let path = self
            .root
            .join(if path.is_empty() { "index.html" } else { path })
            .canonicalize()
            .ok()?;
        path.starts_with(&self.root).then_some(path)
    }
}

fn media_type(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("json") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        _ => "application/octet-stream",
    }
}

/// The policy that the page carries in its own markup.
pub fn policy_of(html: &str) -> Res<String> {
    let tag = html
        .split("<meta")
        .find(|tag| tag.contains("Content-Security-Policy"));
    let content = tag.and_then(|tag| tag.split_once("content=\"")?.1.split('"').next());
    content
        .map(str::to_owned)
        .ok_or_else(|| "the page carries no Content-Security-Policy".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    fn get(server: &Server, target: &str) -> Res<String> {
        let address = server.origin.trim_start_matches("http://");
        let mut stream = TcpStream::connect(address)?;
        write!(stream, "GET {target} HTTP/1.1\r\nHost: {address}\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }

    #[test]
    fn files_come_with_their_type_and_nothing_lies_outside() -> Res<()> {
        let folder = tempfile::tempdir()?;
        let root = folder.path().join("dist");
        fs::create_dir(&root)?;
        fs::write(folder.path().join("secret"), "secret")?;
        fs::write(root.join("a.wasm"), "wasm")?;
        let page = "<meta content=\"default-src 'none'\" http-equiv=Content-Security-Policy>";
        fs::write(root.join("index.html"), page)?;
        let server = Server::start(&root, "/sub/", true)?;
        let wasm = get(&server, "/sub/a.wasm?x=1")?;
        assert!(wasm.contains("Content-Type: application/wasm\r\n"), "{wasm}");
        assert!(
            wasm.contains("Content-Security-Policy: default-src 'none'\r\n"),
            "{wasm}"
        );
        assert!(get(&server, "/sub/")?.ends_with(page));
        for outside in ["/sub/../secret", "/sub//etc/passwd", "/a.wasm", "/sub/none"] {
            assert!(get(&server, outside)?.starts_with("HTTP/1.1 404"), "{outside}");
        }
        Ok(())
    }
}
