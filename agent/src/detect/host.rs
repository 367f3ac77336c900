//! Processors and main memory.
use super::machine::Machine;
use planner::host_report::HostInfo;

/// Of this machine; zero where it is not known.
pub(super) fn info(machine: &Machine) -> HostInfo {
    HostInfo {
        cpu_cores: std::thread::available_parallelism()
            .ok()
            .and_then(|cores| u32::try_from(cores.get()).ok())
            .unwrap_or(0),
        memory_total_bytes: machine.memory().0,
    }
}
