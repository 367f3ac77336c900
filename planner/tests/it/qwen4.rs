//! Qwen 4 (Qwen3.8-Flash-Next) against what is published of it: counts of its parts, sizes of its files, starts of vLLM.
use crate::support::{self, scenario};
use planner::{
    Outcome, Plan, evaluate,
    memory::{
        kv_cache::{KvLayout, KvSettings},
        shape::RankShape,
        tensors::{Placement, TensorClass, TowerPlace, tensors},
    },
    model::{Mixer, ModelInput, ModelSpec},
    units::FloatDtype,
};

const MODEL: &str = "Qwen/Qwen3.8-Flash-Next";

fn spec() -> ModelSpec {
    let model = ModelInput::from_catalog(MODEL).unwrap();
    (*model.spec.unwrap()).clone()
}

/// The same with its tables on the GPU.
fn with_tables(mut spec: ModelSpec) -> ModelSpec {
    for run in &mut spec.layers {
        if let Mixer::GatedDeltaNet(gdn) = &mut run.mixer
            && let Some(ngrams) = &mut gdn.ngrams
        {
            ngrams.on_gpu = true;
        }
    }
    spec
}

fn place(tp: u32, tower: bool) -> Placement {
    let shape = RankShape {
        tp,
        ..RankShape::SINGLE
    };
    Placement {
        shape,
        dtype: FloatDtype::Bfloat16,
        capability: 90,
        tower: tower.then_some(TowerPlace {
            data_parallel: false,
            max_num_batched_tokens: 8192,
            every_stage: true,
        }),
        buffers: planner::memory::sparse_latent::LayerBuffers::default(),
        streams_online: true,
    }
}

/// Bytes of a rank's tensors after construction, without rotary caches.
fn bytes(spec: &ModelSpec, place: &Placement) -> u64 {
    let runs = tensors(spec, place);
    let of = |run: &planner::memory::tensors::TensorRun| -> u64 {
        let own = run
            .tensors
            .iter()
            .filter(|tensor| tensor.class != TensorClass::Rope);
        run.layers * own.map(|tensor| tensor.bytes * tensor.count).sum::<u64>()
    };
    runs.iter().map(of).sum()
}

/// Counts that people read off the published files' headers: 125,743,653,760 of the language model, 320,001,536 rows of
/// 160 in the tables, 448,931,056 of the tower, 6,035,598,720 that a token passes beside embedding and output.
#[test]
fn its_parts_are_as_large_as_counted() {
    let spec = spec();
    let tables = 320_001_536 * 160;
    assert_eq!(spec.parameters(), 125_743_653_760 + tables);
    assert_eq!(spec.tower.as_ref().unwrap().parameters(), 448_931_056);
    let ends = 2 * 248_320 * 2560;
    assert_eq!(spec.active_parameters() - ends, 6_035_598_720);
}

/// The index of the published files says 359,999,963,128 bytes, 2,607,150,848 numbers of the drafting layer among them.
#[test]
fn its_tensors_weigh_what_its_files_do() {
    let spec = with_tables(spec());
    let kept = bytes(&spec, &place(1, true));
    // Beyond the files: 12 rows that fill each of two mixes up to 16, the decay in float32, four scales of each cache.
    let (mixes, decays, scales) = (2 * 12 * 10_240 * 2, 48 * 2, 4 * 4);
    let more = 48 * mixes + 36 * decays + 12 * scales;
    // The tower's rotary cache, 8192 positions of half a head, is no tensor of the files.
    let cache = 8192 * 36 * 2;
    let drafting = 2 * 2_607_150_848;
    assert_eq!(kept + drafting - more - cache, 359_999_963_128);
    let drafts = bytes(&spec.clone().with_draft(None), &place(1, true)) - kept;
    assert_eq!(drafts, drafting + mixes + scales);
}

/// The FP8 checkpoint's 172.78 GiB (vLLM's recipe): experts and tables in 8 bits.
#[test]
fn its_fp8_tensors_weigh_what_those_files_do() {
    let model = ModelInput::from_catalog("Qwen/Qwen3.8-Flash-Next-FP8").unwrap();
    let spec = with_tables((*model.spec.unwrap()).clone().with_draft(None));
    // Without what their rows are filled up with.
    let weighed = bytes(&spec, &place(1, true)) - 49 * 2 * 12 * 10_240 * 2;
    assert_eq!((weighed * 100 + (1 << 29)) >> 30, 17_278, "{weighed}");
}

