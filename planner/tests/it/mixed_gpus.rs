//! One engine on GPUs of different kinds: stages by memory.
use crate::artifacts::options;
use planner::{
    ArtifactKind, Plan, Scenario, evaluate,
    gpu::{self, GpuSpec},
    import,
    model::ModelInput,
    plan::{Outcome, RankMemory},
    recommend::{Goal, Price, Search, on_hardware},
    render, share,
};

/// A scenario on those GPUs, in their order.
#[track_caller]
fn on(model: &str, first: &str, others: &str, fields: &[(&str, &str)]) -> Scenario {
    let model = ModelInput::from_catalog(model).unwrap();
    let mut scenario = Scenario::new(model, gpu::find(first).unwrap().clone());
    for (id, value) in [&[("other_gpus", others)], fields].concat() {
        scenario.set(id, value).unwrap();
    }
    scenario
}

fn ranks(plan: &Plan) -> &[RankMemory] {
    &plan.memory.as_ref().unwrap().ranks
}

fn layers(plan: &Plan) -> Vec<u32> {
    ranks(plan).iter().map(|rank| rank.num_hidden_layers).collect()
}

const CODER: &str = "Qwen/Qwen3-Coder-30B-A3B-Instruct-FP8";
const REPORTED: &str = "VLLM_PP_LAYER_PARTITION=16,32 CUDA_DEVICE_ORDER=PCI_BUS_ID CUDA_VISIBLE_DEVICES=0,1 vllm serve Qwen/Qwen3-Coder-30B-A3B-Instruct-FP8 --gpu-memory-utilization 0.9 --pipeline-parallel-size 2 --enable-chunked-prefill";

/// vllm-project/vllm#34076: that command on an RTX 5070 Ti (16,303 MiB) and an RTX 5090 D (32,607 MiB), a build after
/// 0.15.1. It says: 24.0 GiB needed, 3.18 GiB available, at most 34,736 tokens.
#[test]
fn published_start_on_two_kinds_of_gpu_is_met() {
    let imported = import::read(REPORTED).unwrap();
    assert_eq!(imported.pp_layer_partition, Some(vec![16, 32]));
    let model = ModelInput::from_catalog(&imported.command.model).unwrap();
    let hardware = on(CODER, "RTX 5070 Ti", "RTX 5090", &[]).hardware;
    let mut scenario = imported.scenario(model, hardware);
    scenario.set("vllm_version", "0.15.2").unwrap();
    let plan = evaluate(&scenario);
    assert_eq!(layers(&plan), [16, 32]);
    let error = plan.verdict.vllm_error.clone().unwrap();
    assert_eq!(plan.verdict.outcome, Outcome::DoesNotFit);
    assert!(
        error.contains("(262144), (24.0 GiB KV cache is needed"),
        "{error}"
    );
    let number = |before: &str| -> f64 {
        let (_, rest) = error.split_once(before).unwrap();
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap();
        rest[..end].trim_end_matches('.').parse().unwrap()
    };
    let available = number("available KV cache memory (");
    let longest = number("maximum model length is ");
    println!("available {available} GiB (3.18), longest {longest} (34736)");
    assert!((available / 3.18 - 1.0).abs() < 0.02, "{available}");
    assert!((longest / 34_736.0 - 1.0).abs() < 0.02, "{longest}");

    // A version that holds each stage against its own memory lets the same engine have more.
    scenario.set("vllm_version", "0.33.0").unwrap();
    let longer = evaluate(&scenario);
    let blocks: Vec<u64> = ranks(&longer).iter().map(|rank| rank.num_blocks).collect();
    assert!(
        blocks.iter().all(|blocks| *blocks * 16 > 2 * 34_736),
        "{blocks:?}"
    );
}

/// The tightest stage of any partition into two, and into three, is no better than that of the proposed one.
#[test]
fn no_other_partition_leaves_more_for_the_tightest_stage() {
    let best = |scenario: &Scenario| {
        let plan = evaluate(scenario);
        (plan.memory.as_ref().unwrap().num_blocks, layers(&plan))
    };
    for (model, first, others, stages) in [
        (CODER, "RTX 5070 Ti", "RTX 5090", "2"),
        (CODER, "RTX 5090", "RTX 5070 Ti", "2"),
        ("openai/gpt-oss-20b", "L4", "RTX 5090", "2"),
        ("Qwen/Qwen2.5-0.5B-Instruct", "T4", "L4, RTX 3090", "3"),
    ] {
        let fields = [("pipeline_parallel_size", stages), ("dtype", "float16")];
        let fields = &fields[..if model == CODER || model.starts_with("openai") {
            1
        } else {
            2
        }];
        let mut scenario = on(model, first, others, fields);
        let (blocks, found) = best(&scenario);
        let whole: u32 = found.iter().sum();
        assert!(blocks > 0 && whole == scenario.model.spec.as_ref().unwrap().num_hidden_layers());
        for a in 1..whole - 1 {
            for b in 1..whole - a {
                let text = match whole - a - b {
                    0 => continue,
                    _ if stages == "2" => format!("{a},{}", whole - a),
                    c => format!("{a},{b},{c}"),
                };
                if stages == "2" && b > 1 {
                    break;
                }
                scenario.set("pp_layer_partition", &text).unwrap();
                let (other, _) = best(&scenario);
                assert!(other <= blocks, "{model}: {text} has {other}, {found:?} {blocks}");
            }
        }
    }
}

