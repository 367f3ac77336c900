//! What the other journeys do with the pointer, with the keyboard alone.

use e2e::{Name, Options, Res, journey};

const SHORT: &str =
    "#s=1&model=meta-llama/Llama-3.1-8B-Instruct&gpu=rtx-4090&concurrency=1&max_model_len=131072";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn skip_links_presets_remedies_and_files() -> Res<()> {
    journey(Options::default().at(SHORT), async |page| {
        page.css("#verdict-word").has_text("Does not fit").await?;
        page.press("Tab").await?;
        page.press("Enter").await?;
        page.wait("document.activeElement.id === 'result'").await?;
        let remedies = page.role("region", "What to do").role("button", Name::Any);
        remedies.nth(0).press("Enter").await?;
        page.wait("!document.getElementById('verdict-word').textContent.includes('not')")
            .await?;
        page.role("button", "Undo").press("Enter").await?;
        page.css("#verdict-word").has_text("Does not fit").await?;
        page.role("button", "Presets").press("Enter").await?;
        page.role("button", Name::containing("70B over four GPUs"))
            .press("Enter")
            .await?;
        page.css(".subject").has_text("4 × H100 SXM").await?;
        // One stop for all tabs; arrows, Home and End move between them.
        let tab = page.role("tab", "serve_command.sh");
        tab.press("End").await?;
        page.wait("document.activeElement.getAttribute('aria-selected') === 'true'")
            .await?;
        page.wait("document.activeElement.textContent.includes('vllm.service')")
            .await?;
        page.press("ArrowRight").await?;
        page.wait("document.activeElement.textContent.includes('serve_command.sh')")
            .await?;
        page.role("button", "Containers").press("Enter").await?;
        page.role("tab", "docker_run.sh").visible().await?;
        page.role("button", "Copy").press("Enter").await?;
        page.role("button", "Copied").visible().await?;
        assert!(page.clipboard().await?.contains("docker run"));
        page.role("button", "Share").press("Enter").await?;
        page.css(".toasts:not(.update) .toast")
            .has_text("Link copied")
            .await?;
        assert!(page.clipboard().await?.contains("#s=1&"));
        page.field("Theme").press("ArrowDown").await?;
        page.wait("document.documentElement.dataset.theme === 'light'")
            .await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dialogs_open_take_and_give_the_focus_back() -> Res<()> {
    let gpus =
        "name, memory.total [MiB], compute_cap\nNVIDIA L4, 23034 MiB, 8.9\nNVIDIA L4, 23034 MiB, 8.9\n";
    let config = r#"{"architectures":["LlamaForCausalLM"],"model_type":"llama","hidden_size":2048,
        "intermediate_size":5632,"num_hidden_layers":22,"num_attention_heads":32,"num_key_value_heads":4,
        "vocab_size":32000,"max_position_embeddings":2048,"torch_dtype":"bfloat16","_name_or_path":"me/mine"}"#;
    journey(Options::default(), async |page| {
        for (opener, text, shown) in [
            ("Import this machine's GPUs", gpus, "2 × L4"),
            ("Paste or open a config.json", config, "me/mine"),
        ] {
            let button = page.role("button", opener);
            button.press("Enter").await?;
            let dialog = page.role("dialog", Name::Any);
            dialog.visible().await?;
            // Escape leaves everything as it was.
            page.press("Escape").await?;
            page.wait(&format!("document.activeElement.textContent === \"{opener}\""))
                .await?;
            page.press("Enter").await?;
            dialog.field("Text").fill(text).await?;
            dialog.role("button", "Use it").press("Enter").await?;
            page.css(".subject").has_text(shown).await?;
            page.wait(&format!("document.activeElement.textContent === \"{opener}\""))
                .await?;
        }
        Ok(())
    })
    .await
}