/// A rank of four, every tensor with its shape, as `models/qwen4_exp/nvidia/` and the layers it is made of create them.
#[test]
fn a_rank_holds_what_its_class_creates() {
    let (h, streams) = (2560, 4 * 2560);
    let hyper = 2 * (streams + (320 + 4 + 12) * streams + streams * 320);
    let experts = 512 * (2 * 160 * h + h * 160);
    let feeds = 512 * h + experts + 2 * 160 * h + h * 160 + h;
    let delta = 10_240 / 4 * 4 + (2 * 2048 + 2 * 6144) / 4 * h + 2 * 12 * h + 12 + 128 + h * 1536;
    let sparse = (3072 + 2 * 256 + 5 * 128) * h + h * 1536 + 2 * 256 + 2 * 128;
    let tables = (streams + h) * h + 3 * streams + streams * 4;
    let ends = 2 * (248_320 / 4) * h + streams + 2 * 320 * streams;
    let halves: u64 = 48 * (hyper + feeds) + 36 * delta + 12 * sparse + tables + ends;
    let (decays, scales, hashes) = (36 * 12 * 4, 12 * 4 * 4, (3 + 16 + 16) * 8);
    assert_eq!(
        bytes(&spec(), &place(4, false)),
        2 * halves + decays + scales + hashes
    );
    // With `cpu_offload` false a rank has a quarter of the tables as well.
    let more = bytes(&with_tables(spec()), &place(4, false)) - bytes(&spec(), &place(4, false));
    assert_eq!(more, 320_001_536 / 4 * 160 * 2);
}

/// One rank's cache where nothing but this is said.
fn layout(spec: &ModelSpec, tp: u32, element: u64, proposed: u32, checkpoints: bool) -> KvLayout {
    KvLayout::new(
        spec,
        KvSettings {
            element,
            flashinfer_prefill: checkpoints,
            speculative_tokens: proposed,
            ..support::kv(RankShape {
                tp,
                ..RankShape::SINGLE
            })
        },
    )
}

/// "GPU KV cache size" and the concurrency beside it are a whole number of blocks over those of a request. These builds
/// came before the tables' convolution kept checkpoints: vllm-project/vllm#54458 (build dev20073 on a GB10, two tokens
/// proposed, blocks of 1600), a log of 0.30.0 on two of them (three tokens proposed), LMCache#5042 (784 over four).
#[test]
fn a_request_takes_as_many_blocks_as_in_starts_of_vllm() {
    for (tp, element, proposed, block, length, logged, concurrency) in [
        (1, 2, 2, Some(1600), 8192, 260_006, 31.74),
        (1, 2, 2, Some(1600), 262_144, 1_077_542, 4.11),
        (1, 1, 2, None, 262_144, 1_853_358, 7.07),
        (2, 2, 3, None, 262_144, 1_625_292, 6.20),
        (4, 2, 0, Some(784), 262_144, 0, 0.0),
    ] {
        let layout = layout(&spec().with_draft(None), tp, element, proposed, false);
        assert!(block.is_none_or(|block| block == layout.block_size()));
        if logged > 0 {
            let hit = (1..4000)
                .map(|blocks| layout.plan(blocks, length))
                .find(|plan| plan.tokens >= logged);
            let hit = hit.unwrap();
            assert_eq!(hit.tokens, logged);
            assert!((hit.max_concurrency - concurrency).abs() < 0.005);
        }
    }
}

/// By vLLM 0.33.0's own `_get_packed_kv_cache_groups` and what follows, as in tests/oracle/kv_plans_qwen4.json.
#[test]
fn the_drafting_layer_caches_as_vllm_groups_it() {
    let mut narrow = spec();
    for run in &mut narrow.layers {
        if let Mixer::Attention(attention, _) = &mut run.mixer {
            attention.groups = attention
                .groups
                .map(|groups| planner::model::GroupIndex { element: 1, ..groups });
        }
    }
    for (spec, tp, element, block, bytes, blocks) in [
        (spec(), 4, 2, 832, 11_767_808, 341),
        (narrow, 1, 1, 3200, 43_929_600, 107),
    ] {
        let layout = layout(&spec.with_draft(None), tp, element, 3, true);
        let found = (
            layout.block_size(),
            layout.bytes_per_block,
            layout.blocks_per_request(262_144),
        );
        assert_eq!(found, (block, bytes, blocks));
    }
}

/// A plan with flags that are no fields.
fn plan(model: &str, gpu: &str, set: &[(&str, &str)], flags: &[(&str, &str)]) -> Plan {
    let mut scenario = scenario(model, gpu, set);
    for (name, value) in flags {
        let flag = ((*name).to_owned(), Some((*value).to_owned()));
        scenario.engine.vllm_args.push(flag);
    }
    evaluate(&scenario)
}

const EIGHT: &[(&str, &str)] = &[("gpus", "8"), ("tensor_parallel_size", "8")];
const MTP: (&str, &str) = ("--spec-method", "mtp");

