//! What the other journeys do, by keyboard alone: Tab to get there, arrows and Enter to do it, nothing else.

use e2e::{Locator, Name, Options, Page, Res, journey};

const FITS: &str =
    "#s=1&model=meta-llama/Llama-3.1-8B-Instruct&gpu=rtx-4090&concurrency=1&max_model_len=8192";
const EIGHT: &str = "#s=1&model=meta-llama/Llama-3.3-70B-Instruct&gpu=h100-sxm&gpus=8";

/// Goes there with Tab or Shift+Tab, from wherever the focus is.
async fn go(page: &Page, key: &str, to: &Locator<'_>) -> Res<()> {
    to.visible().await?;
    for _ in 0..400 {
        page.press(key).await?;
        let focused = "function () { return document.activeElement === this }";
        if to.call(focused, &[]).await? == true {
            return Ok(());
        }
    }
    Err(format!("{key} never comes to {to}").into())
}

/// Goes there and writes a text in place of what it holds.
async fn write(page: &Page, into: &Locator<'_>, text: &str) -> Res<()> {
    go(page, "Tab", into).await?;
    page.press("Control+a").await?;
    page.type_in(text).await
}

/// Goes there and presses it.
async fn push(page: &Page, button: &Locator<'_>) -> Res<()> {
    go(page, "Tab", button).await?;
    page.press("Enter").await
}

async fn verdict(page: &Page, word: &str) -> Res<()> {
    page.css("#verdict-word").has_text(word).await
}

