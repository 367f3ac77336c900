//! The form beside its figures: the slider, how much was changed, and the memory bar that explains itself.

use e2e::{Name, Options, Res, journey};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slider_moves_the_context_by_powers_of_two_and_says_what_it_takes() -> Res<()> {
    let link = "#s=1&model=Qwen/Qwen3-8B&gpu=l4&concurrency=1&max_model_len=8192";
    journey(Options::default().at(link), async |page| {
        let slider = page.role("slider", "Context length, slider");
        // 36 layers × 8 heads × 128 × 2 × 2 bytes × 8192 tokens.
        let said = "document.querySelector('[type=range]').getAttribute('aria-valuetext')";
        page.wait(&format!("{said} === '8\u{202f}192 tokens, needs 1.1 GiB of KV cache per sequence'"))
            .await?;
        slider.press("ArrowRight").await?;
        page.field("Context length (tokens)").has_value("16384").await?;
        // The longest that fits is a stop of its own, marked, and the last that does.
        page.wait("document.querySelector('#max_model_len-fits option').value !== ''").await?;
        slider.press("End").await?;
        page.field("Context length (tokens)").has_value("40960").await?;
        page.css("#verdict-word").has_text("Does not fit").await?;
        slider.press("ArrowLeft").await?;
        slider.press("ArrowLeft").await?;
        page.wait("document.querySelector('[type=range]').value <= document.querySelector('#max_model_len-fits option').value")
            .await?;
        page.wait("!document.getElementById('verdict-word').textContent.includes('not')")
            .await?;
        page.eval("document.activeElement.blur()").await?;
        page.press("Control+z").await?;
        page.field("Context length (tokens)").has_value("8192").await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn headings_count_what_was_changed() -> Res<()> {
    journey(Options::default().at("#s=1&model=Qwen/Qwen3-8B&gpu=h100-sxm"), async |page| {
        let heading = async |name: &str| -> Res<String> {
            let script = format!(
                "[...document.querySelectorAll('.section > summary')].find((s) => s.textContent.includes('{name}')).querySelector('.changed').textContent"
            );
            Ok(page.eval(&script).await?.as_str().unwrap_or_default().to_owned())
        };
        for name in ["Model", "Hardware", "Workload", "Engine"] {
            assert_eq!(heading(name).await?, "", "{name}");
        }
        page.field("GPUs per node").fill("2").await?;
        page.field("Nodes").fill("2").await?;
        page.field("Concurrent sequences").fill("7").await?;
        page.field("KV cache type").select("fp8").await?;
        page.wait("location.hash.includes('fp8')").await?;
        assert_eq!(heading("Hardware").await?, "2 changed");
        assert_eq!(heading("Workload").await?, "1 changed");
        assert_eq!(heading("Engine").await?, "1 changed");
        page.role("button", "Reset Nodes").press("Enter").await?;
        page.wait("[...document.querySelectorAll('.changed')].every((e) => e.textContent !== '2 changed')")
            .await?;
        assert_eq!(heading("Hardware").await?, "1 changed");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_bar_explains_its_parts_by_click_and_by_keyboard() -> Res<()> {
    journey(Options::default(), async |page| {
        let bar = page.role("group", Name::containing("Memory bar"));
        bar.press("ArrowRight").await?;
        page.css(".group[data-here=true]").has_text("Weights").await?;
        bar.press("ArrowRight").await?;
        page.css(".group[data-here=true]")
            .has_text("KV cache, this workload")
            .await?;
        bar.press("Enter").await?;
        page.role("dialog", "KV cache for the workload")
            .has_text("Formula")
            .await?;
        // Back to the row of the table that says the same.
        page.press("Escape").await?;
        page.wait(
            "document.activeElement.getAttribute('aria-label') === 'Explain KV cache for the workload'",
        )
        .await?;
        page.css("#memory-chart .pick").nth(0).click().await?;
        page.role("dialog", "Feed-forward").has_text("Formula").await?;
        let breaches = page.axe().await?;
        assert!(breaches.is_empty(), "{breaches:#?}");
        Ok(())
    })
    .await
}
