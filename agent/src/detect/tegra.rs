//! Jetson modules whose NVML does not run: the device tree names them, and the memory is the system's.
use super::{
    answers::{Answers, Device, Driver, Failure},
    machine::Machine,
};

/// Name in the device tree, name in the catalogue, compute capability.
const MODULES: &[(&str, &str, &str)] = &[
    ("AGX Orin", "Jetson AGX Orin 64GB", "8.7"),
    ("Orin", "NVIDIA Jetson Orin", "8.7"),
    ("Thor", "Jetson AGX Thor", "11.0"),
];

/// The device tree.
#[derive(Debug)]
pub(super) struct Tegra<'a> {
    pub(super) machine: &'a Machine,
}

impl Driver for Tegra<'_> {
    fn answers(&self) -> Result<Answers, Failure> {
        let model = self
            .machine
            .text("/proc/device-tree/model")
            .filter(|model| model.contains("Jetson"))
            .ok_or(Failure::NotInstalled)?;
        let (_, name, capability) = MODULES
            .iter()
            .find(|(words, ..)| model.contains(words))
            .ok_or(Failure::NotInstalled)?;
        // One name in the catalogue stands for the larger of two modules; the memory tells them apart.
        let name = if *name == "Jetson AGX Orin 64GB" && self.machine.memory().0 < 40 << 30 {
            "NVIDIA Jetson AGX Orin 32GB"
        } else {
            name
        };
        Ok(Answers {
            devices: vec![Device {
                name: name.to_owned(),
                architecture: Some((*capability).to_owned()),
                ..Device::default()
            }],
            notes: vec![format!("Told by the device tree: {model}.")],
            ..Answers::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::assemble;
    use planner::host_report::to_hardware;
    use std::fs;

    #[test]
    fn a_jetson_plans_with_the_systems_memory() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("proc/device-tree")).unwrap();
        let machine = Machine::made_up(folder.path(), &[]);
        assert!(Tegra { machine: &machine }.answers().is_err());
        let model = "NVIDIA Jetson AGX Orin Developer Kit\0";
        fs::write(folder.path().join("proc/device-tree/model"), model).unwrap();
        let memory = "MemTotal:       64349404 kB\nMemAvailable:   60000000 kB\n";
        fs::write(folder.path().join("proc/meminfo"), memory).unwrap();
        let answers = Tegra { machine: &machine }.answers().unwrap();
        let report = assemble::report(&answers, &machine);
        assert_eq!(report.gpus[0].memory_total_bytes, 64_349_404 * 1024);
        let found = to_hardware(&report).unwrap();
        assert_eq!(found.gpu.name, "Jetson AGX Orin 64GB");
        assert!(
            found
                .notes
                .iter()
                .any(|note| note.contains("shares the main memory"))
        );
    }
}