async fn file(page: &Page) -> Res<String> {
    page.css("#artifact-code").text().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn model_and_gpu_are_chosen() -> Res<()> {
    journey(Options::default(), async |page| {
        let model = page.field("Model");
        write(page, &model, "qwen3 14b awq").await?;
        page.press("ArrowDown").await?;
        page.press("Enter").await?;
        model.has_value("Qwen/Qwen3-14B-AWQ").await?;
        let gpu = page.field("GPU");
        go(page, "Tab", &gpu).await?;
        let before = gpu.value().await?;
        page.press("ArrowDown").await?;
        let chosen = gpu.value().await?;
        assert_ne!(chosen, before);
        page.css(".subject").has_text(&chosen).await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn longer_until_it_does_not_fit_then_a_remedy_and_back() -> Res<()> {
    journey(Options::default().at(FITS), async |page| {
        verdict(page, "Fits").await?;
        let length = page.field("Context length (tokens)");
        go(page, "Tab", &length).await?;
        for _ in 0..30 {
            page.press("PageUp").await?;
        }
        length.has_value("84480").await?;
        verdict(page, "Does not fit").await?;
        page.css("#announcement").has_text("Does not fit: ").await?;
        let remedies = page.role("region", "What to do").role("button", Name::Any);
        push(page, &remedies.nth(0)).await?;
        page.wait("!document.getElementById('verdict-word').textContent.includes('not')")
            .await?;
        page.press("Control+z").await?;
        verdict(page, "Does not fit").await?;
        length.has_value("84480").await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_are_read_copied_and_saved() -> Res<()> {
    journey(Options::default(), async |page| {
        let tab = page.role("tab", "serve_command.sh");
        go(page, "Tab", &tab).await?;
        page.press("ArrowRight").await?;
        page.wait("document.activeElement.textContent.includes('vllm.service')")
            .await?;
        let text = file(page).await?;
        push(page, &page.role("button", "Copy")).await?;
        page.role("button", "Copied").visible().await?;
        let copied = page.clipboard().await?;
        assert!(
            copied.contains("ExecStart") && text.contains("ExecStart"),
            "{copied}"
        );
        push(page, &page.role("button", "Download all (.zip)")).await?;
        let name = "vllm-deployment.zip";
        assert!(page.download(name).await?.starts_with(b"PK\x03\x04"));
        page.reload().await?;
        go(page, "Tab", &tab).await?;
        page.press("ArrowRight").await?;
        page.css("#artifact-code").has_text("ExecStart").await?;
        assert_eq!(file(page).await?, text);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn machine_command_and_config_are_pasted() -> Res<()> {
    let gpus = "name, memory.total [MiB], compute_cap\nNVIDIA L4, 23034 MiB, 8.9\n";
    let command = "vllm serve Qwen/Qwen3-8B --max-model-len 4096";
    let unknown = r#"{"architectures":["RwkvForCausalLM"],"hidden_size":768}"#;
    journey(Options::default(), async |page| {
        let dialog = page.role("dialog", Name::Any);
        for (opener, text, shown) in [
            ("Import this machine's GPUs", gpus, "1 × L4"),
            ("Open", command, "Qwen/Qwen3-8B"),
            ("Paste or open a config.json", unknown, "RwkvForCausalLM"),
        ] {
            push(page, &page.role("button", opener)).await?;
            write(page, &dialog.field("Text"), text).await?;
            push(page, &dialog.role("button", "Use it")).await?;
            page.css("main").has_text(shown).await?;
        }
        verdict(page, "Unsupported").await?;
        page.css("#artifact-code").gone().await?;
        page.press("Control+z").await?;
        verdict(page, "Tight").await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plans_are_pinned_compared_and_swapped() -> Res<()> {
    journey(Options::default(), async |page| {
        let header = page.role("banner", Name::Any);
        push(page, &header.role("button", "Compare")).await?;
        let many = page.field("Concurrent sequences");
        let before = many.value().await?;
        write(page, &many, "48").await?;
        page.css("#compare-table").has_text("48").await?;
        page.css("#artifact-code").visible().await?;
        push(page, &page.role("button", "Swap with A")).await?;
        many.has_value(&before).await?;
        push(page, &page.role("button", "Clear")).await?;
        page.css("#compare-table").gone().await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_are_sorted_compared_and_taken_over() -> Res<()> {
    journey(Options::default().at(EIGHT), async |page| {
        let panel = page.role("region", "Recommended");
        panel.has_text("First of").await?;
        push(
            page,
            &panel.role("button", Name::containing("Limits of the load")),
        )
        .await?;
        page.wait("document.activeElement.id === 'slo_ttft_ms'").await?;
        page.type_in("5000").await?;
        panel.has_text("TTFT ≤ 5000 ms").await?;
        let first = panel.field("First");
        go(page, "Tab", &first).await?;
        page.press("ArrowDown").await?;
        first.has_value("throughput").await?;
        push(page, &panel.role("button", "TPOT ms")).await?;
        panel.css("th[aria-sort=ascending]").visible().await?;
        push(page, &panel.role("button", "Compare TP 4")).await?;
        page.css("#compare-table").visible().await?;
        push(page, &panel.role("button", "Use TP 4")).await?;
        page.field(Name::containing("GPUs per node"))
            .has_value("4")
            .await?;
        let all = page.role("region", "Other hardware");
        push(page, &all.role("button", Name::containing("Explore"))).await?;
        let chart = all.role("group", Name::containing("Chart of the GPUs")).nth(0);
        go(page, "Tab", &chart).await?;
        page.press("End").await?;
        page.press("Enter").await?;
        page.css(".toasts:not(.update)").has_text("Taken: ").await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn charts_are_walked_and_figures_explained() -> Res<()> {
    journey(Options::default(), async |page| {
        go(page, "Tab", &page.role("group", Name::containing("Memory bar"))).await?;
        page.press("ArrowRight").await?;
        page.press("Enter").await?;
        page.role("dialog", Name::Any).visible().await?;
        page.press("Escape").await?;
        page.role("dialog", Name::Any).gone().await?;
        let prompt = page.field("Prompt (tokens)");
        let before: u64 = prompt.value().await?.parse()?;
        go(
            page,
            "Tab",
            &page.role("group", Name::containing("Chart of context")),
        )
        .await?;
        page.press("ArrowRight").await?;
        prompt.has_value(&(before * 2).to_string()).await?;
        let many = page.field("Concurrent sequences");
        let before: u64 = many.value().await?.parse()?;
        page.css("#speed .curves svg").nth(0).visible().await?;
        go(page, "Tab", &page.css("#speed .curves")).await?;
        page.press("ArrowRight").await?;
        many.has_value(&(before * 2).to_string()).await?;
        page.press("?").await?;
        page.role("dialog", "Keys").visible().await?;
        page.press("Escape").await?;
        page.role("dialog", Name::Any).gone().await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_link_could_not_say_is_read_and_put_away() -> Res<()> {
    journey(
        Options::default().at(&format!("{FITS}&no_such_key=1")),
        async |page| {
            page.css(".banner").has_text("no_such_key").await?;
            push(page, &page.css(".banner button")).await?;
            page.css(".banner").gone().await
        },
    )
    .await
}
