//! What a user feels of one keystroke on the release build: how long the page works, and when the answer is painted.
//! Run by `cargo xtask bench`.

use e2e::{Options, Res, journey};

/// Types into a field many times. Each round begins with a frame; work is script and layout until nothing is left to do,
/// painted is when the first frame is out in which the table of arguments has the new value.
const MEASURE: &str = "
(async () => {
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
  for (let round = 0; round < 60; round++) {
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
  const sorted = (i) => rounds.slice(10).map((r) => r[i]).sort((a, b) => a - b);
  const [work, painted] = [sorted(0), sorted(1)];
  const at = (list, part) => list[Math.floor((list.length - 1) * part)].toFixed(1);
  return `work ${at(work, 0.5)} ms (p90 ${at(work, 0.9)}), painted after ${at(painted, 0.5)} ms (p90 ${at(painted, 0.9)})`;
})()";

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Res<()> {
    for (what, hash) in [
        (
            "fits",
            "#s=1&model=meta-llama/Llama-3.3-70B-Instruct&gpu=h100-sxm&gpus=8",
        ),
        (
            "does not fit",
            "#s=1&model=meta-llama/Llama-3.1-405B-Instruct&gpu=h100-sxm&gpus=4",
        ),
    ] {
        journey(Options::default(), async |page| {
            page.open_at(hash).await?;
            println!("one keystroke, {what}: {}", page.eval(MEASURE).await?);
            Ok(())
        })
        .await?;
    }
    Ok(())
}
