//! A mirror of the Hub, and a token for it: asked only on request, told to nobody else, kept nowhere.

use e2e::{Fake, Name, Options, Page, Res, journey};
use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

const TOKEN: &str = "hf_PretendTokenOfNobody";
const CONFIG: &str = r#"{"architectures":["LlamaForCausalLM"],"model_type":"llama","hidden_size":2048,
    "intermediate_size":5632,"num_hidden_layers":22,"num_attention_heads":32,"num_key_value_heads":4,
    "vocab_size":32000,"max_position_embeddings":2048,"torch_dtype":"bfloat16"}"#;

/// What a server was asked: the request line, and the token that came with it.
type Asked = Arc<Mutex<Vec<(String, Option<String>)>>>;

/// A server that pretends to be a mirror of the Hub.
struct Mirror {
    /// `127.0.0.1:<port>`.
    host: String,
    asked: Asked,
}

impl Mirror {
    /// `moved_to` is where it sends those who ask for `me/moved`.
    fn start(moved_to: &str) -> Res<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let host = listener.local_addr()?.to_string();
        let asked = Asked::default();
        let (record, moved_to) = (Arc::clone(&asked), moved_to.to_owned());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                answer(stream, &record, &moved_to).ok();
            }
        });
        Ok(Self { host, asked })
    }

    /// Gets since the last call, without the browser's own questions beforehand.
    fn gets(&self) -> Vec<(String, Option<String>)> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let gets = asked.drain(..).filter(|(line, _)| line.starts_with("GET "));
        gets.map(|(line, token)| (line.trim_start_matches("GET ").to_owned(), token))
            .collect()
    }

    fn fake(&self) -> Fake {
        Fake::pass_on(format!("http://{}", self.host))
    }
}

fn answer(mut stream: TcpStream, asked: &Asked, moved_to: &str) -> Res<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let line = line.trim_end().trim_end_matches(" HTTP/1.1").to_owned();
    let mut token = None;
    loop {
        let mut header = String::new();
        if reader.read_line(&mut header)? <= 2 {
            break;
        }
        if let Some((name, value)) = header.split_once(':')
            && name.eq_ignore_ascii_case("authorization")
        {
            token = Some(value.trim().to_owned());
        }
    }
    asked
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push((line.clone(), token.clone()));
    let known = token.as_deref() == Some(&format!("Bearer {TOKEN}"));
    let (status, more) = match line.as_str() {
        line if line.starts_with("OPTIONS ") => (
            "204 No Content",
            "Access-Control-Allow-Headers: authorization\r\n".to_owned(),
        ),
        line if line.contains("/me/moved/") => ("302 Found", format!("Location: {moved_to}\r\n")),
        line if line.contains("/me/missing/") => ("404 Not Found", String::new()),
        line if line.contains("/me/forbidden/") => ("403 Forbidden", String::new()),
        line if line.contains("/me/gated/") && !known => ("401 Unauthorized", String::new()),
        _ => ("200 OK", String::new()),
    };
    let body = if status == "200 OK" { CONFIG } else { "" };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Access-Control-Allow-Origin: *\r\n{more}Connection: close\r\n\r\n{body}",
        body.len()
    )?;
    Ok(())
}

