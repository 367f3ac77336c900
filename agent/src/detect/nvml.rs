//! Asks the NVIDIA driver through NVML, whose library is loaded at run time.
//!
//! Name and memory must be readable; everything else is left out where the driver does not have it.
use super::answers::{Answers, Device, Driver, Failure, Memory, Way};
use nvml_wrapper::{
    Device as Handle, Nvml, cuda_driver_version_major, cuda_driver_version_minor,
    enum_wrappers::device::{GpuVirtualizationMode, P2pCapabilitiesIndex, P2pStatus},
    enums::device::UsedGpuMemory,
    error::NvmlError,
    struct_wrappers::device::ProcessInfo,
};
use std::ffi::OsStr;

/// Tried in this order; the last is where WSL keeps it.
const LIBRARIES: &[&str] = if cfg!(windows) {
    &[
        "nvml.dll",
        "C:\\Program Files\\NVIDIA Corporation\\NVSMI\\nvml.dll",
    ]
} else {
    &[
        "libnvidia-ml.so.1",
        "libnvidia-ml.so",
        "/usr/lib/wsl/lib/libnvidia-ml.so.1",
    ]
};

/// More links than any GPU has.
const MAX_NVLINKS: u32 = 36;

/// The driver of this machine, asked anew each time.
#[derive(Clone, Copy, Debug)]
pub(super) struct NvmlDriver;

impl Driver for NvmlDriver {
    fn answers(&self) -> Result<Answers, Failure> {
        let nvml = open()?;
        let count = nvml.device_count().map_err(failure)?;
        let (handles, devices): (Vec<_>, Vec<_>) = (0..count).map(|index| ask(&nvml, index)).unzip();
        let cuda = nvml.sys_cuda_driver_version().ok();
        Ok(Answers {
            driver_version: nvml.sys_driver_version().ok(),
            cuda_version: cuda.map(|version| {
                let (major, minor) = (
                    cuda_driver_version_major(version),
                    cuda_driver_version_minor(version),
                );
                format!("{major}.{minor}")
            }),
            ways: ways(&handles),
            devices,
            notes: Vec::new(),
        })
    }
}

fn open() -> Result<Nvml, Failure> {
    for library in LIBRARIES {
        match Nvml::builder().lib_path(OsStr::new(library)).init() {
            Err(NvmlError::LibloadingError(_) | NvmlError::LibraryNotFound) => {}
            other => return other.map_err(failure),
        }
    }
    Err(Failure::NotInstalled)
}

fn failure(error: NvmlError) -> Failure {
    match error {
        NvmlError::LibloadingError(_) | NvmlError::LibraryNotFound => Failure::NotInstalled,
        NvmlError::DriverNotLoaded => Failure::NotLoaded,
        NvmlError::LibRmVersionMismatch => Failure::Mismatch,
        NvmlError::NoPermission => Failure::NoPermission,
        NvmlError::FailedToLoadSymbol(symbol) => Failure::MissingSymbol(symbol_name(&symbol)),
        NvmlError::GpuLost => Failure::Lost,
        NvmlError::ResetRequired => Failure::ResetRequired,
        NvmlError::InsufficientPower => Failure::NoPower,
        other => Failure::Other(other.to_string()),
    }
}

/// `nvmlInit_v2` of the loader's sentence about it.
fn symbol_name(message: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    message
        .split(|c| !is_part(c))
        .find(|word| word.starts_with("nvml") && word.len() > 4)
        .unwrap_or(message)
        .to_owned()
}

fn ask(nvml: &Nvml, index: u32) -> (Option<Handle<'_>>, Device) {
    match nvml.device_by_index(index) {
        Ok(handle) => {
            let device = device(&handle, index);
            (Some(handle), device)
        }
        Err(error) => (
            None,
            Device {
                index,
                failure: Some(failure(error)),
                ..Device::default()
            },
        ),
    }
}

fn device(handle: &Handle<'_>, index: u32) -> Device {
    let mig_on = handle.mig_mode().is_ok_and(|mode| mode.current == 1);
    let mut device = Device {
        instances: mig_on.then(|| instances(handle, index)),
        ..basics(handle, index)
    };
    device.architecture = capability(handle);
    device.pcie = pcie(handle);
    device.ecc = handle.is_ecc_enabled().ok().map(|state| state.currently_enabled);
    device.power_limit_w = handle
        .power_management_limit()
        .ok()
        .map(|milliwatts| milliwatts / 1000);
    (device.links, device.link_version) = nvlink(handle);
    device.is_virtual = is_virtual(handle);
    device
}

/// What a MIG instance has too.
fn basics(handle: &Handle<'_>, index: u32) -> Device {
    let mut device = Device {
        index,
        uuid: handle.uuid().ok(),
        processes_bytes: processes(handle),
        ..Device::default()
    };
    match handle.name() {
        Ok(name) => device.name = name,
        Err(error) => device.failure = Some(failure(error)),
    }
    match handle.memory_info() {
        Ok(memory) => {
            device.memory = Some(Memory {
                total: memory.total,
                used: memory.used,
                reserved: Some(memory.reserved),
            });
        }
        // CPU and GPU share one memory: NVML has no figure.
        Err(NvmlError::NotSupported) => {}
        Err(error) => device.failure = device.failure.take().or_else(|| Some(failure(error))),
    }
    device
}

fn instances(parent: &Handle<'_>, index: u32) -> Vec<Device> {
    let slots = parent.mig_device_count().unwrap_or(0);
    (0..slots)
        .filter_map(|slot| parent.mig_device_by_index(slot).ok())
        .map(|handle| basics(&handle, index))
        .collect()
}

