//! Why no GPU is found, and what to do about it in this very place.
use super::{
    answers::Failure,
    machine::{Machine, Place},
};
use crate::error::{Exit, ExpectedError};

/// NVIDIA and AMD on the PCI bus.
const NVIDIA: &str = "0x10de";
pub(super) const AMD: &str = "0x1002";

/// The driver's failure in the words of this place.
pub(super) fn failure(failure: &Failure, machine: &Machine) -> ExpectedError {
    match failure {
        Failure::NotInstalled => not_installed(machine),
        Failure::NotLoaded => no_gpu(
            "the NVIDIA driver is installed, but its kernel module is not loaded",
            match machine.place() {
                Place::Host => {
                    "Try `sudo modprobe nvidia`, or reboot after the driver's installation; `dmesg | grep -i nvrm` says more."
                }
                Place::Wsl => "In Windows: `wsl --update`, then `wsl --shutdown`.",
                Place::Container | Place::Kubernetes => {
                    "Load it on the host (`sudo modprobe nvidia`), not in the container."
                }
            },
        ),
        Failure::Mismatch => mismatch(machine),
        Failure::NoPermission => no_gpu(
            "not allowed to ask the NVIDIA driver",
            match machine.place() {
                Place::Container | Place::Kubernetes => {
                    "The container may not open /dev/nvidiactl: give it its GPUs through the NVIDIA Container Toolkit, not with --device alone."
                }
                _ => {
                    "The user needs access to /dev/nvidiactl and /dev/nvidia0; `ls -l /dev/nvidia*` shows whose they are."
                }
            },
        ),
        Failure::MissingSymbol(symbol) => no_gpu(
            &format!("this NVIDIA driver is too old: its library has no `{symbol}`"),
            "vLLM needs a current driver too; 580 or newer runs CUDA 13.",
        ),
        Failure::Lost => no_gpu(
            "the GPU has fallen off the bus",
            "Reset or reboot the machine; `dmesg | grep -i xid` says what happened.",
        ),
        Failure::ResetRequired => no_gpu(
            "the GPU needs a reset before it can be used again",
            "`sudo nvidia-smi --gpu-reset`, or reboot.",
        ),
        Failure::NoPower => no_gpu(
            "the GPU's power cables are not attached",
            "Attach them, then start again.",
        ),
        Failure::Other(message) => no_gpu(
            &format!("the NVIDIA driver does not answer: {message}"),
            "`nvidia-smi` should show the same.",
        ),
    }
}

fn no_gpu(message: &str, help: &str) -> ExpectedError {
    ExpectedError::new(Exit::NoGpu, message).help(help)
}

/// No library of the driver: the most frequent case, with the most causes.
fn not_installed(machine: &Machine) -> ExpectedError {
    let named = "To plan for other hardware, name it: `vllm-wizard plan --gpu \"H100 SXM\" …`.";
    let error = |message: &str, help: &str| no_gpu(message, &format!("{help} {named}"));
    match machine.place() {
        Place::Wsl => error(
            "no NVIDIA driver reaches into this WSL",
            "Install the driver in Windows, none inside WSL; then `wsl --update` and `wsl --shutdown`. WSL 1 has no GPUs.",
        ),
        Place::Kubernetes => error(
            "no NVIDIA driver in this pod: it was given no GPU",
            "Ask for one in its manifest: `resources: {limits: {nvidia.com/gpu: 1}}`; the node needs NVIDIA's device plugin.",
        ),
        Place::Container => in_container(machine, &error),
        Place::Host => on_host(machine, &error),
    }
}

