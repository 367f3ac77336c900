//! Flags that a family of models is mostly served with and that change no memory: parsers of tool calls and thoughts.
//!
//! They stand in comments, not in the command: a parser changes what clients get, a wrong one garbles it, and a name does not
//! say whether a fine-tuned model still writes its family's format. Who wants them adds them behind the script or to the
//! arguments that are passed through. Families and parsers are those of vLLM's `docs/features/tool_calling.md` and
//! `docs/features/reasoning_outputs.md` and of its recipes; since when a parser is there was looked up in the releases.
use crate::{
    engine::VllmVersion,
    plan::{Plan, Scenario},
};

/// A parser and the first release that was looked at and has it, 0.`.1`.`.2`.
type Parser = (&'static str, u16, u16);

struct Family {
    architectures: &'static [&'static str],
    /// One of these is in the model's name, in lower case; none where any name will do.
    names: &'static [&'static str],
    tools: Option<Parser>,
    reasoning: Option<Parser>,
    /// Chat template in vLLM's `examples` that tool calls need.
    template: Option<&'static str>,
    /// The tokenizer is code of the model's repository.
    remote_tokenizer: bool,
}

const NOTHING: Family = Family {
    architectures: &[],
    names: &[],
    tools: None,
    reasoning: None,
    template: None,
    remote_tokenizer: false,
};

const HERMES: Option<Parser> = Some(("hermes", 8, 5));
const QWEN3_CODER: Option<Parser> = Some(("qwen3_coder", 10, 0));
const QWEN3: Option<Parser> = Some(("qwen3", 9, 0));
const R1: Option<Parser> = Some(("deepseek_r1", 8, 5));
const DEEPSEEK: &[&str] = &["DeepseekV3ForCausalLM"];
const QWEN3_MODELS: &[&str] = &["Qwen3ForCausalLM", "Qwen3MoeForCausalLM", "Qwen3NextForCausalLM"];
const QWEN35_MODELS: &[&str] = &[
    "Qwen3_5ForConditionalGeneration",
    "Qwen3_5MoeForConditionalGeneration",
];

/// The first that matches counts.
const FAMILIES: &[Family] = &[
    // Pool or continue texts; no chat.
    Family {
        architectures: QWEN3_MODELS,
        names: &["embedding", "reranker", "-base"],
        ..NOTHING
    },
    Family {
        architectures: QWEN3_MODELS,
        names: &["coder"],
        tools: QWEN3_CODER,
        ..NOTHING
    },
    Family {
        architectures: QWEN3_MODELS,
        names: &["instruct"],
        tools: HERMES,
        ..NOTHING
    },
    Family {
        architectures: QWEN3_MODELS,
        names: &["qwen3"],
        tools: HERMES,
        reasoning: QWEN3,
        ..NOTHING
    },
    Family {
        architectures: QWEN35_MODELS,
        tools: QWEN3_CODER,
        reasoning: QWEN3,
        ..NOTHING
    },
    Family {
        architectures: &["Qwen2ForCausalLM"],
        names: &["qwq"],
        tools: HERMES,
        reasoning: R1,
        ..NOTHING
    },
    Family {
        architectures: &["Qwen2ForCausalLM", "LlamaForCausalLM"],
        names: &["deepseek-r1-distill"],
        reasoning: R1,
        ..NOTHING
    },
    Family {
        architectures: &["Qwen2ForCausalLM"],
        names: &["qwen2.5"],
        tools: HERMES,
        ..NOTHING
    },
    Family {
        architectures: DEEPSEEK,
        names: &["kimi-k2-thinking"],
        tools: Some(("kimi_k2", 10, 0)),
        reasoning: Some(("kimi_k2", 11, 2)),
        remote_tokenizer: true,
        ..NOTHING
    },
    Family {
        architectures: DEEPSEEK,
        names: &["kimi-k2"],
        tools: Some(("kimi_k2", 10, 0)),
        remote_tokenizer: true,
        ..NOTHING
    },
    Family {
        architectures: &["KimiK25ForConditionalGeneration"],
        tools: Some(("kimi_k2", 10, 0)),
        reasoning: Some(("kimi_k2", 11, 2)),
        remote_tokenizer: true,
        ..NOTHING
    },
    Family {
        architectures: DEEPSEEK,
        names: &["v3.1"],
        tools: Some(("deepseek_v31", 10, 2)),
        reasoning: Some(("deepseek_v3", 11, 2)),
        template: Some("tool_chat_template_deepseekv31.jinja"),
        ..NOTHING
    },
    Family {
        architectures: DEEPSEEK,
        names: &["r1"],
        tools: Some(("deepseek_v3", 9, 0)),
        reasoning: R1,
        template: Some("tool_chat_template_deepseekr1.jinja"),
        ..NOTHING
    },
    Family {
        architectures: DEEPSEEK,
        names: &["deepseek-v3"],
        tools: Some(("deepseek_v3", 9, 0)),
        template: Some("tool_chat_template_deepseekv3.jinja"),
        ..NOTHING
    },
    Family {
        architectures: &["DeepseekV32ForCausalLM"],
        names: &["deepseek"],
        tools: Some(("deepseek_v32", 13, 0)),
        reasoning: Some(("deepseek_v3", 11, 2)),
        ..NOTHING
    },
    Family {
        architectures: &["LlamaForCausalLM"],
        names: &["llama-3.1-", "llama-3.2-", "llama-3.3-"],
        tools: Some(("llama3_json", 8, 5)),
        template: Some("tool_chat_template_llama3.1_json.jinja"),
        ..NOTHING
    },
    Family {
        architectures: &["Llama4ForConditionalGeneration"],
        tools: Some(("llama4_pythonic", 9, 0)),
        template: Some("tool_chat_template_llama4_pythonic.jinja"),
        ..NOTHING
    },
    Family {
        architectures: &[
            "MistralForCausalLM",
            "Mistral3ForConditionalGeneration",
            "MixtralForCausalLM",
        ],
        names: &["magistral"],
        tools: Some(("mistral", 8, 5)),
        reasoning: Some(("mistral", 10, 0)),
        ..NOTHING
    },
    Family {
        architectures: &[
            "MistralForCausalLM",
            "Mistral3ForConditionalGeneration",
            "MixtralForCausalLM",
        ],
        names: &["instruct", "devstral"],
        tools: Some(("mistral", 8, 5)),
        ..NOTHING
    },
    Family {
        architectures: &["GptOssForCausalLM"],
        tools: Some(("openai", 10, 2)),
        reasoning: Some(("openai_gptoss", 10, 2)),
        ..NOTHING
    },
    Family {
        architectures: &["Glm4MoeForCausalLM"],
        names: &["4.7"],
        tools: Some(("glm47", 14, 1)),
        reasoning: Some(("glm45", 10, 1)),
        ..NOTHING
    },
    Family {
        architectures: &["Glm4MoeForCausalLM"],
        tools: Some(("glm45", 10, 1)),
        reasoning: Some(("glm45", 10, 1)),
        ..NOTHING
    },
    Family {
        architectures: &["MiniMaxM2ForCausalLM"],
        tools: Some(("minimax_m2", 11, 2)),
        reasoning: Some(("minimax_m2_append_think", 11, 2)),
        ..NOTHING
    },
    Family {
        architectures: &["NemotronHForCausalLM"],
        names: &["nemotron-3"],
        tools: QWEN3_CODER,
        reasoning: Some(("nemotron_v3", 19, 1)),
        ..NOTHING
    },
    Family {
        architectures: &["Gemma4ForConditionalGeneration", "Gemma4ForCausalLM"],
        names: &["-it"],
        tools: Some(("gemma4", 19, 1)),
        reasoning: Some(("gemma4", 19, 1)),
        ..NOTHING
    },
    Family {
        architectures: &["SeedOssForCausalLM"],
        names: &["instruct"],
        tools: Some(("seed_oss", 10, 2)),
        reasoning: Some(("seed_oss", 11, 0)),
        ..NOTHING
    },
];

