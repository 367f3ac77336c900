//! The word that visitors from other machines must know.
use crate::error::{Exit, ExpectedError};
use hyper::{
    HeaderMap, Uri,
    header::{AUTHORIZATION, COOKIE},
};
use std::fmt::Write as _;

/// The name in addresses and in the cookie.
pub(super) const NAME: &str = "token";

/// 128 random bits as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token(String);

/// Where a visitor has the token from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// In the address: the printed link was opened.
    InAddress,
    /// In a header, which nobody sees.
    InHeader,
    /// Not at all, or a wrong one.
    No,
}

impl Token {
    /// A new one.
    pub(super) fn random() -> Result<Self, ExpectedError> {
        let mut bytes = [0_u8; 16];
        getrandom::fill(&mut bytes).map_err(|error| {
            ExpectedError::new(
                Exit::Internal,
                format!("the system gives no random numbers: {error}"),
            )
        })?;
        let mut text = String::new();
        for byte in bytes {
            let _ = write!(text, "{byte:02x}");
        }
        Ok(Self(text))
    }

    /// Its letters.
    pub(super) fn text(&self) -> &str {
        &self.0
    }

    /// In the query, as a bearer, or in the cookie that the page was given.
    pub(super) fn shown(&self, uri: &Uri, headers: &HeaderMap) -> Shown {
        let query = uri.query().unwrap_or_default();
        let in_query = query
            .split('&')
            .filter_map(|pair| pair.strip_prefix(NAME)?.strip_prefix('='))
            .any(|text| self.is(text));
        if in_query {
            return Shown::InAddress;
        }
        let texts = |name| {
            headers
                .get_all(name)
                .iter()
                .filter_map(|value| value.to_str().ok())
        };
        let bearer = texts(AUTHORIZATION)
            .filter_map(|text| text.strip_prefix("Bearer "))
            .any(|text| self.is(text.trim()));
        let cookie = texts(COOKIE)
            .flat_map(|text| text.split(';'))
            .filter_map(|pair| pair.trim().strip_prefix(NAME)?.strip_prefix('='))
            .any(|text| self.is(text));
        if bearer || cookie {
            Shown::InHeader
        } else {
            Shown::No
        }
    }

    /// In a time that does not tell how much of it is right.
    fn is(&self, text: &str) -> bool {
        let differs = self
            .0
            .bytes()
            .zip(text.bytes())
            .fold(0, |sum, (a, b)| sum | (a ^ b));
        self.0.len() == text.len() && differs == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    #[test]
    fn every_token_is_another_one() {
        let (a, b) = (Token::random().unwrap(), Token::random().unwrap());
        assert_ne!(a, b);
        assert_eq!(a.text().len(), 32);
    }

    #[test]
    fn it_may_stand_in_the_address_or_in_a_header() {
        let token = Token("abc123".to_owned());
        let none = HeaderMap::new();
        let uri = |text: &str| text.parse::<Uri>().unwrap();
        assert_eq!(token.shown(&uri("/?token=abc123"), &none), Shown::InAddress);
        assert_eq!(
            token.shown(&uri("/v1/host?x=1&token=abc123"), &none),
            Shown::InAddress
        );
        for wrong in [
            "/",
            "/?token=",
            "/?token=abc12",
            "/?token=abc1234",
            "/?token=xbc123",
            "/?tokens=abc123",
        ] {
            assert_eq!(token.shown(&uri(wrong), &none), Shown::No, "{wrong}");
        }
        let with = |name, value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_static(value));
            token.shown(&uri("/"), &headers)
        };
        assert_eq!(with(AUTHORIZATION, "Bearer abc123"), Shown::InHeader);
        assert_eq!(with(COOKIE, "a=b; token=abc123"), Shown::InHeader);
        assert_eq!(with(COOKIE, "a=b; token=abc124"), Shown::No);
        assert_eq!(with(AUTHORIZATION, "Basic abc123"), Shown::No);
    }
}
