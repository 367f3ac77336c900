//! The two pictures of README.md. They lie beside the other screenshots after a run; `docs/` has copies in 256 colours.

use e2e::{Name, Options, Res, journey};

const PLAN: &str = "#s=1&model=meta-llama/Llama-3.3-70B-Instruct&gpu=h100-sxm&gpus=4&concurrency=64";
const COMMAND: &str = "vllm serve Qwen/Qwen3-32B --max-model-len 32k --swap-space 4 --reasoning-parser qwen3";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pictures_of_the_readme() -> Res<()> {
    journey(Options::default().at(PLAN).viewport(1280, 860), async |page| {
        page.css("#verdict-word").has_text("Fits").await?;
        page.picture("readme").await?;
        Ok(())
    })
    .await?;
    journey(Options::default().dark().viewport(1280, 860), async |page| {
        page.role("button", "Open").click().await?;
        page.role("dialog", Name::Any).field("Text").fill(COMMAND).await?;
        page.role("button", "Use it").click().await?;
        page.css("#pasted").has_text("--max-num-seqs 64").await?;
        page.role("button", "Close").click().await?;
        page.eval("scrollTo(0, 0)").await?;
        page.picture("readme-pasted").await?;
        Ok(())
    })
    .await
}
