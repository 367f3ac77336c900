//! Weights per rank against what vLLM 0.33.0's own classes allocate.
use crate::support;
use planner::{
    memory::{
        allocator::allocated,
        shape::RankShape,
        tensors::{Placement, tensors},
    },
    model::Quantization,
};

#[test]
fn tensor_bytes_equal_vllms_classes() {
    let file = support::json("oracle/weights.json");
    let mut wrong = Vec::new();
    let mut far = Vec::new();
    let (mut rows, mut refused) = (0, Vec::new());
    for row in file["rows"].as_array().unwrap() {
        let id = row[0].as_str().unwrap();
        let Some(spec) = support::spec(&file, id) else {
            refused.push(id.to_owned());
            continue;
        };
        rows += 1;
        let mut spec = (*spec).clone();
        if row[4] == "fp8_per_tensor" {
            spec = spec.with_online(Quantization::online_fp8());
        }
        let shape = RankShape {
            tp: row[1].as_u64().unwrap() as u32,
            ep: row[2].as_bool().unwrap(),
            ..RankShape::SINGLE
        };
        let place = Placement {
            shape,
            dtype: spec.dtype,
            capability: support::capability(&row[3]),
        };
        let runs = tensors(&spec, &place);
        let bytes: u64 = runs
            .iter()
            .map(|r| r.layers * r.tensors.iter().map(|t| t.bytes * t.count).sum::<u64>())
            .sum();
        let name = format!("{id} tp{} ep{} cc{} {}", row[1], row[2], row[3], row[4]);
        let truth = row[6].as_u64().unwrap();
        if bytes != truth {
            wrong.push(format!(
                "{name}: {bytes} - {truth} = {}",
                bytes as i64 - truth as i64
            ));
        }
        let loaded = row[7].as_u64().unwrap();
        let error = allocated(&runs).get() as f64 / loaded as f64 - 1.0;
        if error.abs() > 0.001 {
            far.push(format!("{name}: {:+.3} %", error * 100.0));
        }
    }
    println!(
        "{rows} rows, {} wrong, {} far, refused {refused:?}",
        wrong.len(),
        far.len()
    );
    println!("{}\nFAR\n{}", wrong.join("\n"), far.join("\n"));
    assert!(wrong.is_empty());
}
