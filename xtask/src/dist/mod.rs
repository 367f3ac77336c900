//! `cargo xtask dist`: everything that a release consists of, in `target/package/`.
//!
//! The page with compressed copies and headers for static hosts; the binary for glibc, which asks the driver itself; one
//! that is linked statically, which cannot load a driver's library and reads nvidia-smi; one with the page inside; shell
//! completions and manual pages; lists of dependencies; a Dockerfile; checksums.
mod binaries;
mod page_files;
mod sbom;
mod sums;

pub(crate) use page_files::files;

use crate::{page, steps::Steps, workspace};
use anyhow::{Context, Result, bail};
use std::{fs, path::Path};

/// Builds, packs, and says what there is. `--page FOLDER` takes a page that is built already.
pub(crate) fn run(steps: &Steps, arguments: &[String]) -> Result<()> {
    let built = match arguments {
        [] => None,
        [flag, folder] if flag == "--page" => Some(Path::new(folder)),
        _ => bail!("dist takes nothing but `--page FOLDER`"),
    };
    let package = workspace::target_dir()?.join("package");
    if package.exists() {
        fs::remove_dir_all(&package).with_context(|| format!("emptying {}", package.display()))?;
    }
    fs::create_dir_all(&package)?;
    let site = package.join("page");
    match built {
        None => page::build(steps, &site, &[])?,
        Some(folder) => page_files::copy(folder, &site)?,
    }
    steps.next("compressed copies, headers for static hosts");
    page_files::complete(&site)?;
    let made = binaries::build(steps, &package, &site)?;
    steps.next("lists of dependencies");
    sbom::write(&package)?;
    write(&package.join("Dockerfile"), &binaries::dockerfile(&made))?;
    let version = env!("CARGO_PKG_VERSION");
    sums::archive(
        &site,
        "page",
        &package.join(format!("vllm-wizard-page-{version}.tar.gz")),
    )?;
    for made in &made {
        let name = format!("{}.tar.gz", made.name);
        sums::archive(&package.join(&made.name), &made.name, &package.join(name))?;
    }
    let text = sums::of_files(&package)?;
    write(&package.join("SHA256SUMS"), &text)?;
    steps.next(&format!("packed into {}", package.display()));
    for made in &made {
        println!("{:<44} {:>9} bytes  {}", made.name, made.bytes, made.needs);
    }
    print!("{text}");
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}
