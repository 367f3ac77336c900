//! `serve` over a real socket.
use crate::support::{Run, fixture};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    process::{Child, Stdio},
    time::{Duration, Instant},
};

/// A server that ends with the test.
struct Server {
    child: Child,
    address: SocketAddr,
    _run: Run,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An answer, taken apart.
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let line = self
            .head
            .lines()
            .find(|line| line.to_ascii_lowercase().starts_with(&format!("{name}:")))?;
        Some(line.split_once(':')?.1.trim())
    }
}

impl Server {
    fn start(run: Run) -> Self {
        let mut child = run
            .command()
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = lines
            .find_map(|line| {
                let line = line.unwrap();
                let rest = line.strip_prefix("listening on http://")?;
                Some(rest.split('/').next()?.parse().unwrap())
            })
            .unwrap();
        // Keep reading, so that the pipe never fills.
        std::thread::spawn(move || lines.for_each(drop));
        Self {
            child,
            address,
            _run: run,
        }
    }

    fn saved(more: &str) -> Self {
        let run = Run::new("serve --listen 127.0.0.1:0")
            .args(more)
            .arg("--from-file")
            .arg(fixture("h100x2.json"));
        Self::start(run)
    }

    fn with_page() -> Self {
        let run = Run::new("serve --listen 127.0.0.1:0 --ui dist --from-file")
            .arg(fixture("h100x2.json"))
            .file("dist/index.html", "<!doctype html><title>page</title>")
            .file("dist/web-1f.wasm", b"\0asm")
            .file("dist/a/b.js", "export {}")
            .file("dist/.env", "SECRET")
            .file("secret.txt", "SECRET");
        Self::start(run)
    }

    /// The bytes of a whole exchange.
    fn raw(&self, request: &str) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut bytes = Vec::new();
        // A refusing server may reset: what came until then counts.
        let _ = stream.read_to_end(&mut bytes);
        bytes
    }

    fn ask(&self, method: &str, path: &str, headers: &[&str]) -> Answer {
        let host = format!("Host: {}", self.address);
        let mut lines = vec![format!("{method} {path} HTTP/1.1")];
        if !headers.iter().any(|header| header.starts_with("Host:")) {
            lines.push(host);
        }
        lines.extend(headers.iter().map(|header| (*header).to_owned()));
        answer(&self.raw(&format!("{}\r\n\r\n", lines.join("\r\n"))))
    }

    fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[])
    }
}

fn answer(bytes: &[u8]) -> Answer {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer {
        status,
        head,
        body: bytes[end + 4..].to_vec(),
    }
}

#[test]
fn the_report_and_the_version_are_answered() {
    let server = Server::saved("");
    let report = server.get("/v1/host");
    assert_eq!(report.status, 200);
    assert_eq!(report.header("content-type"), Some("application/json"));
    assert_eq!(report.header("cache-control"), Some("no-store"));
    assert_eq!(report.header("x-content-type-options"), Some("nosniff"));
    let json: serde_json::Value = serde_json::from_slice(&report.body).unwrap();
    assert_eq!(json["gpus"][1]["name"], "NVIDIA H100 80GB HBM3");
    let health = server.get("/v1/health");
    let json: serde_json::Value = serde_json::from_slice(&health.body).unwrap();
    assert_eq!(json["status"], "ok");
    assert_eq!(server.get("/v1/secret").status, 404);
    assert_eq!(server.get("/").status, 200);
}

#[test]
fn the_report_is_fresh_each_time() {
    let run = Run::new("serve --listen 127.0.0.1:0 --from-file r.json").file(
        "r.json",
        r#"{"schema":"vllm-wizard/host/v1","gpus":[{"index":0,"name":"A","memory_total_bytes":1}]}"#,
    );
    let path = run.path().join("r.json");
    let server = Server::start(run);
    assert!(server.get("/v1/host").body.windows(3).any(|w| w == b"\"A\""));
    std::fs::write(
        path,
        r#"{"schema":"vllm-wizard/host/v1","gpus":[{"index":0,"name":"B","memory_total_bytes":1}]}"#,
    )
    .unwrap();
    assert!(server.get("/v1/host").body.windows(3).any(|w| w == b"\"B\""));
}

