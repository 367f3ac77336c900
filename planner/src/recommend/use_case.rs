//! Loads that people name by their use: lengths and limits, with where they are from.
use super::Slo;
use crate::{plan::Scenario, text::milli_text, workload::BatchingMode};

/// One use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UseCase {
    /// The name on the command line.
    pub id: &'static str,
    /// In words.
    pub title: &'static str,
    /// Tokens of a prompt; nothing where none are published, and then the load's own stay.
    pub prompt_tokens: Option<u32>,
    /// Tokens of an answer, likewise.
    pub gen_tokens: Option<u32>,
    /// What matters most.
    pub mode: BatchingMode,
    /// What its users expect.
    pub slo: Slo,
    /// Of lengths and limits.
    pub source: &'static str,
}

const fn case(
    (id, title): (&'static str, &'static str),
    lengths: [u32; 2],
    mode: BatchingMode,
    percentile: u32,
    [ttft, tpot, end_to_end]: [u32; 3],
    source: &'static str,
) -> UseCase {
    const fn some(figure: u32) -> Option<u32> {
        if figure == 0 { None } else { Some(figure) }
    }
    UseCase {
        id,
        title,
        prompt_tokens: some(lengths[0]),
        gen_tokens: some(lengths[1]),
        mode,
        slo: Slo {
            ttft_ms: some(ttft),
            tpot_ms: some(tpot),
            end_to_end_ms: some(end_to_end),
            percentile,
        },
        source,
    }
}

/// Those whose lengths or limits are published; 0 is what nobody has published.
pub const USE_CASES: &[UseCase] = &[
    case(
        ("chat", "Chat"),
        [512, 256],
        BatchingMode::Balanced,
        99,
        [200, 50, 0],
        "GuideLLM: benchmark/scenarios/chat.json; docs/guides/service_level_objectives.md",
    ),
    case(
        ("rag", "Answers from documents (RAG)"),
        [4096, 512],
        BatchingMode::Balanced,
        99,
        [300, 100, 0],
        "GuideLLM: benchmark/scenarios/rag.json; docs/guides/service_level_objectives.md",
    ),
    case(
        ("code-generation", "Code generation"),
        [512, 512],
        BatchingMode::Balanced,
        99,
        [500, 150, 0],
        "GuideLLM: recommended profiles; docs/guides/service_level_objectives.md",
    ),
    case(
        ("code-completion", "Code completion"),
        [2048, 28],
        BatchingMode::Latency,
        99,
        [0, 0, 2000],
        "means of AzurePublicDataset's AzureLLMInferenceTrace_code (2023, 8,819 requests); GuideLLM: docs/guides/service_level_objectives.md",
    ),
    case(
        ("agents", "Agents that call tools"),
        [8596, 182],
        BatchingMode::Balanced,
        99,
        [0, 0, 5000],
        "means of Mooncake's FAST'25 trace of tools and agents (23,608 requests); GuideLLM: docs/guides/service_level_objectives.md",
    ),
    case(
        ("summarization", "Summaries, overnight"),
        [1024, 256],
        BatchingMode::Throughput,
        50,
        [0, 0, 0],
        "GuideLLM: recommended profiles; its limits are a rate alone",
    ),
    case(
        ("batch", "Batches of long documents"),
        [10240, 1536],
        BatchingMode::Throughput,
        95,
        [2000, 45, 90_000],
        "llm-d-planner (2026-04-27): docs/traffic_and_slos.md, research and legal analysis, batch or offline",
    ),
    case(
        ("embeddings", "Embeddings"),
        [512, 1],
        BatchingMode::Throughput,
        50,
        [0, 0, 0],
        "GuideLLM: docs/guides/embeddings.md; no limits are published",
    ),
    case(
        ("voice", "Voice"),
        [0, 0],
        BatchingMode::Latency,
        50,
        [500, 0, 0],
        "Voice AI & Voice Agents primer (Pipecat, 2025-10-04): TTFT that is good enough for most; no lengths are published",
    ),
];

impl UseCase {
    /// The one of that name.
    pub fn find(id: &str) -> Option<&'static Self> {
        USE_CASES.iter().find(|case| case.id == id)
    }

    /// The load's fields, as [`Scenario::set`] takes them: nothing takes a limit away. What runs at once or each second
    /// is not among them.
    pub fn fields(&self) -> Vec<(&'static str, String)> {
        let count = |tokens: Option<u32>| tokens.map(|tokens| tokens.to_string());
        let limit = |ms: Option<u32>| ms.map_or_else(String::new, |ms| milli_text(u64::from(ms) * 1000));
        let slo = &self.slo;
        [
            ("prompt_tokens", count(self.prompt_tokens)),
            ("gen_tokens", count(self.gen_tokens)),
            ("batching_mode", Some(self.mode.name().to_owned())),
            ("slo_ttft_ms", Some(limit(slo.ttft_ms))),
            ("slo_tpot_ms", Some(limit(slo.tpot_ms))),
            ("slo_e2e_ms", Some(limit(slo.end_to_end_ms))),
            ("slo_percentile", Some(slo.percentile.to_string())),
        ]
        .into_iter()
        .filter_map(|(id, text)| Some((id, text?)))
        .collect()
    }

    /// Its load; what runs at once or each second stays.
    pub fn put(&self, scenario: &mut Scenario) {
        for (id, text) in self.fields() {
            // A test sets each of them.
            let _ = scenario.set(id, &text);
        }
    }

    /// Whether that is a scenario's load.
    pub fn is_of(&self, scenario: &Scenario) -> bool {
        let is = |(id, text): (&str, String)| scenario.get(id).unwrap_or_default() == text;
        self.fields().into_iter().all(is)
    }
}
