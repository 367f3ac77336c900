//! Links that open the page with a scenario or with a machine in it. All of it stands behind `#`: no server sees it.
use crate::error::{Exit, ExpectedError};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use planner::{Scenario, host_report::HostReport, share};
use serde_json::{Map, Value};

/// `URL#s=1…`.
pub(crate) fn scenario(base: &str, scenario: &Scenario) -> Result<String, ExpectedError> {
    let base = checked(base, "--link-base")?;
    let fragment = share::to_fragment(scenario)
        .map_err(|error| ExpectedError::usage(format!("--link-base: {error}")).help(error.help()))?;
    Ok(format!("{base}#{fragment}"))
}

/// How much of a report goes into a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Amount {
    /// All that is known.
    All,
    /// What a plan depends on: the code must be readable from a screen.
    Needed,
}

/// Of a GPU, what a plan does not depend on.
const NOT_NEEDED: &[&str] = &[
    "memory_used_bytes",
    "memory_processes_bytes",
    "pcie",
    "ecc",
    "power_limit_w",
];

/// `URL#host=…`: the report's JSON in the letters that every chat and terminal leaves alone.
pub(crate) fn host(base: &str, report: &HostReport, amount: Amount) -> Result<String, ExpectedError> {
    let base = checked(base, "--link")?;
    let failed = |error: serde_json::Error| {
        ExpectedError::new(Exit::Internal, format!("cannot write the link: {error}"))
    };
    let mut value = serde_json::to_value(report).map_err(failed)?;
    if let Some(object) = value.as_object_mut() {
        shorten(object, report, amount);
    }
    Ok(format!(
        "{base}#host={}",
        URL_SAFE_NO_PAD.encode(value.to_string())
    ))
}

/// Leaves out what a reader would take for granted.
fn shorten(object: &mut Map<String, Value>, report: &HostReport, amount: Amount) {
    let needed = amount == Amount::Needed;
    object.retain(|name, value| {
        let is_spare = needed && matches!(name.as_str(), "agent_version" | "host" | "notes");
        !value.is_null() && !is_spare
    });
    if all_by_nvlink(report) {
        object.remove("topology");
    }
    let gpus = object.get_mut("gpus").and_then(Value::as_array_mut);
    for gpu in gpus.into_iter().flatten().filter_map(Value::as_object_mut) {
        gpu.retain(|name, value| {
            let is_spare = needed && NOT_NEEDED.contains(&name.as_str());
            !value.is_null() && !is_spare
        });
    }
}

/// Without a matrix, links on every GPU are read as NVLink between all of them.
fn all_by_nvlink(report: &HostReport) -> bool {
    let links = |gpu: &planner::host_report::HostGpu| gpu.nvlink.is_some_and(|nvlink| nvlink.links > 0);
    let words = report.topology.iter().flatten();
    report.gpus.iter().all(links) && words.clone().all(|word| word == "NVLINK" || word == "SELF")
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

#[cfg(test)]
mod tests {
    use super::*;
    use planner::host_report::{read, to_hardware};
    use std::{fs, path::Path};

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
    fn a_shortened_report_plans_the_same() {
        for name in ["h200x8", "h100x2", "one_unreadable"] {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/{name}.json"));
            let report = read(&fs::read_to_string(path).unwrap()).unwrap();
            for amount in [Amount::All, Amount::Needed] {
                let link = host("https://w.example/", &report, amount).unwrap();
                let packed = link.strip_prefix("https://w.example/#host=").unwrap();
                assert!(
                    packed
                        .chars()
                        .all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
                );
                let text = String::from_utf8(URL_SAFE_NO_PAD.decode(packed).unwrap()).unwrap();
                let (found, expected) = (
                    to_hardware(&read(&text).unwrap()).unwrap(),
                    to_hardware(&report).unwrap(),
                );
                assert_eq!(found.gpu, expected.gpu, "{name}");
                assert_eq!(
                    (found.gpus, found.interconnect),
                    (expected.gpus, expected.interconnect),
                    "{name}"
                );
            }
        }
    }
}
