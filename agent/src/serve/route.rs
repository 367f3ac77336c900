//! From a request's head to an answer. No sockets here.
use super::{
    access::{Access, Origin},
    token::{NAME, Shown, Token},
    ui::Ui,
};
use crate::{
    detect::{self, GpuSource},
    error::ExpectedError,
    output,
};
use http_body_util::Full;
use hyper::{
    HeaderMap, Method, Response, StatusCode,
    body::Bytes,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_MAX_AGE, ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue,
        REFERRER_POLICY, SET_COOKIE, TRANSFER_ENCODING, VARY, X_CONTENT_TYPE_OPTIONS,
    },
    http::request::Parts,
};
use serde_json::json;
use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

const METHODS: HeaderValue = HeaderValue::from_static("GET, OPTIONS");
const JSON: &str = "application/json";
/// The driver is not asked again before this time is over, however many visitors come.
const FRESH: Duration = Duration::from_millis(500);
/// Before a public page reaches into a private network browsers ask the person now (Local Network Access); earlier ones
/// asked the server, by these names, and some still do.
const PRIVATE_NETWORK: [(&str, HeaderName); 2] = [
    (
        "access-control-request-private-network",
        HeaderName::from_static("access-control-allow-private-network"),
    ),
    (
        "access-control-request-local-network",
        HeaderName::from_static("access-control-allow-local-network"),
    ),
];

/// Everything that an answer needs.
pub(super) struct Router {
    access: Access,
    /// Asked for where the server listens beyond loopback.
    token: Option<Token>,
    source: Mutex<Box<dyn GpuSource>>,
    latest: Mutex<Option<(Instant, Answer)>>,
    ui: Option<Ui>,
}

/// An answer, or the driver must be asked first, which may take long.
pub(super) enum Reply {
    /// Ready.
    Now(Answer),
    /// Ask with [`Router::ask_driver`].
    AskDriver,
}

/// Status, headers, body.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Answer {
    pub(super) fn new(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let answer = Self {
            body: body.into(),
            ..Self::empty(status)
        };
        answer.with(CONTENT_TYPE, HeaderValue::from_static(content_type))
    }

    pub(super) fn empty(status: StatusCode) -> Self {
        Self {
            status,
            headers: HeaderMap::new(),
            body: Bytes::new(),
        }
    }

    /// `{"error": …, "help": …}`.
    pub(super) fn problem(status: StatusCode, error: &str, help: Option<&str>) -> Self {
        let body = json!({ "error": error, "help": help }).to_string();
        Self::new(status, JSON, body.into_bytes())
    }

    fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.put(name, value);
        self
    }

    pub(super) fn put(&mut self, name: HeaderName, value: HeaderValue) {
        self.headers.insert(name, value);
    }

    pub(super) fn into_response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(self.body));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        let headers = response.headers_mut();
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        // Not to be embedded by others' pages; reading with CORS is not touched by this.
        headers.insert(
            HeaderName::from_static("cross-origin-resource-policy"),
            HeaderValue::from_static("same-origin"),
        );
        response
    }
}

impl Router {
    pub(super) fn new(
        access: Access,
        token: Option<Token>,
        source: Box<dyn GpuSource>,
        ui: Option<Ui>,
    ) -> Self {
        Self {
            access,
            token,
            source: Mutex::new(source),
            latest: Mutex::new(None),
            ui,
        }
    }

    /// The answer to a request. Its body is never read, so it must have none.
    pub(super) fn answer(&self, head: &Parts) -> Reply {
        if let Some(refusal) = self.refusal(head) {
            return Reply::Now(refusal);
        }
        if head.method == Method::OPTIONS {
            return Reply::Now(self.preflight(head));
        }
        let shown = self
            .token
            .as_ref()
            .map(|token| (token, token.shown(&head.uri, &head.headers)));
        match shown {
            Some((_, Shown::No)) => Reply::Now(unknown_visitor()),
            Some((token, Shown::InAddress)) => match self.get(head) {
                Reply::Now(answer) => Reply::Now(remembering(answer, token)),
                Reply::AskDriver => Reply::AskDriver,
            },
            _ => self.get(head),
        }
    }

    /// What no request may be, whatever it asks for.
    fn refusal(&self, head: &Parts) -> Option<Answer> {
        if !self.access.names_us(&head.uri, &head.headers) {
            return Some(Answer::problem(
                StatusCode::MISDIRECTED_REQUEST,
                "this server has another name",
                Some("Ask for it as 127.0.0.1 or localhost with its port."),
            ));
        }
        let length = head.headers.get(CONTENT_LENGTH);
        let has_body =
            head.headers.contains_key(TRANSFER_ENCODING) || length.is_some_and(|length| length != "0");
        if has_body {
            let problem = Answer::problem(StatusCode::PAYLOAD_TOO_LARGE, "no request here has a body", None);
            return Some(problem);
        }
        let known = matches!(head.method, Method::GET | Method::OPTIONS);
        (!known).then(|| {
            Answer::problem(StatusCode::METHOD_NOT_ALLOWED, "only GET and OPTIONS", None).with(ALLOW, METHODS)
        })
    }

