//! From a request's head to an answer. No sockets here.
use super::{
    access::{Access, Origin},
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
        REFERRER_POLICY, TRANSFER_ENCODING, VARY, X_CONTENT_TYPE_OPTIONS,
    },
    http::request::Parts,
};
use serde_json::json;
use std::sync::Mutex;

const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, OPTIONS");
const JSON: &str = "application/json";
/// Browsers ask before a public page reaches into a private network: the older and the newer name.
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
    source: Mutex<Box<dyn GpuSource>>,
    ui: Option<Ui>,
}

/// Status, headers, body.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn new(status: StatusCode, content_type: &'static str, body: Vec<u8>) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        Self {
            status,
            headers,
            body,
        }
    }

    /// `{"error": …, "help": …}`.
    pub(super) fn problem(status: StatusCode, error: &str, help: Option<&str>) -> Self {
        let body = json!({ "error": error, "help": help }).to_string();
        Self::new(status, JSON, body.into_bytes())
    }

    fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    pub(super) fn into_response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(Bytes::from(self.body)));
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
    pub(super) fn new(access: Access, source: Box<dyn GpuSource>, ui: Option<Ui>) -> Self {
        Self {
            access,
            source: Mutex::new(source),
            ui,
        }
    }

    /// The answer to a request. Its body is never read, so it must have none.
    pub(super) fn answer(&self, head: &Parts) -> Answer {
        if !self.access.names_us(&head.uri, &head.headers) {
            return Answer::problem(
                StatusCode::MISDIRECTED_REQUEST,
                "this server has another name",
                Some("Ask for it as 127.0.0.1 or localhost with its port."),
            );
        }
        let has_body = head.headers.contains_key(TRANSFER_ENCODING)
            || head
                .headers
                .get(CONTENT_LENGTH)
                .is_some_and(|length| length != "0");
        if has_body {
            return Answer::problem(StatusCode::PAYLOAD_TOO_LARGE, "no request here has a body", None);
        }
        match head.method {
            Method::GET | Method::HEAD => self.get(head),
            Method::OPTIONS => self.preflight(head),
            _ => Answer::problem(StatusCode::METHOD_NOT_ALLOWED, "only GET, HEAD and OPTIONS", None)
                .with(ALLOW, METHODS),
        }
    }

    fn get(&self, head: &Parts) -> Answer {
        let path = head.uri.path();
        if path == "/v1" || path.starts_with("/v1/") {
            return self.api(path, &head.headers);
        }
        match &self.ui {
            Some(ui) => ui.file(path),
            None if path == "/" => Answer::new(
                StatusCode::OK,
                "text/plain; charset=utf-8",
                b"vllm-wizard: the hardware of this machine is at /v1/host\n".to_vec(),
            ),
            None => not_found(),
        }
    }

    fn api(&self, path: &str, headers: &HeaderMap) -> Answer {
        let origin = self.access.origin(headers);
        // Without an origin a browser still says whether another site asks: with <script>, <img> or <iframe>.
        let foreign = origin == Origin::None
            && headers
                .get("sec-fetch-site")
                .is_some_and(|site| site == "cross-site");
        if origin == Origin::Refused || foreign {
            return refused();
        }
        let answer = match path {
            "/v1/host" => self.host(),
            "/v1/health" => {
                let body = json!({ "status": "ok", "agent_version": env!("CARGO_PKG_VERSION") });
                Answer::new(StatusCode::OK, JSON, body.to_string().into_bytes())
            }
            _ => not_found(),
        };
        allow(answer, origin).with(CACHE_CONTROL, HeaderValue::from_static("no-store"))
    }

    /// One question to the driver at a time.
    fn host(&self) -> Answer {
        let source = self
            .source
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let report = source.report().and_then(|report| detect::json(&report, false));
        match report {
            Ok(text) => Answer::new(StatusCode::OK, JSON, text.into_bytes()),
            Err(ExpectedError { message, help, .. }) => Answer::problem(
                StatusCode::SERVICE_UNAVAILABLE,
                &output::printable(&message),
                help.as_deref(),
            ),
        }
    }

    fn preflight(&self, head: &Parts) -> Answer {
        let origin = self.access.origin(&head.headers);
        if origin == Origin::Refused {
            return refused();
        }
        let mut answer = Answer {
            status: StatusCode::NO_CONTENT,
            headers: HeaderMap::new(),
            body: Vec::new(),
        }
        .with(ALLOW, METHODS);
        if matches!(origin, Origin::Allowed(_)) {
            answer = answer
                .with(ACCESS_CONTROL_ALLOW_METHODS, METHODS)
                .with(
                    ACCESS_CONTROL_ALLOW_HEADERS,
                    HeaderValue::from_static("accept, content-type"),
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
