//! `detect` against a pretend driver: a library that answers as NVML does, and programs in place of nvidia-smi and
//! rocm-smi. What a real driver says was not to be had.
use crate::support::Run;
use std::{path::PathBuf, process::Command, sync::LazyLock};
use tempfile::TempDir;

/// A folder with the library, compiled once.
static LIBRARY: LazyLock<TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let source = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/pretend_nvml/nvml.c");
    let ended = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"])
        .arg(folder.path().join("libnvidia-ml.so.1"))
        .arg(source)
        .status();
    // A C compiler is part of what README.md asks for.
    assert!(
        ended.is_ok_and(|status| status.success()),
        "cc could not compile the pretend library"
    );
    folder
});

fn on(machine: &str, args: &str) -> Run {
    Run::new(args)
        .env("LD_LIBRARY_PATH", LIBRARY.path().to_str().unwrap())
        .env("PRETEND_NVML", machine)
}

#[test]
fn everything_that_nvml_says_is_in_the_report() {
    let report = on("pair", "detect --json").code(0).json();
    assert_eq!(report["driver_version"], "580.95.05");
    assert_eq!(report["cuda_driver_version"], "13.0");
    assert_eq!(report["topology"][0][1], "NVLINK");
    let gpu = &report["gpus"][1];
    assert_eq!(gpu["name"], "NVIDIA H100 80GB HBM3");
    assert_eq!(gpu["memory_total_bytes"], 81_559_u64 << 20);
    assert_eq!(gpu["memory_used_bytes"], 1200 << 20);
    assert_eq!(gpu["memory_reserved_bytes"], 543 << 20);
    assert_eq!(gpu["memory_processes_bytes"], 1024 << 20);
    assert_eq!(gpu["compute_capability"], "9.0");
    assert_eq!(gpu["pcie"], serde_json::json!({"gen": 5, "width": 16}));
    assert_eq!(gpu["nvlink"], serde_json::json!({"links": 17, "version": 4}));
    assert_eq!(gpu["ecc"], true);
    assert_eq!(gpu["power_limit_w"], 700);
    let text = report.to_string();
    assert!(!text.contains("GPU-0000") && !text.contains("0A:00"), "{text}");
}

#[test]
fn one_that_is_lost_is_named_and_plans_go_on_with_the_other() {
    let report = on("lost", "detect --json").code(0).json();
    assert_eq!(report["gpus"][1]["error"], "it has fallen off the bus");
    let plan = on("lost", "plan --model Qwen/Qwen3-8B").code(0);
    plan.has(&["on 1 × H100 SXM"]);
    assert!(plan.stderr.contains("GPU 1 could not be read"), "{}", plan.stderr);
}

#[test]
fn slices_are_rows_and_the_environment_chooses_among_them() {
    let report = on("mig", "detect --json").code(0).json();
    let gpus = report["gpus"].as_array().unwrap();
    assert_eq!(gpus.len(), 3);
    assert_eq!(gpus[1]["mig"], "3g.40gb");
    assert_eq!(report["topology"][0][2], "MIG");
    let one = on("mig", "detect --json")
        .env("CUDA_VISIBLE_DEVICES", "MIG-bbbb")
        .code(0)
        .json();
    assert_eq!(one["gpus"].as_array().unwrap().len(), 1);
    assert_eq!(
        one["notes"][0],
        "CUDA_VISIBLE_DEVICES names 1 of 2 GPUs; only those are listed."
    );
    on("pair", "detect")
        .env("CUDA_VISIBLE_DEVICES", "1")
        .code(0)
        .has(&["1 GPU ", "names 1 of 2 GPUs"]);
    on("pair", "plan --model Qwen/Qwen3-8B")
        .env("CUDA_VISIBLE_DEVICES", "")
        .fails(4, &["CUDA_VISIBLE_DEVICES hides"]);
}

#[test]
fn joined_over_pcie_alone_the_way_is_named() {
    let report = on("pcie", "detect --json").code(0).json();
    assert_eq!(report["topology"][0][1], "PHB");
    assert!(report["gpus"][0]["nvlink"].is_null());
}

#[test]
fn shared_memory_and_virtual_gpus_are_said() {
    let report = on("gb10", "detect --json").code(0).json();
    assert!(
        report["notes"].to_string().contains("shares the main memory"),
        "{report}"
    );
    assert_eq!(
        report["gpus"][0]["memory_total_bytes"],
        report["host"]["memory_total_bytes"]
    );
    on("vgpu", "detect").code(0).has(&["virtual GPU"]);
}

#[test]
fn every_failure_ends_with_4_and_says_what_to_do() {
    on("mismatch", "detect").fails(4, &["different versions", "help: "]);
    on("unloaded", "detect").fails(4, &["kernel module is not loaded", "help: "]);
    on("forbidden", "detect").fails(4, &["not allowed to ask", "help: "]);
    on("none", "detect").fails(4, &["reports no GPU", "help: "]);
}

/// A program in a folder on PATH.
#[cfg(unix)]
fn program(run: Run, name: &str, prints: &str) -> Run {
    use std::os::unix::fs::PermissionsExt;
    let run = run.file(
        &format!("bin/{name}"),
        format!("#!/bin/sh\ncat <<'END'\n{prints}\nEND\n"),
    );
    let path = run.path().join("bin").join(name);
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let bin = run.path().join("bin").to_str().unwrap().to_owned();
    run.env("PATH", format!("{bin}:/usr/bin:/bin"))
}

#[cfg(unix)]
#[test]
fn without_the_library_nvidia_smi_is_read_and_without_that_rocm_smi() {
    let csv = "0, GPU-00000000, NVIDIA L40S, 46068, 1, 600, 8.9, 4, 16, Enabled, 350.00, Disabled, 580.95.05";
    let report = program(Run::new("detect --json"), "nvidia-smi", csv)
        .code(0)
        .json();
    assert_eq!(report["gpus"][0]["name"], "NVIDIA L40S");
    assert!(report["notes"].to_string().contains("nvidia-smi"));
    let json = r#"{"card0": {"VRAM Total Memory (B)": "206141652992", "VRAM Total Used Memory (B)": "0", "Card Series": "AMD Instinct MI300X", "GFX Version": "gfx942"}}"#;
    let plan = program(Run::new("plan --json --model Qwen/Qwen3-8B"), "rocm-smi", json)
        .code(0)
        .json();
    assert_eq!(plan["scenario"]["gpu"], "MI300X");
}
