//! Sizes one model on one machine: `cargo run -p planner --example size_one_model`.
use planner::{Scenario, evaluate, gpu, model::ModelInput};

fn main() {
    let Some(model) = ModelInput::from_catalog("meta-llama/Llama-3.3-70B-Instruct") else {
        return;
    };
    let Some(gpu) = gpu::find("H100 SXM") else { return };
    let mut scenario = Scenario::new(model, gpu.clone());
    for (id, value) in [
        ("gpus", "4"),
        ("concurrency", "64"),
        ("prompt_tokens", "4096"),
        ("gen_tokens", "512"),
    ] {
        if let Err(error) = scenario.set(id, value) {
            println!("{error}");
        }
    }
    let plan = evaluate(&scenario);
    println!("{}: {}", plan.verdict.outcome.words(), plan.verdict.reason);
    if let Some(memory) = &plan.memory {
        for term in &memory.terms {
            println!("{:>16} {:<24} {}", term.bytes, term.id, term.label);
        }
        println!(
            "KV cache: {} tokens, {:.2} full-length sequences",
            memory.kv_cache_tokens, memory.max_concurrency
        );
    }
    for row in plan.arg_rows() {
        println!("{} {} ({})", row.flag, row.value, row.why);
    }
    for remedy in &plan.verdict.remedies {
        println!("- {}: {}", remedy.label, remedy.effect);
    }
    for note in &plan.notes {
        println!("note: {}", note.message);
    }
}
