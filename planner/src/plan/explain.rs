//! How one figure of a plan came about: a term of the memory, or a figure of the verdict that follows from them.
use super::{Memory, Plan, measured::subject};
use crate::{memory::Basis, units::Bytes};

/// A figure with its derivation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Stable id, such as `weights.attention` or `kv_cache_available`.
    pub id: &'static str,
    /// In words.
    pub label: &'static str,
    /// In full, with its unit.
    pub result: String,
    /// With names.
    pub formula: &'static str,
    /// The names' values here.
    pub inputs: Vec<(&'static str, String)>,
    /// vLLM's file and version.
    pub source: &'static str,
    /// How it is known.
    pub basis: Basis,
    /// How far it was checked.
    pub checked: &'static str,
}

impl Explanation {
    /// The formula with this plan's values in the place of the names; `None` where it holds none of them.
    pub fn with_values(&self) -> Option<String> {
        let mut out = String::with_capacity(self.formula.len());
        let mut rest = self.formula;
        let mut replaced = false;
        let mut before = None;
        while let Some(first) = rest.chars().next() {
            let starts_word = !before.is_some_and(is_of_word);
            let stands_here = |name: &str| {
                let after = rest.strip_prefix(name).filter(|_| starts_word);
                after.is_some_and(|after| !after.chars().next().is_some_and(is_of_word))
            };
            // The longest, where one name begins with another.
            let found = self
                .inputs
                .iter()
                .filter(|(name, _)| stands_here(name))
                .max_by_key(|(name, _)| name.len());
            let taken = if let Some((name, value)) = found {
                out.push_str(value);
                replaced = true;
                name.len()
            } else {
                out.push(first);
                first.len_utf8()
            };
            let (read, after) = rest.split_at(taken);
            before = read.chars().next_back();
            rest = after;
        }
        replaced.then_some(out)
    }
}

fn is_of_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

const BUDGET: &str = "v1/worker/gpu_worker.py: determine_available_memory@0.33.0";
const CACHE: &str = "v1/core/kv_cache_utils.py: get_max_concurrency_for_kv_cache_config@0.33.0";
const FOLLOWS: &str = "follows from the terms of the table, each with its own check";
const PLANNED: &str = "equal in every plan of these kinds that vLLM 0.33.0's own planner made";

impl Plan {
    /// What a measurement of this plan's start holds for.
    pub(crate) fn subject(&self) -> Option<String> {
        Some(subject(&self.scenario, self.args.as_ref()?))
    }

    /// Whether measured values are in the figures.
    pub fn is_measured(&self) -> bool {
        let measured = self.scenario.measured.as_ref();
        measured.is_some_and(|measured| self.subject().as_ref() == Some(&measured.on))
    }

    /// How the figure of that id came about.
    pub fn explain(&self, id: &str) -> Option<Explanation> {
        let memory = self.memory.as_ref()?;
        let term = memory
            .terms
            .iter()
            .find(|term| term.id == id)
            .map(|term| Explanation {
                id: term.id,
                label: term.label,
                result: bytes(term.bytes),
                formula: term.formula,
                inputs: term.inputs.clone(),
                source: term.source,
                basis: term.basis,
                checked: term.checked,
            });
        term.or_else(|| self.figure(memory, id))
    }

