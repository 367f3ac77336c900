//! What a user feels of the release build: how long it takes to start, what one keystroke, a simulation and a search cost,
//! and whether ten thousand keystrokes leave anything behind. Run by `cargo xtask bench`.

use chromiumoxide::cdp::{
    browser_protocol::memory::GetDomCountersParams, js_protocol::heap_profiler::CollectGarbageParams,
};
use e2e::{
    Options, Page, Res, journey,
    wear::{HUNDRED, MEMORY, WATCH},
};

const FITS: &str = "#s=1&model=meta-llama/Llama-3.3-70B-Instruct&gpu=h100-sxm&gpus=8";
const DOES_NOT: &str = "#s=1&model=meta-llama/Llama-3.1-405B-Instruct&gpu=h100-sxm&gpus=4";
const THREE: &str = "#s=1&model=meta-llama/Llama-3.3-70B-Instruct&gpu=h100-sxm&gpus=8&a.gpus=4&b.gpu=l40s";

const MANY: &str = "#s=1&model=Qwen/Qwen3-30B-A3B&gpu=h100-sxm&gpus=8&concurrency=64";

/// Times of the load: start-up work, first paint after it, and when the page answers, that is when nothing is left to do.
const START: &str = "
(async () => {
  while (!bench.painted) await new Promise((done) => setTimeout(done, 5));
  return [bench.started - bench.compiled, bench.painted - bench.compiled, bench.painted];
})()";

/// Opens every part of the page that opens, and every row of the memory table.
const OPEN_ALL: &str = "
for (const one of document.querySelectorAll('details')) one.open = true;
for (const one of document.querySelectorAll('.memory [aria-expanded=false]')) one.click();
void 0";

/// Types into a field. Each round begins with a frame; work is script and layout until nothing is left to do, painted is
/// when the first frame is out in which the table of arguments has the new value.
const MEASURE: &str = "
(async (first) => {
  const label = [...document.querySelectorAll('label')].find((l) => l.textContent.includes('Context length'));
  const input = label.control;
  const write = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set;
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const task = () => new Promise((done) => {
    const channel = new MessageChannel();
    channel.port1.onmessage = done;
    channel.port2.postMessage(0);
  });
  const answer = document.querySelector('[aria-labelledby=arguments-title]');
  const answered = (value) => answer.textContent.replaceAll(/[^a-z0-9]/gi, '').includes(String(value));
  const rounds = [];
  for (let round = first; round < first + 20; round++) {
    write.call(input, String(8192 + round));
    await frame();
    const start = performance.now();
    input.dispatchEvent(new InputEvent('input', { bubbles: true }));
    await Promise.resolve();
    document.documentElement.getBoundingClientRect();
    const work = performance.now() - start;
    while (!answered(8192 + round)) await frame();
    await task();
    rounds.push([work, performance.now() - start]);
  }
  return rounds;
})";

/// All kinds of GPU for one model: from the press to the answers, in milliseconds, and the layouts that were judged.
const SEARCH: &str = "
(async () => {
  for (const box of document.querySelectorAll('.wishes [type=checkbox]')) box.click();
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));
  await pause(3000);
  document.querySelector('#explore [aria-expanded=false]').click();
  const start = performance.now();
  const said = () => document.getElementById('explore-why')?.textContent;
  while (!said()) await pause(1);
  return [performance.now() - start, Number(/of (\\d+) layouts|^(\\d+) layouts/.exec(said()).slice(1).find(Boolean))];
})()";

/// Types into a field while that search is under way, again and again: until the frame is out.
const WHILE: &str = "
(async () => {
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));
  const input = document.getElementById('concurrency');
  const rounds = [];
  for (let round = 0; round < 40; round++) {
    input.value = 65 + (round % 8);
    const start = performance.now();
    input.dispatchEvent(new InputEvent('input', { bubbles: true }));
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    rounds.push([performance.now() - start]);
    // The pause before the next search, and some of it.
    await pause(160 + (round * 7) % 60);
  }
  return rounds;
})()";

/// Before the page: notes what each timer was set to and how long its work took.
const TIMERS: &str = "
globalThis.timers = [];
const later = globalThis.setTimeout;
globalThis.setTimeout = (then, ms, ...all) => later(() => {
  const start = performance.now();
  then(...all);
  timers.push([ms, performance.now() - start]);
}, ms);";

const AT_ONCE: &str = "#s=1&model=Qwen/Qwen3-8B&gpu=h100-sxm";

/// Two thousand requests at once, simulated: work of the slices (the last one draws what it showed), the longest of them,
/// and when it was shown, after the pause that follows a keystroke.
const SIMULATE: &str = "
(async (round) => {
  const pause = (ms) => new Promise((done) => later(done, ms));
  const input = document.getElementById('concurrency');
  const said = () => document.querySelector('#speed .run')?.textContent.replaceAll(/[^a-z0-9]/gi, '') ?? '';
  timers.length = 0;
  const start = performance.now();
  input.value = 2000 + round;
  input.dispatchEvent(new InputEvent('input', { bubbles: true }));
  while (!said().includes(`${2000 + round}requests`)) await pause(1);
  const shown = performance.now() - start;
  // The simulation waits 400 ms for the next keystroke, and goes on with no pause.
  const slices = timers.filter(([ms]) => ms === 400 || ms === 0).map(([, took]) => took);
  return [slices.reduce((sum, took) => sum + took, 0), Math.max(...slices), shown];
})";

