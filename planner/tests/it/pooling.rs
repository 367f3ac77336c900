//! Models that pool: what vLLM takes by itself, what `--runner` asks for, and models without a KV cache.
use crate::support;
use planner::{Outcome, Plan, Scenario, command, engine::VllmVersion, evaluate, gpu, model::ModelInput};

fn plan(model: ModelInput, flags: &str, fields: &[(&str, &str)]) -> Plan {
    let line = format!("vllm serve {} {flags}", model.id);
    let words: Vec<&str> = line.split_whitespace().collect();
    let command = command::parse(VllmVersion::latest(), &words).unwrap();
    assert!(command.unmodelled.is_empty(), "{:?}", command.unmodelled);
    let mut scenario = Scenario::new(model, gpu::find("L4").unwrap().clone());
    scenario.engine = command.engine;
    scenario.set("defaults", "vllm").unwrap();
    for (id, value) in fields {
        scenario.set(id, value).unwrap();
    }
    evaluate(&scenario)
}

fn oracle(id: &str) -> ModelInput {
    support::model(&support::json("oracle/weights_pooling.json"), id)
}

/// vLLM's planner had nothing to plan for these ("no kv cache").
#[test]
fn encoders_keep_no_cache() {
    let plan = plan(
        oracle("Snowflake/snowflake-arctic-embed-m"),
        "",
        &[("prompt_tokens", "400")],
    );
    assert_eq!(plan.verdict.outcome, Outcome::Fits, "{}", plan.verdict.reason);
    let (memory, args) = (plan.memory.unwrap(), plan.args.unwrap());
    assert_eq!((memory.num_blocks, memory.bytes_per_block.get()), (0, 0));
    assert!(!args.enable_chunked_prefill.value && !args.enable_prefix_caching.value);
    assert_eq!(args.dtype.value.name(), "float16");
    let sum: i64 = memory.terms.iter().map(|term| term.bytes).sum();
    assert_eq!(u64::try_from(sum).unwrap(), memory.gpu_total_bytes.get());
    assert!(memory.terms.iter().all(|term| !term.id.starts_with("kv_cache")));
    insta::assert_snapshot!(plan.verdict.reason, @"vLLM starts. The model attends in both directions and keeps no KV cache; a step takes up to 256 sequences and 2048 tokens.");
    insta::assert_snapshot!(oracle_plan("Snowflake/snowflake-arctic-embed-m", "--runner generate"), @"vLLM refuses: Embedding models do not support `--runner generate`. Use `--runner pooling` or `--runner auto` for embedding models.");
    assert!(
        support::spec(
            &support::json("oracle/weights_pooling.json"),
            "Alibaba-NLP/gte-Qwen2-7B-instruct"
        )
        .unwrap()
        .keeps_no_cache()
    );
}

fn oracle_plan(id: &str, flags: &str) -> String {
    plan(oracle(id), flags, &[]).verdict.reason
}

#[test]
fn a_runner_that_pools_has_no_output_head_and_no_sampler() {
    let model = || ModelInput {
        id: "someone/embed-of-mistral".to_owned(),
        ..oracle("intfloat/e5-mistral-7b-instruct")
    };
    let text = plan(model(), "", &[]);
    let vectors = plan(model(), "--runner pooling", &[]);
    let converted = plan(model(), "--convert=embed", &[]);
    let has = |plan: &Plan, id: &str| {
        let terms = &plan.memory.as_ref().unwrap().terms;
        terms.iter().any(|term| term.id == id && term.bytes > 0)
    };
    for id in ["weights.lm_head", "persistent.sampler"] {
        assert!(has(&text, id) && !has(&vectors, id), "{id}");
    }
    assert_eq!(vectors.memory, converted.memory);
    let codes = |plan: &Plan| plan.notes.iter().map(|note| note.code).collect::<Vec<_>>();
    assert!(codes(&text).contains(&"model.may_pool") && codes(&vectors).contains(&"model.pools"));
}

/// `num_labels` comes from `id2label`; the classifier is float32.
#[test]
fn a_classifier_stands_in_the_place_of_the_head() {
    let spec = oracle("Skywork/Skywork-Reward-Llama-3.1-8B-v0.2").spec.unwrap();
    assert_eq!(spec.pooling.unwrap().classifier.unwrap().labels, 1);
    let bert = r#"{"architectures":["BertForSequenceClassification"],"hidden_size":1024,"intermediate_size":4096,"num_hidden_layers":24,"num_attention_heads":16,"vocab_size":30522,"max_position_embeddings":512,"type_vocab_size":2}"#;
    let spec = ModelInput::from_config("x/y", bert).unwrap().spec.unwrap();
    // The published 335142400 of bge-large-en, which has the square layer, and two labels.
    assert_eq!(spec.parameters() - 2 * 1025, 335_142_400 - 512);
}

