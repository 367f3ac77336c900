//! KV cache plans against vLLM 0.33.0's own planner.
use crate::support;
use planner::{
    engine::KvCacheDtype,
    memory::{
        kv_cache::{KvLayout, KvSettings},
        packed,
        shape::RankShape,
        sparse_latent,
    },
    units::Bytes,
};

#[test]
fn plans_equal_vllms_planner() {
    for name in support::KV_PLANS {
        plans_of(&support::json(name));
    }
}

fn plans_of(file: &serde_json::Value) {
    let (mut rows, mut wrong) = (0, Vec::new());
    for row in file["rows"].as_array().unwrap() {
        let id = row[0].as_str().unwrap();
        let Some(spec) = support::spec(file, id) else {
            continue;
        };
        let spec = support::run_as(&spec, &row[19]);
        rows += 1;
        let number = |i: usize| row[i].as_u64().unwrap();
        let own = spec.quantization.as_ref().is_some_and(|q| q.fp8_kv_cache);
        let fp8 = row[5].as_str().unwrap().starts_with("fp8") || (row[5] == "auto" && own);
        let capability = support::capability(&row[3]);
        let kv = match (row[5].as_str().unwrap(), fp8) {
            ("fp8", _) => KvCacheDtype::Fp8,
            (_, true) => KvCacheDtype::Fp8E4m3,
            _ => KvCacheDtype::Auto,
        };
        let settings = KvSettings {
            element: if fp8 { 1 } else { spec.dtype.size() },
            block_size: row[18].as_u64().unwrap_or(16) as u32,
            max_num_batched_tokens: number(7) as u32,
            concurrent_batches: if spec.pooling.is_some() { 1 } else { 2 },
            packed_latent: match packed::compressed(&spec) {
                Some(layer) => packed::record(&layer, capability, kv).unwrap(),
                None => sparse_latent::find(&spec)
                    .and_then(|index| sparse_latent::packed(&spec, &index, capability, kv))
                    .unwrap_or(0),
            },
            row_pages: (100..110).contains(&capability),
            flashinfer_prefill: matches!(capability, 90 | 100..110),
            ..support::kv(RankShape {
                tp: number(1) as u32,
                ..RankShape::SINGLE
            })
        };
        let layout = KvLayout::new(&spec, settings);
        let blocks = layout.blocks_in(Bytes::new(number(8)));
        let plan = layout.plan(blocks, number(6));
        let expected = (row[9].as_bool().unwrap(), number(10));
        let mut ok = (plan.fits, layout.bytes_per_block) == expected;
        if plan.fits {
            ok &= plan.num_blocks == number(12)
                && plan.tokens == number(13)
                && plan.max_concurrency == row[14].as_f64().unwrap();
        } else if let Some(longest) = row[17].as_u64() {
            ok &= layout.longest(blocks, 1, number(6)) == longest;
        }
        if !ok {
            wrong.push(format!(
                "{row}\n  -> {plan:?} {} longest {}",
                layout.bytes_per_block,
                layout.longest(blocks, 1, number(6))
            ));
        }
    }
    println!("{rows} rows\n{}", wrong.join("\n"));
    assert!(
        rows * 100 >= file["rows"].as_array().unwrap().len() * 97,
        "{rows}"
    );
    assert!(wrong.is_empty());
}
