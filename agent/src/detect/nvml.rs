//! Asks the NVIDIA driver through NVML, whose library is loaded at run time.
//!
//! Name and memory must be readable; everything else is left out where the driver does not have it. A GPU that cannot
//! be read stays in the report with the driver's reason. Where MIG is on, each instance is a row: a process gets no more.
use super::{GpuSource, host, topology::topology};
use crate::error::{Exit, ExpectedError};
use nvml_wrapper::{Device, Nvml, cuda_driver_version_major, cuda_driver_version_minor, error::NvmlError};
use planner::{
    gpu,
    host_report::{HostGpu, HostReport, Nvlink, Pcie, SCHEMA},
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
pub(crate) struct NvmlSource;

impl GpuSource for NvmlSource {
    fn report(&self) -> Result<HostReport, ExpectedError> {
        let nvml = open().map_err(|error| explain(&error))?;
        let count = nvml.device_count().map_err(|error| explain(&error))?;
        let rows: Vec<Row<'_>> = (0..count).flat_map(|index| rows(&nvml, index)).collect();
        let cuda = nvml.sys_cuda_driver_version().ok();
        Ok(HostReport {
            schema: SCHEMA.to_owned(),
            agent_version: env!("CARGO_PKG_VERSION").to_owned(),
            driver_version: nvml.sys_driver_version().ok(),
            cuda_driver_version: cuda.map(|version| {
                let (major, minor) = (
                    cuda_driver_version_major(version),
                    cuda_driver_version_minor(version),
                );
                format!("{major}.{minor}")
            }),
            topology: topology(&rows),
            gpus: rows.into_iter().map(|row| row.gpu).collect(),
            host: host::info(),
        })
    }
}

/// A GPU or MIG instance, with the handle of the physical GPU where there is one.
pub(super) struct Row<'nvml> {
    pub(super) gpu: HostGpu,
    pub(super) device: Option<Device<'nvml>>,
}

fn open() -> Result<Nvml, NvmlError> {
    let mut last = NvmlError::LibraryNotFound;
    for library in LIBRARIES {
        match Nvml::builder().lib_path(OsStr::new(library)).init() {
            // Keep the first reason: the later paths are rarer.
            Err(error @ (NvmlError::LibloadingError(_) | NvmlError::LibraryNotFound)) => {
                if matches!(last, NvmlError::LibraryNotFound) {
                    last = error;
                }
            }
            other => return other,
        }
    }
    Err(last)
}

fn explain(error: &NvmlError) -> ExpectedError {
    let (message, help) = match error {
        NvmlError::LibloadingError(_) | NvmlError::LibraryNotFound => (
            "no NVIDIA driver found on this machine (its library libnvidia-ml.so.1 could not be loaded)"
                .to_owned(),
            "On the GPU machine: install the driver; in a container: start it with `--gpus all`. To plan for other hardware, name it: `vllm-wizard plan --gpu \"H100 SXM\" …`.",
        ),
        NvmlError::DriverNotLoaded => (
            "the NVIDIA driver is installed, but its kernel module is not loaded".to_owned(),
            "Try `sudo modprobe nvidia`, or reboot after the driver's installation; `dmesg | grep -i nvrm` says more.",
        ),
        NvmlError::LibRmVersionMismatch => (
            "the NVIDIA driver's library and kernel module are of different versions".to_owned(),
            "The driver was updated while it ran: reboot the machine. In a container, restart it.",
        ),
        NvmlError::NoPermission => (
            "not allowed to ask the NVIDIA driver".to_owned(),
            "The user needs access to /dev/nvidiactl and /dev/nvidia0.",
        ),
        NvmlError::FailedToLoadSymbol(symbol) => (
            format!("this NVIDIA driver is too old: its library has no `{symbol}`"),
            "vLLM needs a current driver too; 580 or newer runs CUDA 13.",
        ),
        other => (
            format!("the NVIDIA driver does not answer: {other}"),
            "`nvidia-smi` should show the same.",
        ),
    };
    ExpectedError::new(Exit::NoGpu, message).help(help)
}

fn rows(nvml: &Nvml, index: u32) -> Vec<Row<'_>> {
    let device = match nvml.device_by_index(index) {
        Ok(device) => device,
        Err(error) => return vec![unreadable(index, String::new(), &error)],
    };
    let mig_on = device.mig_mode().is_ok_and(|mode| mode.current == 1);
    if mig_on {
        return instances(&device, index);
    }
    match read(&device, index) {
        Ok(gpu) => vec![Row {
            gpu,
            device: Some(device),
        }],
        Err(error) => vec![unreadable(index, device.name().unwrap_or_default(), &error)],
    }
}

