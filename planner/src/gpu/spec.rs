//! One kind of GPU.
use crate::units::Bytes;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Who makes it, which says whose kernels vLLM runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Vendor {
    /// CUDA.
    Nvidia,
    /// ROCm.
    Amd,
    /// XPU; Gaudi by a plugin.
    Intel,
    /// TPU by a plugin.
    Google,
}

/// Where it is sold; orders the page's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GpuGroup {
    /// Data-centre cards and modules.
    DataCenter,
    /// Workstation cards.
    Workstation,
    /// Consumer cards.
    Consumer,
    /// CPU and GPU share one memory.
    Unified,
    /// Everything else.
    Other,
}

/// CUDA compute capability, such as 9.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ComputeCapability {
    /// 9 in 9.0.
    pub major: u8,
    /// 0 in 9.0.
    pub minor: u8,
}

impl ComputeCapability {
    /// vLLM's integer form: 90 for 9.0.
    pub fn number(self) -> u16 {
        u16::from(self.major) * 10 + u16::from(self.minor)
    }
}

impl fmt::Display for ComputeCapability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl From<ComputeCapability> for String {
    fn from(value: ComputeCapability) -> Self {
        value.to_string()
    }
}

impl FromStr for ComputeCapability {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "expected a compute capability such as 9.0".to_owned();
        let (major, minor) = text.trim().split_once('.').ok_or_else(wrong)?;
        let major = major.parse().map_err(|_| wrong())?;
        let minor: u8 = minor.parse().map_err(|_| wrong())?;
        if major == 0 || major > 20 || minor > 9 {
            Err(wrong())
        } else {
            Ok(Self { major, minor })
        }
    }
}

impl TryFrom<String> for ComputeCapability {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// Where the process-visible memory comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VisibleBasis {
    /// Read from a real vLLM log or `cudaMemGetInfo`.
    Measured,
    /// Derived from what NVML reports, by the rule in data/gpus.json.
    Estimated,
    /// Given by the user or by the driver of a detected machine.
    Given,
}

/// Products per second at best, without sparsity, in GFLOPS or GOPS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DenseRates {
    /// 16-bit floats, added in 16 bits where that is faster.
    pub fp16: Option<u32>,
    /// Brain floats, added in 32 bits.
    pub bf16: Option<u32>,
    /// 8-bit floats.
    pub fp8: Option<u32>,
    /// 8-bit integers.
    pub int8: Option<u32>,
    /// 4-bit floats.
    pub fp4: Option<u32>,
}

/// One kind of GPU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GpuSpec {
    /// Our short name, such as `H100 SXM`.
    pub name: String,
    /// Maker.
    pub vendor: Vendor,
    /// Market.
    pub group: GpuGroup,
    /// For NVIDIA GPUs.
    pub compute_capability: Option<ComputeCapability>,
    /// What the driver's own tool reports (NVML, `nvidia-smi`), if known.
    pub memory_total: Option<Bytes>,
    /// What a CUDA process sees (`cudaMemGetInfo` total): vLLM multiplies the utilization with this.
    pub memory_visible: Option<Bytes>,
    /// How that is known.
    pub visible_basis: VisibleBasis,
    /// GB/s.
    pub memory_bandwidth_gbps: Option<u32>,
    /// Products per second.
    pub dense_gflops: DenseRates,
    /// PCIe generation.
    pub pcie_gen: Option<u8>,
    /// NVLink GB/s per GPU, both directions summed.
    pub nvlink_gbps: Option<u32>,
    /// CPU and GPU share one memory.
    pub unified_memory: bool,
    /// Names that NVML prints for it.
    pub nvml_names: Vec<String>,
}

/// What stands for a compute capability on Intel's GPUs (`platforms/xpu.py: get_device_capability` has none): it is in
/// no range of CUDA's.
pub const XPU: u16 = 1000;

impl GpuSpec {
    /// The plugin that runs vLLM on it, where vLLM itself does not.
    pub fn plugin(&self) -> Option<&'static str> {
        match self.vendor {
            Vendor::Google => Some("tpu-inference"),
            Vendor::Intel if self.group == GpuGroup::Other => Some("vllm-gaudi"),
            _ => None,
        }
    }

    /// One of the two stacks of a Data Center GPU Max, each of which Level Zero shows as a GPU.
    pub fn is_stack(&self) -> bool {
        self.vendor == Vendor::Intel && self.group == GpuGroup::DataCenter
    }

    /// A GPU that the catalogue does not have.
    pub fn custom(memory_visible: Bytes, compute_capability: Option<ComputeCapability>) -> Self {
        Self {
            name: "custom".to_owned(),
            vendor: Vendor::Nvidia,
            group: GpuGroup::Other,
            compute_capability,
            memory_total: None,
            memory_visible: Some(memory_visible),
            visible_basis: VisibleBasis::Given,
            memory_bandwidth_gbps: None,
            dense_gflops: DenseRates::default(),
            pcie_gen: None,
            nvlink_gbps: None,
            unified_memory: false,
            nvml_names: Vec::new(),
        }
    }
}
