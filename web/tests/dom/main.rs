//! The page in a real browser: controls, and one flow from an empty link to files. Everything is found the way a
//! person or a screen reader finds it: by role, label and text.
#![cfg(target_arch = "wasm32")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
mod controls;
mod flow;
mod hub;
mod page;
mod speed;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