fn in_container(machine: &Machine, error: &dyn Fn(&str, &str) -> ExpectedError) -> ExpectedError {
    if machine.exists("/dev/nvidiactl") || machine.exists("/dev/nvidia0") {
        return error(
            "no NVIDIA driver library in this container, though it has the GPU's device",
            "Set NVIDIA_DRIVER_CAPABILITIES=compute,utility (or all): `utility` brings the library that is asked here.",
        );
    }
    if matches!(
        machine.variable("NVIDIA_VISIBLE_DEVICES"),
        Some("" | "none" | "void")
    ) {
        return error(
            "no NVIDIA driver in this container: NVIDIA_VISIBLE_DEVICES keeps all GPUs from it",
            "Start it with `--gpus all`, or with NVIDIA_VISIBLE_DEVICES=all.",
        );
    }
    error(
        "no NVIDIA driver in this container: it was started without GPUs",
        "Start it with `--gpus all` (Docker with the NVIDIA Container Toolkit) or `--device nvidia.com/gpu=all` (Podman); for AMD with `--device /dev/kfd --device /dev/dri`.",
    )
}

fn on_host(machine: &Machine, error: &dyn Fn(&str, &str) -> ExpectedError) -> ExpectedError {
    if cfg!(target_feature = "crt-static") && machine.nvidia_module().is_some() {
        return error(
            "no NVIDIA driver library can be loaded: this program is linked statically, and nvidia-smi was not found",
            "Use the build for glibc, or put nvidia-smi on PATH.",
        );
    }
    if let Some(version) = machine.nvidia_module() {
        return error(
            &format!(
                "the NVIDIA driver's kernel module {version} runs, but its library libnvidia-ml.so.1 is missing"
            ),
            "Install the driver's user-space part of the same version (Debian and Ubuntu: libnvidia-compute or nvidia-utils).",
        );
    }
    match machine.pci_device(NVIDIA) {
        Some(module) if !matches!(module.as_str(), "" | "nvidia") => {
            return error(
                &format!("no NVIDIA driver: the GPU of this machine is held by `{module}`"),
                if module == "vfio-pci" {
                    "It is set aside for a virtual machine: ask there, or give it back to the host."
                } else {
                    "Install NVIDIA's driver, which replaces it, and reboot."
                },
            );
        }
        Some(_) => {
            return error(
                "no NVIDIA driver is installed for the GPU of this machine",
                "Install it; 580 or newer runs CUDA 13.",
            );
        }
        None => {}
    }
    if machine.pci_device(AMD).is_some() {
        return error(
            "no NVIDIA driver, and the AMD GPU of this machine is not driven by amdgpu",
            "Load it with `sudo modprobe amdgpu`, or install AMD's driver.",
        );
    }
    error(
        "no NVIDIA driver and no AMD GPU found on this machine",
        "On the GPU machine: install the driver; in a container: start it with `--gpus all`.",
    )
}

fn mismatch(machine: &Machine) -> ExpectedError {
    let module = machine.nvidia_module();
    let version = module.map_or_else(String::new, |version| format!(" (the module is {version})"));
    no_gpu(
        &format!("the NVIDIA driver's library and kernel module are of different versions{version}"),
        match machine.place() {
            Place::Container | Place::Kubernetes => {
                "The driver of the host was updated: restart this container, and the host if that does not help."
            }
            Place::Wsl => "Remove the Linux driver from WSL: Windows brings the library that fits.",
            Place::Host => "The driver was updated while it ran: reboot the machine.",
        },
    )
}

/// The driver answers, and lists nothing.
pub(super) fn none_listed(machine: &Machine) -> ExpectedError {
    no_gpu(
        "the NVIDIA driver runs but reports no GPU",
        match machine.place() {
            Place::Container => "Start the container with `--gpus all`.",
            Place::Kubernetes => {
                "Ask for one in the pod's manifest: `resources: {limits: {nvidia.com/gpu: 1}}`."
            }
            Place::Host | Place::Wsl => {
                "In a container, start it with `--gpus all`; else look at `nvidia-smi` and `dmesg`."
            }
        },
    )
}

