//! What to run: layouts of the hardware at hand, and other hardware, ranked, taken over, saved.

use e2e::{Name, Options, Page, Res, Scheme, journey, paths};
use std::process::Command;

const EIGHT: &str = "#s=1&model=meta-llama/Llama-3.3-70B-Instruct&gpu=h100-sxm&gpus=8";

/// Figures of a column as the table shows them now.
async fn column(page: &Page, table: &str, label: &str) -> Res<Vec<f64>> {
    let script = format!(
        "[...document.querySelectorAll('{table} td[data-label=\"{label}\"]')].map((c) => parseFloat(c.textContent)).filter((n) => !isNaN(n))"
    );
    Ok(serde_json::from_value(page.eval(&script).await?)?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recommended_layout_is_sorted_for_taken_over_and_taken_back() -> Res<()> {
    journey(Options::default().at(EIGHT), async |page| {
        let panel = page.role("region", "Recommended");
        panel.has_text("layouts on 8 × H100 SXM").await?;
        panel.has_text("In use").await?;
        page.look("recommended").await?;
        panel.field("First").select("Shortest time per request").await?;
        panel.role("button", "TPOT ms").click().await?;
        page.wait(
            "document.querySelector('#recommended th[aria-sort=ascending]').textContent.includes('TPOT')",
        )
        .await?;
        let figures = column(page, "#recommended", "TPOT ms").await?;
        assert!(figures.len() > 3 && figures.is_sorted(), "{figures:?}");
        // Beside the plan, which stays as it is.
        panel.role("button", "Compare TP 4 × DP 2").click().await?;
        let compared = page.css("#compare-table");
        compared.has_text("Data parallel").await?;
        page.css(".subject").has_text("8 × H100 SXM").await?;
        page.wait("location.hash.includes('a.data_parallel_size=2')")
            .await?;
        page.role("region", "Compare")
            .role("button", "Clear")
            .click()
            .await?;
        compared.gone().await?;
        // One act, one step of the history; the question stays about all eight GPUs.
        let steps = page.eval("history.length").await?.as_u64().unwrap_or(0);
        panel.role("button", "Use TP 4").click().await?;
        page.field(Name::containing("GPUs per node"))
            .has_value("4")
            .await?;
        page.wait(&format!("history.length === {}", steps + 1)).await?;
        page.css("#recommended tr.is-here").has_text("TP 4").await?;
        panel.has_text("layouts on 8 × H100 SXM").await?;
        page.wait("document.activeElement.textContent === 'In use'")
            .await?;
        page.press("Control+z").await?;
        page.field(Name::containing("GPUs per node"))
            .has_value("8")
            .await?;
        page.wait("location.hash.endsWith('&gpus=8&w.objective=latency')")
            .await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_and_prices_are_kept_or_said_not_to_be_used() -> Res<()> {
    journey(Options::default().at(EIGHT), async |page| {
        let panel = page.role("region", "Recommended");
        panel.has_text("First of").await?;
        // The load's limits count; the panel leads to them.
        panel
            .role("button", Name::containing("Limits of the load"))
            .press("Enter")
            .await?;
        page.wait("document.activeElement.id === 'slo_ttft_ms'").await?;
        page.field("Longest time to first token (ms)").fill("1").await?;
        panel.has_text("p50: TTFT ≤ 1 ms").await?;
        panel.has_text("Nothing serves this load").await?;
        panel.has_text("ms instead of 1").await?;
        page.field("Longest time to first token (ms)").fill("").await?;
        panel.has_text("First of").await?;
        panel.field("Price per GPU-hour").fill("little").await?;
        panel.has_text("Not used.").await?;
        panel.field("Price per GPU-hour").fill("").await?;
        panel.field("First").select("Lowest cost per token").await?;
        panel.has_text("Give a price per GPU-hour").await?;
        panel.field("Price per GPU-hour").fill("2.50").await?;
        panel.role("button", "USD/M tokens").visible().await?;
        let costs = column(page, "#recommended", "/M tokens").await?;
        assert!(costs.len() > 3 && costs[0] > 0.0, "{costs:?}");
        panel.field("Also try FP8 weights and cache").click().await?;
        panel.has_text("FP8 weights").await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_gpus_are_explored_saved_and_taken_over() -> Res<()> {
    let link = "#s=1&model=Qwen/Qwen3-32B&gpu=h100-sxm&concurrency=64";
    journey(Options::default().at(link), async |page| {
        let panel = page.role("region", "Other hardware");
        panel.role("button", Name::containing("Explore")).press("Enter").await?;
        panel.has_text("kinds of GPU").await?;
        panel.has_text("First of").await?;
        panel.role("button", "Save explore as CSV").click().await?;
        let saved = String::from_utf8(page.download("explore.csv").await?)?;
        let asked = ["explore", "--model", "Qwen/Qwen3-32B", "--concurrency", "64", "--objective", "balanced", "--csv"];
        let printed = Command::new(paths::binary()?).args(asked).output()?;
        assert_eq!(saved.trim_end(), String::from_utf8(printed.stdout)?.trim_end());
        panel.role("button", "Save explore as JSON").click().await?;
        let saved: serde_json::Value = serde_json::from_slice(&page.download("explore.json").await?)?;
        assert_eq!(saved["schema"], "vllm-wizard/explore/v1");
        panel.role("button", Name::containing("Show all")).click().await?;
        page.look("explored").await?;
        // Own prices: of all, and of one kind.
        page.field("Price per GPU-hour").fill("3").await?;
        panel.css("#cost-chart").visible().await?;
        panel.field("Price of one L4 per hour").fill("0.01").await?;
        page.press("Tab").await?;
        page.field("First").select("Lowest cost per token").await?;
        panel.has_text("× L4, TP").await?;
        panel.field("Only GPUs with").fill("h200").await?;
        page.wait("[...document.querySelectorAll('#explore .answers tbody th')].every((h) => h.textContent.includes('H200'))")
            .await?;
        // The chart by keyboard alone.
        let chart = panel.role("group", Name::containing("Chart of the GPUs")).nth(0);
        chart.press("End").await?;
        panel.has_text("tokens/s per user,").await?;
        panel.role("button", "Save pareto chart as SVG").click().await?;
        let svg = String::from_utf8(page.download("pareto.svg").await?)?;
        assert!(svg.starts_with("<svg") && svg.contains("<circle") && !svg.contains("class="), "{svg}");
        panel.role("button", "Save pareto table as CSV").click().await?;
        let csv = String::from_utf8(page.download("pareto.csv").await?)?;
        assert!(csv.starts_with("\"Hardware\",\"tokens/s per user\",\"tokens/s per GPU\"\r\n"), "{csv}");
        assert!(csv.lines().count() > 1 && csv.lines().all(|line| line.split("\",\"").count() == 3), "{csv}");
        panel.role("button", Name::containing("Use 1 × H200"))
            .nth(0).press("Enter").await?;
        page.css(".subject").has_text("H200").await?;
        panel.has_text("In use").await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_brings_prices_and_the_ranking_they_make() -> Res<()> {
    journey(Options::default().at(EIGHT), async |page| {
        let panel = page.role("region", "Recommended");
        panel.has_text("First of").await?;
        panel.field("First").select("Lowest cost per token").await?;
        panel.field("Price per GPU-hour").fill("2.50").await?;
        panel.field("Currency").fill("EUR").await?;
        page.press("Tab").await?;
        panel.role("button", "EUR/M tokens").visible().await?;
        let first = panel.css("#recommended-why").text().await?;
        page.role("button", "Share").press("Enter").await?;
        let shared = page.clipboard().await?;
        let (_, hash) = shared.split_once('#').ok_or("no link was shared")?;
        assert!(
            hash.contains("&w.objective=cost&w.currency=EUR&w.price=2.50"),
            "{hash}"
        );
        page.open_at("").await?;
        page.open_at(&format!("#{hash}")).await?;
        panel.field("Price per GPU-hour").has_value("2.50").await?;
        panel.role("button", "EUR/M tokens").visible().await?;
        panel.has_text(&first).await?;
        // One's own prices of one kind, on paper and in the column that is left out without any.
        let price = "getComputedStyle(document.querySelector('#explore .price-head')).display";
        page.role("region", "Other hardware")
            .role("button", Name::containing("Explore"))
            .press("Enter")
            .await?;
        let explored = page.role("region", "Other hardware");
        explored.has_text("First of").await?;
        page.set_media(Scheme::Light, "print").await?;
        page.wait(&format!("{price} === 'none'")).await?;
        page.set_media(Scheme::Light, "").await?;
        explored
            .field("Price of one B200 SXM per hour")
            .fill("0.7")
            .await?;
        page.press("Tab").await?;
        page.wait("location.hash.includes('w.price.B200%20SXM=0.7')")
            .await?;
        page.set_media(Scheme::Light, "print").await?;
        page.wait(&format!("{price} === 'table-cell'")).await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fleet_is_counted_held_against_other_ways_and_saved() -> Res<()> {
    journey(Options::default().at(EIGHT), async |page| {
        let fleet = page.role("region", "Fleet");
        fleet.has_text("Give the requests of an average second").await?;
        fleet.field("Requests per second").fill("20").await?;
        // The load's own field, wherever that is folded away.
        page.wait("document.getElementById('request_rate').value === '20'")
            .await?;
        fleet.field("At the peak").fill("30").await?;
        fleet.has_text("1 may fail").await?;
        fleet
            .role("table", "Other ways to serve the same")
            .has_text("This fleet")
            .await?;
        page.look("fleet").await?;
        let saved = async || -> Res<serde_json::Value> {
            fleet.role("button", "Save fleet as JSON").click().await?;
            Ok(serde_json::from_slice(&page.download("fleet.json").await?)?)
        };
        let mut link = page
            .eval("location.href")
            .await?
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let asked = async |link: &str, spare: &str| -> Res<serde_json::Value> {
            let printed = Command::new(paths::binary()?)
                .args(["fleet", "--json", "--spare", spare, "--scenario", link])
                .output()?;
            Ok(serde_json::from_slice(&printed.stdout)?)
        };
        let (here, there) = (saved().await?, asked(&link, "1").await?);
        for part in ["schema", "ways", "fleets"] {
            assert_eq!(here[part], there[part], "{part}");
        }
        fleet.field("Spare replicas").fill("many").await?;
        fleet.has_text("Not used.").await?;
        fleet.field("Spare replicas").fill("3").await?;
        fleet.has_text("3 may fail").await?;
        page.wait("location.hash.includes('w.spare=3')").await?;
        link = page
            .eval("location.href")
            .await?
            .as_str()
            .unwrap_or_default()
            .to_owned();
        assert_eq!(saved().await?["fleets"], asked(&link, "3").await?["fleets"]);
        fleet.role("button", "Save fleet as CSV").click().await?;
        let csv = String::from_utf8(page.download("fleet.csv").await?)?;
        assert!(
            csv.starts_with("\"Replica\",\"Requests/s\",\"Replicas\",\"GPUs\""),
            "{csv}"
        );
        // Money, once there is a price; nothing, once there is no rate.
        page.field("Price per GPU-hour").fill("2.5").await?;
        page.wait("document.querySelectorAll('#fleet-table td[data-label=\"USD/month\"]').length > 1")
            .await?;
        fleet.field("Requests per second").fill("").await?;
        fleet.has_text("Give the requests").await?;
        page.css("#fleet-table").gone().await
    })
    .await
}
