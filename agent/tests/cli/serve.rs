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
    /// `?token=…`, where there is one.
    query: String,
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
        let (address, query) = lines
            .find_map(|line| {
                let line = line.unwrap();
                let (address, rest) = line.strip_prefix("listening on http://")?.split_once('/')?;
                let end = rest.find([' ', ';']).unwrap_or(rest.len());
                Some((
                    address.replace("0.0.0.0", "127.0.0.1").parse().unwrap(),
                    rest[..end].to_owned(),
                ))
            })
            .unwrap();
        // Keep reading, so that the pipe never fills.
        std::thread::spawn(move || lines.for_each(drop));
        Self {
            child,
            address,
            query,
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

    /// The same, with no more to come.
    fn raw_and_done(&self, request: &str) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let _ = stream.write_all(request.as_bytes());
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        bytes
    }

    /// Memory of the process.
    #[cfg(target_os = "linux")]
    fn resident_kib(&self) -> u64 {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
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
    // The driver is asked twice a second at most.
    std::thread::sleep(Duration::from_millis(600));
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
        Some("GET, OPTIONS")
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
    for method in ["HEAD", "POST", "PUT", "DELETE", "PATCH", "TRACE", "BREW"] {
        let answer = server.ask(method, "/v1/host", &[]);
        assert_eq!(answer.status, 405, "{method}");
        assert_eq!(answer.header("allow"), Some("GET, OPTIONS"));
    }
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

#[test]
fn beyond_loopback_a_token_is_asked_for() {
    let run = Run::new("serve --listen 0.0.0.0:0 --ui dist --from-file")
        .arg(fixture("h100x2.json"))
        .file("dist/index.html", "<!doctype html>page");
    let server = Server::start(run);
    let token = server.query.strip_prefix("?token=").unwrap().to_owned();
    assert_eq!(token.len(), 32);
    for path in ["/", "/v1/host", "/v1/health", "/nothing"] {
        let answer = server.get(path);
        assert_eq!(answer.status, 401, "{path}");
        assert!(!answer.body.windows(4).any(|four| four == b"H100"));
    }
    assert_eq!(
        server
            .get("/v1/host?token=00000000000000000000000000000000")
            .status,
        401
    );
    assert_eq!(server.get(&format!("/v1/host?token={token}")).status, 200);
    assert_eq!(
        server
            .ask("GET", "/v1/host", &[&format!("Authorization: Bearer {token}")])
            .status,
        200
    );
    // The page that is opened with it asks on with a cookie.
    let page = server.get(&format!("/?token={token}"));
    let cookie = page.header("set-cookie").unwrap();
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"),
        "{cookie}"
    );
    let sent = format!("Cookie: {}", cookie.split(';').next().unwrap());
    assert_eq!(server.ask("GET", "/v1/host", &[&sent]).status, 200);
    // A foreign page is refused with it, too.
    assert_eq!(
        server
            .ask("GET", "/v1/host", &[&sent, "Origin: https://evil.example"])
            .status,
        403
    );
    // A preflight carries no token.
    assert_eq!(server.ask("OPTIONS", "/v1/host", &[]).status, 204);
}

#[test]
fn compressed_copies_and_lasting_names_are_made_use_of() {
    let policy = r#"<!doctype html><meta http-equiv="Content-Security-Policy" content="default-src 'none'">"#;
    let run = Run::new("serve --listen 127.0.0.1:0 --ui dist --from-file")
        .arg(fixture("h100x2.json"))
        .file("dist/index.html", policy)
        .file("dist/web-8df8200aa745d6a0.js", "export {}")
        .file("dist/web-8df8200aa745d6a0.js.gz", "packed");
    let server = Server::start(run);
    let page = server.get("/");
    assert_eq!(
        page.header("content-security-policy"),
        Some("default-src 'none'; frame-ancestors 'none'")
    );
    assert_eq!(page.header("cache-control"), Some("no-cache"));
    let etag = format!("If-None-Match: {}", page.header("etag").unwrap());
    let again = server.ask("GET", "/", &[&etag]);
    assert_eq!((again.status, again.body.len()), (304, 0));
    let script = server.ask("GET", "/web-8df8200aa745d6a0.js", &["Accept-Encoding: gzip"]);
    assert_eq!(script.body, b"packed");
    assert_eq!(script.header("content-encoding"), Some("gzip"));
    assert_eq!(
        script.header("content-type"),
        Some("text/javascript; charset=utf-8")
    );
    assert_eq!(
        script.header("cache-control"),
        Some("public, max-age=31536000, immutable")
    );
    assert_eq!(server.get("/web-8df8200aa745d6a0.js").body, b"export {}");
}

