//! Turns the catalogues under `data/` into Rust tables, so that the page neither carries what it does not read (the
//! sources of every figure) nor parses anything before its first answer.
#![allow(
    clippy::disallowed_methods,
    reason = "the crate has no I/O; what builds it reads the catalogues"
)]
use serde_json::Value;
use std::{env, error::Error, fmt::Write as _, fs, path::Path};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let flags = "data/vllm/0.33.0.json";
    table("data/gpus.json", "gpus.rs", gpus)?;
    table("data/models.json", "models.rs", models)?;
    table("data/drafts.json", "drafts.rs", drafts)?;
    table(flags, "flags.rs", |file| list(&file["flags"], flag))?;
    table(flags, "removed_flags.rs", |file| list(&file["removed"], removed))
}

fn table(from: &str, to: &str, write: impl Fn(&Value) -> Result<String>) -> Result<()> {
    println!("cargo::rerun-if-changed={from}");
    let file: Value = serde_json::from_str(&fs::read_to_string(from)?)?;
    let code = write(&file).map_err(|error| format!("{from}: {error}"))?;
    Ok(fs::write(Path::new(&env::var("OUT_DIR")?).join(to), code)?)
}

fn gpus(file: &Value) -> Result<String> {
    let rows = list(&file["gpus"], |gpu| {
        Ok(format!(
            "Row {{ name: {}, nvml_names: &{}, vendor: Vendor::{}, group: GpuGroup::{}, compute_capability: {}, \
             memory_total_mib: {}, cuda_visible_mib: {}, cuda_visible_basis: {}, memory_bandwidth_gbps: {}, \
             dense_gflops: {}, pcie_gen: {}, \
             nvlink_gbps: {}, unified_memory: {} }}",
            text(&gpu["name"])?,
            list(&gpu["nvml_names"], text)?,
            variant(&gpu["vendor"])?,
            variant(&gpu["group"])?,
            optional(&gpu["compute_capability"], text)?,
            optional(&gpu["memory_total_mib"], whole)?,
            optional(&gpu["cuda_visible_mib"], whole)?,
            optional(&gpu["cuda_visible_basis"], |basis| {
                Ok(format!("VisibleBasis::{}", variant(basis)?))
            })?,
            optional(&gpu["memory_bandwidth_gbps"], rounded)?,
            rates(&gpu["dense_tflops"])?,
            optional(&gpu["pcie_gen"], whole)?,
            optional(&gpu["nvlink_gbps"], rounded)?,
            gpu["unified_memory"].as_bool().unwrap_or(false),
        ))
    })?;
    Ok(format!("({}, &{rows})", text(&file["data_revision"])?))
}

fn rates(tflops: &Value) -> Result<String> {
    let mut code = "DenseRates { ".to_owned();
    for format in ["fp16", "bf16", "fp8", "int8", "fp4"] {
        let giga = |value: &Value| {
            let tera = value
                .as_f64()
                .ok_or_else(|| format!("expected a number, got {value}"))?;
            Ok(literal(&format!("{:.0}", tera * 1000.0)))
        };
        write!(code, "{format}: {}, ", optional(&tflops[format], giga)?)?;
    }
    code.push('}');
    Ok(code)
}

fn models(file: &Value) -> Result<String> {
    let count = file["models"].as_array().map_or(0, Vec::len);
    let rows = list(&file["models"], |model| {
        Ok(format!(
            "CatalogModel::new({}, {}, {}, {:?})",
            text(&model["id"])?,
            whole(&model["total_params"])?,
            optional(&model["outside"], text)?,
            model["config"].to_string(),
        ))
    })?;
    // An array: what is resolved stays in it.
    Ok(format!("static MODELS: [CatalogModel; {count}] = {rows};"))
}

fn drafts(file: &Value) -> Result<String> {
    let count = file["drafts"].as_array().map_or(0, Vec::len);
    let rows = list(&file["drafts"], |draft| {
        let ids = list(&draft["ids"], text)?;
        Ok(format!("Draft::new(&{ids}, {:?})", draft["config"].to_string()))
    })?;
    Ok(format!("static DRAFTS: [Draft; {count}] = {rows};"))
}

fn flag(flag: &Value) -> Result<String> {
    Ok(format!(
        "Flag {{ flag: {}, kind: FlagKind::{}, aliases: &{}, negative: &{}, choices: &{} }}",
        text(&flag["flag"])?,
        variant(&flag["kind"])?,
        list(&flag["aliases"], text)?,
        list(&flag["negative"], text)?,
        list(&flag["choices"], |choice| {
            // As they are written on a command line.
            let plain = match choice {
                Value::String(text) => text.clone(),
                Value::Null => "None".to_owned(),
                other => other.to_string(),
            };
            Ok(format!("{plain:?}"))
        })?,
    ))
}

fn removed(flag: &Value) -> Result<String> {
    Ok(format!(
        "Removed {{ flag: {}, last_seen: {}, instead: {} }}",
        text(&flag["flag"])?,
        text(&flag["last_seen"])?,
        optional(&flag["instead"], text)?,
    ))
}

/// `[a, b]`; nothing there is an empty list.
fn list(items: &Value, row: impl Fn(&Value) -> Result<String>) -> Result<String> {
    let mut code = "[".to_owned();
    for item in items.as_array().into_iter().flatten() {
        writeln!(code, "{},", row(item)?)?;
    }
    code.push(']');
    Ok(code)
}

fn optional(value: &Value, inner: impl Fn(&Value) -> Result<String>) -> Result<String> {
    match value {
        Value::Null => Ok("None".to_owned()),
        value => Ok(format!("Some({})", inner(value)?)),
    }
}

fn text(value: &Value) -> Result<String> {
    let text = value
        .as_str()
        .ok_or_else(|| format!("expected a text, got {value}"))?;
    Ok(format!("{text:?}"))
}

fn whole(value: &Value) -> Result<String> {
    let number = value
        .as_u64()
        .ok_or_else(|| format!("expected a whole number, got {value}"))?;
    Ok(literal(&number.to_string()))
}

/// `143_771`
fn literal(digits: &str) -> String {
    let mut text = String::new();
    for (i, digit) in digits.char_indices() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push('_');
        }
        text.push(digit);
    }
    text
}

fn rounded(value: &Value) -> Result<String> {
    let number = value
        .as_f64()
        .ok_or_else(|| format!("expected a number, got {value}"))?;
    Ok(literal(&format!("{number:.0}")))
}

/// `switch_pair` → `SwitchPair`.
fn variant(value: &Value) -> Result<String> {
    let name = value
        .as_str()
        .ok_or_else(|| format!("expected a name, got {value}"))?;
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters
            .next()
            .map(|first| first.to_uppercase().chain(letters).collect::<String>())
            .unwrap_or_default()
    };
    Ok(name.split('_').map(capital).collect())
}
