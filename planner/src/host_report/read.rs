//! Text → [`HostReport`], in any of the three forms.
use super::{HostGpu, HostReport, ReportError, SCHEMA, csv};
use crate::text::short;
use serde_json::{Map, Value};

/// What a field holds.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    /// At most 2^32 - 1.
    Small,
    Bytes,
    Switch,
    Object,
}

impl Kind {
    fn words(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Small => "a whole number",
            Self::Bytes => "a number of bytes",
            Self::Switch => "true or false",
            Self::Object => "an object",
        }
    }

    fn takes(self, value: &Value) -> bool {
        match self {
            Self::Text => value.is_string(),
            Self::Small => value.as_u64().is_some_and(|v| u32::try_from(v).is_ok()),
            Self::Bytes => value.is_u64(),
            Self::Switch => value.is_boolean(),
            Self::Object => value.is_object(),
        }
    }
}

/// Fields of a GPU; `true` for those that may be null.
const GPU: &[(&str, Kind, bool)] = &[
    ("index", Kind::Small, false),
    ("name", Kind::Text, false),
    ("memory_total_bytes", Kind::Bytes, false),
    ("memory_used_bytes", Kind::Bytes, false),
    ("memory_reserved_bytes", Kind::Bytes, true),
    ("memory_processes_bytes", Kind::Bytes, true),
    ("compute_capability", Kind::Text, true),
    ("mig", Kind::Text, true),
    ("pcie", Kind::Object, true),
    ("nvlink", Kind::Object, true),
    ("ecc", Kind::Switch, true),
    ("power_limit_w", Kind::Small, true),
    ("error", Kind::Text, true),
];

const TOP: &[(&str, Kind, bool)] = &[
    ("agent_version", Kind::Text, false),
    ("driver_version", Kind::Text, true),
    ("cuda_driver_version", Kind::Text, true),
    ("host", Kind::Object, false),
];

const HOST: &[(&str, Kind, bool)] = &[
    ("cpu_cores", Kind::Small, false),
    ("memory_total_bytes", Kind::Bytes, false),
];
const PCIE: &[(&str, Kind, bool)] = &[("gen", Kind::Small, false), ("width", Kind::Small, false)];
const NVLINK: &[(&str, Kind, bool)] = &[("links", Kind::Small, false), ("version", Kind::Small, false)];

/// Reads a host report: our JSON, the older tool's array, or nvidia-smi's CSV.
pub fn read(text: &str) -> Result<HostReport, ReportError> {
    let text = text.trim_start_matches('\u{feff}').trim();
    match text.chars().next() {
        None => Err(ReportError::Empty),
        Some('<') => Err(ReportError::Html),
        Some('{' | '[') => json(text),
        Some(_) => csv::read(text),
    }
}

fn json(text: &str) -> Result<HostReport, ReportError> {
    let value = serde_json::from_str(text).map_err(|error| {
        if error.is_eof() {
            ReportError::CutOff { line: error.line() }
        } else {
            ReportError::NotJson {
                message: error.to_string(),
            }
        }
    })?;
    match &value {
        Value::Array(items) => older(items),
        Value::Object(object) => ours(object, &value),
        _ => Err(field("(document)", "an object or a list", &value)),
    }
}

fn ours(object: &Map<String, Value>, value: &Value) -> Result<HostReport, ReportError> {
    let schema = object.get("schema").and_then(Value::as_str);
    if schema != Some(SCHEMA) {
        let found = short(schema.unwrap_or("none"));
        let version = schema.and_then(|schema| schema.strip_prefix("vllm-wizard/host/v"));
        let newer = version.is_some_and(|version| version.parse::<u32>().is_ok_and(|v| v > 1));
        return Err(if newer {
            ReportError::Newer { found }
        } else {
            ReportError::Schema { found }
        });
    }
    check("", object, TOP)?;
    check_inner("host", object, HOST)?;
    let gpus = object.get("gpus").unwrap_or(&Value::Null);
    let list = gpus
        .as_array()
        .ok_or_else(|| field("gpus", "a list of GPUs", gpus))?;
    for (i, gpu) in list.iter().enumerate() {
        check_gpu(&format!("gpus[{i}]"), gpu)?;
    }
    check_topology(object.get("topology"))?;
    check_texts("notes", object.get("notes"))?;
    // What is left is shape that the checks above have seen.
    let report: HostReport = serde_json::from_value(value.clone()).map_err(|error| ReportError::NotJson {
        message: error.to_string(),
    })?;
    if report.gpus.is_empty() {
        return Err(ReportError::NoGpus);
    }
    Ok(report)
}

