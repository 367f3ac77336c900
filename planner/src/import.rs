//! An existing deployment → model, engine arguments, GPUs, and what of it is not modelled.
//!
//! Reads scripts with `vllm serve` or `docker run`, docker-compose.yaml, Kubernetes manifests, values of vLLM's chart and
//! of production-stack, KServe's two kinds, SkyPilot tasks, systemd and Podman units. What a text is follows from its
//! content. Nothing is run, no file that a text names is opened, and what only the machine knows (a variable) is said.
mod chart;
mod compose;
mod container;
mod docker;
mod error;
mod gpus;
mod kserve;
mod kubernetes;
mod launch;
mod lexer;
mod ray;
mod script;
mod unit;
mod vars;

pub use error::ImportError;
pub use launch::{Form, Imported};

use crate::yaml;
use launch::Launch;
use std::borrow::Cow;

/// The largest text, in bytes.
const MAX_BYTES: usize = 1 << 20;
/// What an image that holds vLLM has in its name.
const VLLM: &str = "vllm";

/// Reads a command, a script or a file that starts vLLM.
pub fn read(text: &str) -> Result<Imported, ImportError> {
    if text.len() > MAX_BYTES {
        return Err(ImportError::TooLarge {
            bytes: text.len(),
            limit: MAX_BYTES,
        });
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text = &text.replace("\r\n", "\n");
    if text.contains(vars::MARK) {
        return Err(ImportError::NotText);
    }
    launch(&unfenced(text))?.finish()
}

/// A text copied with Markdown's fences, without them.
fn unfenced(text: &str) -> Cow<'_, str> {
    if !text.trim_start().starts_with("```") {
        return Cow::Borrowed(text);
    }
    let blank = |line| {
        if str::trim_start(line).starts_with("```") {
            ""
        } else {
            line
        }
    };
    Cow::Owned(text.lines().map(blank).collect::<Vec<_>>().join("\n"))
}

/// Reads a command that a shell has split into words already.
pub fn read_words(words: &[String]) -> Result<Imported, ImportError> {
    if words.iter().any(|word| word.contains(vars::MARK)) {
        return Err(ImportError::NotText);
    }
    script::of_words(words)?.finish()
}

fn launch(text: &str) -> Result<Launch, ImportError> {
    let Some(first) = significant(text) else {
        return Err(ImportError::Empty);
    };
    if first.starts_with('[') && first.ends_with(']') && !first.contains('"') {
        return unit::launch(text);
    }
    if !is_yaml(first) {
        return script::of_text(text);
    }
    let documents = yaml::read(text).map_err(|error| ImportError::Yaml {
        line: error.line,
        problem: error.problem,
    })?;
    if let Some(error) = documents.iter().find_map(other_reader) {
        return Err(error);
    }
    for document in &documents {
        let found = compose::launch(document)
            .or_else(|| chart::launch(document))
            .or_else(|| script::of_task(document));
        if let Some(found) = found {
            return found;
        }
    }
    kubernetes::launch(&documents)
}

/// The first line that says something.
fn significant(text: &str) -> Option<&str> {
    text.lines().map(str::trim).find(|line| {
        !line.is_empty() && (!line.starts_with('#') || line.starts_with("#!")) && !line.starts_with(';')
    })
}

/// `key:`, `- item`, `---`, `{`: no command begins so.
fn is_yaml(line: &str) -> bool {
    let key = line.trim_start_matches(['"', '\'']);
    let end = key.find(|c: char| !(c.is_ascii_alphanumeric() || "_-./".contains(c)));
    let after = end.and_then(|end| key.get(end..)).unwrap_or_default();
    let after = after.trim_start_matches(['"', '\'']);
    let is_key = end.is_some_and(|end| end > 0) && (after == ":" || after.starts_with(": "));
    is_key || line == "-" || line.starts_with("- ") || line.starts_with("---") || line.starts_with(['{', '%'])
}

/// What has a reader of its own.
fn other_reader(document: &yaml::Node) -> Option<ImportError> {
    let has = |key: &str| document.get(key).is_some();
    if has("profile_version") || (has("model") && has("hardware")) {
        return Some(ImportError::Profile);
    }
    let schema = document
        .get("schema")
        .and_then(yaml::Node::text)
        .unwrap_or_default();
    if schema.starts_with("vllm-wizard/") {
        return Some(ImportError::Scenario);
    }
    None
}
