//! [`HostReport`] → the hardware of a scenario.
use super::{HostGpu, HostReport, ReportError};
use crate::{
    bounds,
    gpu::{self, GpuSpec, Vendor, VisibleBasis},
    plan::{Hardware, Interconnect},
    units::{Bytes, MIB},
};

/// What a report says about the GPUs to plan for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detected {
    /// The kind of GPU.
    pub gpu: GpuSpec,
    /// How many of it.
    pub gpus: u32,
    /// Between them.
    pub interconnect: Interconnect,
    /// The most that other processes hold on one of them. A choice, not a fact for later: they may end.
    pub memory_used: Bytes,
    /// All of them for one engine, in the order of their slots, where they are of several kinds.
    pub mixed: Option<Hardware>,
    /// What was estimated or cannot be used, as sentences.
    pub notes: Vec<String>,
    /// The kinds that are not planned, as sentences.
    pub left_out: Vec<String>,
}

impl Detected {
    /// As one node; memory in use counts where it is asked for.
    pub fn hardware(&self, count_used: bool) -> Hardware {
        Hardware {
            gpu: self.gpu.clone(),
            gpus: self.gpus,
            nodes: 1,
            interconnect: self.interconnect,
            memory_used: if count_used { self.memory_used } else { Bytes::ZERO },
            others: Vec::new(),
        }
    }
}

/// What a process sees of a GPU of that size, as data/gpus.json estimates it: total - 400 MiB - total/400.
pub(crate) fn estimated_visible(total: Bytes) -> Bytes {
    let withheld = Bytes::from_mib(400) + Bytes::new(total.get() / 400);
    let mib = total.saturating_sub(withheld).get() / MIB;
    Bytes::from_mib(mib)
}

/// The largest group of like GPUs; what else there is becomes a note.
pub fn to_hardware(report: &HostReport) -> Result<Detected, ReportError> {
    let mut notes = report.notes.clone();
    notes.extend(unreadable(report));
    let (group, left_out) = largest_group(report)?;
    let (place, first) = group.first().copied().ok_or(ReportError::NoGpus)?;
    let gpu = spec(place, first, &mut notes)?;
    let mut gpus = u32::try_from(group.len()).unwrap_or(u32::MAX).min(64);
    if first.mig.is_some() && gpus > 1 {
        notes.push(format!(
            "{gpus} MIG slices were found; vLLM cannot work on several of them together, so one is planned."
        ));
        gpus = 1;
    }
    Ok(Detected {
        gpu,
        gpus,
        interconnect: interconnect(report, &group),
        memory_used: used(&group),
        mixed: mixed(report, group.len()),
        notes,
        left_out,
    })
}

/// The most that other processes hold on one of them.
fn used(group: &[(usize, &HostGpu)]) -> Bytes {
    let used = group.iter().map(|(_, gpu)| gpu.memory_used_bytes).max();
    Bytes::new(used.unwrap_or(0))
}

/// All that can be read; nothing where they are alike, are slices, or come from two vendors.
fn mixed(report: &HostReport, alike: usize) -> Option<Hardware> {
    let readable = report
        .gpus
        .iter()
        .enumerate()
        .filter(|(_, gpu)| gpu.error.is_none());
    let all: Vec<(usize, &HostGpu)> = readable.take(64).collect();
    if all.len() == alike || all.iter().any(|(_, gpu)| gpu.mig.is_some()) {
        return None;
    }
    let specs = all
        .iter()
        .map(|(place, gpu)| spec(*place, gpu, &mut Vec::new()).ok());
    let specs: Vec<GpuSpec> = specs.collect::<Option<_>>()?;
    let first = specs.first()?.clone();
    if specs.iter().any(|spec| spec.vendor != first.vendor) {
        return None;
    }
    let leading = specs.iter().take_while(|spec| **spec == first).count();
    Some(Hardware {
        gpu: first,
        gpus: u32::try_from(specs.len()).ok()?,
        nodes: 1,
        interconnect: interconnect(report, &all),
        memory_used: used(&all),
        others: specs.into_iter().skip(leading).collect(),
    })
}

fn unreadable(report: &HostReport) -> Vec<String> {
    let failed = report
        .gpus
        .iter()
        .filter_map(|gpu| Some((gpu, gpu.error.as_ref()?)));
    failed
        .map(|(gpu, error)| format!("GPU {} could not be read and is left out: {error}", gpu.index))
        .collect()
}

/// GPUs of one name, size and slice, with their places in the report.
type Group<'a> = Vec<(usize, &'a HostGpu)>;

