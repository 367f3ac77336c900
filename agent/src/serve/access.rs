//! Who may ask: names of this server, and origins of pages.
use crate::error::ExpectedError;
use hyper::{
    HeaderMap, Uri,
    header::{HOST, HeaderValue, ORIGIN},
};
use std::net::{IpAddr, SocketAddr};

/// The rules, fixed at the start.
#[derive(Clone, Debug)]
pub(super) struct Access {
    address: SocketAddr,
    origins: Vec<String>,
}

/// What a request's origin means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// No page of another origin asks.
    None,
    /// This one may read the answer.
    Allowed(HeaderValue),
    /// This one may not.
    Refused,
}

impl Access {
    /// For a server at `address` that also lets pages of `origins` read.
    pub(super) fn new(address: SocketAddr, origins: &[String]) -> Result<Self, ExpectedError> {
        let origins = origins
            .iter()
            .map(|text| exact_origin(text))
            .collect::<Result<_, _>>()?;
        Ok(Self { address, origins })
    }

    /// Whether the request names this server, once, in `Host` and in a full request target.
    pub(super) fn names_us(&self, uri: &Uri, headers: &HeaderMap) -> bool {
        let mut hosts = headers.get_all(HOST).iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else {
            return false;
        };
        let ours = |name: &str| self.is_our_name(name);
        host.to_str().is_ok_and(ours) && uri.authority().is_none_or(|authority| ours(authority.as_str()))
    }

    fn is_our_name(&self, name: &str) -> bool {
        self.is_this_server(name) || self.is_stated_name(name)
    }

    /// `localhost` or an address, with the port that is listened on.
    fn is_this_server(&self, name: &str) -> bool {
        let (host, port) = split_port(name);
        if port.unwrap_or(80) != self.address.port() {
            return false;
        }
        if host.eq_ignore_ascii_case("localhost") {
            return true;
        }
        let address: Option<IpAddr> = host.trim_start_matches('[').trim_end_matches(']').parse().ok();
        // A name in the DNS can be pointed here by anybody; a number cannot.
        address.is_some_and(|ip| {
            self.address.ip().is_unspecified() || ip.is_loopback() || ip == self.address.ip()
        })
    }

    /// The name of an allowed origin that may be this very server, such as `http://gpu-box:9177`.
    fn is_stated_name(&self, name: &str) -> bool {
        self.origins
            .iter()
            .filter_map(|origin| origin.strip_prefix("http://"))
            .any(|stated| stated.eq_ignore_ascii_case(name))
    }

    /// Judges the `Origin` header.
    pub(super) fn origin(&self, headers: &HeaderMap) -> Origin {
        let mut origins = headers.get_all(ORIGIN).iter();
        match (origins.next(), origins.next()) {
            (None, _) => Origin::None,
            (Some(value), None) if value.to_str().is_ok_and(|text| self.may_read(text)) => {
                Origin::Allowed(value.clone())
            }
            _ => Origin::Refused,
        }
    }

    fn may_read(&self, origin: &str) -> bool {
        if self.origins.iter().any(|allowed| allowed == origin) {
            return true;
        }
        let Some(authority) = origin.strip_prefix("http://") else {
            return false;
        };
        // A page of this machine: this server's own, or one under development.
        let (host, _) = split_port(authority);
        matches!(host, "localhost" | "127.0.0.1" | "[::1]") || self.is_this_server(authority)
    }
}

/// Host and port of `host:port`; brackets stay with the host.
fn split_port(name: &str) -> (&str, Option<u16>) {
    match name.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && (!host.contains(':') || host.ends_with(']')) => {
            match port.parse() {
                Ok(port) => (host, Some(port)),
                Err(_) => (name, None),
            }
        }
        _ => (name, None),
    }
}