fn capability(handle: &Handle<'_>) -> Option<String> {
    let capability = handle.cuda_compute_capability().ok()?;
    Some(format!("{}.{}", capability.major, capability.minor))
}

/// The widest link that GPU and slot can have: an idle link is slowed down to save power.
fn pcie(handle: &Handle<'_>) -> Option<(u32, u32)> {
    Some((
        handle.max_pcie_link_gen().ok()?,
        handle.max_pcie_link_width().ok()?,
    ))
}

/// The sum alone: which programs run is nobody's business.
fn processes(handle: &Handle<'_>) -> Option<u64> {
    let sum = |list: Vec<ProcessInfo>| {
        list.into_iter()
            .map(|process| match process.used_gpu_memory {
                UsedGpuMemory::Used(bytes) => Some(bytes),
                UsedGpuMemory::Unavailable => None,
            })
            .sum::<Option<u64>>()
    };
    let compute = handle.running_compute_processes().ok().and_then(sum)?;
    // Every program with a window is in the other list alone.
    let graphics = handle
        .running_graphics_processes()
        .ok()
        .and_then(sum)
        .unwrap_or(0);
    compute.checked_add(graphics)
}

/// A hypervisor's share of a GPU; a card that is passed through whole is none.
fn is_virtual(handle: &Handle<'_>) -> bool {
    matches!(handle.virtualization_mode(), Ok(GpuVirtualizationMode::Vgpu))
}

fn nvlink(handle: &Handle<'_>) -> (u32, u32) {
    let active: Vec<u32> = (0..MAX_NVLINKS)
        .map_while(|link| {
            let on = handle.link_wrapper_for(link).is_active().ok()?;
            Some((link, on))
        })
        .filter_map(|(link, on)| on.then_some(link))
        .collect();
    let version = active
        .first()
        .and_then(|link| handle.link_wrapper_for(*link).version().ok());
    (
        u32::try_from(active.len()).unwrap_or(0),
        version.map_or(0, nvlink_generation),
    )
}

/// NVML counts 1.0, 2.0, 2.2, 3.0, 3.1, 4.0, 5.0, … from 1 (nvmlNvlinkVersion_t).
fn nvlink_generation(version: u32) -> u32 {
    match version {
        0 | 1 => version,
        2 | 3 => 2,
        4 | 5 => 3,
        later => later - 2,
    }
}

fn ways(handles: &[Option<Handle<'_>>]) -> Vec<Vec<Way>> {
    let peers: Vec<Vec<String>> = handles
        .iter()
        .map(|handle| handle.as_ref().map(peers).unwrap_or_default())
        .collect();
    let way = |a: usize, b: usize| match (handles.get(a), handles.get(b)) {
        _ if a == b => Way::Own,
        (Some(Some(first)), Some(Some(second))) => {
            let bus = second.pci_info().map(|pci| pci.bus_id).unwrap_or_default();
            let joined = peers
                .get(a)
                .is_some_and(|peers| !bus.is_empty() && peers.contains(&bus));
            if joined || has_nvlink_between(first, second) {
                Way::NvLink
            } else {
                common_ancestor(first, second)
            }
        }
        _ => Way::Unknown,
    };
    (0..handles.len())
        .map(|a| (0..handles.len()).map(|b| way(a, b)).collect())
        .collect()
}

/// Bus addresses at the other ends of the links; a switch is none of the GPUs.
fn peers(handle: &Handle<'_>) -> Vec<String> {
    (0..MAX_NVLINKS)
        .map_while(|link| {
            let link = handle.link_wrapper_for(link);
            let on = link.is_active().ok()?;
            Some(on.then(|| link.remote_pci_info().ok()).flatten())
        })
        .filter_map(|peer| Some(peer?.bus_id))
        .collect()
}

/// The driver's word on it, which knows of switches.
fn has_nvlink_between(a: &Handle<'_>, b: &Handle<'_>) -> bool {
    matches!(a.p2p_status(b, P2pCapabilitiesIndex::NvLink), Ok(P2pStatus::Ok))
}

#[cfg(target_os = "linux")]
fn common_ancestor(a: &Handle<'_>, b: &Handle<'_>) -> Way {
    use nvml_wrapper::enum_wrappers::device::TopologyLevel;
    // The binding takes the other device by value, and a handle cannot be cloned: ask for it again.
    let other = b.index().and_then(|index| a.nvml().device_by_index(index));
    match other.and_then(|other| a.topology_common_ancestor(other)) {
        Ok(TopologyLevel::Internal | TopologyLevel::Single) => Way::Pix,
        Ok(TopologyLevel::Multiple) => Way::Pxb,
        Ok(TopologyLevel::HostBridge) => Way::Phb,
        Ok(TopologyLevel::Node) => Way::Node,
        Ok(TopologyLevel::System) => Way::Sys,
        Err(_) => Way::Unknown,
    }
}

#[cfg(not(target_os = "linux"))]
fn common_ancestor(_: &Handle<'_>, _: &Handle<'_>) -> Way {
    Way::Unknown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nvlink_generations_are_those_of_the_header_file() {
        for (raw, generation) in [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3), (6, 4), (7, 5), (8, 6)] {
            assert_eq!(nvlink_generation(raw), generation, "{raw}");
        }
    }

    #[test]
    fn a_missing_symbol_is_named_alone() {
        let message = "libnvidia-ml.so.1: undefined symbol: nvmlInit_v2";
        assert_eq!(symbol_name(message), "nvmlInit_v2");
        assert_eq!(symbol_name("?"), "?");
    }
}