/// The largest group, and what is said of the others.
fn largest_group(report: &HostReport) -> Result<(Group<'_>, Vec<String>), ReportError> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for (place, gpu) in report
        .gpus
        .iter()
        .enumerate()
        .filter(|(_, gpu)| gpu.error.is_none())
    {
        let like = |group: &&mut Group<'_>| {
            group.first().is_some_and(|(_, first)| {
                first.name == gpu.name
                    && first.memory_total_bytes == gpu.memory_total_bytes
                    && first.mig == gpu.mig
            })
        };
        match groups.iter_mut().find(like) {
            Some(group) => group.push((place, gpu)),
            None => groups.push(vec![(place, gpu)]),
        }
    }
    let size = groups.iter().map(Vec::len).max();
    let Some(at) = groups.iter().position(|group| Some(group.len()) == size) else {
        return Err(match report.gpus.iter().find_map(|gpu| gpu.error.clone()) {
            Some(reason) => ReportError::NoUsableGpu { reason },
            None => ReportError::NoGpus,
        });
    };
    let group = groups.swap_remove(at);
    let left_out = groups.iter().filter_map(|group| {
        let (_, other) = group.first()?;
        let (count, memory) = (group.len(), Bytes::new(other.memory_total_bytes));
        Some(format!(
            "{count} × {} ({memory}) left out. For one engine over several kinds of GPU, name them as other GPUs of the node (`--mixed-gpus` takes all).",
            other.name
        ))
    });
    Ok((group, left_out.collect()))
}

/// The catalogue's entry with the memory that the driver gives, or one of our own making.
fn spec(place: usize, found: &HostGpu, notes: &mut Vec<String>) -> Result<GpuSpec, ReportError> {
    let total = Bytes::new(found.memory_total_bytes);
    let known = gpu::find(&found.name);
    let same_size = known.is_some_and(|known| total == Bytes::ZERO || known.memory_total == Some(total));
    let (visible, basis) = match (found.memory_reserved_bytes, known) {
        (Some(reserved), _) if reserved < total.get() => {
            (total.saturating_sub(Bytes::new(reserved)), VisibleBasis::Given)
        }
        (_, Some(known)) if same_size && found.mig.is_none() => return Ok(known.clone()),
        // So it was on every AMD GPU that was measured.
        _ if is_amd(found) && total > Bytes::from_gib(1) => (total, VisibleBasis::Given),
        _ if total > Bytes::from_gib(1) => {
            let visible = estimated_visible(total);
            notes.push(format!(
                "What a process sees of {} is not reported; {visible} is an estimate.",
                found.name
            ));
            (visible, VisibleBasis::Estimated)
        }
        _ => {
            return Err(ReportError::NoMemory {
                field: format!("gpus[{place}].memory_total_bytes"),
                name: found.name.clone(),
            });
        }
    };
    let capability = found
        .compute_capability
        .as_ref()
        .and_then(|text| text.parse().ok());
    let mut spec = match known {
        Some(known) => known.clone(),
        None => GpuSpec {
            name: bounds::parse_text("gpu", found.name.trim()).unwrap_or_else(|_| "custom".to_owned()),
            vendor: if is_amd(found) {
                Vendor::Amd
            } else {
                Vendor::Nvidia
            },
            ..GpuSpec::custom(visible, None)
        },
    };
    if known.is_none() && capability.is_none() && !is_amd(found) {
        notes.push(format!(
            "The compute capability of {} is not reported; set it.",
            found.name
        ));
    }
    spec.memory_visible = Some(visible);
    spec.visible_basis = basis;
    spec.compute_capability = capability.or(spec.compute_capability);
    Ok(spec)
}

/// By its architecture, else by its name.
fn is_amd(found: &HostGpu) -> bool {
    let gfx = found.compute_capability.as_deref();
    gfx.is_some_and(|name| name.starts_with("gfx")) || found.name.starts_with("AMD ")
}

/// NVLink only where it joins every two of them.
fn interconnect(report: &HostReport, group: &[(usize, &HostGpu)]) -> Interconnect {
    if group.len() < 2 {
        return Interconnect::Unknown;
    }
    let mut ways = Vec::new();
    for (a, _) in group {
        for (b, _) in group.iter().filter(|(b, _)| b != a) {
            ways.push(
                report
                    .topology
                    .get(*a)
                    .and_then(|row| row.get(*b))
                    .map(String::as_str),
            );
        }
    }
    let is_nvlink = |way: Option<&str>| way.is_some_and(|way| way.starts_with("NV"));
    let is_known = |way: Option<&str>| way.is_some_and(|way| !matches!(way, "UNKNOWN" | "MIG" | ""));
    if ways.iter().copied().all(is_nvlink) {
        Interconnect::Nvlink
    } else if ways.iter().copied().all(is_known) {
        Interconnect::Pcie
    } else if report.topology.is_empty()
        && group
            .iter()
            .all(|(_, gpu)| gpu.nvlink.is_some_and(|nvlink| nvlink.links > 0))
    {
        Interconnect::Nvlink
    } else {
        Interconnect::Unknown
    }
}
