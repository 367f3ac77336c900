//! Figures from real runs and published tables.
use crate::support;
use planner::{
    memory::{
        activations::{RunSettings, RunnerMemory},
        allocator::allocated,
        kv_cache::{KvLayout, KvSettings},
        shape::RankShape,
        tensors::{Placement, tensors},
    },
    model::{AttentionSpan, LayerRun, Mixer, ModelInput, ModelSpec, Quantization},
    units::{Bytes, GIB},
};
use std::sync::Arc;

fn catalog(id: &str) -> Arc<ModelSpec> {
    ModelInput::from_catalog(id)
        .unwrap_or_else(|| panic!("{id} is not in the catalogue"))
        .spec
        .unwrap()
}

fn layout(spec: &ModelSpec, shape: RankShape, element: u64, tokens: u32) -> KvLayout {
    KvLayout::new(
        spec,
        KvSettings {
            element,
            max_num_batched_tokens: tokens,
            ..support::kv(shape)
        },
    )
}

/// Bytes of the tokens themselves, 16-bit cache, one GPU: before blocks and the margins of windows.
fn logical_bytes(spec: &ModelSpec, tokens: u64) -> u64 {
    let layer = |run: &LayerRun| match run.mixer {
        Mixer::Attention(a, span) => {
            let seen = match span {
                AttentionSpan::Full | AttentionSpan::Encoder => tokens,
                AttentionSpan::Both => 0,
                AttentionSpan::Sliding(window) | AttentionSpan::Chunked(window) => {
                    tokens.min(u64::from(window))
                }
            };
            seen * 2 * u64::from(a.num_key_value_heads) * u64::from(a.head_dim) * 2
        }
        Mixer::Mla(mla) => tokens * u64::from(mla.kv_lora_rank + mla.qk_rope_head_dim) * 2,
        _ => 0,
    };
    let states = u64::from(
        spec.layers
            .iter()
            .map(|run| if run.mixer.keeps_state() { run.count } else { 0 })
            .sum::<u32>(),
    );
    let state = if states > 0 {
        layout(spec, RankShape::SINGLE, 2, 8192).state_bytes()
    } else {
        0
    };
    spec.layers
        .iter()
        .map(|run| u64::from(run.count) * layer(run))
        .sum::<u64>()
        + states * state
}

#[test]
fn one_sequence_takes_the_published_kv_bytes() {
    let file = support::json("measured/kv_per_sequence.json");
    let tokens = file["tokens"].as_u64().unwrap();
    let mut covered = Vec::new();
    for row in file["rows"].as_array().unwrap() {
        let id = row["config"].as_str().unwrap();
        // The other rows wait for layers that are not modelled yet.
        let Some(model) = ModelInput::from_catalog(id) else {
            continue;
        };
        let Some(bytes) = row["expected_bytes"].as_u64() else {
            continue;
        };
        let spec = model.spec.unwrap();
        assert_eq!(logical_bytes(&spec, tokens), bytes, "{row}");
        covered.push(id.to_owned());
    }
    println!("{covered:?}");
    assert!(covered.len() >= 8, "{covered:?}");
}

#[test]
fn worked_plans_of_vllms_planner_are_met() {
    let file = support::json("measured/kv_plans_worked.json");
    let mut met = 0;
    for row in file["rows"].as_array().unwrap() {
        let (Some(id), true) = (row["config"].as_str(), row["later"].is_null()) else {
            continue;
        };
        let Some(model) = ModelInput::from_catalog(id) else {
            continue;
        };
        let (Some(length), Some(blocks)) = (row["max_model_len"].as_u64(), row["num_blocks"].as_u64()) else {
            continue;
        };
        let spec = model.spec.unwrap();
        let count = |key: &str| row[key].as_u64().unwrap() as u32;
        let shape = RankShape {
            tp: count("tensor_parallel_size"),
            pp: count("pipeline_parallel_size"),
            ..RankShape::SINGLE
        };
        let element = if row["kv_cache_dtype"] == "auto" { 2 } else { 1 };
        let kv = layout(&spec, shape, element, count("max_num_batched_tokens"));
        assert_eq!(
            kv.bytes_per_block,
            row["bytes_per_block"].as_u64().unwrap(),
            "{row}"
        );
        assert_eq!(
            kv.blocks_in(Bytes::from_gib(row["available_gib"].as_u64().unwrap())),
            blocks,
            "{row}"
        );
        let plan = kv.plan(blocks, length);
        assert_eq!(plan.tokens, row["kv_cache_tokens"].as_u64().unwrap(), "{row}");
        met += 1;
    }
    assert!(met >= 6, "{met}");
}

/// Weights, activation peak and tokens as vLLM 0.19.0 logged them on H100.
#[test]
fn h100_logs_of_0_19_are_met() {
    let file = support::json("measured/h100_vllm_0_19.json");
    let mut rows = 0;
    for row in file["rows"].as_array().unwrap() {
        let mut spec = (*catalog(row["config"].as_str().unwrap())).clone();
        let flags = &row["flags"];
        let count = |key: &str| flags[key].as_u64().unwrap_or(1) as u32;
        let shape = RankShape {
            tp: count("tensor_parallel_size"),
            pp: count("pipeline_parallel_size"),
            ..RankShape::SINGLE
        };
        if flags["dtype"] == "float32" {
            spec.dtype = planner::units::FloatDtype::Float32;
        }
        if flags["quantization"] == "fp8" {
            spec = spec.with_online(Quantization::online_fp8());
        }
        let loaded = (0..shape.pp)
            .map(|pp_rank| {
                let place = Placement {
                    shape: RankShape { pp_rank, ..shape },
                    dtype: spec.dtype,
                    capability: 90,
                    tower: None,
                    buffers: support::load(&spec).buffers(&spec, u64::from(shape.tp), 90),
                    streams_online: true,
                };
                allocated(&tensors(&spec, &place)).get()
            })
            .max()
            .unwrap();
        let measured = &row["measured"];
        if let Some(gib) = measured["weights_gib"].as_f64() {
            let error = loaded as f64 / GIB as f64 / gib - 1.0;
            println!("{} {flags}: weights {:+.2} %", row["config"], error * 100.0);
            // The figures are rounded to 0.01 GiB.
            assert!(
                error.abs() < 0.005 || (loaded as f64 / GIB as f64 - gib).abs() < 0.011,
                "{row}: {error:+.4}"
            );
            rows += 1;
        }
        if let (Some(gib), 1) = (measured["activation_gib"].as_f64(), shape.pp) {
            let run = RunSettings {
                shape,
                max_num_seqs: 1024,
                max_num_batched_tokens: 8192,
                capability: 90,
                rules: planner::engine::VllmVersion::new(19, 0).memory_rules(),
                tower: None,
                speculative: None,
            };
            let runner = RunnerMemory::new(&spec, &run);
            let ours = (runner.activation_peak() + runner.workspace).get() as f64 / GIB as f64;
            println!(
                "{} {flags}: activation {:+.2} %",
                row["config"],
                (ours / gib - 1.0) * 100.0
            );
            // The figures are rounded to 0.01 GiB.
            assert!((ours / gib - 1.0).abs() < 0.008, "{row}: {ours:.2}");
        }
    }
    assert!(rows >= 10, "{rows}");
}