fn unreadable<'nvml>(index: u32, name: String, error: &NvmlError) -> Row<'nvml> {
    let problem = match error {
        NvmlError::FailedToLoadSymbol(symbol) => format!("the driver is too old: it has no `{symbol}`"),
        NvmlError::GpuLost => "it has fallen off the bus".to_owned(),
        NvmlError::ResetRequired => "it needs a reset before it can be used again".to_owned(),
        NvmlError::InsufficientPower => "its power cables are not attached".to_owned(),
        NvmlError::NoPermission => "not allowed to ask for it".to_owned(),
        other => other.to_string(),
    };
    Row {
        gpu: HostGpu {
            index,
            name,
            error: Some(problem),
            ..HostGpu::default()
        },
        device: None,
    }
}

/// The instances of a GPU that is cut up.
fn instances<'nvml>(parent: &Device<'nvml>, index: u32) -> Vec<Row<'nvml>> {
    let count = parent.mig_device_count().unwrap_or(0);
    let found: Vec<Row<'nvml>> = (0..count)
        .filter_map(|slot| parent.mig_device_by_index(slot).ok())
        .map(|device| match read_instance(parent, &device, index) {
            Ok(gpu) => Row { gpu, device: None },
            Err(error) => unreadable(index, device.name().unwrap_or_default(), &error),
        })
        .collect();
    if !found.is_empty() {
        return found;
    }
    vec![Row {
        gpu: HostGpu {
            index,
            name: parent.name().unwrap_or_default(),
            error: Some("MIG mode is on, but there is no instance for a process to run on".to_owned()),
            ..HostGpu::default()
        },
        device: None,
    }]
}

fn read_instance(parent: &Device<'_>, device: &Device<'_>, index: u32) -> Result<HostGpu, NvmlError> {
    let name = device.name()?;
    let memory = device.memory_info()?;
    let profile = name
        .split_once(" MIG ")
        .map_or(name.as_str(), |(_, profile)| profile);
    Ok(HostGpu {
        index,
        mig: Some(profile.to_owned()),
        memory_total_bytes: memory.total,
        memory_used_bytes: memory.used,
        memory_reserved_bytes: Some(memory.reserved),
        compute_capability: capability(parent),
        pcie: pcie(parent),
        ecc: ecc(parent),
        name,
        ..HostGpu::default()
    })
}

fn read(device: &Device<'_>, index: u32) -> Result<HostGpu, NvmlError> {
    let name = device.name()?;
    let (total, used, reserved) = match device.memory_info() {
        Ok(memory) => (memory.total, memory.used, Some(memory.reserved)),
        // CPU and GPU share one memory: NVML has no figure, and a CUDA process sees the system's.
        Err(NvmlError::NotSupported) if gpu::find(&name).is_some_and(|known| known.unified_memory) => {
            (host::info().memory_total_bytes, 0, None)
        }
        Err(error) => return Err(error),
    };
    Ok(HostGpu {
        index,
        name,
        memory_total_bytes: total,
        memory_used_bytes: used,
        memory_reserved_bytes: reserved,
        compute_capability: capability(device),
        mig: None,
        pcie: pcie(device),
        nvlink: nvlink(device),
        ecc: ecc(device),
        power_limit_w: device
            .power_management_limit()
            .ok()
            .map(|milliwatts| milliwatts / 1000),
        error: None,
    })
}

fn capability(device: &Device<'_>) -> Option<String> {
    let capability = device.cuda_compute_capability().ok()?;
    Some(format!("{}.{}", capability.major, capability.minor))
}

/// The widest link that GPU and slot can have: an idle link is slowed down to save power.
fn pcie(device: &Device<'_>) -> Option<Pcie> {
    Some(Pcie {
        r#gen: device.max_pcie_link_gen().ok()?,
        width: device.max_pcie_link_width().ok()?,
    })
}

fn ecc(device: &Device<'_>) -> Option<bool> {
    device.is_ecc_enabled().ok().map(|state| state.currently_enabled)
}

fn nvlink(device: &Device<'_>) -> Option<Nvlink> {
    let active: Vec<u32> = (0..MAX_NVLINKS)
        .map_while(|link| {
            device
                .link_wrapper_for(link)
                .is_active()
                .ok()
                .map(|on| (link, on))
        })
        .filter_map(|(link, on)| on.then_some(link))
        .collect();
    let version = device.link_wrapper_for(*active.first()?).version().ok()?;
    Some(Nvlink {
        links: u32::try_from(active.len()).ok()?,
        version: nvlink_generation(version),
    })
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
    fn every_failure_says_what_to_do_and_ends_with_4() {
        for error in [
            NvmlError::LibraryNotFound,
            NvmlError::DriverNotLoaded,
            NvmlError::LibRmVersionMismatch,
            NvmlError::NoPermission,
            NvmlError::FailedToLoadSymbol("nvmlInit_v2".to_owned()),
            NvmlError::Unknown,
        ] {
            let error = explain(&error);
            assert_eq!(error.exit, Exit::NoGpu);
            assert!(error.help.is_some());
        }
    }
}
