//! From lines to a [`VllmLog`].
use super::{LogError, VllmLog, figures::after, literal};
use crate::engine::VllmVersion;
use serde_json::Value;

/// The longest text that is read, in bytes.
pub const LONGEST: u64 = 16 << 20;

/// Arguments that say nothing about the plan, or are secrets.
const LEFT_OUT: &[&str] = &["model", "model_tag", "api_key", "hf_token", "config"];

/// Errors that end a start, as vLLM or torch words them.
const ERRORS: &[&str] = &[
    "No available memory for the cache blocks",
    "To serve at least one request with the model's max seq len",
    "is larger than the maximum number of tokens that can be stored in KV cache",
    "is less than desired GPU memory utilization",
    "CUDA out of memory",
    "HIP out of memory",
];

/// Reads a start-up log.
pub fn read(text: &str) -> Result<VllmLog, LogError> {
    if text.trim().is_empty() {
        return Err(LogError::Empty);
    }
    if text.len() as u64 > LONGEST {
        return Err(LogError::TooLong);
    }
    let mut log = VllmLog::default();
    for line in text.lines() {
        let line = without_colours(line);
        // A start begins with its version or its arguments, whichever comes first.
        let begins = (line.contains("non-default args:") && !log.argv.is_empty())
            || (line.contains("vLLM API server version") && log.version.is_some());
        if begins && log.figures != super::Figures::default() {
            log = VllmLog::default();
        }
        let mut found = read_version(&mut log, &line);
        found |= read_arguments(&mut log, &line);
        found |= log.figures.take(&line);
        if ERRORS.iter().any(|words| line.contains(words)) {
            log.error.get_or_insert_with(|| message(&line));
            found = true;
        }
        log.lines_read += usize::from(found);
    }
    if log.lines_read == 0 {
        return Err(LogError::NothingFound);
    }
    Ok(log)
}

/// Without `ESC[0;36m`, also where a notebook wrote it as `\u001b[0;36m`.
fn without_colours(line: &str) -> String {
    let line = line.replace("\\u001b[", "\u{1b}[");
    let mut clean = String::with_capacity(line.len());
    let mut parts = line.split('\u{1b}');
    clean.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let code = part.strip_prefix('[').unwrap_or(part);
        let end = code.find(|c: char| c.is_ascii_alphabetic());
        clean.push_str(end.and_then(|end| code.get(end + 1..)).unwrap_or_default());
    }
    clean
}

/// The error's own words, without what stands before them.
fn message(line: &str) -> String {
    let start = ["ValueError: ", "OutOfMemoryError: ", "RuntimeError: "]
        .iter()
        .filter_map(|name| after(line, name))
        .next_back();
    let text: String = start.unwrap_or(line).trim().chars().take(600).collect();
    text.trim_end_matches(['"', ','])
        .trim_end_matches("\\n")
        .to_owned()
}

fn read_version(log: &mut VllmLog, line: &str) -> bool {
    let found = [
        "vLLM API server version ",
        "LLM engine (v",
        "LLM engine (version ",
    ]
    .iter()
    .find_map(|words| after(line, words));
    let Some(rest) = found else { return false };
    let end = rest
        .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '+' | '-' | '_')))
        .unwrap_or(rest.len());
    let text: String = rest.chars().take(end.min(80)).collect();
    log.version = VllmVersion::at_start(&text);
    log.version_text = Some(text);
    true
}

fn read_arguments(log: &mut VllmLog, line: &str) -> bool {
    let Some(Value::Object(map)) = after(line, "non-default args:").and_then(literal::read) else {
        return false;
    };
    let text = |name: &str| map.get(name).and_then(Value::as_str);
    let Some(model) = text("model").or(text("model_tag")) else {
        return false;
    };
    let mut argv = vec!["vllm".to_owned(), "serve".to_owned(), model.to_owned()];
    for (name, value) in &map {
        if !LEFT_OUT.contains(&name.as_str()) {
            push(&mut argv, name, value);
        }
    }
    log.argv = argv;
    true
}

/// One argument as words.
fn push(argv: &mut Vec<String>, name: &str, value: &Value) {
    let flag = name.replace('_', "-");
    match value {
        Value::Null => {}
        Value::Bool(true) => argv.push(format!("--{flag}")),
        Value::Bool(false) => argv.push(format!("--no-{flag}")),
        Value::String(text) => {
            let text = text.strip_prefix("torch.").unwrap_or(text);
            argv.push(format!("--{flag}={text}"));
        }
        Value::Array(values) if values.iter().all(Value::is_string) => {
            argv.push(format!("--{flag}"));
            argv.extend(values.iter().filter_map(Value::as_str).map(str::to_owned));
        }
        other => argv.push(format!("--{flag}={other}")),
    }
}
