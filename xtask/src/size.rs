//! `cargo xtask size`: weighs what a visitor downloads and what an engineer copies, against budgets.

use crate::{e2e, page, steps::Steps, workspace};
use anyhow::{Context, Result, bail};
use flate2::{Compression, write::GzEncoder};
use std::{fs, io::Write, path::Path};

/// Everything the page loads, as brotli at its best.
const PAGE_BUDGET: usize = 200_000;
/// The stripped binary as it lies on disk.
const BINARY_BUDGET: usize = 3_000_000;

/// Kinds of files and the endings that tell them, in the order of the table; the last takes what is left.
const KINDS: [(&str, &str); 5] = [
    ("wasm", "wasm"),
    ("script", "js"),
    ("style", "css"),
    ("markup", "html"),
    ("other", ""),
];

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Weight {
    raw: usize,
    gzip: usize,
    brotli: usize,
}

impl std::ops::AddAssign for Weight {
    fn add_assign(&mut self, other: Self) {
        self.raw += other.raw;
        self.gzip += other.gzip;
        self.brotli += other.brotli;
    }
}

/// Builds both for release, prints the table, and fails when a budget is exceeded.
pub(crate) fn run(steps: &Steps) -> Result<()> {
    let dist = workspace::root().join("dist");
    page::build(steps, &dist, &[])?;
    let binary = e2e::binary(steps)?;
    steps.next("weighing");
    let mut kinds = [Weight::default(); KINDS.len()];
    weigh_folder(&dist, &mut kinds)?;
    let binary = fs::metadata(&binary)
        .with_context(|| format!("reading {}", binary.display()))?
        .len();
    report(&kinds, usize::try_from(binary)?)
}

fn weigh_folder(folder: &Path, kinds: &mut [Weight; KINDS.len()]) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            weigh_folder(&path, kinds)?;
            continue;
        }
        let bytes = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
        let ending = path
            .extension()
            .map(|ending| ending.to_string_lossy())
            .unwrap_or_default();
        let of_kind = KINDS
            .iter()
            .zip(kinds.iter_mut())
            .find(|((_, known), _)| *known == ending || known.is_empty());
        if let Some((_, weight)) = of_kind {
            *weight += weigh(&bytes)?;
        }
    }
    Ok(())
}

fn weigh(bytes: &[u8]) -> Result<Weight> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(bytes)?;
    let mut brotli = Vec::new();
    let best = brotli::enc::BrotliEncoderParams {
        quality: 11,
        lgwin: 22,
        ..Default::default()
    };
    brotli::BrotliCompress(&mut &bytes[..], &mut brotli, &best)?;
    Ok(Weight {
        raw: bytes.len(),
        gzip: gzip.finish()?.len(),
        brotli: brotli.len(),
    })
}

fn report(kinds: &[Weight; KINDS.len()], binary: usize) -> Result<()> {
    let mut page = Weight::default();
    println!("{:<8}{:>11}{:>11}{:>11}", "bytes", "raw", "gzip -9", "brotli 11");
    for ((kind, _), weight) in KINDS.iter().zip(kinds) {
        print_row(kind, *weight);
        page += *weight;
    }
    print_row("page", page);
    println!("budget  {PAGE_BUDGET:>33}");
    println!("binary  {binary:>11}");
    println!("budget  {BINARY_BUDGET:>11}");
    let over = [
        ("page (brotli)", page.brotli, PAGE_BUDGET),
        ("binary", binary, BINARY_BUDGET),
    ];
    let over: Vec<String> = over
        .iter()
        .filter_map(|(what, is, budget)| excess(what, *is, *budget))
        .collect();
    if !over.is_empty() {
        bail!("over budget: {}", over.join(", "));
    }
    Ok(())
}

fn print_row(kind: &str, weight: Weight) {
    println!(
        "{kind:<8}{:>11}{:>11}{:>11}",
        weight.raw, weight.gzip, weight.brotli
    );
}

fn excess(what: &str, is: usize, budget: usize) -> Option<String> {
    (is > budget).then(|| format!("{what} by {} bytes", is - budget))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budget_may_be_met_but_not_exceeded() {
        let kinds = [Weight {
            brotli: PAGE_BUDGET,
            ..Weight::default()
        }; 1];
        let mut all = [Weight::default(); KINDS.len()];
        all[0] = kinds[0];
        assert!(report(&all, BINARY_BUDGET).is_ok());
        all[4].brotli = 1;
        let error =
            report(&all, BINARY_BUDGET + 3).map_or_else(|error| error.to_string(), |()| String::new());
        assert_eq!(error, "over budget: page (brotli) by 1 bytes, binary by 3 bytes");
    }

    #[test]
    fn compressors_compress() -> Result<()> {
        let weight = weigh(&b"the same words over and over, ".repeat(100))?;
        assert_eq!(weight.raw, 3000);
        assert!(weight.gzip < 100 && weight.brotli < weight.gzip, "{weight:?}");
        Ok(())
    }
}
