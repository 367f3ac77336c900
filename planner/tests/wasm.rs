//! The page's build of planner says what the native one says, to the byte.
#![cfg(target_arch = "wasm32")]
#![allow(missing_docs, clippy::expect_used)]

#[path = "it/every_file.rs"]
mod every_file;

use wasm_bindgen_test::wasm_bindgen_test;

/// An example and what was reviewed of it, natively.
macro_rules! example {
    ($name:literal) => {
        (
            include_str!(concat!("../../examples/", $name, ".json")),
            include_str!(concat!("it/snapshots/", $name, ".snap")),
        )
    };
}

const EXAMPLES: &[(&str, &str)] = &[
    example!("llama-3.3-70b-4x-h100"),
    example!("llama-3.3-70b-fp8-2x-l40s"),
    example!("llama-3.3-70b-one-h100"),
    example!("qwen3-14b-awq-rtx-4090"),
    example!("qwen3-235b-fp8-8x-h200"),
    example!("qwen3-30b-a3b-a100"),
    example!("qwen3-8b-h100"),
];

#[wasm_bindgen_test]
fn examples_plan_in_wasm_as_they_do_natively() {
    for (scenario, snapshot) in EXAMPLES {
        // Behind the head that insta writes.
        let (_, reviewed) = snapshot.split_once("\n---\n").expect("a snapshot has a head");
        assert_eq!(every_file::every_file(scenario).trim_end(), reviewed.trim_end());
    }
}
