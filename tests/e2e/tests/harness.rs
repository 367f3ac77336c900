//! The harness against a page made for it: finds what a person would find, and does what a person would do.

use e2e::{Name, Options, Res, Scheme, journey};
use std::{fs, time::Duration};
use tempfile::TempDir;

const PAGE: &str = r#"<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>Fixture</title><main><h1>Fixture</h1>
<label for="n">Context length</label> <input id="n" type="number" value="8">
<label>GPU <select id="g"><option value="a">A100</option><option value="h">H100</option></select></label>
<label><input type="checkbox" id="c"> Eager</label>
<label>Memory <input type="range" id="r" min="0" max="100" value="90"></label>
<label>Config <input type="file" id="f"></label>
<button id="b">Copy</button> <button hidden>Copy</button>
<section aria-label="Files"><button>Save</button></section> <section aria-label="Other"><button>Save</button></section>
<button id="late" disabled>Later</button>
<p role="status" id="s"></p></main>
<style>#s { color: #000 } @media (prefers-color-scheme: dark) { #s { color: #fff } } @media print { #s { color: #888 } }
button { min-height: 3rem }</style>
<script>
const $ = (id) => document.getElementById(id), say = (text) => ($("s").textContent = text);
$("n").oninput = () => say("n=" + $("n").value);
$("g").onchange = () => say("g=" + $("g").value);
$("c").onchange = () => say("c=" + $("c").checked);
$("r").oninput = () => say("r=" + $("r").value);
$("f").onchange = async () => say("f=" + (await $("f").files[0].text()));
$("b").onclick = async () => { await navigator.clipboard.writeText("copied text"); say("copied"); };
document.querySelector("section button").onclick = () => {
  const a = document.createElement("a");
  a.href = URL.createObjectURL(new Blob(["a: 1\n"])); a.download = "plan.yaml"; a.click();
};
$("late").onclick = () => say("late");
setTimeout(() => ($("late").disabled = false), 300);
addEventListener("keydown", (e) => { if (e.key === "k" && e.ctrlKey) say("chord"); });
</script></html>"#;

fn fixture() -> Res<(TempDir, Options)> {
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("index.html"), PAGE)?;
    let options = Options::default().site(folder.path());
    Ok((folder, options))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fields_take_what_a_person_enters() -> Res<()> {
    let (_folder, options) = fixture()?;
    journey(options, async |page| {
        let status = page.role("status", Name::Any);
        page.field("Context length").fill("32768").await?;
        status.has_text("n=32768").await?;
        page.role("spinbutton", "Context length")
            .has_value("32768")
            .await?;
        page.field("Context length").press("ArrowUp").await?;
        status.has_text("n=32769").await?;
        page.field("Context length").fill("").await?;
        status.has_text("n=").await?;
        page.field("GPU").select("H100").await?;
        status.has_text("g=h").await?;
        page.field("Eager").click().await?;
        assert!(page.field("Eager").checked().await?);
        page.field("Memory").fill("80").await?;
        status.has_text("r=80").await?;
        let config = page.file("config.json", "{}")?;
        page.css("input[type=file]").choose_files(&[&config]).await?;
        status.has_text("f={}").await?;
        page.press("Control+k").await?;
        status.has_text("chord").await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clipboard_and_downloads_are_read_back() -> Res<()> {
    let (_folder, options) = fixture()?;
    journey(options, async |page| {
        page.role("button", "Copy").click().await?; // the hidden one does not count
        page.role("status", Name::Any).has_text("copied").await?;
        assert_eq!(page.clipboard().await?, "copied text");
        page.role("region", "Files")
            .role("button", "Save")
            .click()
            .await?;
        assert_eq!(page.download("plan.yaml").await?, b"a: 1\n");
        page.role("button", Name::containing("Lat")).click().await?; // once it is enabled
        page.role("status", Name::Any).has_text("late").await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn looks_and_rules_can_be_checked() -> Res<()> {
    let (_folder, options) = fixture()?;
    journey(options.dark(), async |page| {
        let color = "getComputedStyle(document.getElementById('s')).color";
        assert_eq!(page.eval(color).await?, "rgb(255, 255, 255)");
        page.set_media(Scheme::Light, "").await?;
        assert_eq!(page.eval(color).await?, "rgb(0, 0, 0)");
        page.set_media(Scheme::Light, "print").await?;
        assert_eq!(page.eval(color).await?, "rgb(136, 136, 136)");
        assert_eq!(page.axe().await?, Vec::<String>::new());
        page.eval("document.getElementById('n').labels[0].remove()")
            .await?;
        assert_eq!(page.axe().await?, ["label: #n"]);
        assert!(!page.scrolls_sideways().await?);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn history_and_hash_are_followed() -> Res<()> {
    let (_folder, options) = fixture()?;
    journey(options.at("#a=1"), async |page| {
        assert_eq!(page.hash().await?, "#a=1");
        page.set_hash("#a=2").await?;
        page.wait("location.hash === '#a=2'").await?;
        page.back().await?;
        page.wait("location.hash === '#a=1'").await?;
        page.open_at("#a=3").await?;
        assert_eq!(page.hash().await?, "#a=3");
        page.reload().await?;
        assert_eq!(page.role("button", "Save").count().await?, 2);
        page.role("button", "Save").nth(1).visible().await?;
        page.role("button", "Nowhere").gone().await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failure_names_what_is_there() -> Res<()> {
    let (_folder, options) = fixture()?;
    let hurried = options.patience(Duration::from_millis(300));
    let outcome = journey(hurried, async |page| page.role("button", "Copi").click().await).await;
    let error = outcome.map_or_else(|error| error.to_string(), |()| String::new());
    assert!(
        error.contains(r#"["Config", "Copy", "Save", "Save", "Later"]"#),
        "{error}"
    );
    Ok(())
}
