//! Every state of the page, in both themes, wide and narrow: no accessibility rule is broken, nothing sticks out.

use e2e::{Name, Options, Res, Scheme, journey};

const BIG_ON_ONE: &str = "#s=1&model=meta-llama/Llama-3.3-70B-Instruct&gpu=h100-sxm";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn example_and_explanations() -> Res<()> {
    journey(Options::default(), async |page| {
        page.look("example").await?;
        page.role("button", "Weights").click().await?;
        page.role("button", "Explain Attention").click().await?;
        page.role("dialog", "Attention").visible().await?;
        page.role("button", "About Context length").click().await?;
        page.look("explained").await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn does_not_fit_and_files_anyway() -> Res<()> {
    journey(Options::default().at(BIG_ON_ONE), async |page| {
        page.css("#verdict-word").has_text("Does not fit").await?;
        page.role("button", "Show anyway").click().await?;
        page.look("does-not-fit").await
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
        page.look("invalid").await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn open_list_menu_and_dialog() -> Res<()> {
    journey(Options::default(), async |page| {
        page.field("Model").fill("llama").await?;
        page.press("ArrowDown").await?;
        page.look("model-list").await?;
        page.press("Escape").await?;
        page.press("Escape").await?;
        page.role("button", "Presets").click().await?;
        page.look("presets").await?;
        page.press("Escape").await?;
        page.role("button", "Import this machine's GPUs").click().await?;
        page.role("button", "Use it").click().await?;
        page.look("import").await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_dialogs_and_keys() -> Res<()> {
    journey(Options::default(), async |page| {
        for button in ["Open", "Paste or open a config.json"] {
            page.role("button", button).click().await?;
            page.role("button", "Use it").click().await?;
            page.look(&format!("dialog-{}", button.len())).await?;
            page.press("Escape").await?;
        }
        page.eval("document.activeElement.blur()").await?;
        page.press("?").await?;
        page.look("keys").await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_folded_away_is_open() -> Res<()> {
    let link = "#s=1&model=meta-llama/Llama-3.3-70B-Instruct&gpu=h100-sxm&gpus=4&pipeline_parallel_size=2&request_rate=1";
    journey(Options::default().at(link), async |page| {
        page.css("#requests-chart").visible().await?;
        page.eval("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
            .await?;
        page.look("all-open").await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unsupported_architecture() -> Res<()> {
    journey(Options::default(), async |page| {
        page.role("button", "Paste or open a config.json").click().await?;
        let config = r#"{"architectures":["RwkvForCausalLM"],"hidden_size":768}"#;
        page.role("dialog", Name::Any).field("Text").fill(config).await?;
        page.role("button", "Use it").click().await?;
        page.css("#verdict-word").has_text("Unsupported").await?;
        page.look("unsupported").await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pasted_command_and_log() -> Res<()> {
    let command = "vllm serve Qwen/Qwen3-32B --max-model-len 32k --swap-space 4 --reasoning-parser qwen3";
    let log = "INFO 11-20 10:01:00 [gpu_model_runner.py:1] Model loading took 61.03 GiB memory and 3.1 seconds\n\
        INFO 11-20 10:01:30 [gpu_worker.py:1] Available KV cache memory: 5.25 GiB\n";
    journey(Options::default(), async |page| {
        page.role("button", "Open").click().await?;
        page.role("dialog", Name::Any).field("Text").fill(command).await?;
        page.role("button", "Use it").click().await?;
        page.css("#pasted").visible().await?;
        page.field("Start-up log, or a benchmark's result")
            .fill(log)
            .await?;
        page.role("region", "Check against a run")
            .role("button", "Compare")
            .click()
            .await?;
        page.css(".log-out").has_text("Model loading took").await?;
        page.look("pasted").await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_plans_beside_each_other() -> Res<()> {
    let link = format!("{BIG_ON_ONE}&concurrency=48&a.gpus=4&a.tensor_parallel_size=4&b.gpu=l40s");
    journey(Options::default().at(&link), async |page| {
        page.css("#compare .bars").visible().await?;
        assert_eq!(page.css("#compare .bars svg[role=img]").count().await?, 3);
        page.css("#compare-table")
            .has_text("Output tokens per second")
            .await?;
        page.look("compare").await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mirror_and_token() -> Res<()> {
    journey(Options::default(), async |page| {
        page.field("Model").fill("me/mine").await?;
        page.press("Escape").await?;
        page.css(".hub summary").press("Enter").await?;
        page.field("Token for huggingface.co")
            .fill("hf_two words")
            .await?;
        page.role("button", "Fetch config.json from huggingface.co")
            .click()
            .await?;
        page.css(".hub > .error").has_text("Token: expected").await?;
        page.look("hub").await?;
        page.field("Hub address").fill("http://mirror.example").await?;
        // What was said of another host, or of another token, is said no longer.
        page.wait("document.querySelector('.hub > .error').textContent === ''")
            .await?;
        page.look("hub-wrong").await?;
        page.set_viewport(360, 800).await?;
        page.screenshot("hub-wrong-360").await.map(drop)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_file() -> Res<()> {
    journey(Options::default(), async |page| {
        for place in 0..page.role("tab", Name::Any).count().await? {
            page.role("tab", Name::Any).nth(place).click().await?;
            page.look(&format!("file-{place}")).await?;
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
        page.css(".footer .only-print").has_text("#s=1&").await?;
        assert_eq!(page.role("button", "Copy").count().await?, 0);
        assert_eq!(page.role("slider", Name::Any).count().await?, 0);
        page.screenshot("print").await?;
        // What would help is read, not pressed.
        page.open_at(BIG_ON_ONE).await?;
        page.set_media(Scheme::Light, "print").await?;
        page.role("region", "What to do")
            .has_text("--tensor-parallel-size 2")
            .await
    })
    .await
}
