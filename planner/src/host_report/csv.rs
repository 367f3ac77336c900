//! `nvidia-smi --query-gpu=name,memory.total,compute_cap --format=csv`, with or without header and units.
use super::{HostGpu, HostReport, ReportError, SCHEMA};
use crate::{text::short, units::Bytes};
use serde_json::Value;

/// What a column holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Column {
    Name,
    MemoryTotal,
    MemoryUsed,
    MemoryReserved,
    ComputeCapability,
    Driver,
    Other,
}

impl Column {
    /// A header such as `memory.total [MiB]`.
    fn of(header: &str) -> Self {
        match header.split('[').next().unwrap_or_default().trim() {
            "name" | "gpu_name" => Self::Name,
            "memory.total" => Self::MemoryTotal,
            "memory.used" => Self::MemoryUsed,
            "memory.reserved" => Self::MemoryReserved,
            "compute_cap" => Self::ComputeCapability,
            "driver_version" => Self::Driver,
            _ => Self::Other,
        }
    }
}

/// The order of the query that we ask for.
const PLAIN: &[Column] = &[Column::Name, Column::MemoryTotal, Column::ComputeCapability];

pub(super) fn read(text: &str) -> Result<HostReport, ReportError> {
    let first = text.lines().next().unwrap_or_default();
    if text
        .lines()
        .any(|line| line.starts_with("+--") || line.starts_with("|=="))
    {
        return Err(ReportError::Table);
    }
    let lower = first.to_ascii_lowercase();
    if lower.starts_with("nvidia-smi has failed")
        || lower.starts_with("failed to initialize nvml")
        || lower.contains("command not found")
        || lower.starts_with("no devices were found")
    {
        return Err(ReportError::NvidiaSmi {
            message: short(first),
        });
    }
    let header: Vec<Column> = first.split(',').map(Column::of).collect();
    let has_header = header.contains(&Column::MemoryTotal);
    let columns = if has_header { header.as_slice() } else { PLAIN };
    let mut report = HostReport {
        schema: SCHEMA.to_owned(),
        ..HostReport::default()
    };
    for (number, line) in (1..).zip(text.lines()).skip(usize::from(has_header)) {
        if !line.trim().is_empty() {
            let index = u32::try_from(report.gpus.len()).unwrap_or(u32::MAX);
            let gpu = row(number, line, columns, &mut report)?;
            report.gpus.push(HostGpu { index, ..gpu });
        }
    }
    if report.gpus.is_empty() {
        return Err(ReportError::NoGpus);
    }
    Ok(report)
}

fn row(line: usize, text: &str, columns: &[Column], report: &mut HostReport) -> Result<HostGpu, ReportError> {
    let wrong = |problem: String| ReportError::Csv { line, problem };
    let mut gpu = HostGpu::default();
    let mut has_memory = false;
    for (column, cell) in columns.iter().zip(text.split(',')) {
        let cell = cell.trim();
        let is_given = !cell.is_empty() && !cell.starts_with("[N");
        match column {
            Column::Name => cell.clone_into(&mut gpu.name),
            Column::MemoryTotal if is_given => {
                let bytes = memory(cell).ok_or_else(|| {
                    wrong(format!(
                        "expected memory such as `81559 MiB`, got {:?}",
                        short(cell)
                    ))
                })?;
                gpu.memory_total_bytes = bytes.get();
                has_memory = true;
            }
            // Unified memory: nvidia-smi does not say; the catalogue may.
            Column::MemoryTotal => has_memory = true,
            Column::MemoryUsed => gpu.memory_used_bytes = memory(cell).unwrap_or(Bytes::ZERO).get(),
            Column::MemoryReserved => gpu.memory_reserved_bytes = memory(cell).map(Bytes::get),
            Column::ComputeCapability if is_given => gpu.compute_capability = Some(cell.to_owned()),
            Column::Driver if is_given => report.driver_version = Some(cell.to_owned()),
            _ => {}
        }
    }
    if gpu.name.is_empty() || !has_memory {
        return Err(wrong(format!(
            "expected `name, memory`, such as `NVIDIA H100 80GB HBM3, 81559 MiB, 9.0`, got {:?}",
            short(text)
        )));
    }
    Ok(gpu)
}

/// `81559 MiB`, or MiB without a unit.
fn memory(cell: &str) -> Option<Bytes> {
    match cell.parse::<u64>() {
        Ok(mib) => Some(Bytes::from_mib(mib)),
        Err(_) => Bytes::parse(cell).ok(),
    }
}

/// A number of MiB in JSON, whole or with a fraction.
pub(super) fn mib(value: &Value) -> Option<Bytes> {
    match value {
        Value::Number(number) => Bytes::parse(&format!("{number}MiB")).ok(),
        Value::String(text) => memory(text),
        _ => None,
    }
}
