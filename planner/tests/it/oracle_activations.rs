//! Runner buffers and profile peaks against vLLM 0.33.0's own model runner.
use crate::support;
use planner::memory::{
    activations::{RunSettings, RunnerMemory},
    shape::RankShape,
};

#[test]
fn peaks_equal_vllms_runner() {
    for name in [
        "oracle/activations.json",
        "oracle/activations_latent.json",
        "oracle/activations_experts.json",
    ] {
        peaks_of(&support::json(name));
    }
}

fn peaks_of(file: &serde_json::Value) {
    let (mut rows, mut far) = (0, Vec::new());
    for row in file["rows"].as_array().unwrap() {
        let id = row[0].as_str().unwrap();
        let (Some(spec), Some(true)) = (support::spec(file, id), row[5].as_bool()) else {
            continue;
        };
        rows += 1;
        let number = |i: usize| row[i].as_u64().unwrap();
        let shape = RankShape {
            tp: number(1) as u32,
            pp: number(3) as u32,
            pp_rank: number(4) as u32,
            layers: None,
            dp: 1,
            ep: row[2].as_bool().unwrap(),
        };
        let run = RunSettings {
            shape,
            max_num_batched_tokens: number(7) as u32,
            max_num_seqs: number(8) as u32,
            capability: 90,
            rules: planner::engine::VllmVersion::latest().memory_rules(),
            tower: None,
            speculative: None,
        };
        let memory = RunnerMemory::new(&spec, &run);
        let kept = memory.sampler_state + memory.intermediate;
        let ours = (kept + memory.workspace + memory.activation_peak()).get() as f64;
        let theirs = (number(9) + number(14)) as f64;
        let error = ours / theirs - 1.0;
        let name = format!(
            "{id} tp{} ep{} pp{} N{} S{}",
            row[1], row[2], row[4], row[7], row[8]
        );
        let persistent = kept.get() as f64 - number(9) as f64;
        let sampler = (memory.workspace + memory.sampler_peak).get() as f64 - number(13) as f64;
        let forward = (memory.workspace + memory.forward_peak).get() as f64 - number(12) as f64;
        let mib = 1_048_576.0;
        // The rest is the allocator's rounding to 2 MiB.
        if error.abs() > 0.01 && (ours - theirs).abs() > 5.0 * mib {
            far.push(format!(
                "{name}: {:+.2} %  persistent {:+.1} sampler {:+.1} forward {:+.1} MiB",
                error * 100.0,
                persistent / mib,
                sampler / mib,
                forward / mib
            ));
        }
    }
    println!(
        "{rows} rows, {} over 1 % and 5 MiB\n{}",
        far.len(),
        far.join("\n")
    );
    assert!(rows >= 18);
    assert!(far.is_empty());
}
