//! Fetches one config.json from the Hub or from a mirror of it, only when the button that names the host is pressed.
use super::request::{Answer, Silence, WebRequest};
use crate::{browser, text};
use leptos::prelude::window;

/// The Hub itself.
const HUB: &str = "https://huggingface.co";
/// How long to wait.
const TIME_OUT_MS: u64 = 15_000;
/// Where the address of a mirror is kept.
const ADDRESS: &str = "vllm-wizard.hub";

/// A host that gives config.json files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hub(String);

impl Hub {
    /// The Hub where nothing is written, else the mirror at that address.
    pub(crate) fn read(address: &str) -> Result<Self, &'static str> {
        let address = address.trim().trim_end_matches('/');
        if address.is_empty() {
            return Ok(Self(HUB.to_owned()));
        }
        let (scheme, rest) = address.split_once("://").ok_or(text::HUB_ADDRESS)?;
        if rest.contains('@') {
            return Err(text::HUB_ADDRESS_SECRET);
        }
        let mut parts = rest.split('/');
        let host = parts.next().unwrap_or_default();
        let (name, port) = host.split_once(':').unwrap_or((host, "443"));
        let named = !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
            && port.parse::<u16>().is_ok_and(|port| port > 0);
        // A browser sends nothing in the clear from a secure page, but for this machine.
        let carried = match scheme {
            "https" => true,
            "http" => matches!(name, "127.0.0.1" | "localhost"),
            _ => false,
        };
        let plain = |part: &str| !matches!(part, "" | "." | "..") && path(part) == part;
        if named && carried && parts.all(plain) {
            Ok(Self(address.to_owned()))
        } else {
            Err(text::HUB_ADDRESS)
        }
    }

    /// Its name and port, for the button.
    pub(crate) fn host(&self) -> &str {
        self.0.split('/').nth(2).unwrap_or_default()
    }

    fn config(&self, id: &str, revision: &str) -> String {
        let revision = match revision.trim() {
            "" => "main",
            revision => revision,
        };
        format!("{}/{}/resolve/{}/config.json", self.0, path(id), path(revision))
    }
}

/// The mirror's address of an earlier visit.
pub(crate) fn stored_address() -> String {
    browser::stored(ADDRESS).unwrap_or_default()
}

/// Keeps an address that can be used; nothing else, as it may hold what nobody wants to find again.
pub(crate) fn store_address(address: &str) {
    if Hub::read(address).is_ok() {
        browser::store(
            ADDRESS,
            Some(address.trim()).filter(|address| !address.is_empty()),
        );
    }
}

/// Fetches the config.json of a repository and hands it, or a sentence, to `then`. The token goes to this host alone: a
/// browser leaves it out where the host sends it on to another.
pub(crate) fn fetch_config(
    request: WebRequest,
    hub: &Hub,
    token: &str,
    id: String,
    revision: &str,
    then: impl FnOnce(Result<String, String>) + 'static,
) {
    let token = token.trim().to_owned();
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return then(Err(text::HUB_TOKEN.to_owned()));
    }
    let (host, url, with_token) = (
        hub.host().to_owned(),
        hub.config(&id, revision),
        !token.is_empty(),
    );
    let answered = move |answer| then(read(&host, &id, with_token, answer));
    request.start(url, token, TIME_OUT_MS, Box::new(answered));
}

fn read(host: &str, id: &str, with_token: bool, answer: Answer) -> Result<String, String> {
    match answer {
        Ok((200..300, config)) => Ok(config),
        Ok((status, _)) => Err(text::hub_status(host, id, with_token, status)),
        Err(Silence::TimedOut) => Err(text::hub_time_out(host)),
        Err(Silence::Cancelled) => Err(text::CANCELLED.to_owned()),
        Err(Silence::Denied) => Err(text::HUB_DENIED.to_owned()),
        Err(Silence::Unreadable) if !window().navigator().on_line() => Err(text::HUB_OFFLINE.to_owned()),
        Err(Silence::Unreadable) => Err(text::hub_no_answer(host, with_token)),
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

    #[test]
    fn a_mirror_takes_the_place_of_the_hub() {
        for (address, host, url) in [
            (
                "",
                "huggingface.co",
                "https://huggingface.co/me/mine/resolve/main/config.json",
            ),
            (
                " https://mirror.example/ ",
                "mirror.example",
                "https://mirror.example/me/mine/resolve/main/config.json",
            ),
            (
                "https://mirror.example:8443/api/hf_remote",
                "mirror.example:8443",
                "https://mirror.example:8443/api/hf_remote/me/mine/resolve/main/config.json",
            ),
            (
                "http://localhost:8081",
                "localhost:8081",
                "http://localhost:8081/me/mine/resolve/main/config.json",
            ),
            (
                "http://127.0.0.1",
                "127.0.0.1",
                "http://127.0.0.1/me/mine/resolve/main/config.json",
            ),
        ] {
            let hub = Hub::read(address).unwrap();
            assert_eq!((hub.host(), hub.config("me/mine", " ")), (host, url.to_owned()));
        }
        let hub = Hub::read("").unwrap();
        assert_eq!(
            hub.config("me/mine", "refs/pr/1"),
            "https://huggingface.co/me/mine/resolve/refs/pr/1/config.json"
        );
    }

    #[test]
    fn what_would_send_a_token_in_the_clear_or_elsewhere_is_no_address() {
        for address in [
            "mirror.example",
            "http://mirror.example",
            "http://127.0.0.1.mirror.example",
            "http://localhost.mirror.example",
            "http://[::1]",
            "ftp://mirror.example",
            "javascript://mirror.example",
            "https://",
            "https:///path",
            "https://mirror.example:0",
            "https://mirror.example:99999",
            "https://mirror.example:80:90",
            "https://mirror.example?to=other",
            "https://mirror.example#x",
            "https://mirror.example/a b",
            "https://mirror.example\\other.example",
            "https://mirror.example/../x",
            "https://mirror.example//other.example",
            "https://mirror.example/%2e%2e/x",
            "https://mirror example",
            "https://münchen.example",
        ] {
            assert_eq!(Hub::read(address), Err(text::HUB_ADDRESS), "{address}");
        }
        for address in [
            "https://me:secret@mirror.example",
            "https://hf_secret@mirror.example",
        ] {
            assert_eq!(Hub::read(address), Err(text::HUB_ADDRESS_SECRET), "{address}");
        }
    }

    #[test]
    fn each_failure_has_its_own_words_and_names_the_host() {
        let said = |with_token, answer| read("mirror.example", "me/mine", with_token, answer).unwrap_err();
        let status = |status| Ok((status, String::new()));
        let answers = [
            said(false, status(401)),
            said(true, status(401)),
            said(true, status(403)),
            said(false, status(404)),
            said(false, status(429)),
            said(false, status(500)),
            said(false, Err(Silence::TimedOut)),
            said(false, Err(Silence::Cancelled)),
            said(false, Err(Silence::Denied)),
        ];
        for (at, answer) in answers.iter().enumerate() {
            assert!(!answers[..at].contains(answer), "{answer}");
        }
        for answer in &answers[..7] {
            assert!(answer.contains("mirror.example"), "{answer}");
        }
        assert!(answers[1].contains("refused the token"), "{}", answers[1]);
        let (without, with) = (
            text::hub_no_answer("mirror.example", false),
            text::hub_no_answer("mirror.example", true),
        );
        assert!(
            without.contains("CORS") && with.contains("Authorization"),
            "{without} {with}"
        );
    }
}
