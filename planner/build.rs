//! Turns the catalogues under `data/` into Rust tables, so that the page neither carries what it does not read (the
//! sources of every figure) nor parses anything before its first answer.
#![allow(
    clippy::disallowed_methods,
    reason = "the crate has no I/O; what builds it reads the catalogues"
)]
use miniz_oxide::deflate::compress_to_vec;
use serde_json::Value;
use std::{env, error::Error, fmt::Write as _, fs, path::Path};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    table("data/gpus.json", "gpus.rs", gpus)?;
    let models = models(&read("data/models.json")?).map_err(|error| format!("data/models.json: {error}"))?;
    packed("models", &models)?;
    table("data/drafts.json", "drafts.rs", drafts)?;
    let [old, middle, new] =
        ["0.10.2", "0.11.2", "0.33.0"].map(|version| read(&format!("data/vllm/{version}.json")));
    packed("flags", &flags(&[old?, middle?, new?])?)
}

/// As the page has it, and packed for the binary.
fn packed(name: &str, text: &str) -> Result<()> {
    write(&format!("{name}.txt"), text)?;
    write(&format!("{name}.deflate"), compress_to_vec(text.as_bytes(), 10))
}

fn table(from: &str, to: &str, code: impl Fn(&Value) -> Result<String>) -> Result<()> {
    let code = code(&read(from)?).map_err(|error| format!("{from}: {error}"))?;
    write(to, &code)
}

fn read(from: &str) -> Result<Value> {
    println!("cargo::rerun-if-changed={from}");
    Ok(serde_json::from_str(&fs::read_to_string(from)?)?)
}

fn write(to: &str, text: impl AsRef<[u8]>) -> Result<()> {
    Ok(fs::write(Path::new(&env::var("OUT_DIR")?).join(to), text)?)
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

/// A line each: id, published count, what that counts besides, config. JSON in one line has no tab in it.
fn models(file: &Value) -> Result<String> {
    let mut text = String::new();
    for model in file["models"].as_array().into_iter().flatten() {
        let count = model["total_params"]
            .as_u64()
            .ok_or("expected a whole number: total_params")?;
        let outside = model["outside"].as_str().unwrap_or_default();
        writeln!(
            text,
            "{}\t{count}\t{outside}\t{}",
            bare(&model["id"])?,
            model["config"]
        )?;
    }
    Ok(text)
}

fn drafts(file: &Value) -> Result<String> {
    let count = file["drafts"].as_array().map_or(0, Vec::len);
    let rows = list(&file["drafts"], |draft| {
        let ids = list(&draft["ids"], text)?;
        Ok(format!("Draft::new(&{ids}, {:?})", draft["config"].to_string()))
    })?;
    Ok(format!("static DRAFTS: [Draft; {count}] = {rows};"))
}

/// One line a flag and form: first and last version, kind, flag, aliases, negations, choices. What three parsers take,
/// each for the versions about it: the first up to 0.10, the second for 0.11, the third from 0.12 on, or after the
/// version in which a flag was last seen. Then, behind an empty line, the flags that are gone.
fn flags(files: &[Value; 3]) -> Result<String> {
    const STARTS: [&str; 3] = ["", "11.0", "12.0"];
    const ENDS: [&str; 3] = ["10.9", "11.9", ""];
    let removed = files[2]["removed"].as_array().ok_or("expected a list: removed")?;
    let find = |file: &Value, name: &Value| {
        let rows = file["flags"].as_array().into_iter().flatten();
        rows.into_iter().find(|row| row["flag"] == *name).cloned()
    };
    let mut names: Vec<&Value> = Vec::new();
    for file in files.iter().rev() {
        for row in file["flags"].as_array().into_iter().flatten() {
            if !names.contains(&&row["flag"]) {
                names.push(&row["flag"]);
            }
        }
    }
    let mut text = String::new();
    for name in names {
        let forms: Vec<Option<Value>> = files.iter().map(|file| find(file, name)).collect();
        let mut from = 0;
        while from < 3 {
            // A form that only gained spellings of its negation is the same: those are of the newest versions alone.
            let same = |at: &usize| plain(forms[*at].as_ref()) == plain(forms[from].as_ref());
            let end = (from + 1..3).find(|at| !same(at)).unwrap_or(3);
            if let Some(row) = &forms[end - 1] {
                let gone = removed.iter().find(|gone| gone["flag"] == *name);
                let last = match gone.filter(|_| forms[end..].iter().all(Option::is_none)) {
                    Some(gone) => minor(&gone["last_seen"])?,
                    None => ENDS[end - 1].to_owned(),
                };
                let first = match &row["first_seen"] {
                    Value::Null => STARTS[from].to_owned(),
                    seen => minor(seen)?,
                };
                writeln!(text, "{first}\t{last}\t{}", columns(row)?)?;
            }
            from = end;
        }
    }
    for gone in removed {
        let instead = gone["instead"].as_str().unwrap_or_default();
        write!(
            text,
            "\n{}\t{}\t{instead}",
            bare(&gone["flag"])?,
            minor(&gone["last_seen"])?
        )?;
    }
    Ok(text)
}

fn plain(row: Option<&Value>) -> Option<Value> {
    let mut row = row?.clone();
    if let Some(row) = row.as_object_mut() {
        row.remove("negative");
    }
    Some(row)
}

fn columns(row: &Value) -> Result<String> {
    let words = |list: &Value| -> Result<String> {
        let words: Vec<String> = list.as_array().into_iter().flatten().map(word).collect();
        match words
            .iter()
            .find(|word| word.is_empty() || word.contains([' ', '\t', '\n']))
        {
            Some(word) => Err(format!("expected a word, got {word:?}").into()),
            None => Ok(words.join(" ")),
        }
    };
    Ok(format!(
        "{}\t{}\t{}\t{}\t{}",
        bare(&row["kind"])?,
        bare(&row["flag"])?,
        words(&row["aliases"])?,
        words(&row["negative"])?,
        words(&row["choices"])?,
    ))
}

/// A choice as it is written on a command line.
fn word(choice: &Value) -> String {
    match choice {
        Value::String(text) => text.clone(),
        Value::Null => "None".to_owned(),
        other => other.to_string(),
    }
}

fn bare(value: &Value) -> Result<&str> {
    Ok(value
        .as_str()
        .ok_or_else(|| format!("expected a text, got {value}"))?)
}

/// `0.17.1` → `17.1`.
fn minor(version: &Value) -> Result<String> {
    let text = bare(version)?;
    let minor = text
        .strip_prefix("0.")
        .ok_or_else(|| format!("expected 0.…, got {text}"))?;
    Ok(minor.to_owned())
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