    fn get(&self, head: &Parts) -> Reply {
        let path = head.uri.path();
        if path == "/v1" || path.starts_with("/v1/") {
            return self.api(path, &head.headers);
        }
        Reply::Now(match &self.ui {
            Some(ui) => ui.file(path, &head.headers),
            None if path == "/" => Answer::new(
                StatusCode::OK,
                "text/plain; charset=utf-8",
                "vllm-wizard: the hardware of this machine is at /v1/host\n",
            ),
            None => not_found(),
        })
    }

    fn api(&self, path: &str, headers: &HeaderMap) -> Reply {
        let origin = self.access.origin(headers);
        // Without an origin a browser still says whether another site asks: with <script>, <img> or <iframe>.
        let foreign = origin == Origin::None
            && headers
                .get("sec-fetch-site")
                .is_some_and(|site| site == "cross-site");
        if origin == Origin::Refused || foreign {
            return Reply::Now(refused());
        }
        let answer = match path {
            "/v1/host" => match self.latest() {
                Some(answer) => answer,
                None => return Reply::AskDriver,
            },
            "/v1/health" => {
                let body = json!({ "status": "ok", "agent_version": env!("CARGO_PKG_VERSION") });
                Answer::new(StatusCode::OK, JSON, body.to_string())
            }
            _ => not_found(),
        };
        Reply::Now(for_api(answer, origin))
    }

    /// The report, if it is young enough.
    fn latest(&self) -> Option<Answer> {
        let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let (time, answer) = latest.as_ref()?;
        (time.elapsed() < FRESH).then(|| answer.clone())
    }

    /// One question to the driver at a time; those who waited take its answer.
    pub(super) fn ask_driver(&self, headers: &HeaderMap) -> Answer {
        let origin = self.access.origin(headers);
        let source = self.source.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = self.latest() {
            return for_api(answer, origin);
        }
        let report = source.report().and_then(|report| detect::json(&report, false));
        let answer = match report {
            Ok(text) => Answer::new(StatusCode::OK, JSON, text),
            Err(ExpectedError { message, help, .. }) => Answer::problem(
                StatusCode::SERVICE_UNAVAILABLE,
                &output::printable(&message),
                help.as_deref(),
            ),
        };
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        *latest = Some((Instant::now(), answer.clone()));
        for_api(answer, origin)
    }

    fn preflight(&self, head: &Parts) -> Answer {
        let origin = self.access.origin(&head.headers);
        if origin == Origin::Refused {
            return refused();
        }
        let mut answer = Answer::empty(StatusCode::NO_CONTENT).with(ALLOW, METHODS);
        if matches!(origin, Origin::Allowed(_)) {
            answer = answer
                .with(ACCESS_CONTROL_ALLOW_METHODS, METHODS)
                .with(
                    ACCESS_CONTROL_ALLOW_HEADERS,
                    HeaderValue::from_static("accept, authorization, content-type"),
                )
                .with(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
            for (request, response) in PRIVATE_NETWORK {
                if head.headers.get(request).is_some_and(|value| value == "true") {
                    answer = answer.with(response, HeaderValue::from_static("true"));
                }
            }
        }
        allow(answer, origin)
    }
}

fn for_api(answer: Answer, origin: Origin) -> Answer {
    allow(answer, origin).with(CACHE_CONTROL, HeaderValue::from_static("no-store"))
}

/// The page's own requests carry the token from here on, without it in their addresses.
fn remembering(answer: Answer, token: &Token) -> Answer {
    let cookie = format!("{NAME}={}; Path=/; HttpOnly; SameSite=Strict", token.text());
    match HeaderValue::from_str(&cookie) {
        Ok(value) => answer.with(SET_COOKIE, value),
        Err(_) => answer,
    }
}

fn unknown_visitor() -> Answer {
    Answer::problem(
        StatusCode::UNAUTHORIZED,
        "this server listens beyond its own machine and asks for a token",
        Some("Open the address that it printed at its start, or send `Authorization: Bearer TOKEN`."),
    )
}

/// Names the one origin that may read; never a wildcard.
fn allow(answer: Answer, origin: Origin) -> Answer {
    let answer = answer.with(VARY, HeaderValue::from_static("Origin"));
    match origin {
        Origin::Allowed(value) => answer.with(ACCESS_CONTROL_ALLOW_ORIGIN, value),
        Origin::None | Origin::Refused => answer,
    }
}

fn refused() -> Answer {
    Answer::problem(
        StatusCode::FORBIDDEN,
        "pages of this origin may not read the hardware of this machine",
        Some("Start the agent with --allow-origin and the page's address."),
    )
    .with(VARY, HeaderValue::from_static("Origin"))
}

pub(super) fn not_found() -> Answer {
    Answer::problem(StatusCode::NOT_FOUND, "nothing here", None)
}
