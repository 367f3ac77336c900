//! Plans side by side: what differs in the question, and what differs in the answer.
use super::{Outcome, Plan, Scenario};
use crate::bounds;

/// A figure of a plan.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Amount {
    /// Memory.
    Bytes(i64),
    /// Tokens, sequences, GPUs.
    Count(u64),
    /// A factor.
    Times(f64),
    /// An estimated time in milliseconds.
    Millis(f64),
    /// An estimated rate in each second.
    PerSecond(f64),
}

/// A part of the question that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// The field's name.
    pub id: &'static str,
    /// In words.
    pub label: &'static str,
    /// What holds in each plan; nothing where it does not apply.
    pub values: Vec<String>,
}

/// A figure that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    /// Stable id, as in explanations where there is one.
    pub id: &'static str,
    /// In words.
    pub label: &'static str,
    /// In each plan; nothing where the plan is unsupported.
    pub values: Vec<Option<Amount>>,
    /// More of it is better, or less, where that is known.
    pub more_is_better: Option<bool>,
}

/// What differs.
#[derive(Clone, Debug, PartialEq)]
pub struct Differences {
    /// The verdicts.
    pub outcomes: Vec<Outcome>,
    /// In the question.
    pub inputs: Vec<Input>,
    /// In the answer.
    pub outputs: Vec<Output>,
}

/// What differs between the plans, in the order of links.
pub fn differences(plans: &[&Plan]) -> Differences {
    Differences {
        outcomes: plans.iter().map(|plan| plan.verdict.outcome).collect(),
        inputs: inputs(plans),
        outputs: outputs(plans),
    }
}

fn differ<T: PartialEq>(values: &[T]) -> bool {
    values.windows(2).any(|pair| match pair {
        [a, b] => a != b,
        _ => false,
    })
}

fn inputs(plans: &[&Plan]) -> Vec<Input> {
    let models: Vec<String> = plans
        .iter()
        .map(|plan| {
            let model = &plan.scenario.model;
            let revision = model.revision.as_deref().map(|r| format!(" at {r}"));
            format!("{}{}", model.id, revision.unwrap_or_default())
        })
        .collect();
    let mut inputs = Vec::new();
    let mut add = |id, label, values: Vec<String>| {
        if differ(&values) {
            inputs.push(Input { id, label, values });
        }
    };
    add("model", "Model", models);
    let rows: Vec<_> = plans.iter().map(|plan| plan.arg_rows()).collect();
    for id in Scenario::ids() {
        let values = plans.iter().zip(&rows).map(|(plan, rows)| {
            let effective = rows.iter().find(|row| row.id == id).map(|row| row.value.clone());
            effective.or_else(|| plan.scenario.get(id)).unwrap_or_default()
        });
        let label = match id {
            "vllm_version" => "vLLM",
            "gpu" => "GPU",
            _ => bounds::field(id).map_or(id, |field| field.label),
        };
        add(id, label, values.collect());
    }
    inputs
}

type Read = fn(&Plan) -> Option<Amount>;

/// What is compared, and whether more of it is better.
const OUTPUTS: &[(&str, &str, Option<bool>, Read)] = &[
    ("kv_cache_available", "KV cache per GPU", Some(true), |plan| {
        Some(Amount::Bytes(plan.memory.as_ref()?.kv_cache_available_logged))
    }),
    ("kv_cache_tokens", "KV cache, tokens", Some(true), |plan| {
        Some(Amount::Count(plan.memory.as_ref()?.kv_cache_tokens))
    }),
    ("max_concurrency", "Full-length sequences", Some(true), |plan| {
        Some(Amount::Times(plan.memory.as_ref()?.max_concurrency))
    }),
    ("longest", "Longest for the load, tokens", Some(true), |plan| {
        Some(Amount::Count(
            plan.feasibility.as_ref()?.max_context_at_concurrency,
        ))
    }),
    ("ttft", "Time to first token, about", Some(false), |plan| {
        Some(Amount::Millis(plan.performance.as_ref()?.ttft_ms.estimate))
    }),
    ("tpot", "Time per output token, about", Some(false), |plan| {
        let speed = plan.performance.as_ref().filter(|speed| !speed.pools);
        Some(Amount::Millis(speed?.tpot_ms.estimate))
    }),
    (
        "output_rate",
        "Output tokens per second, about",
        Some(true),
        |plan| {
            Some(Amount::PerSecond(
                plan.performance.as_ref()?.output_tok_per_s.estimate,
            ))
        },
    ),
    (
        "alone",
        "One sequence alone, tokens per second, about",
        Some(true),
        |plan| {
            let speed = plan.performance.as_ref().filter(|speed| !speed.pools);
            Some(Amount::PerSecond(speed?.decode_toks_per_s.estimate))
        },
    ),
    ("weights", "Weights per GPU", Some(false), |plan| {
        Some(Amount::Bytes(plan.memory.as_ref()?.weights_bytes.signed()))
    }),
    ("activation_peak", "Activation peak", Some(false), |plan| {
        Some(Amount::Bytes(
            plan.memory.as_ref()?.activation_peak_bytes.signed(),
        ))
    }),
    ("cuda_graphs", "CUDA graphs", Some(false), |plan| {
        Some(Amount::Bytes(plan.memory.as_ref()?.cuda_graph_bytes.signed()))
    }),
    ("gpu_total", "Memory of a GPU", None, |plan| {
        Some(Amount::Bytes(plan.memory.as_ref()?.gpu_total_bytes.signed()))
    }),
    ("gpus_used", "GPUs used", Some(false), |plan| {
        Some(Amount::Count(u64::from(plan.args.as_ref()?.gpus())))
    }),
];

fn outputs(plans: &[&Plan]) -> Vec<Output> {
    let all = OUTPUTS.iter().map(|row| output(row, plans));
    all.filter(|output| differ(&output.values)).collect()
}

fn output(row: &(&'static str, &'static str, Option<bool>, Read), plans: &[&Plan]) -> Output {
    let (id, label, more_is_better, read) = *row;
    Output {
        id,
        label,
        values: plans.iter().map(|plan| read(plan)).collect(),
        more_is_better,
    }
}

/// One figure of several plans, by its id.
pub fn beside(id: &str, plans: &[&Plan]) -> Option<Output> {
    let row = OUTPUTS.iter().find(|(known, ..)| *known == id)?;
    Some(output(row, plans))
}
