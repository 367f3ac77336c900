//! Nothing moves while one types: no part of the page becomes higher or lower, but for the field and its section.

use e2e::{Options, Res, journey};

/// Notes in every frame how much higher or lower each part is than it was.
const WATCH: &str = "
(() => {
  const parts = 'header, .field, .verdict, .verdict > *, section, .panel > *, figure, table, svg';
  const all = [...document.querySelectorAll(parts)].filter((one) => one.checkVisibility());
  const name = (one) => one.tagName + ' ' + one.className + ' ' + one.textContent.trim().slice(0, 30);
  const first = all.map((one) => one.getBoundingClientRect().height);
  globalThis.grown = {};
  globalThis.frames = 0;
  const look = () => {
    frames += 1;
    const field = document.activeElement.closest('.field');
    all.forEach((one, at) => {
      if (one === field || !one.checkVisibility()) return;
      const by = one.getBoundingClientRect().height - first[at];
      if (Math.abs(by) > 1) grown[name(one)] = by;
    });
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})()";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_moves_while_one_types() -> Res<()> {
    journey(Options::default().viewport(1440, 900), async |page| {
        page.css("#recommended .answers").visible().await?;
        let simulated = "document.querySelector('#requests-chart title')?.textContent";
        page.wait(&format!("{simulated} != null")).await?;
        page.eval(WATCH).await?;
        for (field, texts) in [
            ("Concurrent sequences", ["33", "35", "36"]),
            ("Prompt (tokens)", ["1000", "1100", "1200"]),
            ("Context length (tokens)", ["9000", "9100", "9200"]),
        ] {
            for text in texts {
                // The slowest panel of all, for each change.
                page.eval(&format!("void (globalThis.before = {simulated})"))
                    .await?;
                page.field(field).fill(text).await?;
                if field != "Context length (tokens)" {
                    page.wait(&format!("{simulated} !== before")).await?;
                }
            }
        }
        page.wait("location.hash.includes('9200')").await?;
        page.wait("frames > 20").await?;
        let grown = page.eval("grown").await?;
        assert_eq!(grown, serde_json::json!({}), "{grown:#}");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_phone_the_first_edit_moves_nothing() -> Res<()> {
    journey(Options::default().viewport(360, 760), async |page| {
        const TOP: &str = "document.querySelector('#gpus').getBoundingClientRect().top + scrollY";
        page.css(".brand .tag").visible().await?;
        let before = page.eval(TOP).await?;
        page.field("GPUs per node").fill("2").await?;
        page.css(".brand .tag").gone().await?;
        assert_eq!(page.eval(TOP).await?, before);
        Ok(())
    })
    .await
}
