//! Links of every form that was ever written open in the page; `tests/links` has one for each, and planner's tests hold
//! every field of them.

use e2e::{Options, Res, journey};
use serde_json::Value;
use std::{fs, path::Path};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_form_opens_without_a_complaint() -> Res<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../links");
    let files = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    assert!(files.len() >= 9, "{files:?}");
    journey(Options::default(), async |page| {
        for file in files {
            let link: Value = serde_json::from_str(&fs::read_to_string(file.path())?)?;
            let text = |at: &str| link.pointer(at).and_then(Value::as_str);
            eprintln!("{}", file.path().display());
            page.open_at(text("/link").unwrap_or_default()).await?;
            // Other figures than those of then, and memory in use, may be said.
            let left_out = "document.querySelector('.banner')?.textContent.includes('could not be read') \
                && [...document.querySelectorAll('.banner li')].filter((li) => !li.textContent.startsWith('data')).length";
            let left_out = page.eval(left_out).await?;
            assert!(left_out.as_u64().unwrap_or(0) == 0, "{left_out}");
            for part in ["/scenario/model", "/scenario/gpu"] {
                page.css(".subject")
                    .has_text(text(part).unwrap_or_default())
                    .await?;
            }
            for (id, label) in [
                ("concurrency", "Concurrent sequences"),
                ("gpus", "GPUs per node"),
                ("port", "Port"),
            ] {
                if let Some(value) = text(&format!("/scenario/{id}")) {
                    page.field(label).has_value(value).await?;
                }
            }
            let pins = link["pins"].as_array().map_or(0, Vec::len);
            assert_eq!(
                page.css("#compare .bars svg[role=img]").count().await?,
                if pins > 0 { pins + 1 } else { 0 }
            );
            if let Some(figure) = text("/explain") {
                page.role("dialog", figure).visible().await?;
            }
            // What the page now has in its address is the same question.
            let subject = page.css(".subject").text().await?;
            page.role("button", "Share").press("Enter").await?;
            let shared = page.clipboard().await?;
            let (_, hash) = shared.split_once('#').ok_or("no link was shared")?;
            page.open_at(&format!("#{hash}")).await?;
            page.css(".subject").has_text(&subject).await?;
        }
        Ok(())
    })
    .await
}
