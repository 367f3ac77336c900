//! Flags that a family of models is mostly served with and that change no memory: parsers of tool calls and thoughts.
//!
//! They stand in comments, not in the command: a parser changes what clients get, a wrong one garbles it, and a name does not
//! say whether a fine-tuned model still writes its family's format. Who wants them adds them behind the script or to the
//! arguments that are passed through.
use super::families::{FAMILIES, Family, Parser};
use crate::{
    engine::VllmVersion,
    plan::{Plan, Scenario},
};

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
