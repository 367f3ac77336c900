//! The bundled GPUs, as `data/gpus.json` has them.
use super::{DenseRates, GpuGroup, GpuSpec, Vendor, VisibleBasis};
use crate::units::Bytes;
use std::sync::LazyLock;

struct Row {
    name: &'static str,
    nvml_names: &'static [&'static str],
    vendor: Vendor,
    group: GpuGroup,
    compute_capability: Option<&'static str>,
    memory_total_mib: Option<u64>,
    cuda_visible_mib: Option<u64>,
    cuda_visible_basis: Option<VisibleBasis>,
    memory_bandwidth_gbps: Option<u32>,
    dense_gflops: DenseRates,
    pcie_gen: Option<u8>,
    nvlink_gbps: Option<u32>,
    unified_memory: bool,
}

/// Revision and rows, from `data/gpus.json`.
const FILE: (&str, &[Row]) = include!(concat!(env!("OUT_DIR"), "/gpus.rs"));

static CATALOG: LazyLock<Vec<GpuSpec>> = LazyLock::new(|| FILE.1.iter().map(spec).collect());

fn spec(row: &Row) -> GpuSpec {
    GpuSpec {
        name: row.name.to_owned(),
        vendor: row.vendor,
        group: row.group,
        compute_capability: row.compute_capability.and_then(|text| text.parse().ok()),
        memory_total: row.memory_total_mib.map(Bytes::from_mib),
        memory_visible: row.cuda_visible_mib.map(Bytes::from_mib),
        visible_basis: row.cuda_visible_basis.unwrap_or(VisibleBasis::Estimated),
        memory_bandwidth_gbps: row.memory_bandwidth_gbps,
        dense_gflops: row.dense_gflops,
        pcie_gen: row.pcie_gen,
        nvlink_gbps: row.nvlink_gbps,
        unified_memory: row.unified_memory,
        nvml_names: row.nvml_names.iter().map(|&name| name.to_owned()).collect(),
    }
}

/// The revision of the bundled facts, such as `2026-11`.
pub fn data_revision() -> &'static str {
    FILE.0
}

/// All bundled GPUs.
pub fn gpus() -> &'static [GpuSpec] {
    &CATALOG
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
    fn every_nvidia_gpu_has_its_capability() {
        assert!(gpus().len() >= 83, "{}", gpus().len());
        let nvidia = gpus().iter().filter(|gpu| gpu.vendor == Vendor::Nvidia);
        for gpu in nvidia {
            assert!(gpu.compute_capability.is_some(), "{}", gpu.name);
        }
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
