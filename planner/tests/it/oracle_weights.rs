//! Weights per rank against what vLLM 0.33.0's own classes allocate.
use crate::support;
use planner::{
    memory::{
        allocator::allocated,
        shape::RankShape,
        sparse_latent::LoadSettings,
        tensors::{Placement, TensorClass, TensorRun, TowerPlace, tensors},
    },
    model::{ModelSpec, Quantization},
};
use serde_json::Value;

const FILES: &[&str] = &[
    "oracle/weights.json",
    "oracle/weights_latent.json",
    "oracle/weights_recurrent.json",
    "oracle/weights_gpt_oss.json",
    "oracle/weights_kimi.json",
    "oracle/weights_nemotron_h.json",
    "oracle/weights_llama4.json",
    "oracle/weights_gemma4.json",
    "oracle/weights_nvfp4.json",
    "oracle/weights_irregular.json",
    "oracle/weights_mixed.json",
    "oracle/weights_classic.json",
    "oracle/weights_pooling.json",
    "oracle/weights_sparse_latent.json",
    "oracle/weights_compressed.json",
];

/// The same of language models beside a tower.
const BESIDE_TOWER: &[&str] = &[
    "oracle/weights_beside_tower.json",
    "oracle/weights_kimi_k3.json",
    "oracle/weights_minimax_m3.json",
];

/// Rows in them that are answered.
const ROWS: usize = 377;

/// The tensors of a row, with the tower or without.
fn tensors_of(spec: &ModelSpec, row: &Value, tower: bool) -> Vec<TensorRun> {
    let mut spec = support::run_as(spec, &row[9]);
    if row[4] == "fp8_per_tensor" {
        spec = spec.with_online(Quantization::online_fp8());
    }
    let shape = RankShape {
        tp: row[1].as_u64().unwrap() as u32,
        ep: row[2].as_bool().unwrap(),
        ..RankShape::SINGLE
    };
    let own = spec.quantization.as_ref().is_some_and(|q| q.fp8_kv_cache);
    let capability = support::capability(&row[3]);
    let load = LoadSettings {
        kv_element: if own { 1 } else { 2 },
        ..support::load(&spec)
    };
    let place = Placement {
        shape,
        dtype: spec.dtype,
        capability,
        tower: tower.then_some(TowerPlace {
            data_parallel: false,
            max_num_batched_tokens: 8192,
            every_stage: false,
        }),
        buffers: load.buffers(&spec, u64::from(shape.tp), capability),
        streams_online: true,
    };
    tensors(&spec, &place)
}

/// Bytes after construction, and after loading as the allocator counts them.
fn weigh_runs(runs: &[TensorRun]) -> (u64, u64) {
    let sum = |run: &TensorRun| run.tensors.iter().map(|t| t.bytes * t.count).sum::<u64>() * run.layers;
    (runs.iter().map(sum).sum(), allocated(runs).get())
}

/// The same of a row without the tower.
fn weigh(spec: &ModelSpec, row: &Value) -> (u64, u64) {
    weigh_runs(&tensors_of(spec, row, false))
}

