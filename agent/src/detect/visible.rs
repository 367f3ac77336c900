//! `CUDA_VISIBLE_DEVICES` and its kin: which of the GPUs a process started here would get.
use super::{
    answers::{Answers, Device, Way},
    machine::{Machine, Place},
};

/// Keeps what the environment lets a process see, in its order, and says so.
pub(super) fn apply(mut answers: Answers, machine: &Machine, names: &[&str]) -> Answers {
    for name in names {
        let Some(value) = machine.variable(name) else {
            continue;
        };
        let kept = keep(&answers.devices, value);
        answers = narrowed(answers, &kept, name);
    }
    if let Some(value) = given_by_the_runtime(&answers, machine) {
        let kept = keep(&answers.devices, value);
        if kept.len() < answers.devices.len() && kept.len() == value.split(',').count() {
            answers = narrowed(answers, &kept, "NVIDIA_VISIBLE_DEVICES");
        }
    }
    note_order(&mut answers, machine);
    answers
}

/// A privileged container sees every GPU of its host; those that the runtime meant for it are in this variable.
fn given_by_the_runtime<'a>(answers: &Answers, machine: &'a Machine) -> Option<&'a str> {
    let in_container = matches!(machine.place(), Place::Container | Place::Kubernetes);
    let value = machine.variable("NVIDIA_VISIBLE_DEVICES")?.trim();
    let is_list = !matches!(value, "" | "all" | "none" | "void");
    (in_container && is_list && !answers.devices.is_empty()).then_some(value)
}

/// A device and, of a GPU that is cut up, the instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Kept {
    device: usize,
    instance: Option<usize>,
}

/// As CUDA reads the list: the first entry that names nothing, or something twice, ends it.
fn keep(devices: &[Device], value: &str) -> Vec<Kept> {
    let mut kept: Vec<Kept> = Vec::new();
    for entry in value.split(',').map(str::trim) {
        match find(devices, entry) {
            Some(found) if !kept.contains(&found) => kept.push(found),
            _ => break,
        }
    }
    kept
}

fn find(devices: &[Device], entry: &str) -> Option<Kept> {
    let begins = |device: &Device| device.uuid.as_deref().is_some_and(|uuid| uuid.starts_with(entry));
    if entry.starts_with("MIG-") {
        return devices.iter().enumerate().find_map(|(place, device)| {
            let instance = device.instances.as_ref()?.iter().position(begins)?;
            Some(Kept {
                device: place,
                instance: Some(instance),
            })
        });
    }
    let device = if entry.starts_with("GPU-") {
        let mut places = devices.iter().enumerate().filter(|(_, device)| begins(device));
        match (places.next(), places.next()) {
            (Some((place, _)), None) => place,
            _ => return None,
        }
    } else {
        let place: usize = entry.parse().ok()?;
        devices.get(place).map(|_| place)?
    };
    Some(Kept {
        device,
        instance: None,
    })
}

fn narrowed(answers: Answers, kept: &[Kept], name: &str) -> Answers {
    let all = answers.devices.len();
    let device = |kept: &Kept| -> Option<Device> {
        let device = answers.devices.get(kept.device)?;
        let instances = match (&device.instances, kept.instance) {
            (Some(list), Some(place)) => Some(list.get(place).cloned().into_iter().collect()),
            // CUDA takes the first instance of a GPU that is named whole.
            (Some(list), None) => Some(list.first().cloned().into_iter().collect()),
            (None, _) => None,
        };
        Some(Device {
            instances,
            ..device.clone()
        })
    };
    let way = |a: &Kept, b: &Kept| {
        let way = answers.ways.get(a.device).and_then(|row| row.get(b.device));
        way.copied().unwrap_or(Way::Unknown)
    };
    let ways = if answers.ways.is_empty() {
        Vec::new()
    } else {
        kept.iter()
            .map(|a| kept.iter().map(|b| way(a, b)).collect())
            .collect()
    };
    let mut notes = answers.notes.clone();
    notes.push(match kept.len() {
        0 => format!("{name} hides every GPU of this machine ({all})."),
        some => format!("{name} names {some} of {all} GPUs; only those are listed."),
    });
    Answers {
        devices: kept.iter().filter_map(device).collect(),
        ways,
        notes,
        ..answers
    }
}