#[test]
fn a_foreign_host_name_is_refused() {
    let server = Server::saved("");
    let port = server.address.port();
    for host in [
        "evil.example",
        &format!("evil.example:{port}"),
        "127.0.0.1",
        "localhost",
    ] {
        assert_eq!(
            server.ask("GET", "/v1/host", &[&format!("Host: {host}")]).status,
            421,
            "{host}"
        );
    }
    for host in [format!("localhost:{port}"), format!("127.0.0.1:{port}")] {
        assert_eq!(
            server.ask("GET", "/v1/host", &[&format!("Host: {host}")]).status,
            200,
            "{host}"
        );
    }
    let none = answer(&server.raw("GET /v1/host HTTP/1.0\r\n\r\n"));
    assert_eq!(none.status, 421);
    let absolute = server.ask("GET", "http://evil.example/v1/host", &[]);
    assert_eq!(absolute.status, 421);
}

#[test]
fn only_allowed_origins_may_read() {
    let server = Server::saved("--allow-origin https://wizard.example");
    let ask = |origin: &str| server.ask("GET", "/v1/host", &[&format!("Origin: {origin}")]);
    for origin in [
        "https://wizard.example",
        "http://localhost:8080",
        "http://127.0.0.1:3000",
    ] {
        let answer = ask(origin);
        assert_eq!(answer.status, 200, "{origin}");
        assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
        assert_eq!(answer.header("vary"), Some("Origin"));
        assert_eq!(answer.header("access-control-allow-credentials"), None);
    }
    for origin in [
        "https://evil.example",
        "null",
        "https://wizard.example.evil.example",
        "https://localhost:1",
    ] {
        let answer = ask(origin);
        assert_eq!(answer.status, 403, "{origin}");
        assert_eq!(answer.header("access-control-allow-origin"), None);
        assert!(!answer.body.windows(4).any(|four| four == b"H100"));
    }
    // <script src=…> of another site has no origin, but browsers say where it comes from.
    assert_eq!(
        server
            .ask("GET", "/v1/host", &["Sec-Fetch-Site: cross-site"])
            .status,
        403
    );
    assert_eq!(server.get("/v1/host").header("access-control-allow-origin"), None);
}

#[test]
fn a_preflight_may_cross_into_the_private_network() {
    let server = Server::saved("--allow-origin https://wizard.example");
    let ask = |origin: &str| {
        server.ask(
            "OPTIONS",
            "/v1/host",
            &[
                &format!("Origin: {origin}"),
                "Access-Control-Request-Method: GET",
                "Access-Control-Request-Private-Network: true",
                "Access-Control-Request-Local-Network: true",
            ],
        )
    };
    let allowed = ask("https://wizard.example");
    assert_eq!(allowed.status, 204);
    assert_eq!(
        allowed.header("access-control-allow-origin"),
        Some("https://wizard.example")
    );
    assert_eq!(
        allowed.header("access-control-allow-methods"),
        Some("GET, HEAD, OPTIONS")
    );
    assert_eq!(
        allowed.header("access-control-allow-private-network"),
        Some("true")
    );
    assert_eq!(allowed.header("access-control-allow-local-network"), Some("true"));
    let refused = ask("https://evil.example");
    assert_eq!(refused.status, 403);
    assert_eq!(refused.header("access-control-allow-private-network"), None);
}

