//! Fetches one config.json from huggingface.co, only when the button that names it is pressed.
use super::request::{Answer, Silence, WebRequest};
use crate::text;
use leptos::prelude::window;

/// How long to wait.
const TIME_OUT_MS: u64 = 15_000;

/// Fetches the config.json of a repository and hands it, or a sentence, to `then`.
pub(crate) fn fetch_config(
    request: WebRequest,
    id: String,
    revision: &str,
    then: impl FnOnce(Result<String, String>) + 'static,
) {
    let revision = if revision.trim().is_empty() {
        "main"
    } else {
        revision.trim()
    };
    let url = format!(
        "https://huggingface.co/{}/resolve/{}/config.json",
        path(&id),
        path(revision)
    );
    request.start(url, TIME_OUT_MS, Box::new(move |answer| then(read(&id, answer))));
}

fn read(id: &str, answer: Answer) -> Result<String, String> {
    match answer {
        Ok((200..300, config)) => Ok(config),
        Ok((status, _)) => Err(text::hub_status(id, status)),
        Err(Silence::TimedOut) => Err(text::HUB_TIME_OUT.to_owned()),
        Err(Silence::Cancelled) => Err(text::CANCELLED.to_owned()),
        Err(Silence::Unreadable) if !window().navigator().on_line() => Err(text::HUB_OFFLINE.to_owned()),
        Err(Silence::Unreadable) => Err(text::HUB_NO_ANSWER.to_owned()),
    }
}

/// A repository id or revision as a part of a path: its slashes stay, everything else unusual is escaped.
fn path(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'/' => out.push(char::from(byte)),
            _ => {
                const HEX: &[u8; 16] = b"0123456789ABCDEF";
                out.push('%');
                out.push(char::from(HEX[usize::from(byte >> 4)]));
                out.push(char::from(HEX[usize::from(byte & 15)]));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_cannot_leave_their_place_in_the_address() {
        assert_eq!(path("Qwen/Qwen3-8B"), "Qwen/Qwen3-8B");
        assert_eq!(path("a?b#c d"), "a%3Fb%23c%20d");
        assert_eq!(path("é"), "%C3%A9");
    }
}
