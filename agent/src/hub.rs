//! Fetches a model's config.json from the Hugging Face Hub, or from a mirror of it.
use crate::{error::ExpectedError, files, output};
use std::{env, time::Duration};
use ureq::{Agent, Error, config::RedirectAuthHeaders};

/// For the whole answer.
const TIME: Duration = Duration::from_secs(20);
const ENDPOINT: &str = "https://huggingface.co";

/// The text, and where it came from.
pub(crate) fn config(id: &str, revision: Option<&str>) -> Result<(String, String), ExpectedError> {
    let endpoint = set("HF_ENDPOINT").unwrap_or_else(|| ENDPOINT.to_owned());
    let endpoint = endpoint.trim_end_matches('/');
    if !["https://", "http://"]
        .iter()
        .any(|scheme| endpoint.starts_with(scheme))
    {
        return Err(ExpectedError::usage(format!(
            "HF_ENDPOINT: expected an address such as {ENDPOINT}, got {endpoint:?}"
        )));
    }
    let revision = revision.unwrap_or("main");
    if !(is_plain(id) && is_plain(revision)) || id.split('/').count() != 2 {
        return Err(ExpectedError::input(format!(
            "`{}` is no repository of the Hub: expected owner/name",
            output::printable(id)
        )));
    }
    let url = format!("{endpoint}/{id}/resolve/{revision}/config.json");
    output::say(&format!("fetching {url}"));
    Ok((fetch(&url, id)?, url))
}

fn set(name: &str) -> Option<String> {
    env::var(name)
        .ok()
        .map(|text| text.trim().to_owned())
        .filter(|text| !text.is_empty())
}

/// Letters that need no escape in an address, and no way up.
fn is_plain(text: &str) -> bool {
    let sign = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    text.chars().all(sign) && text.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

fn fetch(url: &str, id: &str) -> Result<String, ExpectedError> {
    let agent: Agent = Agent::config_builder()
        .timeout_global(Some(TIME))
        .max_redirects(5)
        // Another host is not told the token.
        .redirect_auth_headers(RedirectAuthHeaders::SameHost)
        .user_agent(concat!("vllm-wizard/", env!("CARGO_PKG_VERSION")))
        .build()
        .into();
    let mut request = agent.get(url);
    if let Some(token) = set("HF_TOKEN") {
        request = request.header("Authorization", format!("Bearer {token}"));
    }
    let mut answer = request.call().map_err(|error| explained(&error, url, id))?;
    answer
        .body_mut()
        .with_config()
        .limit(files::MAX_CONFIG)
        .read_to_string()
        .map_err(|error| explained(&error, url, id))
}

fn explained(error: &Error, url: &str, id: &str) -> ExpectedError {
    let wrong = |what: &str| ExpectedError::input(format!("{url}: {what}"));
    match error {
        Error::StatusCode(401 | 403) => wrong("the Hub asks who you are").help(format!(
            "Accept the model's terms at its page ({id}), and set HF_TOKEN to a token that may read it."
        )),
        Error::StatusCode(404) => wrong("no such file")
            .help("Check the id and --revision; private repositories are not found without HF_TOKEN."),
        Error::StatusCode(429) => wrong("the Hub asks for a pause").help("Try again later, or set HF_TOKEN."),
        Error::StatusCode(status) => wrong(&format!("the Hub answers with status {status}")),
        Error::Timeout(_) => wrong("no answer within 20 seconds"),
        Error::BodyExceedsLimit(limit) => {
            wrong(&format!("more than {limit} bytes, which no config.json has"))
        }
        other => wrong(&other.to_string())
            .help("Without a network, download config.json elsewhere and give it with --model-config."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_lead_elsewhere_are_refused() {
        for text in ["a/../b", "a//b", "a/b?x", "a/b#c", "a b/c", "./a", "a/b%2f"] {
            assert!(!is_plain(text), "{text}");
        }
        assert!(is_plain("Qwen/Qwen3-8B") && is_plain("refs/pr/1"));
    }
}
