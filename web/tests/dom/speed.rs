//! A run of requests in the browser, and how long it takes there: printed, since a machine that is busy proves nothing.
//! What a keystroke costs is timed by `cargo xtask bench`.
use wasm_bindgen_test::{console_log, wasm_bindgen_test};

#[wasm_bindgen_test]
fn two_thousand_requests_are_simulated() {
    use planner::{Scenario, gpu, model::ModelInput, plan};
    let clock = web_sys::window().unwrap().performance().unwrap();
    let course = plan::Course {
        requests: 2000,
        spread: 0.2,
        seed: 1,
    };
    for (model, gpu, fields) in [
        ("Qwen/Qwen3-8B", "H100 SXM", &[("concurrency", "32")][..]),
        ("Qwen/Qwen3-30B-A3B", "H100 SXM", &[("concurrency", "256")]),
        (
            "Qwen/Qwen3-8B",
            "H100 SXM",
            &[("request_rate", "4"), ("prompt_p95", "3000")],
        ),
    ] {
        let mut scenario = Scenario::new(
            ModelInput::from_catalog(model).unwrap(),
            gpu::find(gpu).unwrap().clone(),
        );
        for (field, value) in fields {
            scenario.set(field, value).unwrap();
        }
        let start = clock.now();
        let run = plan::simulate(&scenario, course).unwrap();
        let took = clock.now() - start;
        assert_eq!(run.requests, 2000);
        console_log!("2,000 requests, {model} {fields:?}: {took:.1} ms");
    }
}