#[test]
fn stages_sum_to_the_whole_model() {
    let whole = evaluate(&on(
        "meta-llama/Llama-3.1-8B-Instruct",
        "H100 SXM",
        "H100 SXM",
        &[("pipeline_parallel_size", "1"), ("tensor_parallel_size", "1")],
    ));
    for partition in ["16,16", "1,31", "31,1", "10,22"] {
        let fields = [("pipeline_parallel_size", "2"), ("pp_layer_partition", partition)];
        let cut = evaluate(&on(
            "meta-llama/Llama-3.1-8B-Instruct",
            "H100 SXM",
            "L40S",
            &fields,
        ));
        for id in [
            "weights.attention",
            "weights.mlp",
            "weights.embedding",
            "weights.lm_head",
            "weights.norms",
        ] {
            let of = |terms: &[(&str, i64)]| -> i64 {
                terms
                    .iter()
                    .filter(|(other, _)| *other == id)
                    .map(|(_, bytes)| bytes)
                    .sum()
            };
            let all: i64 = ranks(&cut).iter().map(|rank| of(&rank.terms)).sum();
            let terms = &whole.memory.as_ref().unwrap().terms;
            let one: i64 = terms
                .iter()
                .filter(|term| term.id == id)
                .map(|term| term.bytes)
                .sum();
            assert_eq!(all, one, "{id} of {partition}");
        }
        for rank in ranks(&cut) {
            let sum: i64 = rank.terms.iter().map(|(_, bytes)| bytes).sum();
            assert_eq!(sum, rank.gpu_total_bytes.signed(), "{partition}");
        }
    }
}

/// `vllm/distributed/utils.py: get_pp_indices` gives 61 layers to two stages as 31 and 30, 36 to five as 7, 7, 7, 8, 7.
#[test]
fn gpus_that_are_alike_keep_vllms_own_shares() {
    for (model, stages, own) in [
        ("Qwen/Qwen3-4B", "5", vec![7, 7, 7, 8, 7]),
        ("Qwen/Qwen3-Coder-30B-A3B-Instruct-FP8", "2", vec![24, 24]),
    ] {
        let fields = [("pipeline_parallel_size", stages), ("gpus", "1")];
        let named = evaluate(&on(model, "L40S", "L40S, L40S, L40S, L40S", &fields));
        let counted = evaluate(&on(
            model,
            "L40S",
            "",
            &[("pipeline_parallel_size", stages), ("gpus", "5")],
        ));
        assert_eq!(layers(&named), own);
        assert_eq!(named.memory, counted.memory);
        assert_eq!(named.args, counted.args);
        assert!(named.args.unwrap().pp_layer_partition.is_none());
    }
}

/// Groups of like GPUs share layers, others are stages of their own.
#[test]
fn layout_puts_like_gpus_together() {
    for (first, others, gpus, expected) in [
        ("RTX 5070 Ti", "RTX 5090", "1", (1, 2)),
        ("L40S", "RTX 4090, RTX 4090", "2", (2, 2)),
        ("L40S", "RTX 4090", "3", (1, 4)),
        ("L40S", "RTX 4090, RTX 4090", "4", (2, 3)),
    ] {
        let plan = evaluate(&on("Qwen/Qwen3-8B", first, others, &[("gpus", gpus)]));
        let args = plan.args.unwrap();
        let sizes = (args.tensor_parallel_size.value, args.pipeline_parallel_size.value);
        assert_eq!(sizes, expected, "{first}, {others}");
    }
}

/// What is not right is said in vLLM's words, or names the field.
#[test]
fn wrong_partitions_are_refused() {
    let reason = |fields: &[(&str, &str)]| {
        let plan = evaluate(&on(CODER, "RTX 5070 Ti", "RTX 5090", fields));
        assert_eq!(plan.verdict.outcome, Outcome::Unsupported, "{fields:?}");
        plan.verdict.reason
    };
    let two = ("pipeline_parallel_size", "2");
    for (partition, expected) in [
        ("16,31", "sum(partitions)=47 does not match num_hidden_layers=48."),
        ("16,16,16", "len(partitions)=3 does not match pp_size=2."),
    ] {
        let reason = reason(&[two, ("pp_layer_partition", partition)]);
        assert!(reason.ends_with(expected), "{reason}");
    }
    let mixed = evaluate(&on("Qwen/Qwen3-8B", "L40S", "MI300X", &[]));
    assert!(
        mixed.verdict.reason.contains("of one maker"),
        "{}",
        mixed.verdict.reason
    );
    let old = evaluate(&on("Qwen/Qwen3-8B", "L40S", "T4", &[]));
    assert!(
        old.verdict
            .reason
            .contains("Your T4 GPU has compute capability 7.5"),
        "{}",
        old.verdict.reason
    );
    let mut scenario = on(CODER, "RTX 5070 Ti", "RTX 5090", &[]);
    for (id, text) in [
        ("other_gpus", "RTX 9999"),
        ("other_gpus", "RTX 9999=33672921088@new"),
        ("other_gpus", "RTX 9999@12.0"),
        ("other_gpus", "RTX 5090=3"),
        ("other_gpus", ","),
        ("pp_layer_partition", "16;32"),
        ("pp_layer_partition", "0,48"),
    ] {
        let before = scenario.clone();
        let error = scenario.set(id, text).unwrap_err();
        assert_eq!(error.field, id, "{error}");
        assert_eq!(scenario, before);
    }
}