#[test]
fn tensor_bytes_equal_vllms_classes() {
    let (mut errors, mut wrong, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    let mut online: Vec<f64> = Vec::new();
    for file in FILES.iter().map(|name| support::json(name)) {
        for row in file["rows"].as_array().unwrap() {
            let id = row[0].as_str().unwrap();
            let Some(spec) = support::spec(&file, id) else {
                refused.push(format!("{id}: {}", support::model(&file, id).spec.unwrap_err()));
                continue;
            };
            if let Some(quantization) = &spec.quantization {
                // Else a plan says that it was not.
                assert!(quantization.held_against_classes(), "{row}");
            }
            let (bytes, loaded) = weigh(&spec, row);
            let truth = row[6].as_u64().unwrap();
            if bytes != truth {
                wrong.push(format!("{row}: {}", bytes as i64 - truth as i64));
            }
            let Some(theirs) = row[7].as_f64() else { continue };
            let error = loaded as f64 / theirs - 1.0;
            if error.abs() > 0.001 {
                println!(
                    "loaded {:+.3} % {} {} {} {} {}",
                    error * 100.0,
                    row[0],
                    row[1],
                    row[2],
                    row[3],
                    row[4]
                );
            }
            if row[4] == "fp8_per_tensor" {
                online.push(error.abs());
            }
            errors.push(error);
        }
    }
    println!("refused {refused:#?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(errors.len(), ROWS);
    // What the page says of "Model loading" in its rounding term.
    let near = errors.iter().filter(|error| error.abs() <= 0.001).count();
    assert!(near * 100 >= errors.len() * 84, "{near} of {}", errors.len());
    assert!(errors.iter().all(|error| error.abs() < 0.023));
    // Models that are quantised while loading: what is freed meanwhile decides.
    online.sort_by(f64::total_cmp);
    assert_eq!(online.len(), 16);
    assert!(online.last().is_some_and(|worst| *worst < 0.005));
    assert!(online.get(10).is_some_and(|error| *error < 0.001));
}

#[test]
fn language_models_beside_a_tower_equal_vllms_classes() {
    for name in BESIDE_TOWER {
        beside_tower(&support::json(name));
    }
}

fn beside_tower(file: &Value) {
    let mut wrong = Vec::new();
    for row in file["rows"].as_array().unwrap() {
        let spec = support::spec(file, row[0].as_str().unwrap()).unwrap();
        assert!(spec.has_tower);
        let (bytes, _) = weigh(&spec, row);
        let truth = row[5].as_u64().unwrap();
        if bytes != truth {
            wrong.push(format!("{row} {bytes} {}", bytes as i64 - truth as i64));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// `load_allocated` and `total_bytes` of vLLM 0.33.0's own classes with `--speculative-config` and `--runner pooling`.
#[test]
fn a_drafting_layer_and_a_missing_head_equal_vllms_classes() {
    let weigh = |spec: &ModelSpec, tp: u32| {
        let place = Placement {
            shape: RankShape {
                tp,
                ..RankShape::SINGLE
            },
            tower: None,
            dtype: spec.dtype,
            capability: 90,
            buffers: support::load(spec).buffers(spec, u64::from(tp), 90),
            streams_online: true,
        };
        let runs = tensors(spec, &place);
        let sum = |run: &TensorRun| run.tensors.iter().map(|t| t.bytes * t.count).sum::<u64>() * run.layers;
        (
            runs.iter().map(sum).sum::<u64>(),
            allocated(&runs).get() as f64 / planner::units::GIB as f64,
        )
    };
    let next = planner::model::ModelInput::from_catalog("Qwen/Qwen3-Next-80B-A3B-Instruct").unwrap();
    let next = (*next.spec.unwrap()).clone().with_draft(None);
    let (_, loaded) = weigh(&next, 4);
    assert!((loaded - 37.9861).abs() < 0.0001, "{loaded}");
    let file = support::json("measured/start_up_logs.json");
    let cases = file["cases"].as_array().unwrap();
    let embedding = |case: &&Value| case["name"].as_str().unwrap().starts_with("qwen3-embedding-8b");
    let config = &cases.iter().find(embedding).unwrap()["config"];
    let model = planner::model::ModelInput::from_object("embedding", config.as_object().unwrap()).unwrap();
    let mut spec = (*model.spec.unwrap()).clone();
    spec = spec.with_pooling(planner::model::Pooling::default());
    assert_eq!(weigh(&spec, 1).0, 15_145_200_192);
    assert_eq!(weigh(&spec, 2).0, 7_578_151_488);
}

/// Rows with a tower that are answered.
const TOWER_ROWS: usize = 100;

#[test]
fn towers_equal_vllms_classes() {
    let file = support::json("oracle/weights_tower.json");
    let (mut wrong, mut refused, mut errors) = (Vec::new(), Vec::new(), Vec::new());
    for row in file["rows"].as_array().unwrap() {
        let id = row[0].as_str().unwrap();
        let Some(spec) = support::spec(&file, id) else {
            refused.push(format!("{id}: {}", support::model(&file, id).spec.unwrap_err()));
            continue;
        };
        let runs = tensors_of(&spec, row, true);
        let tower: u64 = runs
            .iter()
            .map(|run| {
                let vision = run.tensors.iter().filter(|t| t.class == TensorClass::Vision);
                vision.map(|t| t.bytes * t.count).sum::<u64>() * run.layers
            })
            .sum();
        let (bytes, loaded) = weigh_runs(&runs);
        let (truth, theirs) = (row[6].as_u64().unwrap(), row[7].as_f64().unwrap());
        if bytes != truth {
            let off = tower as i64 - row[8].as_i64().unwrap_or(0);
            wrong.push(format!("{row}: {} (tower {off})", bytes as i64 - truth as i64));
        }
        let error = loaded as f64 / theirs - 1.0;
        if error.abs() > 0.001 {
            println!("loaded {:+.3} % {row}", error * 100.0);
        }
        errors.push(error);
    }
    println!("refused {refused:#?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(errors.len(), TOWER_ROWS);
    let near = errors.iter().filter(|error| error.abs() <= 0.001).count();
    assert!(near * 10 >= errors.len() * 7, "{near} of {}", errors.len());
    assert!(errors.iter().all(|error| error.abs() < 0.03));
}
