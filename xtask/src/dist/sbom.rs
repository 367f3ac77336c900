//! What the binary and the page are made of, as CycloneDX 1.5: crates that are compiled in, with versions, licences and the
//! registry's checksums. The same lock file gives the same bytes.
use crate::{process::cargo, rust::WASM, workspace};
use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// One file for the binary, one for the page.
fn write_all(package: &Path, native: &str) -> Result<()> {
    let lock = fs::read_to_string(workspace::root().join("Cargo.lock"))?;
    let checksums = checksums(&lock);
    for (root, target, file) in [
        ("agent", native, "sbom-vllm-wizard.cdx.json"),
        ("web", WASM, "sbom-page.cdx.json"),
    ] {
        let metadata = metadata(target)?;
        let bill = bill(&metadata, root, &checksums)?;
        super::write(&package.join(file), &format!("{bill:#}\n"))?;
    }
    Ok(())
}

/// For the system that this runs on.
pub(super) fn write(package: &Path) -> Result<()> {
    let answer = crate::process::answer("rustc", &["-vV"]).context("asking rustc for its system")?;
    let native = answer
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .context("rustc names no host")?;
    write_all(package, native)
}

fn metadata(target: &str) -> Result<Value> {
    let output = cargo()
        .args([
            "metadata",
            "--locked",
            "--format-version",
            "1",
            "--filter-platform",
            target,
        ])
        .output()
        .context("starting cargo metadata")?;
    ensure!(
        output.status.success(),
        "cargo metadata failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// By name and version.
fn checksums(lock: &str) -> BTreeMap<(String, String), String> {
    let value = |entry: &str, key: &str| {
        let line = entry
            .lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix(" = \""))?;
        Some(line.trim_end_matches('"').to_owned())
    };
    lock.split("[[package]]")
        .filter_map(|entry| {
            Some((
                (value(entry, "name")?, value(entry, "version")?),
                value(entry, "checksum")?,
            ))
        })
        .collect()
}

fn bill(metadata: &Value, root: &str, checksums: &BTreeMap<(String, String), String>) -> Result<Value> {
    let list = |value: &Value, key: &str| {
        value
            .get(key)
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    let text = |value: &Value, key: &str| {
        value
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let packages: BTreeMap<String, Value> = list(metadata, "packages")
        .into_iter()
        .map(|package| (text(&package, "id"), package))
        .collect();
    let nodes = list(
        metadata.get("resolve").context("cargo resolved nothing")?,
        "nodes",
    );
    let edges: BTreeMap<String, Vec<String>> = nodes
        .iter()
        .map(|node| (text(node, "id"), compiled_in(node)))
        .collect();
    let start = packages
        .iter()
        .find(|(_, package)| text(package, "name") == root)
        .map(|(id, _)| id.clone())
        .with_context(|| format!("no package {root}"))?;
    let mut seen = BTreeSet::new();
    let mut open = vec![start.clone()];
    while let Some(id) = open.pop() {
        if seen.insert(id.clone()) {
            open.extend(edges.get(&id).cloned().unwrap_or_default());
        }
    }
    let component = |id: &String| -> Option<Value> {
        let package = packages.get(id)?;
        let (name, version) = (text(package, "name"), text(package, "version"));
        let mut component = json!({
            "type": "library", "bom-ref": format!("pkg:cargo/{name}@{version}"),
            "name": name, "version": version, "purl": format!("pkg:cargo/{name}@{version}"),
        });
        let object: &mut Map<String, Value> = component.as_object_mut()?;
        let license = text(package, "license");
        if !license.is_empty() {
            object.insert(
                "licenses".to_owned(),
                json!([{ "expression": license.replace('/', " OR ") }]),
            );
        }
        if let Some(checksum) = checksums.get(&(name, version)) {
            object.insert(
                "hashes".to_owned(),
                json!([{ "alg": "SHA-256", "content": checksum }]),
            );
        }
        Some(component)
    };
    let mut components: Vec<Value> = seen
        .iter()
        .filter(|id| **id != start)
        .filter_map(component)
        .collect();
    components.sort_by_key(|component| text(component, "bom-ref"));
    Ok(json!({
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "metadata": { "component": { "type": "application", "name": "vllm-wizard", "version": env!("CARGO_PKG_VERSION") } },
        "components": components,
    }))
}

/// Neither what only tests use nor what only runs while building.
fn compiled_in(node: &Value) -> Vec<String> {
    let dependencies = node.get("deps").and_then(Value::as_array);
    let is_normal = |dependency: &&Value| {
        let kinds = dependency.get("dep_kinds").and_then(Value::as_array);
        kinds.is_some_and(|kinds| {
            kinds
                .iter()
                .any(|kind| kind.get("kind").is_none_or(Value::is_null))
        })
    };
    dependencies
        .into_iter()
        .flatten()
        .filter(is_normal)
        .filter_map(|dependency| Some(dependency.get("pkg")?.as_str()?.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_compiled_in_is_listed() -> Result<()> {
        let package =
            |name: &str| json!({"id": name, "name": name, "version": "1.0.0", "license": "MIT/Apache-2.0"});
        let dependency = |name: &str, kind: Value| json!({"pkg": name, "dep_kinds": [{"kind": kind}]});
        let metadata = json!({
            "packages": [package("agent"), package("used"), package("deep"), package("tests"), package("other")],
            "resolve": {"nodes": [
                {"id": "agent", "deps": [dependency("used", Value::Null), dependency("tests", json!("dev"))]},
                {"id": "used", "deps": [dependency("deep", Value::Null)]},
                {"id": "other", "deps": []},
            ]},
        });
        let lock = "[[package]]\nname = \"used\"\nversion = \"1.0.0\"\nchecksum = \"abc\"\n";
        let bill = bill(&metadata, "agent", &checksums(lock))?;
        let names: Vec<&str> = bill["components"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|component| component["name"].as_str())
            .collect();
        assert_eq!(names, ["deep", "used"]);
        assert_eq!(bill["components"][1]["hashes"][0]["content"], "abc");
        assert_eq!(
            bill["components"][1]["licenses"][0]["expression"],
            "MIT OR Apache-2.0"
        );
        Ok(())
    }
}