/// vLLM's recipe: eight H100 with the tables in the host's memory, experts spread.
#[test]
fn it_starts_where_the_recipe_starts_it() {
    let mut set = EIGHT.to_vec();
    set.extend([
        ("enable_expert_parallel", "true"),
        ("kv_cache_dtype", "fp8"),
        ("gpu_memory_utilization", "0.85"),
        ("max_num_seqs", "256"),
    ]);
    let index = ("--attention-config.indexer_kv_dtype", "fp8");
    let flags = [MTP, ("--spec-tokens", "3"), index];
    let plan = plan("Qwen/Qwen3.8-Flash-Next-FP8", "H100 SXM", &set, &flags);
    assert_eq!(plan.verdict.outcome, Outcome::Fits, "{:?}", plan.verdict);
    let note = plan
        .notes
        .iter()
        .find(|note| note.code == "engine.tables")
        .unwrap();
    assert!(
        note.message.starts_with("For each GPU 6.0 GiB"),
        "{}",
        note.message
    );
}

/// In vLLM's words, of `models/config.py`, `config/engram.py` and `models/qwen4_exp/` at 0.33.0.
#[test]
fn vllm_refuses_what_its_class_does() {
    let refused = |set: &[(&str, &str)], flags: &[(&str, &str)], why: &str| {
        let all: Vec<(&str, &str)> = EIGHT.iter().chain(set).copied().collect();
        let verdict = plan(MODEL, "H200 SXM", &all, flags).verdict;
        assert_eq!(verdict.outcome, Outcome::Unsupported, "{set:?} {flags:?}");
        let said = verdict.vllm_error.unwrap_or(verdict.reason);
        assert!(said.contains(why), "{said}");
    };
    let stages = [("tensor_parallel_size", "4"), ("pipeline_parallel_size", "2")];
    refused(&stages, &[], "requires pipeline_parallel_size=1");
    refused(&[("kv_cache_dtype", "fp8_e5m2")], &[], "BF16 or FP8-e4m3");
    refused(&[("dtype", "float16")], &[], "currently requires BF16");
    refused(&[("vllm_version", "0.31.0")], &[], "plan 0.33.0");
    refused(
        &[],
        &[("--decode-context-parallel-size", "2")],
        "context parallelism",
    );
    refused(
        &[],
        &[("--attention-config.indexer_kv_dtype", "nvfp4")],
        "only 'bf16' or 'fp8'",
    );
    refused(&[], &[("--engram-config", "yes")], "expected a JSON object");
    refused(
        &[],
        &[(
            "--speculative-config",
            r#"{"method":"eagle3","model":"a/b","num_speculative_tokens":2}"#,
        )],
        "native MTP",
    );
    // A ring for a group of 4 tokens and 5 proposed ones takes 12, which is no part of a block of 448.
    refused(
        &[],
        &[MTP, ("--spec-tokens", "5")],
        "QSA ring capacity 12 must divide",
    );
    let verdict = evaluate(&scenario(MODEL, "MI300X", EIGHT)).verdict;
    assert!(verdict.reason.contains("AMD"), "{verdict:?}");
    let other = plan(
        "Qwen/Qwen3.5-35B-A3B",
        "H200 SXM",
        EIGHT,
        &[("--engram-config", "{}")],
    )
    .verdict;
    assert!(other.vllm_error.unwrap().starts_with("EngramConfig requires"));
}

/// Fields of a user's file are bounded, and said by name.
#[test]
fn configs_that_its_class_does_not_take_are_refused_by_field() {
    for (field, value, why) in [
        ("hc_count", "1", "hc_count"),
        ("ple_layer_ids", "[4]", "linear attention"),
        ("ple_layer_ids", "[49]", "48 layers"),
        ("ple_layer_ids", "[0]", "ple_layer_ids"),
        ("indexer_kv_heads", "2", "indexer_kv_heads"),
        ("indexer_budget", "2049", "indexer_budget"),
        ("indexer_n_heads", "null", "indexer_n_heads"),
        ("heads_per_ngram", "80", "n-grams"),
        ("ngram_vocab_size_base", "4294967295", "ngram_vocab_size_base"),
        ("ple_embed_dim", "2561", "ple_embed_dim"),
        ("ple_embedding_dtype", "\"int4\"", "ple_embedding_dtype"),
    ] {
        let model = ModelInput::from_catalog(MODEL).unwrap();
        let mut config = (*model.config).clone();
        let text = config.get_mut("text_config").unwrap().as_object_mut().unwrap();
        text.insert(field.to_owned(), serde_json::from_str(value).unwrap());
        let error = ModelInput::from_object(MODEL, &config)
            .and_then(|model| model.spec)
            .unwrap_err();
        assert!(error.to_string().contains(why), "{field}: {error}");
    }
}
