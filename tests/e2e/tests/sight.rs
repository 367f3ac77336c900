//! For eyes that need it otherwise: forced colors, large zoom, and the keyboard's place always in sight.

use e2e::{Name, Options, Page, Res, Scheme, journey};

const SHORT: &str = "#s=1&model=meta-llama/Llama-3.3-70B-Instruct&gpu=h100-sxm";
const THREE: &str =
    "#s=1&model=meta-llama/Llama-3.3-70B-Instruct&gpu=h100-sxm&gpus=4&concurrency=48&a.gpus=8&b.gpu=l40s";

/// Parts of the memory bar that touch and look the same: filled alike, without a line or a pattern between them.
const ALIKE: &str = "
(() => {
  const parts = [...document.querySelectorAll('#memory-chart .seg')];
  const look = (part) => {
    const { fill, stroke } = getComputedStyle(part);
    const texture = part.parentElement.querySelectorAll('.texture')[parts.indexOf(part)];
    return fill + stroke + texture?.getAttribute('fill');
  };
  return parts.slice(1).filter((part, at) => look(part) === look(parts[at])).length;
})()";

/// Controls that stay covered by a bar that sticks to the window's edge when the keyboard comes to them.
const COVERED: &str = "
(() => {
  const all = document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex=\"0\"]');
  const hidden = [];
  for (const one of all) {
    if (!one.checkVisibility({ visibilityProperty: true }) || one.disabled) continue;
    one.focus();
    const box = one.getBoundingClientRect();
    if (document.activeElement !== one || !box.width) continue;
    const xs = [box.left + 2, (box.left + box.right) / 2, box.right - 2];
    const ys = [box.top + 2, (box.top + box.bottom) / 2, box.bottom - 2];
    const seen = (x, y) => {
      const top = document.elementFromPoint(x, y);
      return top && (one.contains(top) || top.contains(one) || top.closest('label')?.control === one);
    };
    if (!xs.some((x) => ys.some((y) => seen(x, y)))) hidden.push(one.outerHTML.slice(0, 120));
  }
  document.activeElement.blur();
  return hidden;
})()";

async fn reads_well(page: &Page, what: &str) -> Res<()> {
    let breaches = page.axe().await?;
    assert!(breaches.is_empty(), "{what}: {breaches:#?}");
    assert!(!page.scrolls_sideways().await?, "{what} scrolls sideways");
    let covered = page.eval(COVERED).await?;
    assert!(
        covered.as_array().is_some_and(Vec::is_empty),
        "{what}: {covered:#}"
    );
    page.eval("scrollTo(0, 0)").await?;
    page.picture(what).await.map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forced_colors_leave_every_part_told_apart() -> Res<()> {
    for (name, link) in [("example", ""), ("short", SHORT), ("three", THREE)] {
        journey(Options::default().at(link), async |page| {
            for scheme in [Scheme::Light, Scheme::Dark] {
                page.set_viewport(1280, 900).await?;
                page.force_colors(scheme).await?;
                assert_eq!(
                    page.eval("matchMedia('(forced-colors: active)').matches").await?,
                    true
                );
                page.css("#memory-chart .seg").nth(0).visible().await?;
                assert_eq!(page.eval(ALIKE).await?, 0);
                reads_well(page, &format!("forced-{name}-{}", scheme.as_str())).await?;
                page.screenshot(&format!("forced-{name}-{}-whole", scheme.as_str()))
                    .await?;
            }
            Ok(())
        })
        .await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn zoom_of_200_and_400_percent_keeps_everything_in_reach() -> Res<()> {
    for (name, link) in [("example", ""), ("short", SHORT), ("three", THREE)] {
        journey(Options::default().at(link), async |page| {
            for times in [2, 4] {
                page.zoom(1280, 1024, times).await?;
                reads_well(page, &format!("zoom-{name}-{times}00")).await?;
            }
            // With a dialog and a sheet open, everything of them can be reached.
            page.role("button", "Open").press("Enter").await?;
            page.role("dialog", Name::Any)
                .role("button", "Use it")
                .click()
                .await?;
            page.role("dialog", Name::Any)
                .role("button", "Cancel")
                .click()
                .await?;
            Ok(())
        })
        .await?;
    }
    Ok(())
}
