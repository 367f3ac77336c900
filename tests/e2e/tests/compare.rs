//! Plans beside each other, and context against concurrency.

use e2e::{Name, Options, Res, journey};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pinned_plan_stands_beside_with_what_differs() -> Res<()> {
    journey(Options::default(), async |page| {
        page.role("banner", Name::Any)
            .role("button", "Compare")
            .click()
            .await?;
        let panel = page.role("region", "Compare");
        panel.has_text("Nothing differs yet").await?;
        page.field("KV cache type").select("fp8").await?;
        panel.has_text("KV cache type").await?;
        panel.has_text("more").await?;
        page.css(".verdict .figures").has_text("more").await?;
        page.wait("location.hash.includes('&a.-kv_cache_dtype')").await?;
        // A third scenario is a column more.
        page.role("banner", Name::Any)
            .role("button", "Compare")
            .click()
            .await?;
        page.field("Concurrent sequences").fill("48").await?;
        page.wait("document.querySelectorAll('#compare-table thead th').length === 5")
            .await?;
        let breaches = page.axe().await?;
        assert!(breaches.is_empty(), "{breaches:#?}");
        page.wait("location.hash.includes('&b.')").await?;
        page.reload().await?;
        page.wait("document.querySelectorAll('#compare-table thead th').length === 5")
            .await?;
        panel.role("button", "Copy table").click().await?;
        panel.role("button", "Copied").visible().await?;
        assert!(
            page.clipboard()
                .await?
                .contains("| KV cache type | auto | fp8 | fp8 |")
        );
        panel.role("button", "Swap with A").click().await?;
        page.field("Concurrent sequences").has_value("32").await?;
        page.field("KV cache type").has_value("").await?;
        panel.has_text("less").await?;
        page.eval("document.activeElement.blur()").await?;
        page.press("Control+z").await?;
        page.field("Concurrent sequences").has_value("48").await?;
        panel.role("button", "Clear").click().await?;
        page.wait("!document.getElementById('compare') && !location.hash.includes('a.')")
            .await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn comparison_fits_a_narrow_page_by_keyboard_alone() -> Res<()> {
    let link = "#s=1&model=Qwen/Qwen3-8B&gpu=h100-sxm&concurrency=48&a.-concurrency";
    journey(
        Options::default().at(link).dark().viewport(320, 640),
        async |page| {
            let panel = page.role("region", "Compare");
            panel.has_text("Concurrent sequences").await?;
            assert!(!page.scrolls_sideways().await?);
            let breaches = page.axe().await?;
            assert!(breaches.is_empty(), "{breaches:#?}");
            panel.role("button", "Copy A to Now").press("Enter").await?;
            panel.has_text("Nothing differs yet").await?;
            panel.role("button", "Clear").press("Enter").await?;
            page.wait("!document.getElementById('compare')").await
        },
    )
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn context_chart_is_moved_by_keys_and_saved() -> Res<()> {
    journey(Options::default(), async |page| {
        let panel = page.role("region", "Context and concurrency");
        panel.has_text("32 sequences of 1\u{202f}536 tokens").await?;
        let chart = panel.role("group", Name::containing("Chart of context"));
        chart.press("ArrowUp").await?;
        page.field("Concurrent sequences").has_value("64").await?;
        panel.has_text("64 sequences of").await?;
        chart.press("ArrowRight").await?;
        page.field(Name::containing("Prompt")).has_value("2048").await?;
        panel.has_text("64 sequences of 2\u{202f}560 tokens").await?;
        // The usual lengths, and the table behind the chart.
        let tiers = panel.css(".tiers");
        tiers.has_text("8\u{202f}192").await?;
        tiers.has_text("40\u{202f}960").await?;
        tiers.has_text("GPUs for 64 at once").await?;
        panel.css("summary").click().await?;
        panel.has_text("Tokens of each sequence").await?;
        panel.role("button", "Save context chart as SVG").click().await?;
        let svg = String::from_utf8(page.download("context.svg").await?)?;
        assert!(
            svg.starts_with("<svg") && svg.contains("fill=\"rgb(") && !svg.contains("class="),
            "{svg}"
        );
        panel.role("button", "Save context chart as PNG").click().await?;
        assert!(page.download("context.png").await?.starts_with(b"\x89PNG"));
        page.role("button", "Save memory chart as PNG").click().await?;
        assert!(page.download("memory.png").await?.starts_with(b"\x89PNG"));
        let breaches = page.axe().await?;
        assert!(breaches.is_empty(), "{breaches:#?}");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_are_held_against_those_of_a_and_scenarios_are_copied() -> Res<()> {
    let link = "#s=1&model=Qwen/Qwen3-8B&gpu=h100-sxm&kv_cache_dtype=fp8&concurrency=48&a.-kv_cache_dtype&a.concurrency=16&b.gpu=l40s";
    journey(Options::default().at(link), async |page| {
        let code = page.css("#artifact-code");
        code.has_text("--kv-cache-dtype fp8").await?;
        assert_eq!(page.css(".line-new").count().await?, 0);
        page.role("checkbox", "Diff against A").press(" ").await?;
        page.wait(
            "[...document.querySelectorAll('.fresh .line-new')].some((line) => line.textContent.includes('--kv-cache-dtype fp8'))",
        )
        .await?;
        page.wait(
            "[...document.querySelectorAll('.line-gone')].some((line) => line.dataset.text.includes('--max-num-seqs 32'))",
        )
        .await?;
        // The link is the page's own in both, and no difference; other files that differ have a dot.
        assert_eq!(
            page.eval("[...document.querySelectorAll('.line-new')].filter((line) => line.textContent.includes('#s=')).length")
                .await?,
            0
        );
        page.role("tab", Name::containing("vllm.service changed")).visible().await?;
        page.role("button", "Copy").press("Enter").await?;
        page.role("button", "Copied").visible().await?;
        assert!(!page.clipboard().await?.contains("--max-num-seqs 32"));
        let breaches = page.axe().await?;
        assert!(breaches.is_empty(), "{breaches:#?}");
        page.screenshot("diff-against-a").await?;

        let panel = page.role("region", "Compare");
        panel.role("button", "Copy B to Now").press("Enter").await?;
        page.field("GPU").has_value("L40S").await?;
        page.press("Control+z").await?;
        page.field("GPU").has_value("H100 SXM").await?;
        panel.role("button", "Copy A to Now").press("Enter").await?;
        page.field("Concurrent sequences").has_value("16").await?;
        // The same question as A has the same files.
        page.wait("document.querySelectorAll('.line-new, .line-gone').length === 0").await?;
        page.field("KV cache type").select("fp8").await?;
        page.css(".line-new").nth(0).visible().await?;
        panel.role("button", "Clear").press("Enter").await?;
        page.role("checkbox", "Diff against A").gone().await
    })
    .await
}
