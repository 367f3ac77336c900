//! Scripts that watch the page and use it over and over: for the bench, and for the test that nothing is left behind.

/// Notes when the wasm is compiled and when the page has started, and keeps hold of the wasm's memory.
pub const WATCH: &str = "
globalThis.bench = {};
for (const name of ['instantiateStreaming', 'instantiate']) {
  const real = WebAssembly[name];
  WebAssembly[name] = async (...all) => {
    const made = await real.apply(WebAssembly, all);
    bench.memory = (made.instance ?? made).exports.memory;
    bench.compiled = performance.now();
    return made;
  };
}
addEventListener('TrunkApplicationStarted', () => {
  bench.started = performance.now();
  requestAnimationFrame(() => setTimeout(() => (bench.painted = performance.now())));
});";

/// Changes the context length, the number of sequences and the cache type in turn, a hundred times.
pub const HUNDRED: &str = "
(async () => {
  const task = () => new Promise((done) => {
    const channel = new MessageChannel();
    channel.port1.onmessage = done;
    channel.port2.postMessage(0);
  });
  const field = (id) => document.getElementById(id);
  for (let round = 0; round < 100; round++) {
    const [input, value, event] = [
      [field('max_model_len'), 4096 + (round % 64) * 64, 'input'],
      [field('concurrency'), 1 + (round % 50), 'input'],
      [field('kv_cache_dtype'), ['', 'fp8'][Math.floor(round / 3) % 2], 'change'],
    ][round % 3];
    input.value = value;
    input.dispatchEvent(new Event(event, { bubbles: true }));
    await task();
  }
})()";

/// Bytes of the wasm's memory, where [`WATCH`] ran before the page.
pub const MEMORY: &str = "bench.memory.buffer.byteLength";
