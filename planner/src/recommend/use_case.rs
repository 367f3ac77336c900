//! Loads that people name by their use: lengths and limits, with where they are from.
use super::Slo;
use crate::{plan::Scenario, workload::BatchingMode};

/// One use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UseCase {
    /// The name on the command line.
    pub id: &'static str,
    /// In words.
    pub title: &'static str,
    /// Tokens of a prompt.
    pub prompt_tokens: u32,
    /// Tokens of an answer.
    pub gen_tokens: u32,
    /// What matters most.
    pub mode: BatchingMode,
    /// What its users expect: published for 99 % of requests, held here against the middle.
    pub slo: Slo,
    /// Of lengths and limits.
    pub source: &'static str,
}

const fn slo(ttft_ms: Option<u32>, tpot_ms: Option<u32>, end_to_end_ms: Option<u32>) -> Slo {
    Slo {
        ttft_ms,
        tpot_ms,
        end_to_end_ms,
    }
}

/// Those whose lengths and limits are published.
pub const USE_CASES: &[UseCase] = &[
    UseCase {
        id: "chat",
        title: "Chat",
        prompt_tokens: 512,
        gen_tokens: 256,
        mode: BatchingMode::Balanced,
        slo: slo(Some(200), Some(50), None),
        source: "GuideLLM: benchmark/scenarios/chat.json; docs/guides/service_level_objectives.md",
    },
    UseCase {
        id: "rag",
        title: "Answers from documents (RAG)",
        prompt_tokens: 4096,
        gen_tokens: 512,
        mode: BatchingMode::Balanced,
        slo: slo(Some(300), Some(100), None),
        source: "GuideLLM: benchmark/scenarios/rag.json; docs/guides/service_level_objectives.md",
    },
    UseCase {
        id: "code-generation",
        title: "Code generation",
        prompt_tokens: 512,
        gen_tokens: 512,
        mode: BatchingMode::Balanced,
        slo: slo(Some(500), Some(150), None),
        source: "GuideLLM: recommended profiles; docs/guides/service_level_objectives.md",
    },
    UseCase {
        id: "code-completion",
        title: "Code completion",
        prompt_tokens: 2048,
        gen_tokens: 28,
        mode: BatchingMode::Latency,
        slo: slo(None, None, Some(2000)),
        source: "means of AzurePublicDataset's AzureLLMInferenceTrace_code (2023, 8,819 requests); GuideLLM: docs/guides/service_level_objectives.md",
    },
    UseCase {
        id: "summarization",
        title: "Summaries, overnight",
        prompt_tokens: 1024,
        gen_tokens: 256,
        mode: BatchingMode::Throughput,
        slo: slo(None, None, None),
        source: "GuideLLM: recommended profiles; its limits are a rate alone",
    },
];

impl UseCase {
    /// The one of that name.
    pub fn find(id: &str) -> Option<&'static Self> {
        USE_CASES.iter().find(|case| case.id == id)
    }

    /// Its load; what runs at once or each second stays.
    pub fn put(&self, scenario: &mut Scenario) {
        let load = &mut scenario.workload;
        load.prompt_tokens = self.prompt_tokens;
        load.gen_tokens = self.gen_tokens;
        load.batching_mode = self.mode;
    }
}