/// Opens the fold for a model that the catalogue does not have.
async fn open(page: &Page, id: &str) -> Res<()> {
    page.field("Model").fill(id).await?;
    page.press("Escape").await?;
    if page.css(".hub details[open]").count().await? == 0 {
        page.css(".hub summary").press("Enter").await?;
    }
    page.field("Hub address").visible().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn token_reaches_the_named_host_alone_and_stays_nowhere() -> Res<()> {
    let other = Mirror::start("")?;
    let mirror = Mirror::start(&format!("http://{}/config.json", other.host))?;
    let host = mirror.host.clone();
    let options = Options::default()
        .fake(mirror.fake())
        .fake(other.fake())
        .policy_header();
    journey(options, async |page| {
        open(page, "me/gated").await?;
        page.field("Hub address")
            .fill(&format!("http://{host}/hf/"))
            .await?;
        page.press("Tab").await?;
        let fetch = page.role("button", Name::Exact(format!("Fetch config.json from {host}")));
        fetch.visible().await?;
        assert_eq!(page.outside().asked(), Vec::<String>::new());

        fetch.press("Enter").await?;
        page.css(".hub > .error")
            .has_text("gated, private or does not exist")
            .await?;
        let gated = "/hf/me/gated/resolve/main/config.json".to_owned();
        assert_eq!(mirror.gets(), [(gated.clone(), None)]);

        let token = page.field(Name::Exact(format!("Token for {host}")));
        token.fill(&format!("  {TOKEN} ")).await?;
        assert_eq!(mirror.gets(), []);
        fetch.press("Enter").await?;
        page.css(".subject").has_text("me/gated").await?;
        let bearer = Some(format!("Bearer {TOKEN}"));
        assert_eq!(mirror.gets(), [(gated, bearer.clone())]);

        // Sent on to another host, the request loses the token.
        open(page, "me/moved@v1").await?;
        token.has_value(&format!("  {TOKEN} ")).await?;
        fetch.press("Enter").await?;
        page.css(".subject").has_text("me/moved").await?;
        assert_eq!(
            mirror.gets(),
            [("/hf/me/moved/resolve/v1/config.json".to_owned(), bearer)]
        );
        assert_eq!(other.gets(), [("/config.json".to_owned(), None)]);

        stays_nowhere(page).await?;
        page.reload().await?;
        stays_nowhere(page).await?;
        open(page, "me/again").await?;
        page.field("Hub address")
            .has_value(&format!("http://{host}/hf/"))
            .await?;
        token.has_value("").await?;
        fetch.press("Enter").await?;
        page.css(".subject").has_text("me/again").await?;
        assert_eq!(
            mirror.gets(),
            [("/hf/me/again/resolve/main/config.json".to_owned(), None)]
        );
        Ok(())
    })
    .await
}

/// Neither the token in the link, in what this browser keeps, or in any file, nor the mirror in link or file.
async fn stays_nowhere(page: &Page) -> Res<()> {
    // The last scenario is kept, and the link follows, once things are quiet.
    page.eval("new Promise((done) => setTimeout(done, 500))").await?;
    let everything = "(async () => JSON.stringify([location.href, history.state, document.cookie, { ...sessionStorage },
        { ...localStorage }, await indexedDB.databases(), await Promise.all((await caches.keys()).map(async (name) =>
        (await (await caches.open(name)).keys()).map((request) => request.url)))]))()";
    let kept = page.eval(everything).await?;
    let kept = kept.as_str().unwrap_or_default();
    assert!(kept.contains("#s=1") && !kept.contains(TOKEN), "{kept}");
    assert!(!page.hash().await?.contains("127.0.0.1"));
    page.role("button", "Download all (.zip)").click().await?;
    let archive = String::from_utf8_lossy(&page.download("vllm-deployment.zip").await?).into_owned();
    assert!(archive.contains("vllm serve"));
    assert!(!archive.contains(TOKEN) && !archive.contains("/hf/"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_address_forgets_the_token_and_a_wrong_one_asks_nobody() -> Res<()> {
    let mirror = Mirror::start("")?;
    let host = mirror.host.clone();
    journey(Options::default().fake(mirror.fake()), async |page| {
        open(page, "me/mine").await?;
        page.field("Token for huggingface.co").fill(TOKEN).await?;
        page.field("Hub address").fill(&format!("http://{host}")).await?;
        page.field(Name::Exact(format!("Token for {host}")))
            .has_value("")
            .await?;
        for (address, words) in [
            ("http://mirror.example", "expected https://host"),
            ("mirror.example", "expected https://host"),
            ("https://me:secret@mirror.example", "part before @"),
        ] {
            page.field("Hub address").fill(address).await?;
            page.css("#hub-address-wrong").has_text(words).await?;
            assert_eq!(
                page.role("button", Name::containing("Fetch config.json"))
                    .count()
                    .await?,
                0
            );
            assert!(page.field("Token").attribute("disabled").await?.is_some());
            page.press("Tab").await?;
        }
        let kept = page.eval("JSON.stringify({ ...localStorage })").await?;
        let kept = kept.as_str().unwrap_or_default();
        assert!(!kept.contains("secret"), "{kept}");
        page.field("Hub address").fill("").await?;
        page.role("button", "Fetch config.json from huggingface.co")
            .visible()
            .await?;
        page.field("Token for huggingface.co").has_value("").await?;
        page.field("Token for huggingface.co")
            .fill("hf_two words")
            .await?;
        page.role("button", "Fetch config.json from huggingface.co")
            .click()
            .await?;
        page.css(".hub > .error").has_text("Token: expected").await?;
        assert_eq!(page.outside().asked(), Vec::<String>::new());
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_mirror_refuses_is_told_apart() -> Res<()> {
    let mirror = Mirror::start("")?;
    let host = mirror.host.clone();
    let silent = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let options = Options::default()
        .fake(mirror.fake())
        .fake(Fake::unreachable(format!("http://{silent}")))
        .fake(Fake::json("https://closed.example", CONFIG).without_cors());
    journey(options, async |page| {
        open(page, "me/gated").await?;
        let (address, problem) = (page.field("Hub address"), page.css(".hub > .error"));
        address.fill(&format!("http://{host}")).await?;
        let fetch = page.role("button", Name::containing("Fetch config.json from"));
        page.field(Name::containing("Token for"))
            .fill("hf_another")
            .await?;
        for (id, words) in [
            ("me/gated", "refused the token"),
            ("me/forbidden", "it may not read me/forbidden"),
            ("me/missing", "has no config.json of me/missing"),
        ] {
            open(page, id).await?;
            fetch.press("Enter").await?;
            problem.has_text(words).await?;
            problem.has_text(&host).await?;
        }
        for (base, words) in [
            (format!("http://{silent}"), "No readable answer"),
            ("https://closed.example".to_owned(), "CORS"),
        ] {
            address.fill(&base).await?;
            fetch.press("Enter").await?;
            problem.has_text(words).await?;
            problem
                .has_text(base.split("//").nth(1).unwrap_or_default())
                .await?;
        }
        page.deny("local-network-access").await?;
        address.fill(&format!("http://{silent}")).await?;
        fetch.press("Enter").await?;
        problem
            .has_text("does not let this page reach the local network")
            .await
    })
    .await
}
