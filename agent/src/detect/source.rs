//! Whom to ask, and what of the answer a process here would get.
use super::{
    amd::Amdgpu,
    amd_tools::AmdTools,
    answers::{Answers, Driver, Failure},
    assemble, explain,
    machine::Machine,
    nvidia_smi::NvidiaSmi,
    nvml::NvmlDriver,
    tegra::Tegra,
    visible,
};
use crate::error::ExpectedError;
use planner::host_report::HostReport;

const CUDA: &[&str] = &["CUDA_VISIBLE_DEVICES"];
/// The runtime's first, then HIP's within it; HIP takes CUDA's name where its own is not set.
const ROCM: &[&str] = &["ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES"];
const ROCM_AS_CUDA: &[&str] = &["ROCR_VISIBLE_DEVICES", "CUDA_VISIBLE_DEVICES"];

/// Everybody who may know of a GPU here.
pub(super) struct Drivers<'a> {
    pub(super) nvidia: Vec<&'a dyn Driver>,
    pub(super) amd: Vec<&'a dyn Driver>,
}

/// Of this machine.
pub(super) fn report() -> Result<HostReport, ExpectedError> {
    let machine = Machine::this();
    let (tegra, amdgpu) = (Tegra { machine: &machine }, Amdgpu { machine: &machine });
    let drivers = Drivers {
        nvidia: vec![&NvmlDriver, &NvidiaSmi, &tegra],
        amd: vec![&amdgpu, &AmdTools],
    };
    ask(&drivers, &machine)
}

/// The first that lists a GPU; else the failure of the very first says most.
pub(super) fn ask(drivers: &Drivers<'_>, machine: &Machine) -> Result<HostReport, ExpectedError> {
    let mut first = None;
    for driver in &drivers.nvidia {
        match driver.answers() {
            Ok(answers) if !answers.devices.is_empty() => return seen(answers, machine, CUDA),
            other => first = first.or(Some(other.map(|_| ()))),
        }
    }
    let names = if machine.variable("HIP_VISIBLE_DEVICES").is_some() {
        ROCM
    } else {
        ROCM_AS_CUDA
    };
    for driver in &drivers.amd {
        if let Ok(answers) = driver.answers()
            && !answers.devices.is_empty()
        {
            return seen(answers, machine, names);
        }
    }
    Err(match first {
        Some(Ok(())) => explain::none_listed(machine),
        Some(Err(failure)) => explain::failure(&failure, machine),
        None => explain::failure(&Failure::NotInstalled, machine),
    })
}

fn seen(answers: Answers, machine: &Machine, names: &[&str]) -> Result<HostReport, ExpectedError> {
    let answers = visible::apply(answers, machine, names);
    if answers.devices.is_empty() {
        return Err(explain::all_hidden(&answers.notes));
    }
    Ok(assemble::report(&answers, machine))
}

#[cfg(test)]
mod tests {
    use super::super::pretend::{self, Pretend};
    use super::*;
    use crate::error::Exit;
    use std::path::Path;

    fn asked(
        nvidia: &[Result<Answers, Failure>],
        amd: Option<Answers>,
        variables: &[(&str, &str)],
    ) -> Result<HostReport, ExpectedError> {
        let nvidia: Vec<Pretend> = nvidia.iter().cloned().map(Pretend).collect();
        let amd: Vec<Pretend> = amd.into_iter().map(|answers| Pretend(Ok(answers))).collect();
        let drivers = Drivers {
            nvidia: nvidia.iter().map(|driver| driver as &dyn Driver).collect(),
            amd: amd.iter().map(|driver| driver as &dyn Driver).collect(),
        };
        ask(&drivers, &Machine::made_up(Path::new("/nowhere"), variables))
    }

    #[test]
    fn the_next_is_asked_where_one_has_nothing() {
        let missing = Err(Failure::NotInstalled);
        let report = asked(&[missing.clone(), Ok(pretend::answers("l4x1"))], None, &[]).unwrap();
        assert_eq!(report.gpus[0].name, "NVIDIA L4");
        let mut amd = pretend::answers("h100x2");
        amd.devices[0].name = "AMD Instinct MI300X".to_owned();
        let hip = [("CUDA_VISIBLE_DEVICES", "1"), ("HIP_VISIBLE_DEVICES", "0")];
        let report = asked(&[missing], Some(amd), &hip).unwrap();
        assert_eq!(report.gpus.len(), 1);
        assert_eq!(report.gpus[0].name, "AMD Instinct MI300X");
    }

    #[test]
    fn the_first_failure_is_the_one_that_is_told() {
        let error = asked(&[Err(Failure::Mismatch), Err(Failure::NotInstalled)], None, &[]).unwrap_err();
        assert!(error.message.contains("different versions"), "{error}");
        let error = asked(&[Ok(Answers::default()), Err(Failure::NotInstalled)], None, &[]).unwrap_err();
        assert!(error.message.contains("reports no GPU"), "{error}");
    }

    #[test]
    fn hidden_gpus_end_with_4_and_the_variables_name() {
        let hidden = [("CUDA_VISIBLE_DEVICES", "")];
        let error = asked(&[Ok(pretend::answers("h100x2"))], None, &hidden).unwrap_err();
        assert_eq!(error.exit, Exit::NoGpu);
        assert!(
            error.message.contains("CUDA_VISIBLE_DEVICES hides every GPU"),
            "{error}"
        );
    }
}
