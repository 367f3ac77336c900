//! Where this program runs: what the environment and a few files of the system say. Tests put a folder in place of `/`.
use std::path::PathBuf;

/// Variables that matter here.
const NAMES: &[&str] = &[
    "CUDA_VISIBLE_DEVICES",
    "CUDA_DEVICE_ORDER",
    "NVIDIA_VISIBLE_DEVICES",
    "NVIDIA_DRIVER_CAPABILITIES",
    "HIP_VISIBLE_DEVICES",
    "ROCR_VISIBLE_DEVICES",
    "KUBERNETES_SERVICE_HOST",
    "container",
];
/// No file that is read here is longer.
const MAX_FILE: u64 = 64 << 10;

/// The machine.
#[derive(Clone, Debug)]
pub(super) struct Machine {
    root: PathBuf,
    variables: Vec<(String, String)>,
}

/// What kind of place it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The system itself, or a virtual machine.
    Host,
    /// Windows Subsystem for Linux.
    Wsl,
    /// A pod.
    Kubernetes,
    /// Another container.
    Container,
}

impl Machine {
    /// The one that this program runs on.
    pub(super) fn this() -> Self {
        let variables = NAMES
            .iter()
            .filter_map(|name| {
                let value = std::env::var_os(name)?;
                Some(((*name).to_owned(), value.to_string_lossy().into_owned()))
            })
            .collect();
        Self {
            root: PathBuf::from("/"),
            variables,
        }
    }

    /// A made-up one.
    #[cfg(test)]
    pub(super) fn made_up(root: &std::path::Path, variables: &[(&str, &str)]) -> Self {
        Self {
            root: root.to_owned(),
            variables: variables
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        }
    }

    /// An environment variable.
    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        let found = self.variables.iter().find(|(known, _)| known == name)?;
        Some(&found.1)
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    /// The text of a small file, without blanks at its ends.
    pub(super) fn text(&self, path: &str) -> Option<String> {
        use std::io::Read;
        let mut text = String::new();
        let file = std::fs::File::open(self.path(path)).ok()?;
        file.take(MAX_FILE).read_to_string(&mut text).ok()?;
        Some(text.trim_matches(['\0', '\n', ' ', '\t']).to_owned())
    }

    /// The text of a longer file, such as a list of names.
    pub(super) fn long_text(&self, path: &str) -> Option<String> {
        std::fs::read_to_string(self.path(path)).ok()
    }

    /// The number in a file.
    pub(super) fn number(&self, path: &str) -> Option<u64> {
        self.text(path)?.parse().ok()
    }

    pub(super) fn exists(&self, path: &str) -> bool {
        self.path(path).exists()
    }

