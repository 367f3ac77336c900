//! One keystroke's work: evaluate, and evaluate with every file.
#![allow(
    missing_docs,
    clippy::expect_used,
    reason = "a bench may stop on a missing model"
)]

use planner::{
    RenderOptions, Scenario, evaluate, gpu, model::ModelInput, performance, plan, recommend, render,
};

fn main() {
    divan::main();
}

const MODELS: &[&str] = &[
    "meta-llama/Llama-3.3-70B-Instruct",
    "Qwen/Qwen3-30B-A3B-FP8",
    "google/gemma-2-27b-it",
];

fn scenario(model: &str, gpus: &str) -> Scenario {
    let model = ModelInput::from_catalog(model).expect("in the catalogue");
    let mut scenario = Scenario::new(model, gpu::find("H100 SXM").expect("in the catalogue").clone());
    scenario.set("gpus", gpus).expect("a count");
    scenario
}

#[divan::bench(args = MODELS)]
fn fits(bencher: divan::Bencher<'_, '_>, model: &str) {
    let scenario = scenario(model, "4");
    bencher.bench(|| evaluate(&scenario));
}

#[divan::bench(args = MODELS)]
fn fits_with_files(bencher: divan::Bencher<'_, '_>, model: &str) {
    let scenario = scenario(model, "4");
    let options = RenderOptions::default();
    bencher.bench(|| render(&evaluate(&scenario), &options));
}

/// The slowest answer: each remedy is evaluated too.
#[divan::bench]
fn does_not_fit(bencher: divan::Bencher<'_, '_>) {
    let scenario = scenario("meta-llama/Llama-3.1-405B-Instruct", "4");
    bencher.bench(|| evaluate(&scenario));
}

/// The closed form of the speed alone: without and with a rate.
#[divan::bench(args = MODELS)]
fn speed(bencher: divan::Bencher<'_, '_>, model: &str) {
    let question = plan::speed_question(&scenario(model, "4")).expect("a speed");
    bencher.bench(|| performance::estimate(&question));
}

#[divan::bench(args = MODELS)]
fn speed_at_a_rate(bencher: divan::Bencher<'_, '_>, model: &str) {
    let mut scenario = scenario(model, "4");
    scenario.set("request_rate", "4").expect("a rate");
    let question = plan::speed_question(&scenario).expect("a speed");
    bencher.bench(|| performance::estimate(&question));
}

/// Every GPU of the catalogue, 1 to 16 of each, in every layout and number format.
#[divan::bench(args = MODELS, sample_count = 10)]
fn explore(bencher: divan::Bencher<'_, '_>, model: &str) {
    let scenario = scenario(model, "8");
    let offers = || {
        let each = |gpu| recommend::fitting(gpu, 8, 2, None);
        gpu::gpus().iter().flat_map(each).collect::<Vec<_>>()
    };
    let goal = recommend::Goal::default();
    bencher.bench(|| recommend::Search::new(&scenario, offers(), goal, true).run(false));
}