/// Flags, and what they are for.
pub(crate) struct Advice {
    /// As they are typed.
    pub(crate) flags: String,
    /// As a clause.
    pub(crate) why: String,
}

/// What the model's family is mostly served with, where nobody has set it.
pub(crate) fn advice(plan: &Plan) -> Vec<Advice> {
    let scenario = &plan.scenario;
    let Some(family) = family(scenario) else {
        return Vec::new();
    };
    let there = |parser: Option<Parser>, flag: &str| {
        let (name, minor, patch) = parser?;
        let known = scenario.vllm_version >= VllmVersion::new(minor, patch);
        (known && scenario.engine.passed(flag).is_none()).then_some(name)
    };
    let mut list = Vec::new();
    let mut add = |flags: String, why: &str| {
        list.push(Advice {
            flags,
            why: why.to_owned(),
        });
    };
    if let Some(name) = there(family.tools, "--tool-call-parser") {
        add(
            format!("--enable-auto-tool-choice --tool-call-parser {name}"),
            "tool calls that the model decides on",
        );
        if let Some(template) = family.template {
            add(
                format!("--chat-template examples/{template}"),
                "with tool calls, the template of vLLM's repository",
            );
        }
    }
    if let Some(name) = there(family.reasoning, "--reasoning-parser") {
        add(
            format!("--reasoning-parser {name}"),
            "thoughts apart from the answer",
        );
    }
    if family.remote_tokenizer && scenario.engine.trust_remote_code != Some(true) {
        add(
            "--trust-remote-code".to_owned(),
            "the tokenizer is code of the model's repository: read it first, it runs on the server",
        );
    }
    list
}

fn family(scenario: &Scenario) -> Option<&'static Family> {
    let spec = scenario.model.spec.as_ref().ok()?;
    if spec.pooling.is_some() || scenario.engine.runner() == Some(crate::engine::Runner::Pooling) {
        return None;
    }
    let architecture = spec.architecture.as_str();
    let name = scenario.model.id.to_ascii_lowercase();
    FAMILIES.iter().find(|family| {
        family.architectures.contains(&architecture)
            && (family.names.is_empty() || family.names.iter().any(|part| name.contains(part)))
    })
}
