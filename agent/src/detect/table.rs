//! A host report as a table for people.
use crate::output::{self, Screen, Tone};
use planner::{
    host_report::{HostGpu, HostReport},
    units::Bytes,
};

/// The report as text.
pub(super) fn table(report: &HostReport, screen: Screen) -> String {
    let mut parts = vec![heading(report, screen)];
    if !report.gpus.is_empty() {
        parts.push(gpus(report, screen));
    }
    parts.extend(problems(report, screen));
    parts.extend(notes(report, screen));
    parts.extend(topology(report, screen));
    parts.join("\n\n")
}

fn heading(report: &HostReport, screen: Screen) -> String {
    let mut facts = vec![screen.paint(Tone::Strong, &output::counted(report.gpus.len(), "GPU"))];
    facts.extend(
        report
            .driver_version
            .iter()
            .map(|v| format!("driver {}", output::printable(v))),
    );
    facts.extend(
        report
            .cuda_driver_version
            .iter()
            .map(|v| format!("CUDA {}", output::printable(v))),
    );
    if report.host.cpu_cores > 0 {
        facts.push(format!("{} CPU cores", report.host.cpu_cores));
    }
    if report.host.memory_total_bytes > 0 {
        facts.push(format!(
            "{} main memory",
            Bytes::new(report.host.memory_total_bytes)
        ));
    }
    facts.join(" · ")
}

fn gpus(report: &HostReport, screen: Screen) -> String {
    let mut table = screen.table();
    table.add_row([
        "GPU", "Name", "Memory", "In use", "Compute", "PCIe", "NVLink", "ECC", "Power",
    ]);
    for gpu in &report.gpus {
        table.add_row(row(gpu));
    }
    table.text()
}

fn row(gpu: &HostGpu) -> [String; 9] {
    let known = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
    let readable = gpu.error.is_none();
    [
        gpu.index.to_string(),
        known(Some(output::printable(&gpu.name)).filter(|name| !name.is_empty())),
        known(readable.then(|| Bytes::new(gpu.memory_total_bytes).to_string())),
        known(readable.then(|| Bytes::new(gpu.memory_used_bytes).to_string())),
        known(gpu.compute_capability.as_deref().map(output::printable)),
        known(gpu.pcie.map(|pcie| format!("{} ×{}", pcie.r#gen, pcie.width))),
        known(
            gpu.nvlink
                .map(|nvlink| format!("v{} ×{}", nvlink.version, nvlink.links)),
        ),
        known(gpu.ecc.map(|on| if on { "on" } else { "off" }.to_owned())),
        known(gpu.power_limit_w.map(|watts| format!("{watts} W"))),
    ]
}

fn problems(report: &HostReport, screen: Screen) -> Option<String> {
    let lines: Vec<String> = report
        .gpus
        .iter()
        .filter_map(|gpu| {
            let problem = output::printable(gpu.error.as_deref()?);
            Some(screen.paint(Tone::Bad, &format!("GPU {} cannot be read: {problem}", gpu.index)))
        })
        .collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

fn notes(report: &HostReport, screen: Screen) -> Option<String> {
    let lines: Vec<String> = report
        .notes
        .iter()
        .map(|note| screen.wrap(&format!("note: {}", output::printable(note)), 0))
        .collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// One line where all pairs are alike, else the matrix.
fn topology(report: &HostReport, screen: Screen) -> Option<String> {
    let pairs: Vec<&str> = report
        .topology
        .iter()
        .enumerate()
        .flat_map(|(i, row)| row.iter().enumerate().filter(move |(j, _)| *j != i))
        .map(|(_, word)| word.as_str())
        .collect();
    let first = *pairs.first()?;
    if pairs.iter().all(|word| *word == first) {
        return Some(format!("Between all GPUs: {}", output::printable(first)));
    }
    let mut table = screen.table();
    let index = |i: usize| {
        report
            .gpus
            .get(i)
            .map_or_else(|| i.to_string(), |gpu| gpu.index.to_string())
    };
    let header = std::iter::once("Topology".to_owned()).chain((0..report.topology.len()).map(index));
    table.add_row(header);
    for (i, row) in report.topology.iter().enumerate() {
        table.add_row(std::iter::once(index(i)).chain(row.iter().map(|word| output::printable(word))));
    }
    Some(table.text())
}
