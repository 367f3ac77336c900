//! With the feature `embed-ui`: a table of the built page's files.
#![expect(clippy::panic, reason = "a build stops where the page to build in is missing")]

use std::{
    env,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

fn main() {
    println!("cargo::rerun-if-env-changed=VLLM_WIZARD_UI");
    if env::var_os("CARGO_FEATURE_EMBED_UI").is_none() {
        return;
    }
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../dist");
    let folder = env::var_os("VLLM_WIZARD_UI").map_or_else(beside, PathBuf::from);
    let folder = fs::canonicalize(&folder).unwrap_or(folder);
    println!("cargo::rerun-if-changed={}", folder.display());
    assert!(
        folder.join("index.html").is_file(),
        "embed-ui: no index.html in {}; run `cargo xtask build` first, or set VLLM_WIZARD_UI",
        folder.display()
    );
    let mut table = String::from("&[\n");
    list(&folder, "", &mut table);
    table.push(']');
    let target = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("ui.rs");
    if let Err(error) = fs::write(&target, table) {
        panic!("{}: {error}", target.display());
    }
}

/// One row for each file, in the order of their names.
fn list(folder: &Path, prefix: &str, table: &mut String) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // `_headers` is for static hosts.
        if name.starts_with(['.', '_']) {
            continue;
        }
        let shown = format!("{prefix}/{name}");
        if path.is_dir() {
            list(&path, &shown, table);
        } else {
            let file = path.to_string_lossy();
            let _ = writeln!(table, "({shown:?}, include_bytes!({file:?}).as_slice()),");
        }
    }
}
