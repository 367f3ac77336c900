//! Throughput against latency, a step's time, and requests one by one.

use e2e::{Options, Res, journey};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn loads_are_charted_moved_by_keys_and_held_against_limits() -> Res<()> {
    journey(Options::default(), async |page| {
        let speed = page.css("#speed");
        speed.has_text("the most without a queue").await?;
        // As a table too, in the page whether it is open or not.
        page.wait("document.querySelectorAll('#speed .more tbody tr').length > 8")
            .await?;
        page.wait("document.querySelector('#tpot-chart title').textContent.includes('at 32 at once')")
            .await?;
        page.css(".curves").click().await?;
        page.press("ArrowRight").await?;
        page.field("Concurrent sequences").has_value("64").await?;
        page.wait("document.querySelector('#tpot-chart title').textContent.includes('at 64 at once')")
            .await?;
        // Limits stand in both charts, and up to which load they are kept.
        page.role("group", "Workload").css("summary").click().await?;
        page.field("Longest time per output token (ms)")
            .fill("10")
            .await?;
        page.field("Longest time to first token (ms)").fill("500").await?;
        speed.has_text("is the highest that keeps to the limits").await?;
        page.wait("document.querySelectorAll('#speed .limit-line').length == 3")
            .await?;
        page.wait("location.hash.includes('slo_tpot_ms=10')").await?;
        // At a rate the keys change the rate.
        page.field("Request rate (per second)").fill("4").await?;
        page.wait("document.querySelector('#ttft-chart title').textContent.includes('at 4 a second')")
            .await?;
        page.css(".curves").click().await?;
        page.press("ArrowLeft").await?;
        page.field("Request rate (per second)").has_value("2").await?;
        let breaches = page.axe().await?;
        assert!(breaches.is_empty(), "{breaches:#?}");
        page.role("button", "Save Time per output token chart as SVG")
            .click()
            .await?;
        let svg = String::from_utf8(page.download("Time per output token.svg").await?)?;
        assert!(svg.starts_with("<svg") && svg.contains("stroke"), "{svg}");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn steps_and_requests_are_shown_on_a_narrow_dark_page() -> Res<()> {
    journey(Options::default().dark().viewport(360, 760), async |page| {
        let speed = page.css("#speed");
        speed.role("table", "Time of an average step").has_text("Reading weights and cache").await?;
        let requests = speed.role("table", "The simulated requests");
        requests.has_text("KV cache in use").await?;
        page.wait("document.querySelector('#requests-chart title').textContent.includes('all but one of a hundred')")
            .await?;
        // A change makes a new run.
        page.css("details.section:nth-of-type(3) > summary").click().await?;
        page.field("Answer (tokens)").fill("64").await?;
        page.wait("!document.querySelector('#speed .run').textContent.includes('p50 5.')").await?;
        let breaches = page.axe().await?;
        assert!(breaches.is_empty(), "{breaches:#?}");
        assert!(!page.scrolls_sideways().await?);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_that_pools_has_times_of_requests_and_no_tokens_between() -> Res<()> {
    let link = "#s=1&vllm=0.33.0&model=Qwen/Qwen3-8B&gpu=h100-sxm&x.--runner=pooling";
    journey(Options::default().at(link), async |page| {
        let speed = page.css("#speed");
        speed.has_text("Prompt tokens per second").await?;
        speed.has_text("the most without a queue").await?;
        page.wait("document.querySelector('#requests-chart title')?.textContent.includes('Half of the vectors')")
            .await?;
        page.wait("document.querySelector('#ttft-chart title').textContent.startsWith('Prompt tokens per second against Time of a request')")
            .await?;
        let rows = "[...document.querySelectorAll('#speed .more tr')].map((row) => row.children.length)";
        page.wait(&format!("{rows}.length > 5 && {rows}.every((cells) => cells == 3)")).await?;
        page.wait("!/NaN|output token|first token|further/i.test(document.querySelector('#speed').textContent)")
            .await?;
        page.wait("!document.querySelector('#tpot-chart')").await?;
        let breaches = page.axe().await?;
        assert!(breaches.is_empty(), "{breaches:#?}");
        Ok(())
    })
    .await
}
