//! The GPUs of this machine, asked of `vllm-wizard serve`.

use e2e::{Fake, Name, Options, Page, Res, journey, paths};
use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    process::{Child, Command, Stdio},
};

const AGENT: &str = "http://127.0.0.1:9177";
/// What Chromium calls it: the first was the only name until it told loopback apart.
const PERMISSIONS: [&str; 2] = ["local-network-access", "loopback-network"];
const CONNECT: &str = "Connect to 127.0.0.1:9177";
/// What an agent printed.
const REPORT: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../agent/tests/fixtures/h100x2.json"
);

/// A running agent, and where it listens; it ends with this value.
struct Agent(Child, String);

impl Agent {
    /// Starts the release build, with a saved report in place of a driver.
    fn start(listen: &str) -> Res<Self> {
        let mut agent = Command::new(paths::binary()?)
            .args(["serve", "--from-file", REPORT, "--listen", listen])
            .stderr(Stdio::piped())
            .spawn()?;
        let said = agent.stderr.take().ok_or("no standard error")?;
        let mut agent = Self(agent, String::new());
        for line in BufReader::new(said).lines() {
            let line = line?;
            if let Some((_, address)) = line.split_once("listening on http://") {
                let end = address.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | ':')));
                address[..end.unwrap_or(address.len())].clone_into(&mut agent.1);
                return Ok(agent);
            }
            eprintln!("agent: {line}");
        }
        Err(format!("the agent ended; something else may listen at {listen}").into())
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

async fn open(page: &Page) -> Res<()> {
    page.role("button", "Import this machine's GPUs").click().await
}

/// Connecting ends with these words in the dialog, which stays open.
async fn fails(page: &Page, words: &str) -> Res<()> {
    open(page).await?;
    page.role("button", CONNECT).click().await?;
    page.css("#import-problem").has_text(words).await?;
    page.role("button", CONNECT).visible().await?;
    page.role("button", "Cancel").click().await?;
    page.role("dialog", Name::Any).gone().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_agent_gives_its_gpus_and_can_be_undone() -> Res<()> {
    // Takes connections and says nothing.
    let silent = TcpListener::bind("127.0.0.1:9177")?;
    journey(Options::default().fake(Fake::pass_on(AGENT)), async |page| {
        open(page).await?;
        assert_eq!(page.outside().asked(), Vec::<String>::new());
        page.role("button", CONNECT).press("Enter").await?;
        page.css("dialog p.why[role=status]")
            .has_text("permission")
            .await?;
        page.role("button", "Stop asking 127.0.0.1:9177")
            .press("Enter")
            .await?;
        page.css("#import-problem").has_text("Cancelled.").await?;
        drop(silent);
        let agent = Agent::start("127.0.0.1:9177")?;
        page.role("button", CONNECT).press("Enter").await?;
        page.role("dialog", Name::Any).gone().await?;
        page.field("GPUs per node").has_value("2").await?;
        assert_eq!(page.outside().asked(), vec![format!("{AGENT}/v1/host"); 2]);
        drop(agent);
        page.press("Control+z").await?;
        page.field("GPUs per node").has_value("1").await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn something_else_at_the_port_is_told_apart() -> Res<()> {
    let no_gpu = r#"{"error":"no GPU was found","help":"Is the driver loaded?"}"#;
    for (fake, words) in [
        (
            Fake::status(AGENT, 503, no_gpu),
            "The agent says: no GPU was found",
        ),
        (Fake::json(AGENT, "<html>"), "gives no host report"),
        (Fake::status(AGENT, 404, ""), "gives no host report"),
        (Fake::unreachable(AGENT), "serve is not running"),
        (Fake::json(AGENT, "{}").without_cors(), "--allow-origin"),
    ] {
        let options = Options::default()
            .fake(fake)
            .expects_complaint("503")
            .expects_complaint("404")
            .expects_complaint("CORS")
            .expects_complaint("ERR_");
        journey(options, async |page| fails(page, words).await).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_that_denies_the_local_network_is_named() -> Res<()> {
    let options = Options::default()
        .fake(Fake::unreachable(AGENT))
        .expects_complaint("ERR_");
    journey(options, async |page| {
        page.deny("local-network-access").await?;
        fails(page, "does not let this page reach the local network").await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_that_never_answers_times_out() -> Res<()> {
    let never = "{ const later = setTimeout; setTimeout = (run, ms) => later(run, ms / 20); \
                 const ask = fetch; fetch = (what, how) => String(what.url ?? what).includes(':9177') \
                 ? new Promise((_, fail) => (how ?? what).signal.addEventListener('abort', () => fail(new Error('aborted')))) \
                 : ask(what, how); }";
    journey(Options::default().before_start(never), async |page| {
        fails(page, "did not answer within 10 seconds").await
    })
    .await
}

/// To a page of the internet this machine is another network, and Chromium asks the person.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_browsers_permission_decides_and_the_port_is_the_agents() -> Res<()> {
    let agent = Agent::start("127.0.0.1:0")?;
    let address = agent.1.clone();
    let (_, port) = address.split_once(':').ok_or("no port")?;
    let options = Options::default()
        .from_the_internet()
        .fake(Fake::pass_on(format!("http://{address}")))
        .expects_complaint("ERR_")
        .expects_complaint("loopback");
    journey(options, async |page| {
        open(page).await?;
        let dialog = page.role("dialog", Name::Any);
        for wrong in ["", "0", "70000", "x"] {
            dialog.field("Port").fill(wrong).await?;
            page.role("button", CONNECT).press("Enter").await?;
            page.css("#import-problem")
                .has_text("expected a number from 1 to 65535")
                .await?;
        }
        assert_eq!(page.outside().asked(), Vec::<String>::new());
        dialog.field("Port").fill(port).await?;
        let connect = page.role("button", Name::Exact(format!("Connect to {address}")));
        for permission in PERMISSIONS {
            page.deny(permission).await?;
        }
        connect.press("Enter").await?;
        page.css("#import-problem")
            .has_text("does not let this page reach the local network")
            .await?;
        for permission in PERMISSIONS {
            page.grant(permission).await?;
        }
        connect.press("Enter").await?;
        dialog.gone().await?;
        page.field("GPUs per node").has_value("2").await
    })
    .await
}
