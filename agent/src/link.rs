//! Links that open the page with a scenario or with a machine in it. All of it stands behind `#`: no server sees it.
use crate::{detect, error::ExpectedError};
use planner::{Scenario, host_report::HostReport, share};
use std::fmt::Write as _;

/// `URL#s=1…`.
pub(crate) fn scenario(base: &str, scenario: &Scenario) -> Result<String, ExpectedError> {
    let base = checked(base, "--link-base")?;
    let fragment = share::to_fragment(scenario)
        .map_err(|error| ExpectedError::usage(format!("--link-base: {error}")).help(error.help()))?;
    Ok(format!("{base}#{fragment}"))
}

/// `URL#host=…`: the report's JSON, percent-encoded.
pub(crate) fn host(base: &str, report: &HostReport) -> Result<String, ExpectedError> {
    let base = checked(base, "--link")?;
    Ok(format!("{base}#host={}", encode(&detect::json(report, false)?)))
}

/// The page's address without a fragment of its own.
fn checked<'a>(base: &'a str, flag: &str) -> Result<&'a str, ExpectedError> {
    let address = base.split('#').next().unwrap_or_default().trim();
    let web = ["https://", "http://", "file://"]
        .iter()
        .any(|scheme| address.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()));
    if web && !address.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Ok(address);
    }
    Err(ExpectedError::usage(format!(
        "{flag}: expected the page's address such as https://wizard.example/, got {base:?}"
    )))
}

fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/:,".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_no_fragment_of_its_own() {
        assert_eq!(
            checked("https://w.example/#old", "--link"),
            Ok("https://w.example/")
        );
        for text in ["w.example", "javascript:alert(1)", "https://", "https://a b"] {
            assert!(checked(text, "--link").is_err(), "{text}");
        }
    }

    #[test]
    fn json_survives_a_chat() {
        assert_eq!(
            encode(r#"{"a":[1, "ü"]}"#),
            "%7B%22a%22:%5B1,%20%22%C3%BC%22%5D%7D"
        );
    }
}
