//! The binaries of a release, and what they need to run.
use super::write;
use crate::{
    binary::{self, Build},
    process::{answer, cargo, run},
    rust,
    steps::Steps,
    workspace,
};
use anyhow::{Context, Result, ensure};
use std::{
    env, fs,
    path::{Path, PathBuf},
};

const MUSL: &str = "x86_64-unknown-linux-musl";

/// One folder of the package.
pub(super) struct Made {
    /// Of the folder.
    pub(super) name: String,
    /// Of the binary.
    pub(super) bytes: u64,
    /// In words.
    pub(super) needs: String,
}

/// Every binary that this machine can build.
pub(super) fn build(steps: &Steps, package: &Path, site: &Path) -> Result<Vec<Made>> {
    let version = env!("CARGO_PKG_VERSION");
    let system = format!("{}-{}", env::consts::ARCH, env::consts::OS);
    let manual = manual(steps, package)?;
    let mut made = Vec::new();
    let plain = compile(steps, Build::default())?;
    made.push(pack(
        package,
        &format!("vllm-wizard-{version}-{system}"),
        &plain,
        &manual,
    )?);
    let with_page = compile(
        steps,
        Build {
            features: &["embed-ui"],
            site: Some(site),
            ..Build::default()
        },
    )?;
    made.push(pack(
        package,
        &format!("vllm-wizard-page-inside-{version}-{system}"),
        &with_page,
        &manual,
    )?);
    if system == "x86_64-linux" {
        if rust::add_target(steps, MUSL) {
            let fixed = compile(
                steps,
                Build {
                    target: Some(MUSL),
                    ..Build::default()
                },
            )?;
            let name = format!("vllm-wizard-{version}-{system}-static");
            made.push(pack(package, &name, &fixed, &manual)?);
        } else {
            steps.note(&format!("no static binary: rustup has no {MUSL} here"));
        }
    }
    fs::remove_dir_all(&manual)?;
    Ok(made)
}

/// Completions and manual pages, from a build that can write them.
fn manual(steps: &Steps, package: &Path) -> Result<PathBuf> {
    steps.next("completions and manual pages");
    let folder = package.join("manual");
    run(cargo()
        .args([
            "run",
            "--locked",
            "--quiet",
            "--package",
            "agent",
            "--features",
            "manual",
            "--",
            "manual",
        ])
        .arg(&folder))?;
    Ok(folder)
}

fn compile(steps: &Steps, what: Build<'_>) -> Result<PathBuf> {
    let page = if what.site.is_some() {
        ", with the page inside"
    } else {
        ""
    };
    let target = what.target.unwrap_or("this system");
    steps.next(&format!("the binary for {target}{page}"));
    binary::build(what)
}

fn pack(package: &Path, name: &str, binary: &Path, manual: &Path) -> Result<Made> {
    let folder = package.join(name);
    fs::create_dir_all(&folder)?;
    let file = binary.file_name().context("a binary has a name")?;
    let target = folder.join(file);
    fs::copy(binary, &target).with_context(|| format!("copying {}", binary.display()))?;
    for part in ["completions", "man1"] {
        let from = manual.join(part);
        fs::create_dir_all(folder.join(part))?;
        for path in super::page_files::files(&from)? {
            fs::copy(
                &path,
                folder.join(part).join(path.file_name().unwrap_or_default()),
            )?;
        }
    }
    for text in ["LICENSE", "README.md", "CHANGELOG.md"] {
        fs::copy(workspace::root().join(text), folder.join(text))?;
    }
    // It must run at all, from where it is packed.
    let answered = answer(&target, &["--version"]).with_context(|| format!("{name} does not run"))?;
    ensure!(
        answered.starts_with("vllm-wizard "),
        "{name} answers {answered:?}"
    );
    let bytes = fs::read(&target)?;
    let needs = needs(&bytes);
    let about = format!(
        "{needs}\n{}\n",
        if needs.starts_with("nothing") {
            STATIC
        } else {
            DYNAMIC
        }
    );
    write(&folder.join("NEEDS.txt"), &about)?;
    Ok(Made {
        name: name.to_owned(),
        bytes: bytes.len() as u64,
        needs,
    })
}

const STATIC: &str =
    "A program that is linked statically cannot load the NVIDIA driver's library: `detect` reads nvidia-smi.";
const DYNAMIC: &str = "`detect` loads the NVIDIA driver's library where there is one.";

/// The newest version of glibc whose symbols the binary names.
fn needs(binary: &[u8]) -> String {
    match newest_glibc(binary) {
        Some((major, minor)) => format!("needs glibc {major}.{minor} or newer"),
        None => "nothing but the kernel".to_owned(),
    }
}

fn newest_glibc(binary: &[u8]) -> Option<(u32, u32)> {
    const MARK: &[u8] = b"GLIBC_";
    let starts = binary
        .windows(MARK.len())
        .enumerate()
        .filter(|(_, window)| *window == MARK);
    starts
        .filter_map(|(at, _)| {
            let rest = binary.get(at + MARK.len()..)?;
            let end = rest
                .iter()
                .position(|byte| !(byte.is_ascii_digit() || *byte == b'.'))?;
            let text = std::str::from_utf8(rest.get(..end)?).ok()?;
            let mut numbers = text.split('.');
            Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
        })
        .max()
}

/// An image with the binary for glibc and the few libraries that it and the driver's library load; no shell, no user but
/// one without rights.
pub(super) fn dockerfile(made: &[Made]) -> String {
    let folder = made.first().map_or("vllm-wizard", |made| made.name.as_str());
    let libraries = [
        "libc.so.6",
        "libm.so.6",
        "libgcc_s.so.1",
        "libdl.so.2",
        "libpthread.so.0",
        "librt.so.1",
    ];
    let copies: Vec<String> = libraries
        .iter()
        .map(|library| {
            format!("COPY --from=libraries /lib/x86_64-linux-gnu/{library} /lib/x86_64-linux-gnu/")
        })
        .collect();
    let copies = copies.join("\n");
    format!(
        "# docker build -t vllm-wizard .        (in the folder that `cargo xtask dist` writes)\n\
         # docker run --rm --gpus all vllm-wizard detect\n\
         FROM debian:12-slim AS libraries\n\
         RUN apt-get update && apt-get install -y --no-install-recommends libgcc-s1\n\n\
         FROM scratch\n\
         COPY --from=libraries /lib64/ld-linux-x86-64.so.2 /lib64/\n\
         {copies}\n\
         COPY {folder}/vllm-wizard /vllm-wizard\n\
         # Where NVIDIA's container toolkit puts the driver's library, by the kind of system that it sees.\n\
         ENV LD_LIBRARY_PATH=/usr/lib64:/usr/lib/x86_64-linux-gnu:/lib/x86_64-linux-gnu \\\n    \
         NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility\n\
         USER 65532:65532\n\
         ENTRYPOINT [\"/vllm-wizard\"]\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_symbol_version_counts() {
        let bytes = b"\0GLIBC_2.2.5\0GLIBC_2.34\0GLIBC_2.9\0GLIBC_PRIVATE\0";
        assert_eq!(newest_glibc(bytes), Some((2, 34)));
        assert_eq!(newest_glibc(b"nothing here"), None);
        assert_eq!(needs(b""), "nothing but the kernel");
    }
}
