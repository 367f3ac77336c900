//! What runs elsewhere, pasted: what it will do, what would be better, and a way to either.

use e2e::{Name, Options, Page, Res, journey};

const COMMAND: &str = "docker run --gpus all vllm/vllm-openai:v0.33.0 --model Qwen/Qwen3-32B --max_model_len 32k \
    --swap-space 4 --reasoning-parser qwen3 --api-key sk-secret";

const COMPOSE: &str = "services:\n  llm:\n    image: vllm/vllm-openai:v0.33.0\n    \
    command: [--model, Qwen/Qwen3-8B, --max-model-len, '8192', --max-num-seqs, '64']\n";

/// By keyboard alone.
async fn paste(page: &Page, text: &str) -> Res<()> {
    page.role("button", "Open").press("Enter").await?;
    let dialog = page.role("dialog", Name::Any);
    dialog.field("Text").fill(text).await?;
    dialog.role("button", "Use it").press("Enter").await?;
    page.wait("document.activeElement.id === 'pasted'").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pasted_command_is_held_against_a_better_one_by_keyboard_alone() -> Res<()> {
    journey(Options::default(), async |page| {
        paste(page, COMMAND).await?;
        page.css("#verdict-word").has_text("Does not fit").await?;
        let panel = page.role("region", "The pasted command");
        panel.has_text("a docker run command").await?;
        for line in [
            "--max_model_len 32kCounts as 32\u{202f}000.",
            "-Remove: --swap-space 4vLLM 0.33.0 no longer has it",
            "--reasoning-parser qwen3Kept; not modelled.",
            "+Add: --max-num-seqs 64",
        ] {
            page.wait(&format!(
                "[...document.querySelectorAll('.diff li')].some((li) => li.textContent.includes('{line}'))"
            ))
            .await?;
        }
        assert!(
            !page
                .eval("document.body.textContent")
                .await?
                .to_string()
                .contains("sk-secret")
        );
        panel
            .css("#pasted-table")
            .has_text("Full-length sequences")
            .await?;
        panel
            .role("button", "Use the recommended command")
            .press("Enter")
            .await?;
        page.css("#verdict-word").has_text("Fits").await?;
        page.css("#pasted").gone().await?;
        let file = page.css("#artifact-code");
        file.has_text("--max-num-seqs 64").await?;
        file.has_text("--reasoning-parser qwen3").await?;
        assert!(!file.text().await?.contains("swap-space"));
        // Undo, and the pasted one is there again; kept, it stays.
        page.press("Control+z").await?;
        page.css("#verdict-word").has_text("Does not fit").await?;
        panel.role("button", "Keep the pasted one").press("Enter").await?;
        page.css("#pasted").gone().await?;
        page.css("#verdict-word").has_text("Does not fit").await?;
        page.role("button", "Show anyway").press("Enter").await?;
        page.css("#artifact-code").has_text("--swap-space 4").await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn compose_file_that_is_good_stays_and_follows_the_machine() -> Res<()> {
    journey(Options::default(), async |page| {
        paste(page, COMPOSE).await?;
        let panel = page.role("region", "The pasted command");
        panel.has_text("a compose file").await?;
        // What was pasted leaves with its scenario, and comes back with it.
        page.press("Control+z").await?;
        page.css("#pasted").gone().await?;
        page.press("Control+Shift+z").await?;
        panel.has_text("Nothing better is known").await?;
        // On a smaller card the same command is judged again.
        page.field("GPU").select("RTX 4080").await?;
        page.css("#verdict-word").has_text("Does not fit").await?;
        page.field("GPU").select("H100 SXM").await?;
        panel.role("button", "Close").press("Enter").await?;
        page.css("#pasted").gone().await
    })
    .await
}
