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

const GB80: &[&str] = &["1g.10gb", "1g.20gb", "2g.20gb", "3g.40gb", "4g.40gb"];
/// MIG profiles whose memory (MiB) a published `nvidia-smi mig -lgip` shows; torch reports the same total. For H200 what
/// torch reported.
const SLICES: &[(&[&str], &[&str], &[u64])] = &[
    (
        &["A100 SXM4 80GB", "A100 PCIe 80GB"],
        GB80,
        &[9728, 19_968, 19_968, 40_192, 40_192],
    ),
    (
        &["H100 SXM", "H100 PCIe"],
        GB80,
        &[9984, 20_090, 20_090, 40_448, 40_448],
    ),
    (
        &["H100 NVL"],
        &["1g.12gb", "1g.24gb", "2g.24gb", "3g.47gb"],
        &[11_008, 22_138, 22_138, 47_493],
    ),
    (&["H200 SXM"], &["3g.71gb"], &[71_475]),
];
/// Stands between the name of a GPU and that of a slice, as the driver writes it.
const MIG: &str = " MIG ";

static MIG_CATALOG: LazyLock<Vec<GpuSpec>> = LazyLock::new(|| {
    let mut slices = Vec::new();
    for (cards, profiles, sizes) in SLICES {
        for card in gpus().iter().filter(|gpu| cards.contains(&gpu.name.as_str())) {
            let profiles = profiles.iter().zip(*sizes);
            slices.extend(profiles.map(|(profile, mib)| slice(card, profile, *mib)));
        }
    }
    slices
});

/// Of its card a slice has so many of seven parts of the arithmetic and of eight parts of memory and bandwidth (NVIDIA's MIG
/// user guide, the tables of profiles): the former is its name's first figure, the latter follows from its memory.
fn slice(card: &GpuSpec, profile: &str, mib: u64) -> GpuSpec {
    let name = |name: &String| format!("{name}{MIG}{profile}");
    let eighth = card.memory_total.map_or(1, |total| total.get() >> 23).max(1);
    let eighths = u32::try_from((mib + eighth / 2) / eighth).unwrap_or(1);
    let sevenths = profile
        .chars()
        .next()
        .and_then(|digit| digit.to_digit(10))
        .unwrap_or(1);
    let rate = |whole: Option<u32>| Some(whole? / 7 * sevenths);
    let rates = card.dense_gflops;
    GpuSpec {
        name: name(&card.name),
        memory_total: Some(Bytes::from_mib(mib)),
        memory_visible: Some(Bytes::from_mib(mib)),
        visible_basis: VisibleBasis::Estimated,
        memory_bandwidth_gbps: card.memory_bandwidth_gbps.map(|whole| whole * eighths / 8),
        dense_gflops: DenseRates {
            fp16: rate(rates.fp16),
            bf16: rate(rates.bf16),
            fp8: rate(rates.fp8),
            int8: rate(rates.int8),
            fp4: rate(rates.fp4),
        },
        nvlink_gbps: None,
        nvml_names: card.nvml_names.iter().map(name).collect(),
        ..card.clone()
    }
}

/// Whether that is the name of a MIG slice, which vLLM works on alone: NCCL joins no two of them.
pub fn is_slice(name: &str) -> bool {
    name.contains(MIG)
}

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
            .chain(MIG_CATALOG.iter())
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
    fn slices_are_found_as_the_driver_names_them() {
        for (name, own, gib) in [
            (
                "NVIDIA H100 80GB HBM3 MIG 3g.40gb",
                "H100 SXM MIG 3g.40gb",
                "39.50",
            ),
            ("a100 sxm4 80gb mig 1g.10gb", "A100 SXM4 80GB MIG 1g.10gb", "9.50"),
            ("NVIDIA H200 MIG 3g.71gb", "H200 SXM MIG 3g.71gb", "69.80"),
            ("H100 NVL MIG 1g.12gb", "H100 NVL MIG 1g.12gb", "10.75"),
        ] {
            let gpu = find(name).unwrap_or_else(|| panic!("{name}"));
            assert_eq!((gpu.name.as_str(), is_slice(&gpu.name)), (own, true));
            assert_eq!(gpu.memory_visible.unwrap().gib_text(2), gib);
        }
        assert!(find("L4 MIG 1g.10gb").is_none());
    }

    #[test]
    fn an_h100_prints_more_than_it_gives_a_process() {
        let gpu = find("H100 SXM").unwrap();
        assert_eq!(gpu.memory_total, Some(Bytes::from_mib(81_559)));
        // vLLM logs print 79.18 to 79.22 GiB for this card.
        assert!(["79.18", "79.19"].contains(&gpu.memory_visible.unwrap().gib_text(2).as_str()));
    }
}
