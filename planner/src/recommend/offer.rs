//! Hardware that could be had.
use crate::{
    gpu::{self, GpuSpec},
    plan::{Hardware, Interconnect, Scenario},
    units::Bytes,
};
use std::{fmt, sync::Arc};

/// GPUs of a node, where nobody says how many.
pub const NODE: u32 = 8;

/// Nodes that are tried one after the other until the load is served, where nobody says how many.
pub const NODES: [u32; 3] = [1, 2, 4];

/// The kinds of GPU that vLLM runs on and the catalogue has.
pub fn kinds() -> impl Iterator<Item = &'static GpuSpec> {
    gpu::gpus().iter().filter(|gpu| gpu.plugin().is_none())
}

/// What a GPU costs an hour, in thousandths of the currency that the user counts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Price(pub u64);

impl Price {
    /// In whole units of the currency.
    pub fn value(self) -> f64 {
        crate::units::real(self.0) / 1000.0
    }
}

/// One kind of GPU, so many of them: all are used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The kind.
    pub gpu: Arc<GpuSpec>,
    /// GPUs of each node.
    pub gpus: u32,
    /// Nodes.
    pub nodes: u32,
    /// Between the GPUs of a node.
    pub interconnect: Interconnect,
    /// Held on each by other programs.
    pub memory_used: Bytes,
    /// Of one GPU.
    pub price: Option<Price>,
    /// The last GPUs of each node, where they are of other kinds.
    pub others: Vec<GpuSpec>,
    /// The scenario has GPUs of other kinds, which this leaves out.
    pub leaves_out: bool,
}

impl Offer {
    /// GPUs over all nodes.
    pub fn total_gpus(&self) -> u32 {
        self.gpus.saturating_mul(self.nodes)
    }

    /// Whether both are of the same kinds, however many.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.gpu.name == other.gpu.name && self.others == other.others
    }

    /// What makes a scenario's hardware this one, as [`Scenario::set`] takes it.
    pub(super) fn change(&self) -> Vec<(String, String)> {
        let mut change = Vec::new();
        let mut set = |id: &str, value: String| change.push((id.to_owned(), value));
        if self.leaves_out {
            set("other_gpus", String::new());
        }
        if gpu::find(&self.gpu.name) == Some(&self.gpu) {
            set("gpu", self.gpu.name.clone());
        }
        set("gpus", self.hardware().of_first_kind().to_string());
        set("nodes", self.nodes.to_string());
        change
    }

    /// As a scenario names it.
    pub(super) fn hardware(&self) -> Hardware {
        Hardware {
            gpu: GpuSpec::clone(&self.gpu),
            gpus: self.gpus,
            nodes: self.nodes,
            interconnect: self.interconnect,
            memory_used: self.memory_used,
            others: self.others.clone(),
        }
    }
}

impl fmt::Display for Offer {
    /// `8 × H100 SXM`, `2 × 8 × H100 SXM` for two nodes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.nodes > 1 {
            write!(f, "{} × ", self.nodes)?;
        }
        if self.others.is_empty() {
            write!(f, "{} × {}", self.gpus, self.gpu.name)
        } else {
            f.write_str(&self.hardware().kinds())
        }
    }
}

/// The scenario's own hardware, and every part of it that is of use: 1, 2, 4 … GPUs of a node and of one kind, then whole nodes.
pub fn on_hardware(scenario: &Scenario, price: impl Fn(&GpuSpec) -> Option<Price>) -> Vec<Offer> {
    let hardware = &scenario.hardware;
    let leaves_out = hardware.is_mixed();
    let kinds = hardware.by_kind();
    let parts = |gpu, gpus, price| {
        fitting(gpu, gpus, hardware.nodes, price)
            .into_iter()
            .map(|offer| Offer {
                interconnect: hardware.interconnect,
                memory_used: hardware.memory_used,
                ..offer
            })
    };
    let mut offers = Vec::new();
    for &(gpu, gpus) in &kinds {
        // Another kind is taken by its name.
        if *gpu != hardware.gpu && gpu::find(&gpu.name) != Some(gpu) {
            continue;
        }
        let alone = parts(gpu, gpus, price(gpu));
        offers.extend(alone.map(|offer| Offer { leaves_out, ..offer }));
    }
    if leaves_out {
        let all: Option<u64> = kinds
            .iter()
            .map(|(gpu, gpus)| Some(price(gpu)?.0.saturating_mul(u64::from(*gpus))))
            .sum();
        let price = all.map(|all| Price(all / u64::from(hardware.gpus.max(1))));
        // Which GPUs of a node a part of it would have is not said.
        let whole = parts(&hardware.gpu, hardware.gpus, price).filter(|offer| offer.gpus == hardware.gpus);
        offers.extend(whole.map(|offer| Offer {
            others: hardware.others.clone(),
            ..offer
        }));
    }
    offers
}

/// So many of that kind, up to full nodes.
pub fn fitting(gpu: &GpuSpec, gpus: u32, nodes: u32, price: Option<Price>) -> Vec<Offer> {
    let gpu = Arc::new(gpu.clone());
    parts(gpus, nodes)
        .into_iter()
        .map(|(gpus, nodes)| Offer {
            gpu: Arc::clone(&gpu),
            gpus,
            nodes,
            interconnect: Interconnect::Unknown,
            memory_used: Bytes::ZERO,
            price,
            others: Vec::new(),
            leaves_out: false,
        })
        .collect()
}

/// Powers of two below a node, the node, then 2, 4 … nodes and all.
fn parts(gpus: u32, nodes: u32) -> Vec<(u32, u32)> {
    let (gpus, nodes) = (gpus.max(1), nodes.max(1));
    let below = |most: u32| {
        (0..)
            .map(|bits| 1_u32 << bits)
            .take_while(move |size| *size < most)
    };
    let mut all: Vec<(u32, u32)> = below(gpus).map(|size| (size, 1)).collect();
    all.push((gpus, 1));
    all.extend(below(nodes).filter(|size| *size > 1).map(|size| (gpus, size)));
    if nodes > 1 {
        all.push((gpus, nodes));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_grow_by_doubling_and_end_with_all() {
        assert_eq!(parts(1, 1), [(1, 1)]);
        assert_eq!(parts(8, 1), [(1, 1), (2, 1), (4, 1), (8, 1)]);
        assert_eq!(parts(6, 1), [(1, 1), (2, 1), (4, 1), (6, 1)]);
        assert_eq!(parts(8, 3), [(1, 1), (2, 1), (4, 1), (8, 1), (8, 2), (8, 3)]);
        assert_eq!(parts(0, 0), [(1, 1)]);
    }
}