    /// Names in a folder, sorted by their numbers.
    pub(super) fn names(&self, folder: &str) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.path(folder))
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .collect();
        let number = |name: &str| -> u64 {
            let digits = name.trim_start_matches(|c: char| !c.is_ascii_digit());
            digits.parse().unwrap_or(u64::MAX)
        };
        planner::order::sort(&mut names, |a, b| {
            number(a).cmp(&number(b)).then_with(|| a.cmp(b))
        });
        names
    }

    /// The last part of where a link points to.
    pub(super) fn link_name(&self, path: &str) -> Option<String> {
        let target = std::fs::read_link(self.path(path)).ok()?;
        Some(target.file_name()?.to_string_lossy().into_owned())
    }

    pub(super) fn place(&self) -> Place {
        let release = self.text("/proc/sys/kernel/osrelease").unwrap_or_default();
        if self.variable("KUBERNETES_SERVICE_HOST").is_some() {
            return Place::Kubernetes;
        }
        let marked = self.exists("/.dockerenv")
            || self.exists("/run/.containerenv")
            || self.variable("container").is_some();
        if marked || self.is_in_cgroup_of_a_container() {
            Place::Container
        } else if release.to_ascii_lowercase().contains("microsoft") || self.exists("/dev/dxg") {
            Place::Wsl
        } else {
            Place::Host
        }
    }

    fn is_in_cgroup_of_a_container(&self) -> bool {
        let groups = self.text("/proc/1/cgroup").unwrap_or_default();
        ["docker", "containerd", "kubepods", "libpod", "lxc"]
            .iter()
            .any(|word| groups.contains(word))
    }

    /// Version of the NVIDIA kernel module, if it runs.
    pub(super) fn nvidia_module(&self) -> Option<String> {
        if let Some(version) = self.text("/sys/module/nvidia/version") {
            return Some(version);
        }
        let text = self.text("/proc/driver/nvidia/version")?;
        let is_version =
            |word: &&str| word.contains('.') && word.chars().all(|c| c.is_ascii_digit() || c == '.');
        text.split_whitespace().find(is_version).map(str::to_owned)
    }

    /// The module that drives a graphics or compute device of that maker on the PCI bus; empty where none does.
    pub(super) fn pci_device(&self, maker: &str) -> Option<String> {
        const DEVICES: &str = "/sys/bus/pci/devices";
        self.names(DEVICES).into_iter().find_map(|name| {
            let is = |file: &str, start: &str| {
                let text = self.text(&format!("{DEVICES}/{name}/{file}"));
                text.is_some_and(|text| text.starts_with(start))
            };
            let drives_pictures_or_computes = is("class", "0x03") || is("class", "0x12");
            (is("vendor", maker) && drives_pictures_or_computes).then(|| {
                self.link_name(&format!("{DEVICES}/{name}/driver"))
                    .unwrap_or_default()
            })
        })
    }

    /// Main memory: all of it, and what a new program can have.
    pub(super) fn memory(&self) -> (u64, u64) {
        let text = self.text("/proc/meminfo").unwrap_or_default();
        let bytes = |name: &str| -> Option<u64> {
            let line = text.lines().find_map(|line| line.strip_prefix(name))?;
            let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
            kib.checked_mul(1024)
        };
        let total = bytes("MemTotal:").unwrap_or(0);
        (total, bytes("MemAvailable:").unwrap_or(total))
    }
}

/// Writes a file of a made-up machine.
#[cfg(test)]
pub(super) fn file(root: &std::path::Path, path: &str, text: &str) {
    let path = root.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        assert_eq!(Machine::made_up(root, &[]).place(), Place::Host);
        let pod = [("KUBERNETES_SERVICE_HOST", "10.0.0.1")];
        assert_eq!(Machine::made_up(root, &pod).place(), Place::Kubernetes);
        file(
            root,
            "proc/sys/kernel/osrelease",
            "6.6.87.2-microsoft-standard-WSL2\n",
        );
        assert_eq!(Machine::made_up(root, &[]).place(), Place::Wsl);
        file(root, "proc/1/cgroup", "0::/docker/4f\n");
        assert_eq!(Machine::made_up(root, &[]).place(), Place::Container);
    }

    #[test]
    fn the_kernels_figures_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let machine = Machine::made_up(folder.path(), &[]);
        assert_eq!(machine.memory(), (0, 0));
        let text = "MemTotal:       263856464 kB\nMemFree: 1 kB\nMemAvailable:   200000000 kB\n";
        file(folder.path(), "proc/meminfo", text);
        assert_eq!(machine.memory(), (263_856_464 * 1024, 200_000_000 * 1024));
        let version = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.95.05  Release Build\nGCC version:  gcc 12.2.0\n";
        file(folder.path(), "proc/driver/nvidia/version", version);
        assert_eq!(machine.nvidia_module().as_deref(), Some("580.95.05"));
    }

    #[test]
    fn a_card_without_a_driver_is_found_on_the_bus() {
        let folder = tempfile::tempdir().unwrap();
        let device = "sys/bus/pci/devices/0000:01:00.0";
        let machine = Machine::made_up(folder.path(), &[]);
        assert_eq!(machine.pci_device("0x10de"), None);
        file(folder.path(), &format!("{device}/vendor"), "0x10de\n");
        file(folder.path(), &format!("{device}/class"), "0x030200\n");
        assert_eq!(machine.pci_device("0x10de").as_deref(), Some(""));
        assert_eq!(machine.pci_device("0x1002"), None);
    }
}
