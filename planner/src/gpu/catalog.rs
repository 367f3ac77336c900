//! The bundled GPUs, parsed once from `data/gpus.json`.
use super::{ComputeCapability, GpuGroup, GpuSpec, Vendor, VisibleBasis};
use crate::units::Bytes;
use serde::Deserialize;
use std::sync::LazyLock;

const TEXT: &str = include_str!("../../data/gpus.json");

#[derive(Deserialize)]
struct File {
    data_revision: String,
    gpus: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    nvml_names: Vec<String>,
    vendor: Vendor,
    group: GpuGroup,
    compute_capability: Option<String>,
    memory_total_mib: Option<u64>,
    cuda_visible_mib: Option<u64>,
    cuda_visible_basis: Option<VisibleBasis>,
    memory_bandwidth_gbps: Option<f64>,
    nvlink_gbps: Option<f64>,
    #[serde(default)]
    unified_memory: bool,
}

static CATALOG: LazyLock<(String, Vec<GpuSpec>)> =
    LazyLock::new(|| match serde_json::from_str::<File>(TEXT) {
        Ok(file) => (file.data_revision, file.gpus.into_iter().map(spec).collect()),
        // A test proves that the bundled file parses; an empty list beats a panic in somebody's browser.
        Err(_) => (String::new(), Vec::new()),
    });

fn spec(entry: Entry) -> GpuSpec {
    GpuSpec {
        compute_capability: entry
            .compute_capability
            .and_then(|text| text.parse::<ComputeCapability>().ok()),
        memory_total: entry.memory_total_mib.map(Bytes::from_mib),
        memory_visible: entry.cuda_visible_mib.map(Bytes::from_mib),
        visible_basis: entry.cuda_visible_basis.unwrap_or(VisibleBasis::Estimated),
        memory_bandwidth_gbps: entry.memory_bandwidth_gbps.map(whole),
        nvlink_gbps: entry.nvlink_gbps.map(whole),
        unified_memory: entry.unified_memory,
        name: entry.name,
        vendor: entry.vendor,
        group: entry.group,
        nvml_names: entry.nvml_names,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "bundled GB/s figures, far below 2^32"
)]
fn whole(gbps: f64) -> u32 {
    gbps.round() as u32
}

/// The revision of the bundled facts, such as `2026-11`.
pub fn data_revision() -> &'static str {
    &CATALOG.0
}

/// All bundled GPUs.
pub fn gpus() -> &'static [GpuSpec] {
    &CATALOG.1
}

/// The GPU of that name: ours, or one that NVML prints, without regard to case and to a leading `NVIDIA`.
pub fn find(name: &str) -> Option<&'static GpuSpec> {
    let exact = gpus().iter().find(|gpu| gpu.name == name);
    exact.or_else(|| {
        gpus()
            .iter()
            .find(|gpu| same(&gpu.name, name) || gpu.nvml_names.iter().any(|nvml| same(nvml, name)))
    })
}

fn same(a: &str, b: &str) -> bool {
    let (mut a, mut b) = (words(a), words(b));
    loop {
        match (a.next(), b.next()) {
            (None, None) => return true,
            (Some(a), Some(b)) if a.eq_ignore_ascii_case(b) => {}
            _ => return false,
        }
    }
}

fn words(name: &str) -> impl Iterator<Item = &str> {
    let mut words = name
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .peekable();
    words.next_if(|word| word.eq_ignore_ascii_case("nvidia"));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bundled_file_parses() {
        let file: File = serde_json::from_str(TEXT).unwrap();
        assert_eq!(file.gpus.len(), gpus().len());
        assert!(gpus().len() >= 83, "{}", gpus().len());
    }

    #[test]
    fn finds_by_our_name_and_by_nvmls() {
        for name in ["H100 SXM", "h100-sxm", "NVIDIA H100 80GB HBM3", "h100  80gb hbm3"] {
            assert_eq!(
                find(name).map(|gpu| gpu.name.as_str()),
                Some("H100 SXM"),
                "{name}"
            );
        }
        for name in ["H1000", "H100 SXM 2", "", "NVIDIA"] {
            assert!(find(name).is_none(), "{name}");
        }
    }

    #[test]
    fn an_h100_prints_more_than_it_gives_a_process() {
        let gpu = find("H100 SXM").unwrap();
        assert_eq!(gpu.memory_total, Some(Bytes::from_mib(81_559)));
        // vLLM logs print 79.18 to 79.22 GiB for this card.
        assert!(["79.18", "79.19"].contains(&gpu.memory_visible.unwrap().gib_text(2).as_str()));
    }
}
