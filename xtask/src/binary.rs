//! `vllm-wizard` as it is released: what tests, limits, sizes and the package all mean by "the binary".

use crate::{
    process::{answer, cargo, run},
    workspace,
};
use anyhow::{Context, Result, ensure};
use std::{
    env,
    path::{Path, PathBuf},
};

/// What a build may differ in.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Build<'a> {
    /// Another target than this system.
    pub(crate) target: Option<&'a str>,
    /// Cargo features of the package `agent`.
    pub(crate) features: &'a [&'a str],
    /// The built page, for the feature `embed-ui`.
    pub(crate) site: Option<&'a Path>,
}

/// Builds it, and says where it lies.
pub(crate) fn build(what: Build<'_>) -> Result<PathBuf> {
    let host = host()?;
    let target = what.target.unwrap_or(&host);
    let mut command = cargo();
    command.args(["build", "--locked", "--release", "--package", "agent"]);
    command.args(["--features", &what.features.join(",")]);
    command.args(["--config", &rustflags(target)]);
    let mut folder = workspace::target_dir()?;
    if let Some(target) = what.target {
        command.args(["--target", target]);
        folder = folder.join(target);
    }
    if let Some(site) = what.site {
        command.env("VLLM_WIZARD_UI", site);
    }
    run(&mut command)?;
    let name = format!("vllm-wizard{}", env::consts::EXE_SUFFIX);
    let binary = folder.join("release").join(name);
    ensure!(binary.is_file(), "cargo built no {}", binary.display());
    Ok(binary)
}

/// The target that rustc builds for when it is told nothing.
fn host() -> Result<String> {
    let about = answer("rustc", &["-vV"]).context("rustc -vV fails")?;
    let host = about.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc -vV names no host")?.to_owned())
}

/// What a release gets beyond its profile: few functions laid into those that call them (50 kB less, and a plan takes 1 to
/// 2 % longer); no folder of the machine that built it in the places of panics; where the linker is the one that rustc
/// brings, also equal functions once (32 kB less) and no tables for unwinding (280 kB less), which `force-unwind-tables=no`
/// leaves.
fn rustflags(target: &str) -> String {
    let mut flags = vec!["-Cllvm-args=-inline-threshold=10".to_owned()];
    if let Some(sources) = cargo_home().map(|home| home.join("registry").join("src")) {
        flags.push(format!("--remap-path-prefix={}=", sources.display()));
    }
    if has_own_linker(target) {
        let script = workspace::root().join("xtask/no-frames.ld");
        flags.push("-Clink-arg=-Wl,--icf=all".to_owned());
        flags.push(format!("-Clink-arg=-T{}", script.display()));
    }
    // A list of strings reads the same in TOML as in Rust.
    format!("target.{target}.rustflags={flags:?}")
}

fn cargo_home() -> Option<PathBuf> {
    env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| env::home_dir().map(|home| home.join(".cargo")))
}

/// Whether rustc links this target with the lld of its own toolchain, as it does for this one by default.
fn has_own_linker(target: &str) -> bool {
    target == "x86_64-unknown-linux-gnu"
        && answer("rustc", &["--print", "sysroot"]).is_some_and(|sysroot| {
            Path::new(sysroot.trim())
                .join("lib/rustlib")
                .join(target)
                .join("bin/gcc-ld/ld.lld")
                .is_file()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_linker_gets_no_flags_it_may_not_know() {
        assert!(!rustflags("x86_64-unknown-linux-musl").contains("link-arg"));
    }
}
