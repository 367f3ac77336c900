//! A driver's answers → the report. Where MIG is on, each instance is a row: a process gets no more.
use super::{
    answers::{Answers, Device, Failure, Memory, Way},
    host,
    machine::{Machine, Place},
};
use planner::{
    gpu,
    host_report::{HostGpu, HostReport, Nvlink, Pcie, SCHEMA},
    units::Bytes,
};

/// Processors whose memory the GPU reaches over a coherent link.
const COHERENT: &[&str] = &["GH200", "GB200", "GB300"];

/// The report of those answers.
pub(super) fn report(answers: &Answers, machine: &Machine) -> HostReport {
    let mut notes = answers.notes.clone();
    let rows: Vec<(usize, HostGpu)> = answers
        .devices
        .iter()
        .enumerate()
        .flat_map(|(place, device)| {
            rows(device, machine, &mut notes)
                .into_iter()
                .map(move |row| (place, row))
        })
        .collect();
    if machine.place() == Place::Wsl {
        notes.push("WSL: Windows shares these GPUs, and what its programs hold counts as used.".to_owned());
    }
    let topology = if answers.ways.is_empty() {
        Vec::new()
    } else {
        topology(&rows, &answers.ways)
    };
    HostReport {
        schema: SCHEMA.to_owned(),
        agent_version: env!("CARGO_PKG_VERSION").to_owned(),
        driver_version: answers.driver_version.clone(),
        cuda_driver_version: answers.cuda_version.clone(),
        gpus: rows.into_iter().map(|(_, gpu)| gpu).collect(),
        topology,
        host: host::info(machine),
        notes,
    }
}

fn rows(device: &Device, machine: &Machine, notes: &mut Vec<String>) -> Vec<HostGpu> {
    let Some(instances) = &device.instances else {
        note(device, notes);
        return vec![row(device, machine, notes)];
    };
    if instances.is_empty() {
        return vec![HostGpu {
            index: device.index,
            name: device.name.clone(),
            error: Some("MIG mode is on, but there is no instance for a process to run on".to_owned()),
            ..HostGpu::default()
        }];
    }
    instances
        .iter()
        .map(|instance| {
            // What NVML does not tell of an instance is its parent's.
            let whole = Device {
                architecture: device.architecture.clone(),
                pcie: device.pcie,
                ecc: device.ecc,
                ..instance.clone()
            };
            let profile = whole.name.split_once(" MIG ").map(|(_, profile)| profile);
            let mig = profile.unwrap_or(&whole.name).to_owned();
            HostGpu {
                mig: Some(mig),
                ..row(&whole, machine, notes)
            }
        })
        .collect()
}

/// What a figure of this GPU does not say by itself.
fn note(device: &Device, notes: &mut Vec<String>) {
    let index = device.index;
    if device.is_virtual {
        notes.push(format!(
            "GPU {index} is a virtual GPU: its memory is what the hypervisor's profile gives, and without a licence it is slowed down."
        ));
    }
    if COHERENT.iter().any(|name| device.name.contains(name)) {
        notes.push(format!(
            "GPU {index} can also reach its processor's memory; vLLM plans with the GPU's own, which is what is counted."
        ));
    }
}

fn row(device: &Device, machine: &Machine, notes: &mut Vec<String>) -> HostGpu {
    let mut gpu = HostGpu {
        index: device.index,
        name: device.name.clone(),
        ..HostGpu::default()
    };
    if let Some(failure) = &device.failure {
        gpu.error = Some(words(failure));
        return gpu;
    }
    let Some(memory) = device.memory.or_else(|| shared_memory(device, machine, notes)) else {
        gpu.error = Some("the driver does not say how much memory it has".to_owned());
        return gpu;
    };
    HostGpu {
        memory_total_bytes: memory.total,
        memory_used_bytes: memory.used,
        memory_reserved_bytes: memory.reserved,
        memory_processes_bytes: device.processes_bytes,
        compute_capability: device.architecture.clone(),
        pcie: device.pcie.map(|(generation, width)| Pcie {
            r#gen: generation,
            width,
        }),
        nvlink: (device.links > 0).then_some(Nvlink {
            links: device.links,
            version: device.link_version,
        }),
        ecc: device.ecc,
        power_limit_w: device.power_limit_w,
        ..gpu
    }
}