/// Every file that starts vLLM says the partition, and a reader finds it there.
#[test]
fn files_carry_the_partition() {
    let plan = evaluate(&on("Qwen/Qwen3-8B", "RTX 5070 Ti", "RTX 5090", &[]));
    let partition = plan
        .args
        .as_ref()
        .unwrap()
        .pp_layer_partition
        .clone()
        .unwrap()
        .value;
    let files = render(&plan, &options());
    let mut read = 0;
    for file in &files.files {
        let named = ["report", "plan", "readme", "profile", "bench", "env", "autoscale"];
        if named.contains(&file.kind.name()) {
            continue;
        }
        let found = import::read(&file.text).unwrap_or_else(|error| panic!("{}: {error}", file.kind.name()));
        assert_eq!(
            found.pp_layer_partition,
            Some(partition.clone()),
            "{}",
            file.kind.name()
        );
        assert!(file.text.contains("PCI_BUS_ID"), "{}", file.kind.name());
        read += 1;
    }
    assert!(read >= 8, "{read}");
    assert!(files.get(ArtifactKind::Skypilot).is_none());
}

/// A stage runs at the speed of its own GPU: between an engine of the slow ones and one of the fast ones.
#[test]
fn speed_lies_between_those_of_either_kind() {
    let tokens = |first: &str, other: &str| {
        let fields = [
            ("pipeline_parallel_size", "2"),
            ("pp_layer_partition", "18,18"),
            ("max_model_len", "4096"),
        ];
        let plan = evaluate(&on("Qwen/Qwen3-4B", first, other, &fields));
        let found = plan.performance.unwrap();
        (found.decode_toks_per_s, found.assumptions.len())
    };
    let (slow, both, fast) = (
        tokens("RTX 5070 Ti", "RTX 5070 Ti"),
        tokens("RTX 5070 Ti", "RTX 5090"),
        tokens("RTX 5090", "RTX 5090"),
    );
    assert!(slow.0.estimate < both.0.estimate && both.0.estimate < fast.0.estimate);
    let width = |of: planner::plan::Ranged| of.high / of.low;
    assert!(width(both.0) > width(slow.0));
    assert_eq!(both.1, slow.1 + 1);
}

#[test]
fn a_search_of_several_kinds_tries_each_alone_and_all_together() {
    let scenario = on(CODER, "L40S", "RTX 5090, RTX 5090", &[("gpus", "2")]);
    let prices = |gpu: &GpuSpec| Some(Price(if gpu.name == "L40S" { 1000 } else { 500 }));
    let offers = on_hardware(&scenario, prices);
    let named: Vec<String> = offers.iter().map(ToString::to_string).collect();
    let all = "2 × L40S + 2 × RTX 5090";
    let alone = ["1 × L40S", "2 × L40S", "1 × RTX 5090", "2 × RTX 5090"];
    assert_eq!(named, [&alone[..], &[all]].concat());
    assert_eq!(offers[4].price, Some(Price(750)), "on average");
    let found = Search::new(&scenario, offers.clone(), Goal::default(), false).run(true);
    // Taken over, an answer is a scenario on the GPUs that it names.
    for answer in &found.all {
        let offer = &offers[answer.offer];
        let mut taken = scenario.clone();
        for (id, value) in answer.change(offer) {
            taken.set(&id, &value).unwrap();
        }
        assert_eq!(taken.hardware.kinds(), offer.to_string());
        assert_eq!(
            evaluate(&taken).verdict.outcome,
            answer.outcome,
            "{offer}, {}",
            answer.layout
        );
    }
    let kinds: Vec<String> = found
        .by_kind(&offers)
        .iter()
        .map(|answer| offers[answer.offer].to_string())
        .collect();
    assert_eq!(kinds.len(), 3, "{kinds:?}");
    assert!(kinds.contains(&all.to_owned()), "{kinds:?}");
}

#[test]
fn a_kind_that_nobody_knows_is_written_and_read_back() {
    for others in ["Card=17179869184@12.0", "Card=17179869184"] {
        let scenario = on(CODER, "RTX 5090", others, &[]);
        assert_eq!(scenario.get("other_gpus").as_deref(), Some(others));
        let text = share::scenario_json(&scenario);
        assert_eq!(
            share::scenario_from_json(&text).unwrap().hardware,
            scenario.hardware
        );
    }
    let error = Scenario::set(&mut on(CODER, "RTX 5090", "", &[]), "other_gpus", "Card").unwrap_err();
    assert!(error.problem.contains("`NAME=BYTES`"), "{error}");
}
