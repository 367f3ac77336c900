//! How a figure came about, beside the page; undo, redo and the keys; the overlay of a page that failed.

use e2e::{Name, Options, Res, Scheme, journey};

const EXPLAINED: &str = "&explain=kv_cache_available";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_figure_explains_itself_and_closing_gives_the_focus_back() -> Res<()> {
    journey(Options::default(), async |page| {
        let sheet = page.role("dialog", "KV cache for the workload");
        page.role("button", "KV cache, this workload").click().await?;
        let open = page.role("button", "Explain KV cache for the workload");
        open.click().await?;
        sheet.has_text("Formula").await?;
        sheet.has_text("kv_cache_planning.py").await?;
        sheet.has_text("bytes").await?;
        page.wait("document.activeElement.id === 'sheet'").await?;
        // Not modal: the page goes on, and the sheet follows it.
        page.field("KV cache type").select("fp8").await?;
        sheet.visible().await?;
        page.press("Escape").await?;
        page.wait("document.getElementById('sheet').hidden").await?;
        page.wait(
            "document.activeElement.getAttribute('aria-label') === 'Explain KV cache for the workload'",
        )
        .await?;
        // By keyboard alone.
        page.press("Enter").await?;
        sheet.visible().await?;
        page.press("Tab").await?;
        page.press("Enter").await?;
        page.wait("document.getElementById('sheet').hidden").await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn link_opens_an_explanation_and_keeps_it() -> Res<()> {
    let link = format!("#s=1&model=Qwen/Qwen3-8B&gpu=h100-sxm{EXPLAINED}");
    journey(Options::default().at(&link), async |page| {
        let sheet = page.role("dialog", "Available KV cache memory");
        sheet.has_text("requested − weights").await?;
        page.css(".banner").gone().await?;
        page.field("Concurrent sequences").fill("48").await?;
        page.wait("location.hash.endsWith('&explain=kv_cache_available') && location.hash.includes('concurrency=48')")
            .await?;
        page.reload().await?;
        sheet.visible().await?;
        page.role("button", "Close").click().await?;
        page.wait("!location.hash.includes('explain')").await?;
        page.set_hash("#s=1&model=Qwen/Qwen3-8B&gpu=h100-sxm&explain=no_such_figure")
            .await?;
        page.role("dialog", "No such figure").visible().await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn steps_are_undone_and_done_again_and_keys_are_listed() -> Res<()> {
    journey(Options::default(), async |page| {
        page.role("button", "Presets").click().await?;
        page.role("button", Name::containing("70B over four GPUs"))
            .click()
            .await?;
        page.css(".subject").has_text("4 × H100 SXM").await?;
        page.eval("document.activeElement.blur()").await?;
        page.press("Control+z").await?;
        page.css(".subject").has_text("1 × H100 SXM").await?;
        page.press("Control+Shift+z").await?;
        page.css(".subject").has_text("4 × H100 SXM").await?;
        page.press("g").await?;
        page.press("a").await?;
        page.wait("document.activeElement.id === 'artifacts'").await?;
        page.press("c").await?;
        assert!(page.clipboard().await?.contains("vllm serve"));
        page.press("?").await?;
        page.role("dialog", "Keys").has_text("Go to the model").await?;
        page.field("Single-key shortcuts").click().await?;
        page.press("Escape").await?;
        page.wait("document.activeElement.id === 'artifacts'").await?;
        page.press("/").await?;
        page.reload().await?;
        page.wait("document.activeElement.id !== 'model'").await?;
        page.press("?").await?;
        assert!(!page.field("Single-key shortcuts").checked().await?);
        Ok(())
    })
    .await
}

/// A browser that refuses, once, what the page does not expect to be refused fails it for real: in a panic where the
/// refusal is looked at, in an exception through the middle of it where it is not.
const REFUSALS: [(&str, &str); 2] = [
    (
        "{ const { cloneNode } = Node.prototype;
           Node.prototype.cloneNode = () => { Object.assign(Node.prototype, { cloneNode }); throw new Error('refused') } }",
        "panicked at",
    ),
    (
        "{ const real = Object.getOwnPropertyDescriptor(Node.prototype, 'nodeValue');
           Object.defineProperty(Node.prototype, 'nodeValue', { ...real,
             set() { Object.defineProperty(Node.prototype, 'nodeValue', real); throw new Error('refused') } }) }",
        "refused",
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn page_that_fails_says_so_and_nothing_entered_before_is_lost() -> Res<()> {
    for (refusal, why) in REFUSALS {
        let options = Options::default()
            .expects_complaint("panicked")
            .expects_complaint("unreachable")
            .expects_complaint("refused")
            .expects_complaint("closure invoked recursively");
        journey(options, async |page| {
            page.field("Prompt (tokens)").fill("700").await?;
            page.wait("location.hash.includes('prompt_tokens=700')").await?;
            // On its way into the link while the page fails.
            page.field("Concurrent sequences").fill("48").await?;
            page.eval(&format!("{refusal}; void 0")).await?;
            page.field("KV cache type").select("fp8").await?;
            let sorry = page.role("alertdialog", "Sorry, the page failed.");
            sorry.has_text("Your link is intact").await?;
            sorry.has_text(why).await?;
            page.wait("document.activeElement.id === 'sorry-reload'").await?;
            page.wait("location.hash.includes('concurrency=48')").await?;
            for (scheme, width) in [(Scheme::Light, 1280), (Scheme::Dark, 320)] {
                page.set_media(scheme, "").await?;
                page.set_viewport(width, 640).await?;
                let breaches = page.axe().await?;
                assert!(breaches.is_empty(), "{breaches:#?}");
                assert!(!page.scrolls_sideways().await?);
                page.picture(&format!("failed-{width}")).await?;
            }
            page.set_viewport(1280, 900).await?;
            // By keyboard alone, from the last button back. Escape leads nowhere: there is no page to go back to.
            page.press("Escape").await?;
            page.press("Shift+Tab").await?;
            page.press("Enter").await?;
            sorry.role("button", "Copied").visible().await?;
            let diagnostics = page.clipboard().await?;
            for part in [why, "wasm", "concurrency=48"] {
                assert!(diagnostics.contains(part), "{part} is missing in: {diagnostics}");
            }
            page.press("Shift+Tab").await?;
            page.press("Enter").await?;
            page.wait("navigator.clipboard.readText().then((text) => text === location.href)")
                .await?;
            page.press("Tab").await?;
            page.press("Tab").await?;
            page.press("Enter").await?;
            page.wait(
                "!document.getElementById('boot') && document.getElementById('concurrency')?.value === '48'",
            )
            .await?;
            page.field("Prompt (tokens)").has_value("700").await?;
            page.field("KV cache type").select("fp8").await?;
            page.css("#artifact-code").has_text("--kv-cache-dtype fp8").await
        })
        .await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changed_lines_of_files_are_marked_and_no_part_of_them() -> Res<()> {
    journey(Options::default(), async |page| {
        page.role("tab", "serve_command.sh").visible().await?;
        assert_eq!(page.css(".line-new").count().await?, 0);
        page.field("KV cache type").select("fp8").await?;
        page.css(".line-new").nth(0).visible().await?;
        page.wait("[...document.querySelectorAll('.line-new')].some((line) => line.textContent.includes('--kv-cache-dtype'))")
            .await?;
        page.wait("document.querySelectorAll('.line-gone').length > 0").await?;
        let text = page.css("#artifact-code").text().await?;
        page.role("button", "Copy").click().await?;
        page.role("button", "Copied").visible().await?;
        assert_eq!(page.clipboard().await?.trim_end(), text.trim_end());
        assert_eq!(page.role("tab", Name::containing("vllm.service changed")).count().await?, 1);
        let breaches = page.axe().await?;
        assert!(breaches.is_empty(), "{breaches:#?}");
        // What is gone leaves after four seconds; a thin mark stays at what came.
        page.wait("document.querySelectorAll('.line-gone').length === 0").await?;
        page.css(".line-new").nth(0).visible().await?;
        page.role("checkbox", "Mark changes").click().await?;
        assert_eq!(page.css(".line-new").count().await?, 0);
        Ok(())
    })
    .await
}