#[test]
fn other_methods_and_bodies_are_refused() {
    let server = Server::saved("");
    for method in ["POST", "PUT", "DELETE", "PATCH", "TRACE", "BREW"] {
        let answer = server.ask(method, "/v1/host", &[]);
        assert_eq!(answer.status, 405, "{method}");
        assert_eq!(answer.header("allow"), Some("GET, HEAD, OPTIONS"));
    }
    let head = server.ask("HEAD", "/v1/host", &[]);
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert!(head.header("content-length").is_some_and(|length| length != "0"));
    assert_eq!(server.ask("GET", "/v1/host", &["Content-Length: 5"]).status, 413);
    assert_eq!(
        server
            .ask("GET", "/v1/host", &["Transfer-Encoding: chunked"])
            .status,
        413
    );
}

#[test]
fn the_page_is_served_with_its_types() {
    let server = Server::with_page();
    let page = server.get("/");
    assert_eq!(
        (page.status, page.header("content-type")),
        (200, Some("text/html; charset=utf-8"))
    );
    assert_eq!(page.header("content-security-policy"), None);
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(server.get("/index.html?x=1").body, page.body);
    assert_eq!(
        server.get("/web-1f.wasm").header("content-type"),
        Some("application/wasm")
    );
    assert_eq!(
        server.get("/a/b.js").header("content-type"),
        Some("text/javascript; charset=utf-8")
    );
    // The page's own fetch may carry its origin.
    let own = format!("Origin: http://{}", server.address);
    assert_eq!(server.ask("GET", "/v1/host", &[&own]).status, 200);
}

#[test]
fn nothing_outside_the_folder_is_served() {
    let server = Server::with_page();
    for path in [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/a/../../secret.txt",
        "/a/%2e%2e/%2e%2e/secret.txt",
        "//secret.txt",
        "/..\\secret.txt",
        "/.env",
        "/a",
        "/a/",
        "/nothing.js",
        "/%00",
    ] {
        let answer = server.get(path);
        assert!(
            answer.status == 404 || answer.status == 400,
            "{path}: {}",
            answer.status
        );
        assert!(!answer.body.windows(6).any(|six| six == b"SECRET"), "{path}");
    }
}

#[test]
fn large_and_slow_requests_are_cut_off() {
    let server = Server::saved("");
    let many = format!("X: {}", "x".repeat(20_000));
    assert_eq!(server.ask("GET", "/v1/host", &[&many]).status, 431);
    let started = Instant::now();
    let mut slow = TcpStream::connect(server.address).unwrap();
    slow.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    slow.write_all(b"GET /v1/host HTTP/1.1\r\nHost: ").unwrap();
    // Others are answered meanwhile.
    assert_eq!(server.get("/v1/health").status, 200);
    let mut rest = Vec::new();
    let _ = slow.read_to_end(&mut rest);
    assert!(
        started.elapsed() < Duration::from_secs(15),
        "{:?}",
        started.elapsed()
    );
    assert!(!rest.starts_with(b"HTTP/1.1 200"));
}

#[cfg(unix)]
#[test]
fn stops_cleanly_on_a_signal() {
    for signal in ["-INT", "-TERM"] {
        let mut server = Server::saved("");
        assert_eq!(server.get("/v1/health").status, 200);
        let pid = server.child.id().to_string();
        let sent = std::process::Command::new("kill")
            .args([signal, &pid])
            .status()
            .unwrap();
        assert!(sent.success());
        assert_eq!(server.child.wait().unwrap().code(), Some(0), "{signal}");
    }
}

#[test]
fn what_cannot_be_served_is_said() {
    Run::new("serve --ui nowhere").fails(5, &["--ui", "nowhere"]);
    Run::new("serve --ui .").fails(5, &["no index.html"]);
    Run::new("serve --listen everywhere").fails(2, &["--listen"]);
    Run::new("serve --listen 127.0.0.1:0 --allow-origin *").fails(2, &["--allow-origin"]);
    let server = Server::saved("");
    Run::new("serve --listen")
        .arg(server.address.to_string())
        .arg("--from-file")
        .arg(fixture("h100x2.json"))
        .fails(1, &["cannot listen", "--listen"]);
}
