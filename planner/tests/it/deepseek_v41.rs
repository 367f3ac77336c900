//! DeepSeek V4.1 (DeepSeek-V4.1-Flash) against what is published of it: its headers' counts and bytes, a start of vLLM.
use crate::support::{self, scenario};
use planner::{
    Outcome, Plan, evaluate,
    memory::{
        kv_cache::{KvLayout, KvSettings},
        shape::RankShape,
        sparse_latent::LayerBuffers,
        tensors::{Placement, TensorClass, tensors},
    },
    model::{Mixer, ModelInput, ModelSpec},
    units::FloatDtype,
};

const MODEL: &str = "deepseek-ai/DeepSeek-V4.1-Flash";

fn spec() -> ModelSpec {
    let model = ModelInput::from_catalog(MODEL).unwrap();
    (*model.spec.unwrap()).clone()
}

fn place(tp: u32, capability: u16) -> Placement {
    Placement {
        shape: RankShape {
            tp,
            ..RankShape::SINGLE
        },
        dtype: FloatDtype::Bfloat16,
        capability,
        tower: None,
        buffers: LayerBuffers::default(),
        streams_online: true,
    }
}

/// Bytes of a rank's tensors after construction and once loaded, without rotary caches.
fn bytes(spec: &ModelSpec, place: &Placement) -> [u64; 2] {
    let runs = tensors(spec, place);
    let tensors = runs
        .iter()
        .flat_map(|run| run.tensors.iter().map(move |tensor| (run.layers, tensor)))
        .filter(|(_, tensor)| tensor.class != TensorClass::Rope);
    tensors.fold([0, 0], |[made, loaded], (layers, tensor)| {
        let count = layers * tensor.count;
        [made + count * tensor.bytes, loaded + count * tensor.loaded]
    })
}

/// The same with its tables on the GPU.
fn with_tables(mut spec: ModelSpec) -> ModelSpec {
    for run in &mut spec.layers {
        if let Mixer::Compressed(layer) = &mut run.mixer
            && let Some(ngrams) = &mut layer.ngrams
        {
            ngrams.on_gpu = true;
        }
    }
    spec
}

/// The Hub counts 763,205,315,794 numbers. The drafting layers' follow from the shapes that public code read off the files'
/// headers (three layers with 128 experts, projection, Markov and confidence heads), and so do the tower's.
#[test]
fn its_parts_add_up_to_the_published_count() {
    let (h, heads, dim, rank) = (5120_u64, 64, 512, 1280);
    let attention = (rank + dim) * h + heads * dim * rank + 8192 * 4096 + h * 8192 + rank + dim + heads;
    let mixes = 2 * (24 * 4 * h + 24 + 3);
    let experts = 128 * h + 2 * 128 + 129 * 3 * 2304 * h;
    let ends = h + 3 * h * h + h + 2 * 129_280 * 256 + h + 256;
    let drafts = 3 * (attention + mixes + experts + 2 * h) + ends;
    let (w, mlp) = (1024, 2816);
    let block = 4 * w * w + 4 * w + 3 * mlp * w + 2 * w;
    let tower = 3 * 14 * 14 * w + 2 * w + 32 * block + 9 * w * h + h + h * h + h + 3 * h;
    let spec = spec();
    assert_eq!(spec.tower.as_ref().unwrap().parameters(), tower);
    assert_eq!(spec.parameters() + drafts + tower, 763_205_315_794);
    // The card's 552 billion beside the tables, and 196 billion in them.
    let tables: u64 = (384_006_168 + 384_016_682) * 256;
    assert_eq!((spec.parameters() - tables) / 1_000_000_000, 551);
    assert_eq!(tables / 1_000_000_000, 196);
}

/// Two files hold nothing but the tables and what belongs to them: 101,535,150,936 and 101,537,926,640 bytes, 664 and 672
/// of them before the tensors. The scales of the projections, 153,600 bytes each, are repeated for 32 rows in memory.
#[test]
fn its_tables_weigh_what_their_files_do() {
    let files = 101_535_150_936 + 101_537_926_640 - 664 - 672;
    let repeated = 2 * 153_600 * 31;
    let mut bare = spec();
    for run in &mut bare.layers {
        if let Mixer::Compressed(layer) = &mut run.mixer {
            layer.ngrams = None;
        }
    }
    let place = place(1, 100);
    let [without, _] = bytes(&bare, &place);
    let [with, _] = bytes(&with_tables(spec()), &place);
    assert_eq!(with - without, files + repeated);
    // In the host's memory they are no part of it.
    let [host, _] = bytes(&spec(), &place);
    assert_eq!(with - host, 202_758_032_400);
}

