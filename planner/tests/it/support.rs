//! Reads the figures under /tests.
use planner::{
    Scenario, gpu,
    memory::{kv_cache::KvSettings, shape::RankShape, sparse_latent::LoadSettings},
    model::{ModelInput, ModelSpec, Pooling},
};
use serde_json::Value;
use std::{env, fs, path::Path, sync::Arc};

/// KV cache plans of vLLM's own planner.
pub(crate) const KV_PLANS: &[&str] = &[
    "oracle/kv_plans.json",
    "oracle/kv_plans_latent.json",
    "oracle/kv_plans_recurrent.json",
    "oracle/kv_plans_gpt_oss.json",
    "oracle/kv_plans_kimi.json",
    "oracle/kv_plans_nemotron_h.json",
    "oracle/kv_plans_llama4.json",
    "oracle/kv_plans_gemma4.json",
    "oracle/kv_plans_nvfp4.json",
    "oracle/kv_plans_irregular.json",
    "oracle/kv_plans_mixed.json",
    "oracle/kv_plans_tower.json",
    "oracle/kv_plans_classic.json",
    "oracle/kv_plans_pooling.json",
    "oracle/kv_plans_sparse_latent.json",
    "oracle/kv_plans_compressed.json",
    "oracle/kv_plans_kimi_k3.json",
    "oracle/kv_plans_minimax_m3.json",
    "oracle/kv_plans_glm5_next.json",
    "oracle/kv_plans_inkling.json",
    "oracle/kv_plans_qwen4.json",
    "oracle/kv_plans_deepseek_v41.json",
];

/// The text of a file below the repository's `tests`.
pub(crate) fn text(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests");
    fs::read_to_string(root.join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// The files of a folder below the repository's `tests`, by name.
pub(crate) fn folder(path: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests").join(path);
    let files = fs::read_dir(root).unwrap_or_else(|e| panic!("{path}: {e}"));
    let mut names: Vec<String> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort_unstable();
    names
        .into_iter()
        .map(|name| (name.clone(), text(&format!("{path}/{name}"))))
        .collect()
}

/// A file below the repository's `tests`.
pub(crate) fn json(path: &str) -> Value {
    serde_json::from_str(&text(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// The model of a config under `configs` of such a file.
pub(crate) fn model(file: &Value, id: &str) -> ModelInput {
    let config = file["configs"][id]
        .as_object()
        .unwrap_or_else(|| panic!("no config {id}"));
    ModelInput::from_object(id, config).unwrap_or_else(|e| panic!("{id}: {e}"))
}

/// Its spec, if it is supported.
pub(crate) fn spec(file: &Value, id: &str) -> Option<Arc<ModelSpec>> {
    model(file, id).spec.ok()
}

/// The spec as `--runner` makes it; null is what vLLM takes by itself.
pub(crate) fn run_as(spec: &ModelSpec, runner: &Value) -> ModelSpec {
    let spec = spec.clone();
    if runner == "pooling" {
        spec.with_pooling(Pooling::default())
    } else {
        spec
    }
}

/// `9.0` as 90.
pub(crate) fn capability(value: &Value) -> u16 {
    let text = value.as_str().expect("a compute capability");
    text.parse::<planner::gpu::ComputeCapability>()
        .expect("a compute capability")
        .number()
}

/// A scenario of catalogue names with some fields set.
pub(crate) fn scenario(model: &str, gpu: &str, fields: &[(&str, &str)]) -> Scenario {
    let model = ModelInput::from_catalog(model).unwrap_or_else(|| panic!("{model} is not in the catalogue"));
    let gpu = gpu::find(gpu).unwrap_or_else(|| panic!("{gpu} is not in the catalogue"));
    let mut scenario = Scenario::new(model, gpu.clone());
    for (id, value) in fields {
        scenario.set(id, value).unwrap_or_else(|e| panic!("{e}"));
    }
    scenario
}

/// What vLLM loaded a row's model for: the defaults of its oracle.
pub(crate) fn load(spec: &ModelSpec) -> LoadSettings {
    LoadSettings {
        max_num_batched_tokens: 8192,
        max_num_seqs: 1024,
        max_model_len: spec.default_max_model_len,
        kv_element: 2,
        packed_latent: 0,
        rocm: false,
    }
}

/// The cache of a rank where nothing else is said: 16 bits, blocks of 16, steps of 8192 tokens.
pub(crate) fn kv(shape: RankShape) -> KvSettings {
    KvSettings {
        shape,
        element: 2,
        block_size: 16,
        max_num_batched_tokens: 8192,
        concurrent_batches: shape.pp + 1,
        null_block: true,
        tokens_from_concurrency: true,
        no_hybrid: false,
        one_table: false,
        prefix_caching: true,
        state_element: 2,
        packed_latent: 0,
        row_pages: false,
        flashinfer_prefill: true,
        speculative_tokens: 0,
        dcp: 1,
        scaled: None,
    }
}

/// What stands between `<!-- name -->` and `<!-- /name -->` in a document must be `text`; `cargo xtask numbers` writes it.
pub(crate) fn hold_section(document: &str, name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(document);
    let (begin, end) = (format!("<!-- {name} -->"), format!("<!-- /{name} -->"));
    let old = fs::read_to_string(&path).unwrap();
    let (before, rest) = old.split_once(&begin).unwrap();
    let (section, after) = rest.split_once(&end).unwrap();
    if env::var_os("WRITE_NUMBERS").is_some() {
        fs::write(path, format!("{before}{begin}{text}{end}{after}")).unwrap();
    } else {
        assert_eq!(section, text, "{document} is old: cargo xtask numbers");
    }
}
