//! plan.json: `vllm-wizard/plan/v1`, keys in the contract's order.
use super::{
    ArtifactSet, PLAN_SCHEMA,
    json::{Json, number_or_text, typed},
};
use crate::{
    plan::{Memory, Plan, Remedy, Term},
    share,
};

macro_rules! fields {
    ($from:expr; $($name:ident),+ $(,)?) => {
        vec![$((stringify!($name).to_owned(), Json::of(&$from.$name))),+]
    };
}

/// plan.json; the texts of `files` stand under `artifacts`.
pub fn plan_json(plan: &Plan, files: &ArtifactSet) -> String {
    let artifacts = files
        .files
        .iter()
        .map(|file| (file.kind.path().to_owned(), Json::of(&file.text)))
        .collect();
    Json::map([
        ("schema", Json::of(&PLAN_SCHEMA)),
        ("scenario", share::ordered(&plan.scenario)),
        ("vllm_version", Json::of(&plan.scenario.vllm_version)),
        ("verdict", verdict(plan)),
        ("feasibility", feasibility(plan)),
        ("memory", plan.memory.as_ref().map_or(Json::NULL, memory)),
        ("config", config(plan)),
        ("performance", Json::NULL),
        ("alternatives", Json::List(Vec::new())),
        ("notes", Json::List(plan.notes.iter().map(Json::of).collect())),
        ("artifacts", Json::Map(artifacts)),
    ])
    .pretty()
}

fn verdict(plan: &Plan) -> Json {
    let mut entries = fields![plan.verdict; outcome, reason, shortfall_bytes, vllm_error];
    let remedies = plan.verdict.remedies.iter().map(remedy).collect();
    entries.push(("remedies".to_owned(), Json::List(remedies)));
    Json::Map(entries)
}

fn remedy(remedy: &Remedy) -> Json {
    let change = remedy
        .change
        .iter()
        .map(|(id, text)| (id.clone(), typed(id, text)))
        .collect();
    let mut entries = vec![("change".to_owned(), Json::Map(change))];
    entries.extend(fields![remedy; label, outcome, effect]);
    Json::Map(entries)
}

fn feasibility(plan: &Plan) -> Json {
    let Some(feasibility) = &plan.feasibility else {
        return Json::NULL;
    };
    Json::Map(fields![feasibility;
        fits, oom_risk, vram_total_gib, vram_target_alloc_gib, weights_gib, kv_cache_gib, overhead_gib,
        headroom_gib, max_concurrency_at_context, max_context_at_concurrency, warnings,
    ])
}

fn memory(memory: &Memory) -> Json {
    let mut entries = fields![memory;
        gpu_total_bytes, requested_bytes, weights_bytes, weights_tensor_bytes, persistent_bytes,
        activation_peak_bytes, cuda_graph_bytes, baseline_bytes,
    ];
    let available = memory.kv_cache_available_signed();
    entries.push(("kv_cache_available_bytes".to_owned(), Json::of(&available)));
    entries.extend(fields![memory;
        kv_cache_needed_bytes, kv_cache_workload_bytes, block_size, bytes_per_block, num_blocks,
        kv_cache_tokens, max_concurrency,
    ]);
    let terms = memory.terms.iter().map(term).collect();
    entries.push(("terms".to_owned(), Json::List(terms)));
    entries.extend(fields![memory; ranks]);
    Json::Map(entries)
}

fn term(term: &Term) -> Json {
    let mut entries = fields![term; id, label, segment, bytes, formula];
    let inputs = term
        .inputs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), number_or_text(value)))
        .collect();
    entries.push(("inputs".to_owned(), Json::Map(inputs)));
    entries.extend(fields![term; source, basis, checked]);
    Json::Map(entries)
}

/// Every argument as it resolves, and why.
fn config(plan: &Plan) -> Json {
    let mut entries = vec![("model".to_owned(), Json::of(&plan.scenario.model.id))];
    if let Some(revision) = &plan.scenario.model.revision {
        entries.push(("revision".to_owned(), Json::of(revision)));
    }
    let mut explanations = Vec::new();
    for row in plan.arg_rows() {
        entries.push((row.id.to_owned(), typed(row.id, &row.value)));
        explanations.push((row.id.to_owned(), Json::of(&row.why)));
    }
    for id in ["served_model_name", "port"] {
        if let Some(text) = plan.scenario.get(id) {
            entries.push((id.to_owned(), typed(id, &text)));
            explanations.push((id.to_owned(), Json::of(&"Set by you.")));
        }
    }
    entries.push(("explanations".to_owned(), Json::Map(explanations)));
    Json::Map(entries)
}
