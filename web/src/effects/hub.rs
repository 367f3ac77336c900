//! Fetches one config.json from huggingface.co, only when the button that names it is pressed.
use crate::{browser::Timer, text};
use gloo_net::http::Request;
use leptos::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::AbortController;

/// How long to wait.
const TIME_OUT_MS: u64 = 15_000;

/// What came of it.
type HubAnswer = Result<String, String>;

/// A request that may be running.
#[derive(Clone, Copy)]
pub(crate) struct HubRequest {
    running: RwSignal<bool>,
    abort: StoredValue<Option<AbortController>, LocalStorage>,
    timer: Timer,
    timed_out: StoredValue<bool>,
}

impl HubRequest {
    /// Not running.
    pub(crate) fn new() -> Self {
        Self {
            running: RwSignal::new(false),
            abort: StoredValue::new_local(None),
            timer: Timer::new(),
            timed_out: StoredValue::new(false),
        }
    }

    /// Whether it runs.
    pub(crate) fn running(self) -> bool {
        self.running.get()
    }

    /// Stops it.
    pub(crate) fn cancel(self) {
        self.abort.with_value(|abort| {
            if let Some(abort) = abort {
                abort.abort();
            }
        });
    }

    /// Fetches the config.json of a repository and hands it, or a sentence, to `then`.
    pub(crate) fn start(self, id: String, revision: &str, then: impl FnOnce(HubAnswer) + 'static) {
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
        let abort = AbortController::new().ok();
        let signal = abort.as_ref().map(AbortController::signal);
        self.timed_out.set_value(false);
        self.abort.set_value(abort);
        self.running.set(true);
        self.timer.start(TIME_OUT_MS, move || {
            self.timed_out.set_value(true);
            self.cancel();
        });
        spawn_local(async move {
            let answer = fetch(&id, &url, signal.as_ref()).await;
            self.timer.stop();
            self.running.set(false);
            then(answer.map_err(|failure| self.explain(failure, signal.as_ref())));
        });
    }

    fn explain(self, failure: Failure, signal: Option<&web_sys::AbortSignal>) -> String {
        let aborted = signal.is_some_and(web_sys::AbortSignal::aborted);
        match failure {
            Failure::Status(sentence) => sentence,
            Failure::NoAnswer if self.timed_out.get_value() => text::HUB_TIME_OUT.to_owned(),
            Failure::NoAnswer if aborted => text::HUB_CANCELLED.to_owned(),
            Failure::NoAnswer if !window().navigator().on_line() => text::HUB_OFFLINE.to_owned(),
            Failure::NoAnswer => text::HUB_NO_ANSWER.to_owned(),
        }
    }
}

enum Failure {
    Status(String),
    NoAnswer,
}

async fn fetch(id: &str, url: &str, signal: Option<&web_sys::AbortSignal>) -> Result<String, Failure> {
    let response = Request::get(url)
        .abort_signal(signal)
        .send()
        .await
        .map_err(|_| Failure::NoAnswer)?;
    if !response.ok() {
        return Err(Failure::Status(text::hub_status(id, response.status())));
    }
    response.text().await.map_err(|_| Failure::NoAnswer)
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
