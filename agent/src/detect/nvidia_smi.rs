//! nvidia-smi's CSV, where its library cannot be asked: statically linked builds, and drivers kept elsewhere.
use super::{
    answers::{Answers, Device, Driver, Failure, Memory},
    program,
};

/// In this order.
const QUERY: &str = "--query-gpu=index,uuid,name,memory.total,memory.used,memory.reserved,compute_cap,pcie.link.gen.max,pcie.link.width.max,ecc.mode.current,power.limit,mig.mode.current,driver_version";
const FORMAT: &str = "--format=csv,noheader,nounits";
const COLUMNS: usize = 13;

/// The program.
#[derive(Clone, Copy, Debug)]
pub(super) struct NvidiaSmi;

impl Driver for NvidiaSmi {
    fn answers(&self) -> Result<Answers, Failure> {
        let text = program::answer("nvidia-smi", &[QUERY, FORMAT]).ok_or(Failure::NotInstalled)?;
        read(&text).ok_or(Failure::NotInstalled)
    }
}

fn read(text: &str) -> Option<Answers> {
    let mut answers = Answers::default();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let cells: Vec<&str> = line.split(',').map(str::trim).collect();
        if cells.len() != COLUMNS {
            return None;
        }
        let cell = |place: usize| {
            let cell = *cells.get(place)?;
            let is_known = !cell.is_empty() && !cell.starts_with('[') && cell != "N/A";
            is_known.then_some(cell)
        };
        answers.driver_version = cell(12).map(str::to_owned);
        answers.devices.push(device(&cell)?);
    }
    if answers.devices.is_empty() {
        return None;
    }
    answers
        .notes
        .push("Read from nvidia-smi, which does not say how the GPUs are joined.".to_owned());
    Some(answers)
}

fn device<'a>(cell: &dyn Fn(usize) -> Option<&'a str>) -> Option<Device> {
    let mib = |place: usize| cell(place)?.parse::<u64>().ok()?.checked_mul(1 << 20);
    let number = |place: usize| cell(place)?.parse::<u32>().ok();
    let whole = |place: usize| cell(place)?.split('.').next()?.parse::<u32>().ok();
    let mut device = Device {
        index: number(0)?,
        uuid: cell(1).map(str::to_owned),
        name: cell(2)?.to_owned(),
        memory: mib(3).map(|total| Memory {
            total,
            used: mib(4).unwrap_or(0),
            reserved: mib(5),
        }),
        architecture: cell(6).map(str::to_owned),
        pcie: number(7).zip(number(8)),
        ecc: cell(9).map(|word| word == "Enabled"),
        power_limit_w: whole(10),
        ..Device::default()
    };
    if cell(11) == Some("Enabled") {
        device.failure = Some(Failure::Other(
            "it is cut up by MIG, and nvidia-smi does not say what its instances have".to_owned(),
        ));
    }
    Some(device)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_csv_is_read_and_what_is_not_known_left_out() {
        let text = "0, GPU-00000000, NVIDIA H100 80GB HBM3, 81559, 1200, 543, 9.0, 5, 16, Enabled, 700.00, Disabled, 580.95.05\n\
                    1, GPU-00000001, NVIDIA GB10, [N/A], [N/A], [N/A], 12.1, [N/A], [N/A], [N/A], [N/A], [N/A], 580.95.05\n";
        let answers = read(text).unwrap();
        assert_eq!(answers.driver_version.as_deref(), Some("580.95.05"));
        let first = &answers.devices[0];
        let memory = first.memory.unwrap();
        assert_eq!((memory.total, memory.reserved), (81_559 << 20, Some(543 << 20)));
        assert_eq!(
            (first.pcie, first.ecc, first.power_limit_w),
            (Some((5, 16)), Some(true), Some(700))
        );
        let second = &answers.devices[1];
        assert_eq!((second.memory, second.ecc), (None, None));
        assert!(answers.ways.is_empty());
    }

    #[test]
    fn anything_else_is_no_answer() {
        for text in [
            "",
            "No devices were found\n",
            "a, b\n",
            "x, u, n, 1, 1, 1, 9.0, 5, 16, Enabled, 1, Disabled, d\n",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_gpu_that_is_cut_up_cannot_be_planned_from_csv() {
        let text =
            "0, GPU-0, NVIDIA A100-SXM4-80GB, 81920, 1, 1, 8.0, 4, 16, Enabled, 400.00, Enabled, 580.95.05\n";
        assert!(read(text).unwrap().devices[0].failure.is_some());
    }
}
