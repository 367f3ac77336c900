//! Every state of the page, in both themes, wide and narrow: no accessibility rule is broken, nothing sticks out.

use e2e::{Name, Options, Page, Res, Scheme, journey};

const BIG_ON_ONE: &str = "#s=1&model=meta-llama/Llama-3.3-70B-Instruct&gpu=h100-sxm";

/// Looks at the page as it is now.
async fn look(page: &Page, what: &str) -> Res<()> {
    for scheme in [Scheme::Light, Scheme::Dark] {
        page.set_media(scheme, "").await?;
        for (width, height) in [(1280, 900), (320, 640)] {
            page.set_viewport(width, height).await?;
            let breaches = page.axe().await?;
            assert!(
                breaches.is_empty(),
                "{what}, {scheme:?}, {width} px: {breaches:#?}"
            );
            assert!(
                !page.scrolls_sideways().await?,
                "{what} scrolls sideways at {width} px"
            );
        }
        page.set_viewport(1280, 900).await?;
        page.screenshot(&format!("{what}-{}", scheme.as_str())).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn example_and_explanations() -> Res<()> {
    journey(Options::default(), async |page| {
        look(page, "example").await?;
        page.role("button", "Weights").click().await?;
        page.role("button", "Explain Attention").click().await?;
        page.role("dialog", "Attention").visible().await?;
        page.role("button", "About Context length").click().await?;
        look(page, "explained").await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn does_not_fit_and_files_anyway() -> Res<()> {
    journey(Options::default().at(BIG_ON_ONE), async |page| {
        page.css("#verdict-word").has_text("Does not fit").await?;
        page.role("button", "Show anyway").click().await?;
        look(page, "does-not-fit").await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invalid_fields_and_a_banner() -> Res<()> {
    let link = "#s=1&model=Qwen/Qwen3-8B&gpu=h100-sxm&concurrency=9000&no_such_key=1";
    journey(Options::default().at(link), async |page| {
        page.css("#verdict-word").has_text("Tight").await?;
        page.field("Context length (tokens)").fill("long").await?;
        page.field("Model").fill("me/mine").await?;
        page.press("Escape").await?;
        look(page, "invalid").await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn open_list_menu_and_dialog() -> Res<()> {
    journey(Options::default(), async |page| {
        page.field("Model").fill("llama").await?;
        page.press("ArrowDown").await?;
        look(page, "model-list").await?;
        page.press("Escape").await?;
        page.press("Escape").await?;
        page.role("button", "Presets").click().await?;
        look(page, "presets").await?;
        page.press("Escape").await?;
        page.role("button", "Import this machine's GPUs").click().await?;
        page.role("button", "Use it").click().await?;
        look(page, "import").await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_file() -> Res<()> {
    journey(Options::default(), async |page| {
        for place in 0..page.role("tab", Name::Any).count().await? {
            page.role("tab", Name::Any).nth(place).click().await?;
            look(page, &format!("file-{place}")).await?;
        }
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paper_has_table_and_link_and_no_buttons() -> Res<()> {
    journey(Options::default(), async |page| {
        page.set_media(Scheme::Light, "print").await?;
        page.set_viewport(794, 1123).await?;
        assert!(page.role("table", Name::Any).count().await? >= 2);
        page.css("#artifact-code").has_text("#s=1&").await?;
        assert_eq!(page.role("button", "Copy").count().await?, 0);
        page.screenshot("print").await.map(drop)
    })
    .await
}