/// A rank of eight on Hopper, every tensor with its shape as the classes in `models/deepseek_v41/` create them, and the
/// grouped output in 16 bits, as the emulating kernel leaves it.
#[test]
fn a_rank_holds_what_its_class_creates() {
    let h = 5120_u64;
    let scaled = |rows: u64, columns: u64| rows * columns + rows * columns / 32;
    let attention = 64 * 4
        + scaled(1280 + 512, h)
        + scaled(4096, 1280)
        + scaled(1024, 4096)
        + scaled(h, 1024)
        + 2 * (1280 + 512);
    let index = scaled(4096, 1280) + 2 * 32 * h;
    let source = 2 * (128 * 512 + 128) + 2 * (512 * h + 512);
    let engram = scaled(25_600 / 8, 6144) + 2 * 2 * 4 * h;
    let experts = 384 * (3 * 5120 * 320 / 2 + 3 * 5120 * 320 / 32);
    let router = 2 * 384 * h + 2 * 4 * 384;
    let shared = scaled(2 * 288, h) + scaled(h, 288);
    let mixes = 4 * 2 * (24 * 4 * h + 24 + 3);
    let layers = 40 * (attention + experts + router + shared + mixes + 2 * 2 * h);
    let ends = 2 * (2 * 129_280 / 8 * h + h);
    let sources = 4 * source + 3 * 2 * 512 * h;
    let all = layers + 8 * index + sources + 2 * engram + ends;
    let wide = 40 * 1024 * 4096;
    assert_eq!(bytes(&spec(), &place(8, 90)), [all, all + wide]);
}

/// One rank's cache where nothing but this is said.
fn layout(record: u64, block_size: u32, proposed: u32) -> KvLayout {
    KvLayout::new(
        &spec(),
        KvSettings {
            element: 1,
            block_size,
            packed_latent: record,
            speculative_tokens: proposed,
            ..support::kv(RankShape::SINGLE)
        },
    )
}

/// Eight H100 (a build of 0.31.1, tensor and expert parallel, 262,144 tokens, steps of 8192): "Available KV cache memory:
/// 29.14 GiB", "GPU KV cache size: 9,092,347 tokens", "Setting kv cache block size to 64".
#[test]
fn a_published_start_has_so_many_tokens() {
    let layout = layout(584, 64, 0);
    let hit = (267_000..268_000)
        .map(|blocks| layout.plan(blocks, 262_144))
        .find(|plan| plan.tokens >= 9_092_347)
        .unwrap();
    assert_eq!(hit.tokens, 9_092_347);
    let available = hit.num_blocks * layout.bytes_per_block;
    assert_eq!((available * 100 + (1 << 29)) >> 30, 2914);
}

/// A token that is kept takes the card's 890 bytes where both it and its key have 4 bits; a ring holds what is proposed.
#[test]
fn a_token_takes_the_bytes_of_the_card() {
    let sources = || {
        spec().layers.into_iter().filter_map(|run| match run.mixer {
            Mixer::Compressed(layer) if layer.source => Some((layer, run.count)),
            _ => None,
        })
    };
    let bytes: u64 = sources()
        .map(|(mut layer, count)| {
            layer.shared.as_mut().unwrap().narrow_keys = true;
            2 * (288 + layer.key_bytes()) / u64::from(layer.ratio) * u64::from(count)
        })
        .sum();
    assert_eq!(bytes, 2 * 890);
    // By vLLM's own `_get_packed_kv_cache_groups` and what follows.
    let drafting = layout(584, 64, 7);
    let found = (drafting.bytes_per_block, drafting.blocks_per_request(262_144));
    assert_eq!(found, (116_928, 7718));
}

fn plan(gpu: &str, set: &[(&str, &str)], flags: &[(&str, &str)]) -> Plan {
    let mut scenario = scenario(MODEL, gpu, set);
    for (name, value) in flags {
        let flag = ((*name).to_owned(), Some((*value).to_owned()));
        scenario.engine.vllm_args.push(flag);
    }
    evaluate(&scenario)
}

const EIGHT: &[(&str, &str)] = &[("gpus", "8"), ("tensor_parallel_size", "8")];