/// CUDA's own order is another one where the GPUs are of several kinds.
fn note_order(answers: &mut Answers, machine: &Machine) {
    let by_number = machine
        .variable("CUDA_VISIBLE_DEVICES")
        .is_some_and(|value| value.starts_with(|c: char| c.is_ascii_digit()));
    let by_bus = machine.variable("CUDA_DEVICE_ORDER") == Some("PCI_BUS_ID");
    let mut names = answers.devices.iter().map(|device| &device.name);
    let first = names.next();
    if by_number && !by_bus && names.any(|name| Some(name) != first) {
        answers.notes.push(
            "CUDA counts GPUs of several kinds by speed; set CUDA_DEVICE_ORDER=PCI_BUS_ID for the order of this list."
                .to_owned(),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::pretend;
    use super::*;
    use std::path::Path;

    fn seen(name: &str, variables: &[(&str, &str)]) -> (Vec<u32>, Vec<String>) {
        let machine = Machine::made_up(Path::new("/nowhere"), variables);
        let answers = apply(pretend::answers(name), &machine, &["CUDA_VISIBLE_DEVICES"]);
        let indices = answers.devices.iter().map(|device| device.index).collect();
        (indices, answers.notes)
    }

    #[track_caller]
    fn cuda(value: &str, expected: &[u32]) {
        assert_eq!(
            seen("h200x8", &[("CUDA_VISIBLE_DEVICES", value)]).0,
            expected,
            "{value:?}"
        );
    }

    #[test]
    fn lists_are_read_as_cuda_does() {
        cuda("0,3", &[0, 3]);
        cuda("3, 0", &[3, 0]);
        cuda("7,8,1", &[7]);
        cuda("1,1", &[1]);
        cuda("", &[]);
        cuda("-1", &[]);
        cuda("NoDevFiles", &[]);
        cuda("GPU-00000005", &[5]);
        cuda("GPU-0000000", &[]);
        assert_eq!(seen("h200x8", &[]).0.len(), 8);
    }

    #[test]
    fn what_is_left_out_is_said_without_names() {
        let (_, notes) = seen("h200x8", &[("CUDA_VISIBLE_DEVICES", "GPU-00000005,GPU-00000006")]);
        assert_eq!(
            notes,
            ["CUDA_VISIBLE_DEVICES names 2 of 8 GPUs; only those are listed."]
        );
    }

    #[test]
    fn an_instance_is_named_by_its_own_name_and_a_cut_up_gpu_gives_its_first() {
        let instances = |value: &str| {
            let machine = Machine::made_up(Path::new("/nowhere"), &[("CUDA_VISIBLE_DEVICES", value)]);
            let answers = apply(pretend::answers("a100_mig"), &machine, &["CUDA_VISIBLE_DEVICES"]);
            let of_first = answers.devices[0].instances.clone().unwrap();
            of_first
                .into_iter()
                .filter_map(|device| device.uuid)
                .collect::<Vec<_>>()
        };
        assert_eq!(instances("MIG-0000000b"), ["MIG-0000000b"]);
        assert_eq!(instances("0"), ["MIG-0000000a"]);
    }

    #[test]
    fn a_privileged_container_keeps_to_what_it_was_given() {
        let list = ("NVIDIA_VISIBLE_DEVICES", "GPU-00000001,GPU-00000002");
        assert_eq!(seen("h200x8", &[("container", "podman"), list]).0, [1, 2]);
        // Outside a container the variable means nothing, and `all` means all.
        assert_eq!(seen("h200x8", &[list]).0.len(), 8);
        let all = ("NVIDIA_VISIBLE_DEVICES", "all");
        assert_eq!(seen("h200x8", &[("container", "podman"), all]).0.len(), 8);
        // The runtime has narrowed the list already: these are names of the host's.
        let host = ("NVIDIA_VISIBLE_DEVICES", "GPU-0000000f");
        assert_eq!(seen("h200x8", &[("container", "podman"), host]).0.len(), 8);
    }

    #[test]
    fn another_order_of_mixed_gpus_is_said() {
        let (_, notes) = seen("mixed", &[("CUDA_VISIBLE_DEVICES", "0,2")]);
        assert!(notes[1].contains("CUDA_DEVICE_ORDER"), "{notes:?}");
        let order = ("CUDA_DEVICE_ORDER", "PCI_BUS_ID");
        let (_, notes) = seen("mixed", &[("CUDA_VISIBLE_DEVICES", "0,2"), order]);
        assert_eq!(notes.len(), 1);
    }

    #[test]
    fn ways_follow_the_order() {
        let machine = Machine::made_up(Path::new("/nowhere"), &[("CUDA_VISIBLE_DEVICES", "2,0")]);
        let answers = apply(pretend::answers("mixed"), &machine, &["CUDA_VISIBLE_DEVICES"]);
        assert_eq!(answers.ways, [[Way::Own, Way::Sys], [Way::Sys, Way::Own]]);
    }
}