    /// The figures that are no terms.
    fn figure(&self, memory: &Memory, id: &str) -> Option<Explanation> {
        let args = self.args.as_ref()?;
        let length = args.max_model_len.value.to_string();
        let text = |bytes: Bytes| bytes.get().to_string();
        let blocks = ("blocks", memory.num_blocks.to_string());
        let explanation = |id, label, result, formula, inputs, source, basis, checked| Explanation {
            id,
            label,
            result,
            formula,
            inputs,
            source,
            basis,
            checked,
        };
        Some(match id {
            "gpu_total" => explanation(
                "gpu_total",
                "The GPU, as a process sees it",
                bytes(memory.gpu_total_bytes.signed()),
                "what cudaMemGetInfo gives a process, which is less than the data sheet says",
                Vec::new(),
                "v1/worker/utils.py: request_memory@0.33.0",
                Basis::Exact,
                "the catalogue names the source of each GPU's figure; a measured one counts as given",
            ),
            "requested" => explanation(
                "requested",
                "What vLLM may fill",
                bytes(memory.requested_bytes.signed()),
                "total × gpu_memory_utilization",
                vec![
                    ("total", text(memory.gpu_total_bytes)),
                    (
                        "gpu_memory_utilization",
                        args.gpu_memory_utilization.value.to_string(),
                    ),
                ],
                "v1/worker/utils.py: request_memory@0.33.0",
                Basis::Exact,
                "vLLM's own product, rounded as it rounds",
            ),
            "kv_cache_available" if self.scenario.engine.kv_cache_memory_bytes.is_some() => explanation(
                "kv_cache_available",
                "Available KV cache memory",
                bytes(memory.kv_cache_available_logged),
                "kv_cache_memory_bytes, as set",
                Vec::new(),
                BUDGET,
                Basis::Exact,
                "as set",
            ),
            "kv_cache_available" => explanation(
                "kv_cache_available",
                "Available KV cache memory",
                bytes(memory.kv_cache_available_logged),
                "requested − weights − buffers − activation peak − CUDA graphs",
                vec![
                    ("requested", text(memory.requested_bytes)),
                    ("weights", text(memory.weights_bytes)),
                    ("buffers", text(memory.persistent_bytes)),
                    ("activation peak", text(memory.activation_peak_bytes)),
                    ("CUDA graphs", text(memory.cuda_graph_bytes)),
                ],
                BUDGET,
                Basis::Fitted,
                FOLLOWS,
            ),
            "kv_cache_tokens" => {
                let concurrency = (
                    "sequences of max_model_len",
                    format!("{:.6}", memory.max_concurrency),
                );
                let (formula, inputs) = if args.version.memory_rules().tokens_from_concurrency {
                    (
                        "sequences of max_model_len × max_model_len, whole tokens",
                        vec![concurrency, ("max_model_len", length)],
                    )
                } else {
                    (
                        "blocks of one group of layers × block_size",
                        vec![("block_size", memory.block_size.to_string()), blocks],
                    )
                };
                explanation(
                    "kv_cache_tokens",
                    "GPU KV cache size",
                    format!("{} tokens", memory.kv_cache_tokens),
                    formula,
                    inputs,
                    CACHE,
                    Basis::Exact,
                    PLANNED,
                )
            }
            "max_concurrency" => explanation(
                "max_concurrency",
                "Maximum concurrency",
                format!("{:.2} sequences of {length} tokens", memory.max_concurrency),
                "blocks ÷ blocks of one sequence of max_model_len",
                vec![
                    blocks,
                    (
                        "blocks of one sequence of max_model_len",
                        memory
                            .kv_cache_needed_bytes
                            .get()
                            .checked_div(memory.bytes_per_block.get())
                            .unwrap_or(0)
                            .to_string(),
                    ),
                ],
                CACHE,
                Basis::Exact,
                PLANNED,
            ),
            "longest" => explanation(
                "longest",
                "Longest for this load",
                format!("{} tokens", self.feasibility.as_ref()?.max_context_at_concurrency),
                "the most tokens, up to max_model_len, at which concurrency × blocks of one sequence stay within the blocks",
                vec![
                    ("max_model_len", length),
                    ("concurrency", self.scenario.workload.concurrency.to_string()),
                    blocks,
                ],
                "v1/core/kv_cache_planning.py@0.33.0",
                Basis::Exact,
                PLANNED,
            ),
            _ => return None,
        })
    }
}

/// Exactly.
fn bytes(bytes: i64) -> String {
    let sign = if bytes < 0 { "−" } else { "" };
    format!("{sign}{} bytes", bytes.unsigned_abs())
}