/// `gte-modernbert-base` has 149014272 parameters.
#[test]
fn modern_bert_has_no_norm_before_its_first_attention() {
    let config = r#"{"architectures":["ModernBertModel"],"model_type":"modernbert","torch_dtype":"float16","hidden_size":768,"intermediate_size":1152,"num_hidden_layers":22,"num_attention_heads":12,"vocab_size":50368,"max_position_embeddings":8192,"attention_bias":false,"mlp_bias":false,"norm_bias":false}"#;
    let spec = ModelInput::from_config("x/y", config).unwrap().spec.unwrap();
    assert_eq!(spec.parameters(), 149_014_272);
    assert!(spec.keeps_no_cache());
}

/// `config.json` does not tell; the repository's files do, and vLLM reads them wherever it loads the model from.
#[test]
fn published_embedding_models_pool_by_themselves() {
    let vectors = |id: &str, flags: &str| {
        let model = ModelInput {
            id: id.to_owned(),
            ..oracle("intfloat/e5-mistral-7b-instruct")
        };
        let plan = plan(model, flags, &[]);
        let codes: Vec<_> = plan.notes.iter().map(|note| note.code).collect();
        assert!(!codes.contains(&"model.may_pool") || !codes.contains(&"model.pools"));
        codes.contains(&"model.pools")
    };
    for id in [
        "intfloat/e5-mistral-7b-instruct",
        "/models/intfloat/e5-mistral-7b-instruct/",
        "./e5-mistral-7b-instruct",
        "e5-mistral-7b-instruct",
        "/cache/models--intfloat--e5-mistral-7b-instruct/snapshots/main",
    ] {
        assert!(vectors(id, ""), "{id}");
        assert!(!vectors(id, "--runner generate"), "{id}");
    }
    for id in [
        "someone/e5-mistral-7b-instruct",
        "/models/e5-mistral-7b-instruct-awq",
        "mistralai/Mistral-7B-v0.1",
    ] {
        assert!(!vectors(id, ""), "{id}");
    }
}

