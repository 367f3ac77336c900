//! What people come for, from the first look to files in hand.

use e2e::{Fake, Name, Options, Page, Res, journey};
use std::{fs, process::Command};

const BIG_ON_ONE: &str = "#s=1&model=meta-llama/Llama-3.3-70B-Instruct&gpu=h100-sxm";

async fn verdict(page: &Page, word: &str) -> Res<()> {
    page.css("#verdict-word").has_text(word).await
}

async fn file(page: &Page) -> Res<String> {
    page.role("tabpanel", Name::Any).css("code").text().await
}

/// Every file of every kind, by its tab; in the stead of one that this plan has not, why.
async fn files(page: &Page) -> Res<Vec<String>> {
    let mut texts = Vec::new();
    for kind in ["Containers", "Clusters", "Plan and checks", "Host"] {
        page.role("button", kind).click().await?;
        for place in 0..page.role("tab", Name::Any).count().await? {
            page.role("tab", Name::Any).nth(place).click().await?;
            texts.push(page.role("tabpanel", Name::Any).text().await?);
        }
    }
    assert!(texts.len() > 10, "{texts:?}");
    Ok(texts)
}

/// The files of an archive whose entries are stored as they are, by name.
fn stored(archive: &[u8]) -> Res<Vec<(String, Vec<u8>)>> {
    let number = |at: usize, bytes: usize| -> Res<usize> {
        let field = archive.get(at..at + bytes).ok_or("cut off")?;
        Ok(field
            .iter()
            .rev()
            .fold(0, |sum, byte| sum << 8 | usize::from(*byte)))
    };
    let (mut entries, mut at) = (Vec::new(), 0);
    while archive.get(at..at + 4) == Some(b"PK\x03\x04") {
        let (size, name, extra) = (number(at + 18, 4)?, number(at + 26, 2)?, number(at + 28, 2)?);
        assert_eq!(number(at + 8, 2)?, 0, "compressed");
        let name_end = at + 30 + name;
        let path = std::str::from_utf8(archive.get(at + 30..name_end).ok_or("cut off")?)?;
        at = name_end + extra + size;
        let bytes = archive.get(at - size..at).ok_or("cut off")?;
        entries.push((path.to_owned(), bytes.to_vec()));
    }
    Ok(entries)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn first_look_shows_an_example_and_asks_nobody() -> Res<()> {
    journey(Options::default(), async |page| {
        verdict(page, "Fits").await?;
        page.role("banner", Name::Any)
            .has_text("Example — change anything")
            .await?;
        assert!(file(page).await?.contains("vllm serve"));
        assert_eq!(page.outside().asked(), Vec::<String>::new());
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn model_and_gpu_are_chosen_by_keyboard_alone() -> Res<()> {
    journey(Options::default(), async |page| {
        page.press("/").await?;
        page.field("Model").fill("qwen3 14b awq").await?;
        page.press("ArrowDown").await?;
        page.press("Enter").await?;
        page.field("Model").has_value("Qwen/Qwen3-14B-AWQ").await?;
        page.field("GPU").press("ArrowDown").await?;
        let chosen = page.field("GPU").value().await?;
        assert_ne!(chosen, "H100 SXM");
        page.css(".subject").has_text(&chosen).await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_fit_is_said_and_a_remedy_helps() -> Res<()> {
    let fits = "#s=1&model=meta-llama/Llama-3.1-8B-Instruct&gpu=rtx-4090&concurrency=1&max_model_len=8192";
    journey(Options::default().at(fits), async |page| {
        verdict(page, "Fits").await?;
        page.field("Context length (tokens)").fill("131072").await?;
        verdict(page, "Does not fit").await?;
        page.css("#announcement").has_text("Does not fit: ").await?;
        let remedies = page.role("region", "What to do").role("button", Name::Any);
        remedies.nth(0).click().await?;
        page.wait("!document.getElementById('verdict-word').textContent.includes('not')")
            .await?;
        page.wait("!document.getElementById('announcement').textContent.includes('not')")
            .await?;
        page.back().await?;
        verdict(page, "Does not fit").await?;
        page.field("Context length (tokens)").has_value("131072").await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reload_gives_the_same_files() -> Res<()> {
    journey(Options::default(), async |page| {
        page.field("Concurrent sequences").fill("48").await?;
        page.field("KV cache type").select("fp8").await?;
        page.wait("location.hash.includes('concurrency=48') && location.hash.includes('kv_cache_dtype=fp8')")
            .await?;
        let before = files(page).await?;
        page.reload().await?;
        assert_eq!(files(page).await?, before);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn link_with_unusable_items_applies_the_rest() -> Res<()> {
    let link = format!("{BIG_ON_ONE}&gpus=4&max_num_seqs=many&no_such_key=1");
    journey(Options::default().at(&link), async |page| {
        let banner = page.role("alert", Name::Any).nth(0);
        banner.has_text("max_num_seqs=many").await?;
        banner.has_text("no_such_key").await?;
        page.field("GPUs per node").has_value("4").await?;
        page.set_hash("#s=99&model=x").await?;
        page.css(".banner").has_text("newer").await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn config_json_is_fetched_only_on_request_and_each_failure_has_its_words() -> Res<()> {
    let config = r#"{"architectures":["LlamaForCausalLM"],"model_type":"llama","hidden_size":2048,
        "intermediate_size":5632,"num_hidden_layers":22,"num_attention_heads":32,"num_key_value_heads":4,
        "vocab_size":32000,"max_position_embeddings":2048,"torch_dtype":"bfloat16"}"#;
    let hub = |id: &str| format!("https://huggingface.co/{id}/resolve/main/config.json");
    let options = Options::default()
        .fake(Fake::json(hub("me/mine"), config))
        .fake(Fake::status(hub("me/gated"), 401, ""))
        .fake(Fake::status(hub("me/missing"), 404, ""))
        .fake(Fake::unreachable(hub("me/nowhere")))
        .expects_complaint("401")
        .expects_complaint("404")
        .expects_complaint("ERR_");
    journey(options, async |page| {
        let fetch = page.role("button", "Fetch config.json from huggingface.co");
        for (id, words) in [
            ("me/gated", "gated"),
            ("me/missing", "no config.json"),
            ("me/nowhere", "No readable answer"),
        ] {
            page.field("Model").fill(id).await?;
            fetch.click().await?;
            page.css(".hub").has_text(words).await?;
        }
        page.field("Model").fill("me/mine").await?;
        fetch.click().await?;
        page.css("#model-about").has_text("22 layers").await?;
        page.css(".subject").has_text("me/mine").await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unknown_architecture_gives_a_reason_and_no_files() -> Res<()> {
    journey(Options::default(), async |page| {
        page.role("button", "Paste or open a config.json").click().await?;
        let config = page.file(
            "config.json",
            r#"{"architectures":["RwkvForCausalLM"],"hidden_size":768}"#,
        )?;
        page.css("dialog input[type=file]")
            .choose_files(&[&config])
            .await?;
        verdict(page, "Unsupported").await?;
        page.css(".reason").has_text("RwkvForCausalLM").await?;
        page.css("#artifacts").has_text("No files").await?;
        assert_eq!(page.role("tab", Name::Any).count().await?, 0);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gpus_of_a_machine_come_in_by_paste_and_by_link() -> Res<()> {
    let list = r#"[{"name":"NVIDIA L4","vram_mib":23034,"compute_capability":"8.9"},
        {"name":"NVIDIA L4","vram_mib":23034,"compute_capability":"8.9"}]"#;
    journey(Options::default(), async |page| {
        page.role("button", "Import this machine's GPUs").click().await?;
        page.role("dialog", Name::Any).field("Text").fill(list).await?;
        page.role("button", "Use it").click().await?;
        page.css(".subject").has_text("2 × L4").await?;
        page.role("button", "Undo").click().await?;
        page.css(".subject").has_text("1 × H100 SXM").await?;
        let packed = page
            .eval(&format!("encodeURIComponent({})", serde_json::Value::from(list)))
            .await?;
        page.set_hash(&format!("#host={}", packed.as_str().unwrap_or_default()))
            .await?;
        page.css(".subject").has_text("2 × L4").await?;
        page.wait("!location.hash.includes('host=') && location.hash.includes('gpu=l4')")
            .await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copy_download_and_archive_hold_the_file_itself() -> Res<()> {
    journey(Options::default(), async |page| {
        let shown = file(page).await?;
        page.role("button", "Copy").click().await?;
        page.role("button", "Copied").visible().await?;
        assert_eq!(page.clipboard().await?.trim_end(), shown.trim_end());
        page.role("button", "Download").click().await?;
        let saved = String::from_utf8(page.download("serve_command.sh").await?)?;
        assert_eq!(saved.trim_end(), shown.trim_end());
        page.role("button", "Download all (.zip)").click().await?;
        let archive = page.download("vllm-deployment.zip").await?;
        assert!(archive.starts_with(b"PK"));
        // Stored, not compressed, so that the same plan gives the same bytes everywhere.
        assert!(archive.windows(saved.len()).any(|part| part == saved.as_bytes()));
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn command_line_writes_the_same_bytes_as_the_archive() -> Res<()> {
    let link =
        "#s=1&model=Qwen/Qwen3-8B&gpu=h100-sxm&gpus=2&tensor_parallel_size=2&served_model_name=a%20%27b%27";
    journey(Options::default().at(link), async |page| {
        page.role("button", "Share").click().await?;
        page.css(".toasts:not(.update) .toast")
            .has_text("Link copied")
            .await?;
        let shared = page.clipboard().await?;
        let (base, _) = shared.split_once('#').ok_or("no link")?;
        let today = page.eval("new Date().toISOString().slice(0, 10)").await?;
        page.role("button", "Download all (.zip)").click().await?;
        let entries = stored(&page.download("vllm-deployment.zip").await?)?;
        let folder = tempfile::tempdir()?;
        let status = Command::new(e2e::paths::binary()?)
            .args(["generate", "--scenario", &shared, "--link-base", base])
            .args(["--date", today.as_str().unwrap_or_default(), "-o"])
            .arg(folder.path())
            .status()?;
        assert!(status.success());
        assert!(entries.len() > 10, "{}", entries.len());
        for (name, bytes) in entries {
            let written = fs::read(folder.path().join(&name)).map_err(|error| format!("{name}: {error}"))?;
            assert!(
                written == bytes,
                "{name}:\n{}\n--- and the page:\n{}",
                String::from_utf8_lossy(&written),
                String::from_utf8_lossy(&bytes)
            );
        }
        Ok(())
    })
    .await
}

/// As dropping files onto the page from elsewhere does it.
async fn drop_files(page: &Page, files: &[(&str, &str)]) -> Res<()> {
    let files = serde_json::to_string(files)?;
    let script = format!(
        "(() => {{ const dataTransfer = new DataTransfer();
            for (const [name, text] of {files}) dataTransfer.items.add(new File([text], name));
            for (const kind of ['dragenter', 'dragover', 'drop'])
              document.body.dispatchEvent(new DragEvent(kind, {{ dataTransfer, bubbles: true, cancelable: true }})); }})()"
    );
    page.eval(&script).await.map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropped_files_are_read_and_what_links_cannot_hold_is_saved() -> Res<()> {
    let config = r#"{"architectures":["LlamaForCausalLM"],"model_type":"llama","hidden_size":2048,"intermediate_size":5632,
        "num_hidden_layers":22,"num_attention_heads":32,"num_key_value_heads":4,"vocab_size":32000,
        "max_position_embeddings":2048,"torch_dtype":"bfloat16","_name_or_path":"me/mine"}"#;
    let gpus =
        "name, memory.total [MiB], compute_cap\nNVIDIA L4, 23034 MiB, 8.9\nNVIDIA L4, 23034 MiB, 8.9\n";
    journey(Options::default(), async |page| {
        drop_files(
            page,
            &[
                ("config.json", config),
                ("gpus.csv", gpus),
                ("cat.txt", "no such thing"),
            ],
        )
        .await?;
        page.css(".subject").has_text("me/mine").await?;
        page.css(".subject").has_text("2 × L4").await?;
        page.css("#model-about").has_text("22 layers").await?;
        page.css(".banner").has_text("cat.txt").await?;
        // A scenario that no link holds goes into a file, and comes back from it.
        let long = "x".repeat(250);
        page.field("Served model name").fill(&long).await?;
        page.field("Container image")
            .fill(&format!("registry.example/{long}"))
            .await?;
        let many: Vec<String> = (0..400).map(|n| format!("\"k{n}\": {n}")).collect();
        let command = format!(
            "vllm serve Qwen/Qwen3-8B --override-generation-config '{{{}}}'",
            many.join(", ")
        );
        drop_files(page, &[("serve.sh", &command)]).await?;
        page.css(".subject").has_text("Qwen/Qwen3-8B").await?;
        page.role("button", "Share").click().await?;
        page.css(".toasts:not(.update) .toast")
            .has_text("saved as scenario.json")
            .await?;
        let saved = String::from_utf8(page.download("scenario.json").await?)?;
        page.role("button", "Presets").click().await?;
        page.role("button", Name::containing("70B over four GPUs"))
            .click()
            .await?;
        page.css(".subject").has_text("70B").await?;
        drop_files(page, &[("scenario.json", &saved)]).await?;
        page.css(".subject").has_text("Qwen/Qwen3-8B").await?;
        page.role("button", "Show anyway").click().await?;
        page.css("#artifact-code").has_text("k399").await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_model_name_stays_text() -> Res<()> {
    let name = r#"a"><img src=x onerror=alert(1)>'$(id)`id`"#;
    journey(Options::default(), async |page| {
        page.role("button", "Paste or open a config.json").click().await?;
        let dialog = page.role("dialog", Name::Any);
        dialog.field(Name::containing("Repository id")).fill(name).await?;
        let config = r#"{"architectures":["LlamaForCausalLM"],"model_type":"llama","hidden_size":64,"intermediate_size":128,
            "num_hidden_layers":2,"num_attention_heads":4,"num_key_value_heads":4,"vocab_size":256,"max_position_embeddings":512,"torch_dtype":"bfloat16"}"#;
        dialog.field("Text").fill(config).await?;
        page.role("button", "Use it").click().await?;
        page.css(".subject").has_text(name).await?;
        assert_eq!(page.css("img").count().await?, 0);
        let quoted = r#"'a"><img src=x onerror=alert(1)>'\''$(id)`id`'"#;
        assert!(file(page).await?.contains(quoted), "{}", file(page).await?);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_works_where_storage_is_blocked() -> Res<()> {
    let blocked = "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError') } })";
    journey(Options::default().before_start(blocked), async |page| {
        page.field("Theme").select("Dark").await?;
        page.wait("document.documentElement.dataset.theme === 'dark'")
            .await?;
        page.field("Concurrent sequences").fill("9").await?;
        page.wait("location.hash.includes('concurrency=9')").await?;
        verdict(page, "Fits").await?;
        page.role("button", "Share").click().await?;
        page.css(".toasts:not(.update) .toast")
            .has_text("only the link holds your scenario")
            .await?;
        // The link is enough for what comes with a reload.
        page.role("checkbox", "Mark changes").click().await?;
        let before = files(page).await?;
        page.reload().await?;
        page.field("Concurrent sequences").has_value("9").await?;
        assert_eq!(files(page).await?, before);
        page.role("banner", Name::Any)
            .role("button", "Compare")
            .click()
            .await?;
        page.field("KV cache type").select("fp8").await?;
        page.css("#compare").has_text("KV cache type").await?;
        page.press("Escape").await?;
        page.eval("document.activeElement.blur()").await?;
        page.press("Control+z").await?;
        page.field("KV cache type").has_value("").await
    })
    .await
}
