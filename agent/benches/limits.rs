//! Holds the release binary against its limits: how long a process lives, what it takes, how much it answers.
//! `cargo bench -p agent`; `REQUESTS=1000000` for the long run of `serve`.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a bench may stop on a missing file"
)]

use std::{
    env,
    fmt::Write as _,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

const BINARY: &str = env!("CARGO_BIN_EXE_vllm-wizard");
const REPORT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/h100x2.json");
const THREADS: u64 = 4;

fn main() {
    // Cargo's tests start benches too, with an argument of their own.
    if env::args().any(|argument| argument == "--test") {
        return;
    }
    println!("{BINARY}");
    process("detect, no driver (20 ms, 8 MB)", &["detect", "--json"]);
    process(
        "plan, catalogue (10 ms)",
        &["plan", "--json", "--model", "Qwen/Qwen3-8B", "--gpu", "H100 SXM"],
    );
    batch();
    serve();
}

/// Median of many runs, and the most memory that one took.
fn process(what: &str, arguments: &[&str]) {
    let mut times: Vec<Duration> = (0..40)
        .map(|_| {
            let started = Instant::now();
            let ended = Command::new(BINARY)
                .args(arguments)
                .env("HOME", "/nowhere")
                .output()
                .unwrap();
            assert!(ended.status.code().is_some());
            started.elapsed()
        })
        .collect();
    times.sort();
    println!(
        "{what}: median {:?}, {} KiB at most",
        times[times.len() / 2],
        peak_kib(arguments)
    );
}

/// As GNU time measures it; without that program it is not known.
fn peak_kib(arguments: &[&str]) -> String {
    let timed = Command::new("/usr/bin/time")
        .args(["-f", "%M", BINARY])
        .args(arguments)
        .output();
    timed.map_or_else(
        |_| "? (no /usr/bin/time)".to_owned(),
        |ended| {
            String::from_utf8_lossy(&ended.stderr)
                .trim()
                .lines()
                .last()
                .unwrap_or("?")
                .to_owned()
        },
    )
}

fn batch() {
    const LINES: usize = 100_000;
    let models = [
        "Qwen/Qwen3-8B",
        "meta-llama/Llama-3.3-70B-Instruct",
        "Qwen/Qwen3-30B-A3B-FP8",
        "mistralai/Mistral-7B-Instruct-v0.3",
    ];
    let mut lines = String::new();
    for number in 0..LINES {
        let model = models[number % models.len()];
        let _ = writeln!(
            lines,
            "#s=1&model={model}&gpu=h100-sxm&gpus=4&concurrency={}",
            1 + number % 64
        );
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lines.jsonl");
    fs::write(&path, lines).unwrap();
    let started = Instant::now();
    let ended = Command::new(BINARY)
        .arg("plan")
        .arg("--batch")
        .arg(path)
        .stdout(Stdio::null())
        .status()
        .unwrap();
    let seconds = started.elapsed().as_secs_f64();
    assert!(ended.success());
    println!(
        "plan --batch (20,000/s): {:.0} plans a second, one thread",
        100_000.0 / seconds
    );
}

struct Server(Child, SocketAddr);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Server {
    fn start() -> Self {
        let mut child = Command::new(BINARY)
            .args(["serve", "--listen", "127.0.0.1:0", "--from-file", REPORT])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stderr.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let address = line
            .trim_start_matches("listening on http://")
            .split('/')
            .next()
            .unwrap()
            .parse()
            .unwrap();
        Self(child, address)
    }

    fn resident_kib(&self) -> u64 {
        let text = fs::read_to_string(format!("/proc/{}/status", self.0.id())).unwrap_or_default();
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .unwrap_or("0 kB");
        line.trim().trim_end_matches(" kB").parse().unwrap_or(0)
    }
}

fn serve() {
    let requests: u64 = env::var("REQUESTS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(100_000);
    let server = Server::start();
    ask(server.1, 1_000);
    let before = server.resident_kib();
    let started = Instant::now();
    let threads: Vec<_> = (0..THREADS)
        .map(|_| {
            let address = server.1;
            std::thread::spawn(move || ask(address, requests / THREADS))
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    let seconds = u32::try_from(started.elapsed().as_millis()).map_or(1.0, f64::from) / 1000.0;
    println!(
        "serve (5,000/s): {:.0} requests a second, a connection each; {before} KiB before, {} KiB after {requests}",
        f64::from(u32::try_from(requests).unwrap()) / seconds,
        server.resident_kib()
    );
}

fn ask(address: SocketAddr, times: u64) {
    let request = format!("GET /v1/host HTTP/1.1\r\nHost: {address}\r\n\r\n");
    let mut answer = Vec::new();
    for _ in 0..times {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        answer.clear();
        stream.read_to_end(&mut answer).unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 200"));
    }
}
