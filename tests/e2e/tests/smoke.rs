//! The release build starts under its own policy, asks nobody for anything, and says so when it cannot start.

use e2e::{Fake, Name, Options, Res, journey, paths};
use std::fs;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn page_starts_under_its_policy_and_asks_nobody() -> Res<()> {
    journey(Options::default().policy_header(), async |page| {
        assert!(page.title().await?.contains("vLLM Wizard"));
        page.css("#app").has_text("vLLM Wizard").await?;
        assert_eq!(page.outside().asked(), Vec::<String>::new());
        page.screenshot("start").await?;
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn page_works_under_any_path() -> Res<()> {
    journey(
        Options::default()
            .under("/tools/wizard/")
            .dark()
            .viewport(320, 640),
        async |page| {
            assert_eq!(
                page.eval("matchMedia('(prefers-color-scheme: dark)').matches && innerWidth")
                    .await?,
                320
            );
            page.reload().await
        },
    )
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stored_theme_is_set_before_the_first_paint() -> Res<()> {
    let options = Options::default()
        .stored("vllm-wizard.theme", "dark")
        .without_start();
    journey(options, async |page| {
        assert_eq!(page.eval("document.documentElement.dataset.theme").await?, "dark");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn browser_without_webassembly_is_told_so() -> Res<()> {
    let options = Options::default()
        .before_start("delete globalThis.WebAssembly")
        .without_start()
        .expects_complaint("WebAssembly");
    journey(options, async |page| {
        let alert = page.role("alert", Name::Any);
        alert.has_text("does not run WebAssembly").await?;
        alert.has_text("vllm-wizard plan --help").await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn page_whose_files_are_missing_says_so() -> Res<()> {
    let copy = tempfile::tempdir()?;
    for file in fs::read_dir(paths::dist()?)?.flatten() {
        if file.path().extension().is_some_and(|ending| ending != "wasm") {
            fs::copy(file.path(), copy.path().join(file.file_name()))?;
        }
    }
    let options = Options::default().site(copy.path()).without_start();
    journey(
        options.expects_complaint("404").expects_complaint("WebAssembly"),
        async |page| {
            let alert = page.role("alert", Name::Any);
            alert.has_text("could not start").await?;
            alert.role("button", "Reload the page").click().await
        },
    )
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn page_that_takes_too_long_offers_to_reload() -> Res<()> {
    let never = "fetch = () => new Promise(() => {}); \
                 { const later = setTimeout; setTimeout = (run, ms) => later(run, ms / 20); }";
    journey(
        Options::default().before_start(never).without_start(),
        async |page| {
            page.css("#boot-loading").has_text("Loading").await?;
            page.css("#boot-slow")
                .role("button", "Reload the page")
                .click()
                .await
        },
    )
    .await
}

/// The harness's own promises: what a page must not do is noticed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn breaches_are_noticed() -> Res<()> {
    let fake = Fake::json("https://huggingface.co/api/models/a/b", r#"{"id":"a/b"}"#);
    let outcome = journey(Options::default().fake(fake), async |page| {
        let answer = "fetch('https://huggingface.co/api/models/a/b').then((r) => r.json()).then((j) => j.id)";
        assert_eq!(page.eval(answer).await?, "a/b");
        page.eval("fetch('https://huggingface.co/other').catch(() => 0)")
            .await?;
        page.eval("fetch('https://elsewhere.example/').catch(() => 0)")
            .await?;
        page.eval("document.body.setAttribute('style', 'color: red')")
            .await?;
        page.eval("void setTimeout(() => { throw new Error('thrown') })")
            .await?;
        page.eval("console.error('said')").await?;
        Ok(())
    })
    .await;
    let error = outcome.map_or_else(|error| error.to_string(), |()| "no error".to_owned());
    for part in [
        "huggingface.co/other",
        "elsewhere.example",
        "style",
        "thrown",
        "said",
    ] {
        assert!(error.contains(part), "{part} is missing in: {error}");
    }
    assert!(
        !error.contains("models/a/b"),
        "what a fake answers is no breach: {error}"
    );
    Ok(())
}