/// `https://host[:port]`, without a path: an origin is compared to the letter.
fn exact_origin(text: &str) -> Result<String, ExpectedError> {
    let wrong = || {
        ExpectedError::usage(format!("--allow-origin: expected an origin, got {text:?}"))
            .help("Such as https://wizard.example, with the port where it is not the usual one; no path and no wildcard.")
    };
    let plain = text.trim().trim_end_matches('/').to_ascii_lowercase();
    let (scheme, authority) = plain.split_once("://").ok_or_else(wrong)?;
    let sound = authority
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']'));
    if !matches!(scheme, "http" | "https") || authority.is_empty() || !sound {
        return Err(wrong());
    }
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(address: &str, origins: &[&str]) -> Access {
        let origins: Vec<String> = origins.iter().map(|origin| (*origin).to_owned()).collect();
        Access::new(address.parse().unwrap(), &origins).unwrap()
    }

    #[track_caller]
    fn host(access: &Access, host: &str, expected: bool) {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_str(host).unwrap());
        assert_eq!(
            access.names_us(&Uri::from_static("/v1/host"), &headers),
            expected,
            "{host}"
        );
    }

    #[test]
    fn a_foreign_name_is_refused_on_loopback() {
        let access = access("127.0.0.1:9177", &[]);
        for name in ["127.0.0.1:9177", "localhost:9177", "LOCALHOST:9177", "[::1]:9177"] {
            host(&access, name, true);
        }
        for name in [
            "evil.example:9177",
            "127.0.0.1",
            "localhost:80",
            "127.0.0.1.evil.example:9177",
            "localhost.evil.example:9177",
            "192.168.0.1:9177",
            "",
            ":9177",
            "127.0.0.1:9177:9177",
        ] {
            host(&access, name, false);
        }
    }

    #[test]
    fn an_open_server_takes_numbers_and_stated_names() {
        let access = access("0.0.0.0:9177", &["http://gpu-box:9177"]);
        host(&access, "10.1.2.3:9177", true);
        host(&access, "[fd00::1]:9177", true);
        host(&access, "gpu-box:9177", true);
        host(&access, "evil.example:9177", false);
    }

    #[test]
    fn the_name_must_come_once_and_agree_with_the_target() {
        let access = access("127.0.0.1:9177", &[]);
        let mut headers = HeaderMap::new();
        assert!(!access.names_us(&Uri::from_static("/"), &headers));
        headers.append(HOST, HeaderValue::from_static("localhost:9177"));
        assert!(!access.names_us(&Uri::from_static("http://evil.example/v1/host"), &headers));
        assert!(access.names_us(&Uri::from_static("http://localhost:9177/v1/host"), &headers));
        headers.append(HOST, HeaderValue::from_static("localhost:9177"));
        assert!(!access.names_us(&Uri::from_static("/"), &headers));
    }

    #[track_caller]
    fn origin(access: &Access, origin: &str, expected: bool) {
        assert_eq!(access.may_read(origin), expected, "{origin}");
    }

    #[test]
    fn only_this_machines_pages_and_stated_origins_may_read() {
        let access = access("127.0.0.1:9177", &["https://wizard.example/"]);
        for allowed in [
            "http://127.0.0.1:9177",
            "http://localhost:8080",
            "http://localhost",
            "http://[::1]:3000",
            "https://wizard.example",
        ] {
            origin(&access, allowed, true);
        }
        for refused in [
            "null",
            "https://evil.example",
            "https://wizard.example:8443",
            "http://wizard.example",
            "https://wizard.example.evil.example",
            "http://localhost.evil.example",
            "http://127.0.0.1.evil.example:9177",
            "http://192.168.0.1:9177",
            "",
        ] {
            origin(&access, refused, false);
        }
    }

    #[test]
    fn an_origin_has_no_path_and_no_wildcard() {
        for text in [
            "*",
            "https://*",
            "wizard.example",
            "https://a/b",
            "file:///",
            "https://",
            "https://a b",
        ] {
            assert!(exact_origin(text).is_err(), "{text}");
        }
        assert_eq!(
            exact_origin("HTTPS://Wizard.Example/").as_deref(),
            Ok("https://wizard.example")
        );
    }
}
