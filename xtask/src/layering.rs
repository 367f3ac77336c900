//! Holds `planner`'s modules to their layers: each may use the ones below it, and nothing else.
//!
//! Reads `crate::` paths as text, which needs no compiler and sees every line whatever its `cfg`.

use anyhow::{Context, Result, bail};
use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

/// Top-level modules from the ground up. A module may use any in a row above its own here, and itself.
const LAYERS: &[&[&str]] = &[
    // Words and numbers.
    &["text", "order", "built"],
    &["error"],
    &["units"],
    &["bounds"],
    &["json"],
    &["yaml"],
    // Descriptions of the world.
    &["model", "gpu", "engine", "workload"],
    // Arithmetic.
    &["memory"],
    &["performance"],
    // Judgement.
    &["plan"],
    &["recommend"],
    // What others wrote → a scenario.
    &["command", "host_report", "vllm_log", "bench_result"],
    &["share"],
    &["import", "profile"],
    // A plan → files.
    &["artifact"],
];

/// Uses of a lower row that are not wanted all the same: user, used.
const FORBIDDEN: &[(&str, &str)] = &[
    // Files are written from the plan; one that computed memory again could contradict it.
    ("artifact", "memory"),
    ("artifact", "performance"),
];

/// An error that lists every use that the table does not allow.
pub(crate) fn check(source: &Path) -> Result<()> {
    let mut complaints = String::new();
    for path in rust_files(source)? {
        let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        let relative = path.strip_prefix(source).unwrap_or(&path);
        for complaint in complaints_in(relative, &text) {
            writeln!(complaints, "  {}{complaint}", relative.display())?;
        }
    }
    if !complaints.is_empty() {
        bail!(
            "modules of planner use what their layer may not (the table is in xtask/src/layering.rs):\n{complaints}"
        );
    }
    Ok(())
}

fn rust_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let entries = fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(rust_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Complaints about one file, each beginning with `:line: `.
fn complaints_in(relative: &Path, text: &str) -> Vec<String> {
    let Some(module) = relative
        .components()
        .next()
        .map(|first| first.as_os_str().to_string_lossy())
    else {
        return Vec::new();
    };
    let module = module.trim_end_matches(".rs");
    if module == "lib" {
        return Vec::new(); // the façade names everything
    }
    if layer(module).is_none() {
        return vec![format!(": `{module}` is in no layer; add it to the table")];
    }
    let mut complaints = Vec::new();
    for (line, used) in uses(&without_comments(text)) {
        if let Some(why) = refusal(module, &used) {
            complaints.push(format!(":{line}: {why}"));
        }
    }
    complaints
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|row| row.contains(&module))
}

/// Why `user` may not use `used`, or nothing where it may.
fn refusal(user: &str, used: &str) -> Option<String> {
    let Some(below) = layer(used) else {
        return Some(format!(
            "`crate::{used}` is no module of the table; name things by the module they live in"
        ));
    };
    let edge = &(user, used);
    let higher = Some(below) < layer(user);
    let allowed = user == used || (higher && !FORBIDDEN.contains(edge));
    (!allowed).then(|| format!("`{user}` may not use `crate::{used}`"))
}

/// The text with `//` comments, doc comments among them, blanked; lines keep their numbers.
fn without_comments(text: &str) -> String {
    text.lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n")
}

/// Line and first segment of each `crate::` path, braces opened.
fn uses(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, marker) in code.match_indices("crate::") {
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let line = code[..at].matches('\n').count() + 1;
        let rest = &code[at + marker.len()..];
        let names = match rest.strip_prefix('{') {
            Some(group) => group_heads(group),
            None => vec![head(rest)],
        };
        found.extend(names.into_iter().map(|name| (line, name)));
    }
    found
}

/// The first segment of a path.
fn head(path: &str) -> String {
    path.trim_start()
        .chars()
        .take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '*'))
        .collect()
}

/// First segments in `a, b::{c, d}, e}…`, up to the brace that closes the group.
fn group_heads(group: &str) -> Vec<String> {
    let mut heads = Vec::new();
    let (mut depth, mut start) = (0_u32, 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                heads.push(head(&group[start..at]));
                start = at + 1;
                if c == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    heads.retain(|head| !head.is_empty());
    heads
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(file: &str, text: &str, complaints: &[&str]) {
        assert_eq!(complaints_in(Path::new(file), text), complaints, "{file}: {text}");
    }

    #[test]
    fn modules_use_what_lies_below() {
        case(
            "memory/kv_cache.rs",
            "use crate::{model::{Spec, Layer}, units::Bytes};",
            &[],
        );
        case("plan/evaluate.rs", "let b = crate::memory::weights::of(&m);", &[]);
        case("units/bytes.rs", "use crate::units::dtype::Dtype;", &[]);
        case("performance/step.rs", "use crate::memory::Breakdown;", &[]);
        case("lib.rs", "pub use crate::plan::evaluate;", &[]);
    }

    #[test]
    fn upward_and_sideways_uses_are_named_with_their_line() {
        case(
            "units/bytes.rs",
            "\nuse crate::plan::Plan;",
            &[":2: `units` may not use `crate::plan`"],
        );
        case(
            "model/spec.rs",
            "use crate::gpu::GpuSpec;",
            &[":1: `model` may not use `crate::gpu`"],
        );
        case(
            "bounds.rs",
            "use crate::{\n units,\n engine::{Args, version},\n};",
            &[":1: `bounds` may not use `crate::engine`"],
        );
        case(
            "artifact/shell.rs",
            "crate::performance::x()",
            &[":1: `artifact` may not use `crate::performance`"],
        );
    }

    #[test]
    fn comments_and_other_crates_do_not_count() {
        case(
            "units/bytes.rs",
            "/// See [`crate::plan::Plan`].\nuse other_crate::plan::x; // crate::plan",
            &[],
        );
    }

    #[test]
    fn unknown_modules_are_errors() {
        case(
            "novel/mod.rs",
            "",
            &[": `novel` is in no layer; add it to the table"],
        );
        let facade = "`crate::Plan` is no module of the table; name things by the module they live in";
        case("artifact/set.rs", "use crate::Plan;", &[&format!(":1: {facade}")]);
    }
}