/// The model pages of GTE say 137M, 434M and 305M parameters.
#[test]
fn encoders_with_rotary_positions_weigh_what_their_pages_say() {
    let gte = |hidden: u32, layers: u32, vocab: u32, types: u32, more: &str| {
        let config = format!(
            r#"{{"architectures":["GteNewModel"],"hidden_act":"gelu","hidden_size":{hidden},"intermediate_size":{},"num_hidden_layers":{layers},"num_attention_heads":{},"vocab_size":{vocab},"max_position_embeddings":8192,"type_vocab_size":{types},"torch_dtype":"float32"{more}}}"#,
            hidden * 4,
            hidden / 64
        );
        ModelInput::from_config("Alibaba-NLP/gte", &config).unwrap()
    };
    let ntk = r#","rope_scaling":{"type":"ntk","factor":2.0},"position_embedding_type":"rope""#;
    for (model, millions) in [
        (gte(768, 12, 30_528, 0, ntk), 137),
        (gte(1024, 24, 30_528, 2, ntk), 434),
        (gte(768, 12, 250_048, 1, ""), 305),
    ] {
        let spec = model.spec.as_ref().unwrap();
        assert_eq!((spec.parameters() + 500_000) / 1_000_000, millions);
        let plan = plan(model, "", &[]);
        assert_eq!(plan.verdict.outcome, Outcome::Fits, "{}", plan.verdict.reason);
        assert_eq!(plan.memory.unwrap().bytes_per_block.get(), 0);
    }
    let refused = gte(768, 12, 30_528, 0, r#","position_embedding_type":"absolute""#).spec;
    assert!(refused.is_err());
}

/// Version 2 of Nomic's encoder has experts in every second layer; its published count is in `measured/parameters.json`.
#[test]
fn nomics_experts_keep_no_cache_and_are_split() {
    let config = r#"{"architectures":["NomicBertModel"],"activation_function":"gelu","n_embd":768,"n_inner":3072,"n_layer":12,"n_head":12,"n_positions":2048,"vocab_size":250048,"type_vocab_size":1,"qkv_proj_bias":true,"moe_every_n_layers":2,"num_experts":8,"moe_top_k":2}"#;
    let weights = |flags: &str| {
        let model = ModelInput::from_config("nomic-ai/nomic-embed-text-v2-moe", config).unwrap();
        let plan = plan(model, flags, &[("gpus", "2")]);
        assert_eq!(plan.verdict.outcome, Outcome::Fits, "{}", plan.verdict.reason);
        let memory = plan.memory.unwrap();
        assert_eq!(memory.bytes_per_block.get(), 0);
        memory.weights_tensor_bytes.get()
    };
    let (whole, half) = (weights(""), weights("--tensor-parallel-size 2"));
    // Six layers of eight experts with two matrices, of which a rank has half.
    let experts = 6 * 8 * 2 * 768 * 3072 * 2;
    assert!(whole - half > experts / 2, "{whole} {half}");
}

/// Whatever the oracle has of models that pool, on the smallest GPU of a test and on a large one.
#[test]
fn every_model_that_pools_has_a_speed_without_an_answer() {
    let configs = support::json("oracle/weights_pooling.json");
    let ids = configs["configs"].as_object().unwrap();
    let mut answered = 0;
    for id in ids.keys() {
        let fields = [("prompt_tokens", "300"), ("max_model_len", "512")];
        let plan = plan(oracle(id), "--runner pooling", &fields);
        if !plan.verdict.outcome.starts() {
            continue;
        }
        let found = plan.performance.as_ref().unwrap_or_else(|| panic!("{id}"));
        assert!(found.pools && found.assumed, "{id}");
        let (time, rate) = (found.ttft_ms, found.output_tok_per_s);
        for figure in [
            time.low,
            time.estimate,
            time.high,
            rate.low,
            rate.high,
            found.req_per_s,
        ] {
            assert!(figure.is_finite() && figure > 0.0, "{id}: {found:?}");
        }
        assert_eq!(found.end_to_end_ms, time, "{id}");
        assert!(
            (rate.estimate / 300.0 / found.req_per_s - 1.0).abs() < 1e-9,
            "{id}"
        );
        let labels: Vec<&str> = found.rows().iter().map(|row| row.label).collect();
        assert!(
            !labels
                .iter()
                .any(|label| label.contains("utput") || label.contains("first")),
            "{labels:?}"
        );
        let json = serde_json::to_value(found).unwrap();
        assert!(
            json["tpot_ms"].is_null() && json["output_tok_per_s"].is_null(),
            "{json}"
        );
        assert!(
            json["prompt_tok_per_s"].is_number() && json["basis"] == "assumed",
            "{json}"
        );
        answered += 1;
    }
    assert!(answered > 4, "{answered} of {}", ids.len());
}

#[test]
fn more_requests_to_a_model_that_pools_wait_longer_and_get_no_less_done() {
    let at = |fields: &[(&str, &str)]| {
        let plan = plan(oracle("Snowflake/snowflake-arctic-embed-m"), "", fields);
        plan.performance.unwrap()
    };
    for field in ["concurrency", "request_rate"] {
        let loads = [1, 2, 4, 8, 16, 64, 256, 1000, 5000];
        let found = loads.map(|load: u32| at(&[(field, &load.to_string()), ("prompt_tokens", "100")]));
        for pair in found.windows(2) {
            assert!(
                pair[1].ttft_ms.estimate >= pair[0].ttft_ms.estimate * 0.999,
                "{field}: {pair:?}"
            );
            assert!(
                pair[1].req_per_s >= pair[0].req_per_s * 0.999,
                "{field}: {pair:?}"
            );
        }
        // What takes the requests is not faster than one of 100 tokens in 1.1 ms.
        assert!((850.0..950.0).contains(&found[8].req_per_s), "{:?}", found[8]);
        assert_eq!(found[8].overloaded, field == "request_rate");
    }
    // As many are under way as were sent, and a run shows the same.
    for load in ["1", "20", "300"] {
        let fields = [("concurrency", load), ("prompt_tokens", "100")];
        let found = at(&fields);
        let sent: f64 = load.parse().unwrap();
        assert!((found.req_per_s * found.ttft_ms.estimate / 1e3 / sent - 1.0).abs() < 1e-9);
        let plan = plan(oracle("Snowflake/snowflake-arctic-embed-m"), "", &fields);
        let course = planner::plan::Course {
            requests: 3000,
            spread: 0.1,
            seed: 1,
        };
        let run = planner::plan::simulate(&plan.scenario, course).unwrap();
        assert!(
            (run.output_tok_per_s / found.output_tok_per_s.estimate - 1.0).abs() < 0.15,
            "{run:?} {found:?}"
        );
        assert!(run.pools && run.rows().iter().all(|row| !row.label.contains("KV")));
        assert!((run.output_tok_per_s * run.duration / 3000.0 - 100.0).abs() < 2.0);
    }
}