/// The environment hides all there are; the last note says which variable.
pub(super) fn all_hidden(notes: &[String]) -> ExpectedError {
    let message = notes
        .last()
        .map_or("the environment hides every GPU", String::as_str);
    no_gpu(
        message.trim_end_matches('.'),
        "Unset the variable, or let it name a GPU that is there: a number from 0 on, or a name from `nvidia-smi -L`.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::machine::file;

    #[track_caller]
    fn says(files: &[(&str, &str)], variables: &[(&str, &str)], what: &Failure, words: &[&str]) {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            file(folder.path(), path, text);
        }
        let error = failure(what, &Machine::made_up(folder.path(), variables));
        assert_eq!(error.exit, Exit::NoGpu);
        for word in words {
            assert!(error.to_string().contains(word), "{word:?} is missing in {error}");
        }
    }

    const CONTAINER: (&str, &str) = ("container", "docker");
    const WSL: (&str, &str) = ("dev/dxg", "");
    const CARD: [(&str, &str); 2] = [
        ("sys/bus/pci/devices/0000:01:00.0/vendor", "0x10de"),
        ("sys/bus/pci/devices/0000:01:00.0/class", "0x030000"),
    ];

    #[test]
    fn a_missing_driver_is_explained_by_the_place() {
        let missing = &Failure::NotInstalled;
        says(
            &[],
            &[],
            missing,
            &["no NVIDIA driver and no AMD GPU", "--gpu \"H100 SXM\""],
        );
        says(&[WSL], &[], missing, &["WSL", "Install the driver in Windows"]);
        says(
            &[],
            &[CONTAINER],
            missing,
            &["started without GPUs", "--gpus all", "/dev/kfd"],
        );
        says(
            &[],
            &[CONTAINER, ("NVIDIA_VISIBLE_DEVICES", "void")],
            missing,
            &["NVIDIA_VISIBLE_DEVICES keeps"],
        );
        says(
            &[("dev/nvidiactl", "")],
            &[CONTAINER],
            missing,
            &["NVIDIA_DRIVER_CAPABILITIES"],
        );
        says(
            &[],
            &[("KUBERNETES_SERVICE_HOST", "1")],
            missing,
            &["pod", "nvidia.com/gpu: 1"],
        );
        says(
            &CARD,
            &[],
            missing,
            &["no NVIDIA driver is installed for the GPU"],
        );
        let module = [("sys/module/nvidia/version", "580.95.05\n")];
        says(
            &module,
            &[],
            missing,
            &["580.95.05", "libnvidia-ml.so.1 is missing"],
        );
    }

    #[cfg(unix)]
    #[test]
    fn another_module_that_holds_the_card_is_named() {
        for (module, word) in [
            ("nouveau", "Install NVIDIA's driver"),
            ("vfio-pci", "virtual machine"),
        ] {
            let folder = tempfile::tempdir().unwrap();
            for (path, text) in CARD {
                file(folder.path(), path, text);
            }
            let link = folder.path().join("sys/bus/pci/devices/0000:01:00.0/driver");
            std::os::unix::fs::symlink(format!("../../drivers/{module}"), link).unwrap();
            let error = failure(&Failure::NotInstalled, &Machine::made_up(folder.path(), &[]));
            assert!(
                error.message.contains(module) && error.to_string().contains(word),
                "{error}"
            );
        }
    }

    #[test]
    fn other_failures_have_their_own_words() {
        let module = [("sys/module/nvidia/version", "570.86.15\n")];
        says(&module, &[], &Failure::Mismatch, &["570.86.15", "reboot"]);
        says(&[], &[CONTAINER], &Failure::Mismatch, &["restart this container"]);
        says(
            &[],
            &[],
            &Failure::NoPermission,
            &["not allowed", "/dev/nvidiactl"],
        );
        says(
            &[],
            &[CONTAINER],
            &Failure::NoPermission,
            &["not with --device alone"],
        );
        says(&[], &[], &Failure::NotLoaded, &["modprobe nvidia"]);
        says(
            &[],
            &[],
            &Failure::MissingSymbol("nvmlInit_v2".into()),
            &["too old", "nvmlInit_v2"],
        );
        says(&[], &[], &Failure::Lost, &["off the bus", "xid"]);
        says(&[], &[], &Failure::Other("it hurts".into()), &["it hurts"]);
    }
}