/// Where CPU and GPU share one memory a CUDA process sees all of it, and can have what is free.
fn shared_memory(device: &Device, machine: &Machine, notes: &mut Vec<String>) -> Option<Memory> {
    // A known card with a memory of its own that does not tell it is broken.
    if gpu::find(&device.name).is_some_and(|known| !known.unified_memory) {
        return None;
    }
    let (total, available) = machine.memory();
    let about = format!(
        "GPU {} shares the main memory: a CUDA process can have what is free there",
        device.index
    );
    if total == 0 {
        notes.push(format!("{about}, but /proc/meminfo could not be read."));
        return None;
    }
    notes.push(format!(
        "{about}, {} of {} now.",
        Bytes::new(available),
        Bytes::new(total)
    ));
    Some(Memory {
        total,
        used: total.saturating_sub(available),
        reserved: None,
    })
}

/// Why one GPU cannot be read.
fn words(failure: &Failure) -> String {
    match failure {
        Failure::MissingSymbol(symbol) => format!("the driver is too old: it has no `{symbol}`"),
        Failure::Lost => "it has fallen off the bus".to_owned(),
        Failure::ResetRequired => "it needs a reset before it can be used again".to_owned(),
        Failure::NoPower => "its power cables are not attached".to_owned(),
        Failure::NoPermission => "not allowed to ask for it".to_owned(),
        Failure::NotInstalled | Failure::NotLoaded => "its driver does not run".to_owned(),
        Failure::Mismatch => "library and kernel module are of different versions".to_owned(),
        Failure::Other(message) => message.clone(),
    }
}