#[test]
fn what_is_no_request_is_refused_and_the_server_goes_on() {
    let server = Server::saved("");
    let host = format!("Host: {}\r\n", server.address);
    for request in [
        "\r\n\r\n\r\n".to_owned(),
        "GET\r\n\r\n".to_owned(),
        format!("GET /v1/host\r\n{host}\r\n"),
        format!("GET /v1/host HTTP/9.9\r\n{host}\r\n"),
        format!("GET /v1/host HTTP/1.1\r\n{host}: empty name\r\n\r\n"),
        format!("GET /v1/host HTTP/1.1\r\n{host}X Y: z\r\n\r\n"),
        format!("GET /v1/ho st HTTP/1.1\r\n{host}\r\n"),
        format!("GET /v1/host HTTP/1.1\r\n{host}Content-Length: 1\r\nContent-Length: 2\r\n\r\n"),
        format!("GET /v1/host HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc"),
        format!("GET /v1/host HTTP/1.1\r\n{host}{host}\r\n"),
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
        "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}".to_owned() + &"\u{0}".repeat(600),
    ] {
        let bytes = server.raw_and_done(&request);
        assert!(!bytes.starts_with(b"HTTP/1.1 200"), "{request:?}");
        assert!(!bytes.windows(4).any(|four| four == b"H100"), "{request:?}");
    }
    assert_eq!(server.get("/v1/host").status, 200);
}

#[test]
fn old_and_hasty_clients_get_one_answer_each() {
    let server = Server::saved("");
    let old = format!("GET /v1/health HTTP/1.0\r\nHost: {}\r\n\r\n", server.address);
    assert_eq!(answer(&server.raw(&old)).status, 200);
    // Sent in one go: the first is answered, and the connection ends.
    let one = format!("GET /v1/health HTTP/1.1\r\nHost: {}\r\n\r\n", server.address);
    let bytes = server.raw(&one.repeat(3));
    let answers = bytes.windows(9).filter(|part| part == b"HTTP/1.1 ").count();
    assert_eq!(answers, 1, "{}", String::from_utf8_lossy(&bytes));
}

#[cfg(target_os = "linux")]
#[test]
fn many_connections_and_huge_heads_leave_no_trace() {
    let server = Server::saved("");
    for _ in 0..200 {
        assert_eq!(server.get("/v1/health").status, 200);
    }
    let before = server.resident_kib();
    for round in 0..5_000 {
        let mut stream = TcpStream::connect(server.address).unwrap();
        // Some close at once, some after half a request.
        if round % 3 == 0 {
            stream.write_all(b"GET /v1/host HTTP/1.1\r\nHo").unwrap();
        }
    }
    let piece = "x".repeat(1 << 16);
    for _ in 0..3 {
        let mut stream = TcpStream::connect(server.address).unwrap();
        let mut sent = 0;
        let _ = stream.write_all(b"GET / HTTP/1.1\r\nX: ");
        while sent < 10 << 20 && stream.write_all(piece.as_bytes()).is_ok() {
            sent += piece.len();
        }
        assert!(sent < 10 << 20, "ten megabytes of a head were taken");
    }
    assert_eq!(server.get("/v1/host").status, 200);
    let grown = server.resident_kib().saturating_sub(before);
    assert!(grown < 4096, "{grown} KiB more than before");
}

#[test]
fn idle_visitors_do_not_keep_others_out() {
    let server = Server::saved("");
    let idle: Vec<TcpStream> = (0..200)
        .map(|_| TcpStream::connect(server.address).unwrap())
        .collect();
    let started = Instant::now();
    assert_eq!(server.get("/v1/health").status, 200);
    assert!(
        started.elapsed() < Duration::from_secs(3),
        "{:?}",
        started.elapsed()
    );
    drop(idle);
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
