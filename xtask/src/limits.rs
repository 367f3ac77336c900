//! `cargo xtask limits`: holds the release binary against its limits: how long a process lives, what it takes, how much it
//! answers. `REQUESTS=1000000` for the long run of `serve`.
use crate::{e2e, steps::Steps, workspace};
use anyhow::{Context, Result, ensure};
use std::{
    env,
    fmt::Write as _,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

const THREADS: u32 = 4;
const CONNECTIONS: u32 = 100_000;

/// Builds it and prints what it takes.
pub(crate) fn run(steps: &Steps) -> Result<()> {
    let binary = e2e::binary(steps)?;
    steps.next("the binary against its limits");
    process(
        &binary,
        "detect, no driver (20 ms, 8192 KiB)",
        &["detect", "--json"],
    )?;
    let plan = ["plan", "--json", "--model", "Qwen/Qwen3-8B", "--gpu", "H100 SXM"];
    process(&binary, "plan, catalogue (10 ms)", &plan)?;
    batch(&binary)?;
    serve(&binary)
}

/// Median of many runs, and the most memory that one took.
fn process(binary: &Path, what: &str, arguments: &[&str]) -> Result<()> {
    let mut times = Vec::new();
    for _ in 0..40 {
        let started = Instant::now();
        let ended = Command::new(binary).args(arguments).output()?;
        ensure!(ended.status.code().is_some(), "{what}: ended by a signal");
        times.push(started.elapsed());
    }
    times.sort();
    let median = times.get(times.len() / 2).copied().unwrap_or_default();
    println!(
        "{what}: median {median:.1?}, {} KiB at most",
        peak_kib(binary, arguments)
    );
    Ok(())
}

/// As GNU time measures it; without that program it is not known.
fn peak_kib(binary: &Path, arguments: &[&str]) -> String {
    let timed = Command::new("/usr/bin/time")
        .args(["-f", "%M"])
        .arg(binary)
        .args(arguments)
        .output();
    let said = timed.map(|ended| String::from_utf8_lossy(&ended.stderr).into_owned());
    let last = said
        .ok()
        .and_then(|text| text.trim().lines().last().map(str::to_owned));
    last.unwrap_or_else(|| "? (no /usr/bin/time)".to_owned())
}

fn batch(binary: &Path) -> Result<()> {
    const LINES: u32 = 100_000;
    let models = [
        "Qwen/Qwen3-8B",
        "meta-llama/Llama-3.3-70B-Instruct",
        "Qwen/Qwen3-30B-A3B-FP8",
        "mistralai/Mistral-7B-Instruct-v0.3",
    ];
    let mut lines = String::new();
    for (number, model) in (1..=LINES).zip(models.iter().cycle()) {
        writeln!(
            lines,
            "#s=1&model={model}&gpu=h100-sxm&gpus=4&concurrency={}",
            1 + number % 64
        )?;
    }
    let path = workspace::target_dir()?.join("limits.jsonl");
    fs::write(&path, lines)?;
    let started = Instant::now();
    let mut command = Command::new(binary);
    let ended = command
        .args(["plan", "--batch"])
        .arg(&path)
        .stdout(Stdio::null())
        .status()?;
    ensure!(ended.success(), "a line was not answered");
    let rate = f64::from(LINES) / started.elapsed().as_secs_f64();
    println!("plan --batch (20000/s): {rate:.0} plans a second, one thread");
    Ok(())
}

struct Server {
    child: Child,
    address: SocketAddr,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    fn start(binary: &Path) -> Result<Self> {
        let report = workspace::root().join("agent/tests/fixtures/h100x2.json");
        let mut child = Command::new(binary)
            .args(["serve", "--listen", "127.0.0.1:0", "--from-file"])
            .arg(report)
            .stderr(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        let stderr = child.stderr.take().context("stderr is a pipe")?;
        BufReader::new(stderr).read_line(&mut line)?;
        let rest = line
            .strip_prefix("listening on http://")
            .context("the server says where it listens")?;
        let address = rest.split('/').next().unwrap_or_default().parse()?;
        Ok(Self { child, address })
    }

    fn resident_kib(&self) -> String {
        let text = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.map_or_else(|| "?".to_owned(), |line| line.trim().to_owned())
    }
}

fn serve(binary: &Path) -> Result<()> {
    let requests: u32 = env::var("REQUESTS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(100_000);
    let server = Server::start(binary)?;
    ask(server.address, 1_000)?;
    let before = server.resident_kib();
    let started = Instant::now();
    let threads: Vec<_> = (0..THREADS)
        .map(|_| {
            let address = server.address;
            thread::spawn(move || ask(address, requests / THREADS))
        })
        .collect();
    for thread in threads {
        thread
            .join()
            .map_err(|_| anyhow::anyhow!("a visitor broke off"))??;
    }
    let rate = f64::from(requests) / started.elapsed().as_secs_f64();
    println!(
        "serve (5000/s): {rate:.0} requests a second, a connection each; resident {before} before, {} after {requests}",
        server.resident_kib()
    );
    for _ in 0..CONNECTIONS {
        drop(TcpStream::connect(server.address)?);
    }
    // Whoever still waits for the server is answered before this.
    ask(server.address, 1)?;
    println!(
        "serve: {CONNECTIONS} connections opened and closed without a word; resident {} after them",
        server.resident_kib()
    );
    Ok(())
}

fn ask(address: SocketAddr, times: u32) -> Result<()> {
    let request = format!("GET /v1/host HTTP/1.1\r\nHost: {address}\r\n\r\n");
    let mut answer = Vec::new();
    for _ in 0..times {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        stream.write_all(request.as_bytes())?;
        answer.clear();
        stream.read_to_end(&mut answer)?;
        ensure!(answer.starts_with(b"HTTP/1.1 200"), "an answer that is none");
    }
    Ok(())
}