/// vLLM's recipe: four H200 with the tables in the host's memory. On two B200 they stay there, on eight they fit.
#[test]
fn it_starts_where_the_recipe_starts_it() {
    let four = [("gpus", "4"), ("tensor_parallel_size", "4")];
    let two = [("gpus", "2"), ("tensor_parallel_size", "2")];
    let on_gpu = [("--engram-config", r#"{"cpu_offload":false}"#)];
    for (gpu, set, flags, outcome, noted) in [
        (
            "H200 SXM",
            &four[..],
            &[][..],
            Outcome::Fits,
            Some("For each GPU 47.2 GiB"),
        ),
        ("B200", &two, &[], Outcome::Fits, Some("For each GPU 94.4 GiB")),
        ("B200", &two, &on_gpu, Outcome::DoesNotFit, None),
        ("B200", EIGHT, &on_gpu, Outcome::Fits, None),
    ] {
        let plan = plan(gpu, set, flags);
        assert_eq!(plan.verdict.outcome, outcome, "{gpu} {:?}", plan.verdict);
        let note = plan.notes.iter().find(|note| note.code == "engine.tables");
        assert_eq!(note.is_some(), noted.is_some());
        if let (Some(note), Some(noted)) = (note, noted) {
            assert!(note.message.starts_with(noted), "{}", note.message);
        }
    }
}

/// In vLLM's words, of `models/deepseek_v41/` and `v1/attention/backends/mla/indexer.py` at 0.33.0, or in ours.
#[test]
fn what_its_classes_do_not_take_is_refused() {
    let refused = |gpu: &str, set: &[(&str, &str)], flags: &[(&str, &str)], why: &str| {
        let all: Vec<(&str, &str)> = EIGHT.iter().chain(set).copied().collect();
        let verdict = plan(gpu, &all, flags).verdict;
        assert_eq!(verdict.outcome, Outcome::Unsupported, "{set:?} {flags:?}");
        let said = verdict.vllm_error.unwrap_or(verdict.reason);
        assert!(said.contains(why), "{said}");
    };
    let narrow = [("--attention-config.indexer_kv_dtype", "mxfp4")];
    let half = [("--attention-config.indexer_kv_dtype", "bf16")];
    refused("H200 SXM", &[], &narrow, "requires Blackwell");
    refused("B200", &[], &half, "expected one of ('fp8', 'mxfp4')");
    refused(
        "H200 SXM",
        &[("kv_cache_dtype", "bfloat16")],
        &[],
        "only supports fp8",
    );
    refused(
        "H200 SXM",
        &[("kv_cache_dtype", "nvfp4_ds_mla")],
        &[],
        "only supports fp8",
    );
    refused("H200 SXM", &[("block_size", "32")], &[], "multiples of 64");
    refused("B200", &[("block_size", "64")], &[], "multiples of 128");
    refused("H200 SXM", &[("vllm_version", "0.31.0")], &[], "plan 0.33.0");
    refused("A100 SXM4 80GB", &[], &[], "Hopper");
    refused("MI300X", &[], &[], "AMD");
    let depth = [("--spec-method", "mtp"), ("--spec-tokens", "3")];
    refused("H200 SXM", &[], &depth, "DSpark");
    let dspark = r#"{"method":"dspark","num_speculative_tokens":5}"#;
    refused("H200 SXM", &[], &[("--speculative-config", dspark)], "DSpark");
    let lookup = r#"{"method":"ngram","num_speculative_tokens":5,"prompt_lookup_max":4}"#;
    let lookup = [("--speculative-config", lookup)];
    assert_eq!(plan("H200 SXM", EIGHT, &lookup).verdict.outcome, Outcome::Fits);
    // Two stages are cut where a source stands, four are not.
    let two = [("tensor_parallel_size", "4"), ("pipeline_parallel_size", "2")];
    let four = [("tensor_parallel_size", "2"), ("pipeline_parallel_size", "4")];
    refused("H200 SXM", &four, &[], "kv-sharing group");
    let all: Vec<(&str, &str)> = EIGHT.iter().chain(&two).copied().collect();
    assert_eq!(plan("H200 SXM", &all, &[]).verdict.outcome, Outcome::Fits);
    assert_eq!(plan("B200", EIGHT, &narrow).verdict.outcome, Outcome::Fits);
}

/// Fields of a user's file are bounded, and said by name.
#[test]
fn configs_that_its_class_does_not_take_are_refused_by_field() {
    for (field, value, why) in [
        ("compress_ratios", "[4]", "compress_ratios"),
        ("kv_source_layer_ids", "[8,14,20]", "kv_source_layer_ids"),
        ("kv_source_layer_ids", "[40]", "kv_source_layer_ids"),
        ("kv_source_layer_ids", "[2,3,8,14,20]", "kv_source_layer_ids"),
        ("index_source_layer_ids", "[-1]", "index_source_layer_ids"),
        ("engram_layer_ids", "[1]", "engram_num_embeddings"),
        ("engram_num_embeddings", "[0,1]", "engram_num_embeddings"),
        ("engram_num_embeddings", "[1,1e30]", "engram_num_embeddings"),
        ("engram_head_dim", "255", "engram_head_dim"),
        ("engram_n_heads", "4294967295", "engram_n_heads"),
        ("engram_max_ngram_size", "1", "engram_head_dim"),
    ] {
        let model = ModelInput::from_catalog(MODEL).unwrap();
        let mut config = (*model.config).clone();
        let text = config.get_mut("text_config").unwrap().as_object_mut().unwrap();
        text.insert(field.to_owned(), serde_json::from_str(value).unwrap());
        if field == "compress_ratios" {
            text[field] = serde_json::Value::from(vec![4; 43]);
        }
        let error = ModelInput::from_object(MODEL, &config)
            .and_then(|model| model.spec)
            .unwrap_err();
        assert!(error.to_string().contains(why), "{field}: {error}");
    }
}
