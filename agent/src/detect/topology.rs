//! How the GPUs reach each other, as NVML tells it.
use super::nvml::Row;
use nvml_wrapper::{
    Device,
    enum_wrappers::device::{P2pCapabilitiesIndex, P2pStatus, TopologyLevel},
};

/// Between every two rows: SELF, NVLINK, nvidia-smi's words for ways over PCIe, MIG, or UNKNOWN.
pub(super) fn topology(rows: &[Row<'_>]) -> Vec<Vec<String>> {
    let word = |a: usize, b: usize| -> &'static str {
        match (rows.get(a), rows.get(b)) {
            _ if a == b => "SELF",
            (Some(a), Some(b)) if a.gpu.mig.is_some() || b.gpu.mig.is_some() => "MIG",
            (Some(Row { device: Some(a), .. }), Some(Row { device: Some(b), .. })) => between(a, b),
            _ => "UNKNOWN",
        }
    };
    (0..rows.len())
        .map(|a| (0..rows.len()).map(|b| word(a, b).to_owned()).collect())
        .collect()
}

fn between(a: &Device<'_>, b: &Device<'_>) -> &'static str {
    if matches!(a.p2p_status(b, P2pCapabilitiesIndex::NvLink), Ok(P2pStatus::Ok)) {
        return "NVLINK";
    }
    common_ancestor(a, b)
}

#[cfg(target_os = "linux")]
fn common_ancestor(a: &Device<'_>, b: &Device<'_>) -> &'static str {
    // The binding takes the other device by value, and a handle cannot be cloned: ask for it again.
    let other = b.index().and_then(|index| a.nvml().device_by_index(index));
    match other.and_then(|other| a.topology_common_ancestor(other)) {
        Ok(TopologyLevel::Internal | TopologyLevel::Single) => "PIX",
        Ok(TopologyLevel::Multiple) => "PXB",
        Ok(TopologyLevel::HostBridge) => "PHB",
        Ok(TopologyLevel::Node) => "NODE",
        Ok(TopologyLevel::System) => "SYS",
        Err(_) => "UNKNOWN",
    }
}

#[cfg(not(target_os = "linux"))]
fn common_ancestor(_: &Device<'_>, _: &Device<'_>) -> &'static str {
    "UNKNOWN"
}