fn check_gpu(place: &str, gpu: &Value) -> Result<(), ReportError> {
    let object = gpu.as_object().ok_or_else(|| field(place, "an object", gpu))?;
    check(&format!("{place}."), object, GPU)?;
    check_inner(&format!("{place}.pcie"), object, PCIE)?;
    check_inner(&format!("{place}.nvlink"), object, NVLINK)?;
    let failed = object.get("error").is_some_and(Value::is_string);
    for (name, expected) in [("name", "a text"), ("memory_total_bytes", "a number of bytes")] {
        if !failed && !object.contains_key(name) {
            return Err(field(&format!("{place}.{name}"), expected, &Value::Null));
        }
    }
    Ok(())
}

fn check_topology(topology: Option<&Value>) -> Result<(), ReportError> {
    let Some(topology) = topology else {
        return Ok(());
    };
    let rows = topology
        .as_array()
        .ok_or_else(|| field("topology", "a list of lists", topology))?;
    for (i, row) in rows.iter().enumerate() {
        check_texts(&format!("topology[{i}]"), Some(row))?;
    }
    Ok(())
}

fn check_texts(place: &str, value: Option<&Value>) -> Result<(), ReportError> {
    let is_texts = |value: &Value| {
        let list = value.as_array();
        list.is_some_and(|list| list.iter().all(Value::is_string))
    };
    match value {
        Some(value) if !is_texts(value) => Err(field(place, "a list of texts", value)),
        _ => Ok(()),
    }
}

fn check(place: &str, object: &Map<String, Value>, fields: &[(&str, Kind, bool)]) -> Result<(), ReportError> {
    for (name, kind, may_be_null) in fields {
        match object.get(*name) {
            None => {}
            Some(Value::Null) if *may_be_null => {}
            Some(value) if kind.takes(value) => {}
            Some(value) => return Err(field(&format!("{place}{name}"), kind.words(), value)),
        }
    }
    Ok(())
}

/// The fields of an object within; each of them must be there if the object is.
fn check_inner(
    path: &str,
    outer: &Map<String, Value>,
    fields: &[(&str, Kind, bool)],
) -> Result<(), ReportError> {
    let name = path.rsplit('.').next().unwrap_or(path);
    let Some(Value::Object(object)) = outer.get(name) else {
        return Ok(());
    };
    check(&format!("{path}."), object, fields)?;
    match fields
        .iter()
        .find(|(field, ..)| name != "host" && !object.contains_key(*field))
    {
        Some((missing, kind, _)) => Err(field(&format!("{path}.{missing}"), kind.words(), &Value::Null)),
        None => Ok(()),
    }
}

fn field(field: &str, expected: &'static str, found: &Value) -> ReportError {
    ReportError::Field {
        field: field.to_owned(),
        expected,
        found: match found {
            Value::Null => "nothing".to_owned(),
            Value::Array(_) => "a list".to_owned(),
            Value::Object(_) => "an object".to_owned(),
            scalar => short(&scalar.to_string()),
        },
    }
}

/// The older tool's `detect --json`: `[{name, vram_mib, compute_capability, driver_version, cuda_version}]`.
fn older(items: &[Value]) -> Result<HostReport, ReportError> {
    if items.is_empty() {
        return Err(ReportError::NoGpus);
    }
    let mut report = HostReport {
        schema: SCHEMA.to_owned(),
        ..HostReport::default()
    };
    for (i, item) in items.iter().enumerate() {
        let place = format!("[{i}]");
        let object = item.as_object().ok_or_else(|| field(&place, "an object", item))?;
        let text = |name: &str| object.get(name).and_then(Value::as_str).map(str::to_owned);
        let missing = |name: &str, expected| {
            let found = object.get(name).unwrap_or(&Value::Null);
            field(&format!("{place}.{name}"), expected, found)
        };
        let name = text("name").ok_or_else(|| missing("name", "a text"))?;
        let mib = object.get("vram_mib").and_then(csv::mib);
        report.gpus.push(HostGpu {
            index: u32::try_from(i).unwrap_or(u32::MAX),
            name,
            memory_total_bytes: mib.ok_or_else(|| missing("vram_mib", "a number of MiB"))?.get(),
            compute_capability: text("compute_capability"),
            ..HostGpu::default()
        });
        report.driver_version = report.driver_version.or_else(|| text("driver_version"));
        report.cuda_driver_version = report.cuda_driver_version.or_else(|| text("cuda_version"));
    }
    Ok(report)
}
