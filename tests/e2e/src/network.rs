//! What the page may see of the world beyond its own origin: the answers a test supplies, and nothing else.

use crate::{Res, lock};
use base64::{Engine, engine::general_purpose::STANDARD};
use chromiumoxide::{
    Page,
    cdp::browser_protocol::{
        fetch::{
            ContinueRequestParams, EnableParams, EventRequestPaused, FailRequestParams, FulfillRequestParams,
            HeaderEntry, RequestPattern,
        },
        network::ErrorReason,
    },
};
use futures::StreamExt;
use std::sync::{Arc, Mutex};

/// The answer to every request whose address begins with a prefix.
#[derive(Clone, Debug)]
pub struct Fake {
    prefix: String,
    answer: Answer,
    cors: bool,
}

#[derive(Clone, Debug)]
enum Answer {
    Body { status: i64, kind: String, body: String },
    Unreachable,
    PassOn,
}

impl Fake {
    /// Answers 200 with JSON that any origin may read.
    #[must_use]
    pub fn json(prefix: impl Into<String>, body: impl Into<String>) -> Self {
        Self::status(prefix, 200, body)
    }

    /// Answers with this status.
    #[must_use]
    pub fn status(prefix: impl Into<String>, status: i64, body: impl Into<String>) -> Self {
        let answer = Answer::Body {
            status,
            kind: "application/json".to_owned(),
            body: body.into(),
        };
        Self {
            prefix: prefix.into(),
            answer,
            cors: true,
        }
    }

    /// Fails as if there were no network.
    #[must_use]
    pub fn unreachable(prefix: impl Into<String>) -> Self {
        Self {
            prefix: prefix.into(),
            answer: Answer::Unreachable,
            cors: true,
        }
    }

    /// Lets requests through to a server that the test runs itself, such as `vllm-wizard serve`.
    #[must_use]
    pub fn pass_on(origin: impl Into<String>) -> Self {
        Self {
            prefix: origin.into(),
            answer: Answer::PassOn,
            cors: true,
        }
    }

    /// Leaves out the header that lets another origin read the answer.
    #[must_use]
    pub fn without_cors(mut self) -> Self {
        self.cors = false;
        self
    }
}

/// The requests to other origins, as they are made.
#[derive(Clone, Debug, Default)]
pub struct Outside {
    fakes: Arc<Vec<Fake>>,
    asked: Arc<Mutex<Vec<String>>>,
    refused: Arc<Mutex<Vec<String>>>,
}

impl Outside {
    /// Stands between the page and every other origin.
    pub async fn guard(page: &Page, origin: &str, fakes: Vec<Fake>) -> Res<Self> {
        let outside = Self {
            fakes: Arc::new(fakes),
            ..Self::default()
        };
        let pattern = |url: &str| RequestPattern::builder().url_pattern(url).build();
        let all = EnableParams::builder()
            .patterns([pattern("http://*"), pattern("https://*")])
            .build();
        page.execute(all).await?;
        let mut paused = page.event_listener::<EventRequestPaused>().await?;
        let (own, page, guard) = (format!("{origin}/"), page.clone(), outside.clone());
        tokio::spawn(async move {
            while let Some(request) = paused.next().await {
                if guard.decide(&page, &own, &request).await.is_err() {
                    break; // the browser is gone
                }
            }
        });
        Ok(outside)
    }

    /// Addresses beyond the page's own origin that it asked for, in order.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        lock(&self.asked).clone()
    }

    /// Those among them that no fake answers.
    #[must_use]
    pub fn refused(&self) -> Vec<String> {
        lock(&self.refused).clone()
    }

    /// Whether the test itself supplies the answer for this address.
    pub(crate) fn is_faked(&self, url: &str) -> bool {
        self.fakes.iter().any(|fake| url.starts_with(&fake.prefix))
    }

    /// Whether a text names an address that the test supplies the answer for.
    pub(crate) fn mentions_fake(&self, text: &str) -> bool {
        self.fakes.iter().any(|fake| text.contains(&fake.prefix))
    }

    async fn decide(&self, page: &Page, own: &str, paused: &EventRequestPaused) -> Res<()> {
        let (id, url) = (paused.request_id.clone(), &paused.request.url);
        if url.starts_with(own) {
            page.execute(ContinueRequestParams::new(id)).await?;
            return Ok(());
        }
        lock(&self.asked).push(url.clone());
        let fake = self.fakes.iter().find(|fake| url.starts_with(&fake.prefix));
        match fake.map(|fake| (&fake.answer, fake.cors)) {
            Some((Answer::PassOn, _)) => {
                page.execute(ContinueRequestParams::new(id)).await?;
            }
            Some((Answer::Body { status, kind, body }, cors)) => {
                let mut answer = FulfillRequestParams::builder()
                    .request_id(id)
                    .response_code(*status)
                    .response_header(HeaderEntry::new("content-type", kind.as_str()))
                    .body(STANDARD.encode(body));
                if cors {
                    answer = answer.response_header(HeaderEntry::new("access-control-allow-origin", "*"));
                }
                page.execute(answer.build()?).await?;
            }
            Some((Answer::Unreachable, _)) => {
                page.execute(FailRequestParams::new(id, ErrorReason::InternetDisconnected))
                    .await?;
            }
            None => {
                lock(&self.refused).push(url.clone());
                page.execute(FailRequestParams::new(id, ErrorReason::AccessDenied))
                    .await?;
            }
        }
        Ok(())
    }
}
