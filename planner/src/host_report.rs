//! `vllm-wizard/host/v1`: the GPUs of a machine, from the agent to the page.
//! Also reads the two older forms: a bare array of GPUs, and nvidia-smi's CSV.
mod csv;
mod error;
mod hardware;
mod read;

pub use error::ReportError;
pub(crate) use hardware::estimated_visible;
pub use hardware::{Detected, to_hardware};
pub use read::read;

use serde::{Deserialize, Serialize};

/// The schema that is written.
pub const SCHEMA: &str = "vllm-wizard/host/v1";

/// One GPU, or the reason why it could not be read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HostGpu {
    /// As the driver counts.
    pub index: u32,
    /// As the driver names it.
    pub name: String,
    /// Whole memory, as NVML reports it.
    pub memory_total_bytes: u64,
    /// Held by processes.
    pub memory_used_bytes: u64,
    /// Held by the driver; a process never gets it.
    pub memory_reserved_bytes: Option<u64>,
    /// Sum over the processes that the driver lists; a list of them would say too much.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_processes_bytes: Option<u64>,
    /// Such as `9.0`, or `gfx942`.
    pub compute_capability: Option<String>,
    /// The slice's profile, where the device is one.
    pub mig: Option<String>,
    /// Link to the host.
    pub pcie: Option<Pcie>,
    /// Links to other GPUs.
    pub nvlink: Option<Nvlink>,
    /// Error correction is on.
    pub ecc: Option<bool>,
    /// In watts.
    pub power_limit_w: Option<u32>,
    /// Why it could not be read.
    pub error: Option<String>,
}

/// Link to the host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pcie {
    /// Generation.
    pub r#gen: u32,
    /// Lanes.
    pub width: u32,
}

/// Links to other GPUs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nvlink {
    /// Active links.
    pub links: u32,
    /// Version.
    pub version: u32,
}

/// The machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HostInfo {
    /// Logical processors.
    pub cpu_cores: u32,
    /// Main memory.
    pub memory_total_bytes: u64,
}

/// What the agent saw.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HostReport {
    /// `vllm-wizard/host/v1`.
    pub schema: String,
    /// The agent's version.
    pub agent_version: String,
    /// The driver's version.
    pub driver_version: Option<String>,
    /// The CUDA version that the driver supports.
    pub cuda_driver_version: Option<String>,
    /// In the driver's order.
    pub gpus: Vec<HostGpu>,
    /// `topology[i][j]`: SELF, NVLINK, PCIE, …
    pub topology: Vec<Vec<String>>,
    /// The machine.
    pub host: HostInfo,
    /// What a reader should know: GPUs that the environment hides, memory that is shared.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}
