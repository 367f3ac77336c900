//! The hardware that the flags name: a GPU of the catalogue, any GPU by its memory, a saved report, or this machine.
use crate::{
    cli::MachineArgs,
    detect,
    error::{Exit, ExpectedError},
    output,
    scenario_flags::FieldFlags,
    suggest,
};
use planner::{
    bounds, gpu,
    gpu::GpuSpec,
    host_report::{self, HostReport},
    plan::{Hardware, Interconnect},
    units::Bytes,
};

/// What an idle driver and a desktop hold; more is another program's.
const IDLE: Bytes = Bytes::from_mib(256);

/// The hardware that the flags name, if they do.
pub(crate) fn named<const ALL: bool>(
    machine: &MachineArgs,
    fields: &FieldFlags<ALL>,
) -> Result<Option<Hardware>, ExpectedError> {
    if let Some(path) = &machine.host {
        let report = detect::source(Some(path)).report()?;
        return on_host(&report, machine.mixed_gpus).map(Some);
    }
    let memory = memory(machine, fields)?;
    match (&machine.gpu, memory) {
        (Some(name), memory) => by_name(name, memory).map(one).map(Some),
        (None, Some(memory)) => Ok(Some(one(GpuSpec::custom(memory, None)))),
        (None, None) => Ok(None),
    }
}

/// This machine's: the largest group of like GPUs, or all of them.
pub(crate) fn detected(mixed: bool) -> Result<Hardware, ExpectedError> {
    let report = detect::source(None).report().map_err(|error| {
        ExpectedError::new(Exit::NoGpu, format!("no --gpu given, and {}", error.message)).help(
            "Name the hardware, such as `--gpu \"H100 SXM\" --gpus 8`, or give `--host FILE` with the output of `detect --json`.",
        )
    })?;
    on_host(&report, mixed)
}

/// One GPU of that kind.
pub(crate) fn one(gpu: GpuSpec) -> Hardware {
    Hardware {
        gpu,
        gpus: 1,
        nodes: 1,
        interconnect: Interconnect::Unknown,
        memory_used: Bytes::ZERO,
        others: Vec::new(),
    }
}

fn on_host(report: &HostReport, mixed: bool) -> Result<Hardware, ExpectedError> {
    detect::usable(report)?;
    let found = host_report::to_hardware(report)
        .map_err(|error| ExpectedError::new(Exit::NoGpu, error.to_string()).help(error.help()))?;
    let all = found.mixed.clone().filter(|_| mixed);
    let left_out: &[String] = if all.is_some() { &[] } else { &found.left_out };
    for note in found.notes.iter().chain(left_out) {
        output::say(&format!("note: {}", output::printable(note)));
    }
    let mut hardware = all.unwrap_or_else(|| found.hardware(true));
    output::say(&format!("hardware: {}", output::printable(&hardware.kinds())));
    if hardware.memory_used > IDLE {
        output::say(&format!(
            "note: other programs hold {} of a GPU, which counts; `--gpu-memory-used 0` leaves it out",
            hardware.memory_used
        ));
    } else {
        hardware.memory_used = Bytes::ZERO;
    }
    Ok(hardware)
}

/// A GPU of the catalogue, or any name together with its memory.
fn by_name(name: &str, memory: Option<Bytes>) -> Result<GpuSpec, ExpectedError> {
    if let Some(known) = gpu::find(name) {
        return Ok(known.clone());
    }
    let name = bounds::parse_text("gpu", name.trim())?;
    if let Some(memory) = memory {
        output::say(&format!(
            "note: {name:?} is not in the catalogue; planned with the memory that was given"
        ));
        return Ok(GpuSpec {
            name,
            ..GpuSpec::custom(memory, None)
        });
    }
    let names = gpu::gpus()
        .iter()
        .flat_map(|gpu| std::iter::once(gpu.name.as_str()).chain(gpu.nvml_names.iter().map(String::as_str)));
    let question = suggest::did_you_mean(&suggest::nearest(&name, names));
    let way = "Or give --gpu-memory-gib and --compute-capability.";
    Err(
        ExpectedError::usage(format!("--gpu: {name:?} is not in the catalogue"))
            .help(question.map_or_else(|| way.to_owned(), |question| format!("{question} {way}"))),
    )
}

/// The memory that was given, by either flag. Its limits are checked where it is set.
fn memory<const ALL: bool>(
    machine: &MachineArgs,
    fields: &FieldFlags<ALL>,
) -> Result<Option<Bytes>, ExpectedError> {
    let text = match &machine.gpu_memory_gib {
        Some(gib) => Some(in_gib(gib)?),
        None => fields.value("gpu_memory").map(str::to_owned),
    };
    text.map(|text| {
        Bytes::parse(&text)
            .map_err(|error| ExpectedError::usage(format!("--gpu-memory: {error}, got {text:?}")))
    })
    .transpose()
}

/// A decimal number of GiB as text that planner reads.
pub(crate) fn in_gib(text: &str) -> Result<String, ExpectedError> {
    let plain = text.trim();
    let number =
        plain.chars().all(|c| c.is_ascii_digit() || c == '.') && plain.chars().any(|c| c.is_ascii_digit());
    if number {
        Ok(format!("{plain} GiB"))
    } else {
        Err(ExpectedError::usage(format!(
            "--gpu-memory-gib: expected a number of GiB such as 79.18, got {text:?}"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gib_may_be_decimal() {
        assert_eq!(in_gib("79.18").as_deref(), Ok("79.18 GiB"));
        for text in ["", ".", "80GB", "-1", "1e3"] {
            assert!(in_gib(text).is_err(), "{text}");
        }
    }
}
