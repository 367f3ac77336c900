//! `docker run`, `podman run` and `nerdctl run`.
use super::{
    Form, ImportError,
    container::{Container, is_vllm_image},
    gpus,
    launch::Launch,
    script::base,
    vars::unknown,
};

/// Options that take no value.
const SWITCHES: &[&str] = &[
    "--rm",
    "--detach",
    "--interactive",
    "--tty",
    "--privileged",
    "--init",
    "--read-only",
    "--publish-all",
    "--no-healthcheck",
    "--oom-kill-disable",
    "--sig-proxy",
    "--disable-content-trust",
    "--quiet",
    "--replace",
    "--tls-verify",
    "--rmi",
    "--no-hosts",
    "--no-hostname",
    "--help",
    "--use-api-socket",
    "--env-host",
    "--http-proxy",
];
/// Letters that take no value.
const SWITCH_LETTERS: &str = "ditPq";

/// What it starts, if that is a container of vLLM.
pub(super) fn launch(words: &[String], line: usize) -> Option<Result<Launch, ImportError>> {
    let program = words
        .iter()
        .position(|word| matches!(base(word), "docker" | "podman" | "nerdctl"))?;
    let after = words.get(program + 1..)?;
    let run = after.iter().position(|word| word == "run")?;
    let between = after.get(..run)?;
    if between
        .iter()
        .any(|word| !word.starts_with('-') && word != "container")
    {
        return None;
    }
    let (container, any) = read(after.get(run + 1..)?, line);
    let found = container.launch();
    if found.is_none() && any {
        return Some(Err(ImportError::NoVllm {
            looked_for: "an image or a command of vLLM",
            place: container.place.clone(),
            found: vec![container.shown()],
        }));
    }
    found
}

/// The container, and whether its words mention vLLM at all.
fn read(words: &[String], line: usize) -> (Container, bool) {
    let mut container = Container::new(Form::Docker, format!("`docker run` in line {line}"));
    let mut devices = Vec::new();
    let mut at = 0;
    while let Some(word) = words.get(at) {
        at += 1;
        if !word.starts_with('-') || word == "-" {
            container.image = Some(word.clone());
            break;
        }
        let next = || words.get(at).cloned().unwrap_or_default();
        let (name, value, takes_next) = option(word);
        let value = value.map_or_else(next, str::to_owned);
        at += usize::from(takes_next);
        match name.as_str() {
            "--gpus" => container.gpus = gpus::flag(&value),
            "--device" => devices.push(value),
            "--entrypoint" => container.entrypoint = vec![value],
            "-e" | "--env" => {
                if let Some((name, value)) = value
                    .split_once('=')
                    .filter(|(_, value)| unknown(value).is_none())
                {
                    container.env.set(name, value.to_owned());
                }
            }
            _ => {}
        }
    }
    container.gpus = container.gpus.or_else(|| gpus::cdi(&devices));
    container.args = words.get(at..).unwrap_or_default().to_vec();
    let mentions = words.iter().any(|word| is_vllm_image(word));
    (container, mentions)
}

/// An option's name, its value where it stands in the same word, and whether the next word is it.
fn option(word: &str) -> (String, Option<&str>, bool) {
    if word.starts_with("--") {
        return match word.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value), false),
            None if SWITCHES.contains(&word) => (word.to_owned(), Some(""), false),
            None => (word.to_owned(), None, true),
        };
    }
    let letters = word.trim_start_matches('-');
    let valued = letters.char_indices().find(|(_, c)| !SWITCH_LETTERS.contains(*c));
    match valued {
        None => (word.to_owned(), Some(""), false),
        Some((at, letter)) => {
            let value = letters.get(at + letter.len_utf8()..).unwrap_or_default();
            let value = value.strip_prefix('=').unwrap_or(value);
            let name = format!("-{letter}");
            if value.is_empty() {
                (name, None, true)
            } else {
                (name, Some(value), false)
            }
        }
    }
}
