// Keeps one whole build of the page, so that later visits need no network. `cargo xtask` completes it after each build.
// It asks its own origin for these files and nobody for anything else.

/** What the page loads, with the hash of each; "./" is index.html, which some hosts do not give by its name. */
const FILES = __FILES__;
// Caches belong to a whole origin, and another page may live there.
const OURS = `vllm-wizard ${registration.scope} `;
const CACHE = OURS + "__BUILD__";

/** Taken from what the browser has just loaded, unless that is of another build. A wrong hash fails, and with it the install. */
const load = async (name) => {
  const integrity = FILES[name];
  return fetch(name, { integrity }).catch(() => fetch(name, { integrity, cache: "reload" }));
};

const install = async () => {
  const cache = await caches.open(CACHE);
  await Promise.all(Object.keys(FILES).map(async (name) => cache.put(name, await load(name))));
};

const activate = async () => {
  const old = (await caches.keys()).filter((name) => name.startsWith(OURS) && name !== CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
};

const answer = async (name, request) => {
  const cache = await caches.open(CACHE);
  return (await cache.match(name, { ignoreVary: true })) ?? fetch(request);
};

addEventListener("install", (event) => event.waitUntil(install()));
addEventListener("activate", (event) => event.waitUntil(activate()));
// The page's Reload button. Until it is pressed, or every tab is closed, the build before answers.
addEventListener("message", () => skipWaiting());
addEventListener("fetch", (event) => {
  const { method, url } = event.request;
  const [address] = url.split(/[?#]/);
  if (method !== "GET" || !address.startsWith(registration.scope)) return;
  const path = address.slice(registration.scope.length);
  const name = path === "" || path === "index.html" ? "./" : path;
  if (Object.hasOwn(FILES, name)) event.respondWith(answer(name, event.request));
});
