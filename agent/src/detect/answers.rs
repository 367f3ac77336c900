//! What a driver says about its GPUs, in plain words. NVML, nvidia-smi, AMD's files and tools, and the recorded answers
//! of the tests all fill the same form; `assemble` makes the report of it.

/// Somebody who can be asked for the GPUs of this machine.
pub(super) trait Driver {
    /// Everything at once.
    fn answers(&self) -> Result<Answers, Failure>;
}

/// Why a driver, or one of its GPUs, does not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(serde::Deserialize))]
pub(super) enum Failure {
    /// No library or program of this driver.
    NotInstalled,
    /// The library is there, the kernel's part is not running.
    NotLoaded,
    /// Library and kernel module are of different versions.
    Mismatch,
    /// The user may not open the device.
    NoPermission,
    /// Too old: the library lacks this.
    MissingSymbol(String),
    /// Fallen off the bus.
    Lost,
    /// Needs a reset.
    ResetRequired,
    /// Power cables.
    NoPower,
    /// In its own words.
    Other(String),
}

/// All that was said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default))]
pub(super) struct Answers {
    /// Of the driver.
    pub(super) driver_version: Option<String>,
    /// The newest CUDA that it runs.
    pub(super) cuda_version: Option<String>,
    /// In the driver's order.
    pub(super) devices: Vec<Device>,
    /// Between device and device; empty where it is not known.
    pub(super) ways: Vec<Vec<Way>>,
    /// What somebody who reads the report should know.
    pub(super) notes: Vec<String>,
}

/// One GPU, or one MIG instance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default))]
pub(super) struct Device {
    /// As the driver counts.
    pub(super) index: u32,
    pub(super) name: String,
    /// For `CUDA_VISIBLE_DEVICES`; never part of a report.
    pub(super) uuid: Option<String>,
    /// `None` where CPU and GPU share one memory, and the driver has no figure of its own.
    pub(super) memory: Option<Memory>,
    /// `9.0`, or `gfx942`.
    pub(super) architecture: Option<String>,
    /// Generation and lanes.
    pub(super) pcie: Option<(u32, u32)>,
    /// Active links.
    pub(super) links: u32,
    /// Generation of these links.
    pub(super) link_version: u32,
    pub(super) ecc: Option<bool>,
    pub(super) power_limit_w: Option<u32>,
    /// Held by the processes that the driver lists; `None` where it does not say.
    pub(super) processes_bytes: Option<u64>,
    /// A share of a GPU that a hypervisor gives.
    pub(super) is_virtual: bool,
    /// `Some` where MIG is on.
    pub(super) instances: Option<Vec<Device>>,
    /// Set where it cannot be read; then little else is.
    pub(super) failure: Option<Failure>,
}

/// In bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(test, derive(serde::Deserialize))]
pub(super) struct Memory {
    pub(super) total: u64,
    pub(super) used: u64,
    /// `None` where the driver does not say.
    pub(super) reserved: Option<u64>,
}

/// How two GPUs reach each other: nvidia-smi's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(serde::Deserialize))]
#[cfg_attr(test, serde(rename_all = "UPPERCASE"))]
pub(super) enum Way {
    /// The GPU itself.
    Own,
    /// NVLink, directly or through a switch.
    NvLink,
    /// AMD's Infinity Fabric.
    Xgmi,
    /// One PCIe switch.
    Pix,
    /// Several PCIe switches.
    Pxb,
    /// A host bridge.
    Phb,
    /// Within a NUMA node.
    Node,
    /// Between NUMA nodes.
    Sys,
    Unknown,
}

impl Way {
    /// The report's word.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Own => "SELF",
            Self::NvLink => "NVLINK",
            Self::Xgmi => "XGMI",
            Self::Pix => "PIX",
            Self::Pxb => "PXB",
            Self::Phb => "PHB",
            Self::Node => "NODE",
            Self::Sys => "SYS",
            Self::Unknown => "UNKNOWN",
        }
    }
}