/// Between every two rows; instances of MIG reach nobody.
fn topology(rows: &[(usize, HostGpu)], ways: &[Vec<Way>]) -> Vec<Vec<String>> {
    let word = |a: usize, b: usize| -> &'static str {
        match (rows.get(a), rows.get(b)) {
            _ if a == b => Way::Own.word(),
            (Some((_, a)), Some((_, b))) if a.mig.is_some() || b.mig.is_some() => "MIG",
            (Some((a, _)), Some((b, _))) => {
                let way = ways.get(*a).and_then(|row| row.get(*b));
                way.copied().unwrap_or(Way::Unknown).word()
            }
            _ => Way::Unknown.word(),
        }
    };
    (0..rows.len())
        .map(|a| (0..rows.len()).map(|b| word(a, b).to_owned()).collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::pretend;
    use super::*;
    use planner::host_report::to_hardware;
    use std::path::Path;

    fn assembled(name: &str) -> HostReport {
        report(
            &pretend::answers(name),
            &Machine::made_up(Path::new("/nowhere"), &[]),
        )
    }

    #[test]
    fn one_and_two_and_eight_gpus() {
        let one = assembled("l4x1");
        assert_eq!(one.gpus.len(), 1);
        assert_eq!(one.topology, [["SELF"]]);
        assert_eq!(one.gpus[0].memory_processes_bytes, Some(1_610_612_736));
        assert_eq!(one.gpus[0].pcie, Some(Pcie { r#gen: 4, width: 16 }));
        let two = assembled("h100x2");
        assert_eq!(two.topology[0][1], "NVLINK");
        assert_eq!(
            two.gpus[1].nvlink,
            Some(Nvlink {
                links: 18,
                version: 4
            })
        );
        assert_eq!(two.gpus[1].power_limit_w, Some(700));
        let eight = assembled("h200x8");
        assert_eq!(eight.gpus.len(), 8);
        let found = to_hardware(&eight).unwrap();
        assert_eq!((found.gpu.name.as_str(), found.gpus), ("H200 SXM", 8));
        assert_eq!(found.interconnect, planner::plan::Interconnect::Nvlink);
    }

    #[test]
    fn mig_instances_are_rows_of_their_own() {
        let report = assembled("a100_mig");
        let migs: Vec<Option<&str>> = report.gpus.iter().map(|gpu| gpu.mig.as_deref()).collect();
        assert_eq!(migs, [Some("3g.40gb"), Some("3g.40gb"), None]);
        assert_eq!(report.gpus[0].compute_capability.as_deref(), Some("8.0"));
        assert_eq!(report.topology[0], ["SELF", "MIG", "MIG"]);
        assert!(report.gpus[2].error.as_ref().unwrap().contains("no instance"));
        assert_eq!(to_hardware(&report).unwrap().gpus, 1);
    }

    #[test]
    fn of_several_kinds_the_larger_group_is_planned() {
        let report = assembled("mixed");
        assert_eq!(report.topology[0], ["SELF", "PHB", "SYS"]);
        let found = to_hardware(&report).unwrap();
        assert_eq!((found.gpu.name.as_str(), found.gpus), ("RTX 4090", 2));
        assert!(found.left_out[0].contains("RTX A6000"), "{:?}", found.left_out);
        let all = found.mixed.unwrap();
        assert_eq!(all.kinds(), "2 × RTX 4090 + 1 × RTX A6000");
        assert_eq!(all.gpus, 3);
    }

    #[test]
    fn a_broken_gpu_is_named_and_the_rest_stay() {
        let report = assembled("one_broken");
        assert_eq!(report.gpus.len(), 3);
        assert_eq!(report.gpus[1].error.as_deref(), Some("it has fallen off the bus"));
        assert_eq!(report.topology[0], ["SELF", "UNKNOWN", "NODE"]);
        assert_eq!(to_hardware(&report).unwrap().gpus, 2);
    }

    #[test]
    fn shared_memory_is_the_systems() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("proc")).unwrap();
        let text = "MemTotal:       125513728 kB\nMemAvailable:   104857600 kB\n";
        std::fs::write(folder.path().join("proc/meminfo"), text).unwrap();
        let machine = Machine::made_up(folder.path(), &[]);
        let report = report(&pretend::answers("gb10"), &machine);
        assert_eq!(report.gpus[0].memory_total_bytes, 125_513_728 * 1024);
        assert_eq!(
            report.gpus[0].memory_used_bytes,
            (125_513_728 - 104_857_600) * 1024
        );
        assert!(
            report.notes[0].contains("100.0 GiB of 119.7 GiB"),
            "{:?}",
            report.notes
        );
        assert!(to_hardware(&report).unwrap().gpu.unified_memory);
        let unread = assembled("gb10");
        assert!(unread.gpus[0].error.is_some());
        assert!(
            unread.notes[0].contains("could not be read"),
            "{:?}",
            unread.notes
        );
    }

    #[test]
    fn a_card_that_hides_its_memory_is_broken_and_not_unified() {
        let mut answers = pretend::answers("l4x1");
        answers.devices[0].memory = None;
        let report = report(&answers, &Machine::made_up(Path::new("/nowhere"), &[]));
        assert!(report.gpus[0].error.as_ref().unwrap().contains("how much memory"));
    }

    #[test]
    fn wsl_virtual_and_coherent_gpus_say_what_their_figures_mean() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("dev")).unwrap();
        std::fs::write(folder.path().join("dev/dxg"), "").unwrap();
        let wsl = report(&pretend::answers("wsl"), &Machine::made_up(folder.path(), &[]));
        assert!(
            wsl.notes.iter().any(|note| note.starts_with("WSL: ")),
            "{:?}",
            wsl.notes
        );
        // Windows does not tell what single programs hold.
        assert_eq!(wsl.gpus[0].memory_processes_bytes, None);
        assert!(assembled("vgpu").notes[0].contains("virtual GPU"));
        assert!(assembled("gh200").notes[0].contains("processor's memory"));
        assert_eq!(assembled("gh200").gpus[0].memory_total_bytes, 97_871 << 20);
    }

    #[test]
    fn a_gpu_that_the_catalogue_does_not_know_still_plans() {
        let report = assembled("unknown");
        let found = to_hardware(&report).unwrap();
        assert_eq!(found.gpu.name, "NVIDIA X900 Prototype");
        assert_eq!(found.gpu.compute_capability.unwrap().number(), 103);
        assert_eq!(found.gpu.memory_visible.unwrap(), Bytes::from_mib(100_000 - 700));
    }

    #[test]
    fn nothing_that_identifies_the_machine_is_in_a_report() {
        for name in pretend::ALL {
            let text = serde_json::to_string(&assembled(name)).unwrap();
            assert!(!text.contains("GPU-") && !text.contains("uuid"), "{name}: {text}");
        }
    }
}
