//! One GET to another host, only ever after a click on a button that names it; can be stopped, and gives up in time.
use crate::browser::{self, Timer};
use gloo_net::http::Request;
use leptos::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::{AbortController, AbortSignal};

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Silence {
    /// Took too long.
    TimedOut,
    /// Stopped by the user.
    Cancelled,
    /// The browser keeps the page from the local network.
    Denied,
    /// Nobody answered, or the browser does not let the page read it; browsers do not say which.
    Unreadable,
}

/// Status and body.
pub(super) type Answer = Result<(u16, String), Silence>;

/// A request that may be running.
#[derive(Clone, Copy)]
pub(crate) struct WebRequest {
    running: RwSignal<bool>,
    abort: StoredValue<Option<AbortController>, LocalStorage>,
    timer: Timer,
    timed_out: StoredValue<bool>,
}

impl WebRequest {
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

    /// Asks, with a token where there is one, and hands what came of it to `then`.
    pub(super) fn start(self, url: String, token: String, time_out_ms: u64, then: Box<dyn FnOnce(Answer)>) {
        let abort = AbortController::new().ok();
        let signal = abort.as_ref().map(AbortController::signal);
        self.timed_out.set_value(false);
        self.abort.set_value(abort);
        self.running.set(true);
        self.timer.start(time_out_ms, move || {
            self.timed_out.set_value(true);
            self.cancel();
        });
        spawn_local(async move {
            let answer = get(&url, &token, signal.as_ref()).await;
            let aborted = signal.is_some_and(|signal| signal.aborted());
            // A browser that refuses says no more than one that found nobody; only its settings tell them apart.
            // What is not encrypted is on this machine.
            let local = answer.is_none() && !aborted && url.starts_with("http:");
            let denied = local && browser::denies_local_network().await;
            self.timer.stop();
            self.running.set(false);
            then(answer.ok_or_else(|| match aborted {
                true if self.timed_out.get_value() => Silence::TimedOut,
                true => Silence::Cancelled,
                false if denied => Silence::Denied,
                false => Silence::Unreadable,
            }));
        });
    }
}

async fn get(url: &str, token: &str, signal: Option<&AbortSignal>) -> Option<(u16, String)> {
    let mut request = Request::get(url).abort_signal(signal);
    if !token.is_empty() {
        request = request.header("Authorization", &format!("Bearer {token}"));
    }
    let response = request.send().await.ok()?;
    Some((response.status(), response.text().await.ok()?))
}
