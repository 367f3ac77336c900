//! Processors and main memory.
use planner::host_report::HostInfo;

/// Of this machine; zero where it is not known.
pub(super) fn info() -> HostInfo {
    HostInfo {
        cpu_cores: std::thread::available_parallelism()
            .ok()
            .and_then(|cores| u32::try_from(cores.get()).ok())
            .unwrap_or(0),
        memory_total_bytes: std::fs::read_to_string("/proc/meminfo")
            .ok()
            .and_then(|text| memory_total(&text))
            .unwrap_or(0),
    }
}

/// `MemTotal` of /proc/meminfo.
fn memory_total(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_kernels_figure() {
        assert_eq!(
            memory_total("MemTotal:       263856464 kB\nMemFree: 1 kB\n"),
            Some(263_856_464 * 1024)
        );
        assert_eq!(memory_total("MemFree: 1 kB"), None);
        assert_eq!(memory_total("MemTotal: many kB"), None);
    }
}