/// Bytes of the wasm's memory, bytes of the script's heap and DOM nodes, after the garbage is gone.
async fn held(page: &Page) -> Res<(u64, f64, i64)> {
    page.eval("new Promise((done) => setTimeout(done, 5000))").await?;
    for _ in 0..2 {
        page.cdp().execute(CollectGarbageParams::default()).await?;
    }
    let wasm = page.eval(MEMORY).await?;
    let heap = page.eval("performance.memory.usedJSHeapSize").await?;
    let nodes = page.cdp().execute(GetDomCountersParams::default()).await?.nodes;
    Ok((wasm.as_u64().unwrap_or(0), heap.as_f64().unwrap_or(0.0), nodes))
}

/// The value that so many percent of them do not exceed.
fn at(percent: usize, column: usize, rows: &[Vec<f64>]) -> f64 {
    let mut all: Vec<f64> = rows.iter().filter_map(|row| row.get(column).copied()).collect();
    all.sort_by(f64::total_cmp);
    let place = all.len().saturating_sub(1) * percent / 100;
    all.get(place).copied().unwrap_or_default()
}

async fn start_up() -> Res<()> {
    for times in [1.0, 4.0] {
        let mut loads: Vec<Vec<f64>> = Vec::new();
        journey(Options::default().before_start(WATCH), async |page| {
            page.slow_down(times).await?;
            for _ in 0..9 {
                page.open_at("").await?;
                loads.push(serde_json::from_value(page.eval(START).await?)?);
            }
            Ok(())
        })
        .await?;
        println!(
            "start at {times}x: {:.0} ms of work, {:.0} ms to the first paint after it; answers {:.0} ms after the visit began",
            at(50, 0, &loads),
            at(50, 1, &loads),
            at(50, 2, &loads)
        );
    }
    Ok(())
}

async fn keystrokes(what: &str, hash: &str, times: f64) -> Res<()> {
    journey(Options::default(), async |page| {
        page.open_at(hash).await?;
        page.eval(OPEN_ALL).await?;
        page.slow_down(times).await?;
        let mut rounds: Vec<Vec<f64>> = Vec::new();
        for first in (0..220).step_by(20) {
            let more: Vec<Vec<f64>> = serde_json::from_value(page.eval(&format!("{MEASURE}({first})")).await?)?;
            // The first twenty warm up.
            rounds.extend(more.into_iter().filter(|_| first > 0));
        }
        println!(
            "one keystroke at {times}x, {what}: work {:.1} ms (p95 {:.1}), painted after {:.1} ms (p95 {:.1})",
            at(50, 0, &rounds),
            at(95, 0, &rounds),
            at(50, 1, &rounds),
            at(95, 1, &rounds)
        );
        Ok(())
    })
    .await
}

async fn searches() -> Res<()> {
    for times in [1.0, 4.0] {
        journey(Options::default().at(MANY), async |page| {
            page.slow_down(times).await?;
            let rounds = async || -> Res<Vec<Vec<f64>>> { Ok(serde_json::from_value(page.eval(WHILE).await?)?) };
            let without = rounds().await?;
            let [ms, layouts]: [f64; 2] = serde_json::from_value(page.eval(SEARCH).await?)?;
            let with = rounds().await?;
            println!(
                "search at {times}x: {layouts} layouts, answers {ms:.0} ms after the press; a keystroke during it is painted after {:.1} ms (p95 {:.1}), before it {:.1} ms (p95 {:.1})",
                at(50, 0, &with),
                at(95, 0, &with),
                at(50, 0, &without),
                at(95, 0, &without)
            );
            Ok(())
        })
        .await?;
    }
    Ok(())
}

async fn simulations() -> Res<()> {
    for times in [1.0, 4.0] {
        journey(Options::default().at(AT_ONCE).before_start(TIMERS), async |page| {
            page.slow_down(times).await?;
            let mut rounds: Vec<Vec<f64>> = Vec::new();
            for round in 1..=20 {
                rounds.push(serde_json::from_value(page.eval(&format!("{SIMULATE}({round})")).await?)?);
            }
            println!(
                "a simulation of 2,000 requests at {times}x: {:.1} ms of work (p95 {:.1}), the longest slice {:.1} ms (p95 {:.1}), shown {:.0} ms after the keystroke",
                at(50, 0, &rounds),
                at(95, 0, &rounds),
                at(50, 1, &rounds),
                at(95, 1, &rounds),
                at(50, 2, &rounds)
            );
            Ok(())
        })
        .await?;
    }
    Ok(())
}

async fn ten_thousand() -> Res<()> {
    journey(Options::default().before_start(WATCH), async |page| {
        let mut first = None;
        for hundreds in 1..=100 {
            page.eval(HUNDRED).await?;
            if hundreds == 20 || hundreds == 100 {
                let now = held(page).await?;
                let (wasm, heap, nodes) = now;
                println!(
                    "after {hundreds}00 changes: wasm {wasm} bytes, scripts {heap} bytes, {nodes} nodes"
                );
                first.get_or_insert(now);
            }
        }
        Ok(())
    })
    .await
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Res<()> {
    start_up().await?;
    for (what, hash) in [("fits", FITS), ("does not fit", DOES_NOT), ("three plans", THREE)] {
        for times in [1.0, 4.0] {
            keystrokes(what, hash, times).await?;
        }
    }
    simulations().await?;
    searches().await?;
    ten_thousand().await
}
