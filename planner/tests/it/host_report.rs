//! Reports of machines in every form that people paste.
use planner::{
    host_report::{Detected, read, to_hardware},
    plan::Interconnect,
    units::{Bytes, GIB},
};

const H100: &str = r#"{"schema":"vllm-wizard/host/v1","agent_version":"0.1.0","driver_version":"580.95.05","cuda_driver_version":"13.0",
 "gpus":[{"index":0,"name":"NVIDIA H100 80GB HBM3","memory_total_bytes":85520809984,"memory_used_bytes":4194304,"memory_reserved_bytes":501219328,
          "compute_capability":"9.0","mig":null,"pcie":{"gen":5,"width":16},"nvlink":{"links":18,"version":4},"ecc":true,"power_limit_w":700,"error":null},
         {"index":1,"name":"NVIDIA H100 80GB HBM3","memory_total_bytes":85520809984,"memory_used_bytes":1073741824,"memory_reserved_bytes":501219328,
          "compute_capability":"9.0","mig":null,"pcie":{"gen":5,"width":16},"nvlink":{"links":18,"version":4},"ecc":true,"power_limit_w":700,"error":null}],
 "topology":[["SELF","NVLINK"],["NVLINK","SELF"]],"host":{"cpu_cores":64,"memory_total_bytes":1099511627776}}"#;

fn detected(text: &str) -> Detected {
    to_hardware(&read(text).unwrap()).unwrap()
}

#[test]
fn our_own_report_gives_the_drivers_memory() {
    let found = detected(H100);
    assert_eq!((found.gpu.name.as_str(), found.gpus), ("H100 SXM", 2));
    assert_eq!(
        found.gpu.memory_visible,
        Some(Bytes::new(85_520_809_984 - 501_219_328))
    );
    assert_eq!(found.interconnect, Interconnect::Nvlink);
    assert_eq!(found.memory_used, Bytes::new(GIB));
    assert!(found.notes.is_empty(), "{:?}", found.notes);
    assert_eq!(found.hardware(false).memory_used, Bytes::ZERO);
}

#[test]
fn the_older_tools_array_is_read() {
    let found = detected(
        r#"[{"name":"NVIDIA GeForce RTX 4090","vram_mib":24564,"compute_capability":"8.9","driver_version":"550.1","cuda_version":"12.4"},
            {"name":"NVIDIA GeForce RTX 4090","vram_mib":24564,"compute_capability":null,"driver_version":null,"cuda_version":null}]"#,
    );
    assert_eq!((found.gpu.name.as_str(), found.gpus), ("RTX 4090", 2));
    assert_eq!(found.interconnect, Interconnect::Unknown);
}

#[test]
fn nvidia_smis_csv_is_read_in_every_form() {
    for text in [
        "name, memory.total [MiB], compute_cap\nNVIDIA H100 80GB HBM3, 81559 MiB, 9.0\nNVIDIA H100 80GB HBM3, 81559 MiB, 9.0\n",
        "NVIDIA H100 80GB HBM3, 81559 MiB, 9.0\r\nNVIDIA H100 80GB HBM3, 81559 MiB, 9.0\r\n",
        "NVIDIA H100 80GB HBM3, 81559\nNVIDIA H100 80GB HBM3, 81559",
        "index, memory.total [MiB], name\n0, 81559, NVIDIA H100 80GB HBM3\n1, 81559, NVIDIA H100 80GB HBM3\n",
    ] {
        let found = detected(text);
        assert_eq!((found.gpu.name.as_str(), found.gpus), ("H100 SXM", 2), "{text}");
        assert_eq!(Some(&found.gpu), planner::gpu::find("H100 SXM"), "{text}");
    }
}

#[test]
fn what_cannot_be_planned_together_is_left_out_and_said() {
    let found = detected("NVIDIA L4, 23034 MiB, 8.9\nTesla T4, 15360 MiB, 7.5\nNVIDIA L4, 23034 MiB, 8.9\n");
    assert_eq!((found.gpu.name.as_str(), found.gpus), ("L4", 2));
    assert!(found.left_out[0].contains("Tesla T4"), "{:?}", found.left_out);
    let failed = H100.replacen("\"error\":null", "\"error\":\"GPU is lost\"", 1);
    let found = detected(&failed);
    assert_eq!((found.gpus, found.interconnect), (1, Interconnect::Unknown));
    assert!(found.notes[0].contains("GPU is lost"), "{:?}", found.notes);
}

#[test]
fn a_gpu_that_nobody_knows_is_planned_with_an_estimate() {
    let found = detected("NVIDIA Z999, 65536 MiB, 12.0\n");
    assert_eq!(found.gpu.name, "NVIDIA Z999");
    assert_eq!(found.gpu.compute_capability.unwrap().number(), 120);
    assert_eq!(
        found.gpu.memory_visible,
        Some(Bytes::from_mib(65_536 - 400 - 164))
    );
    assert!(found.notes[0].contains("estimate"), "{:?}", found.notes);
}

#[test]
fn unified_memory_is_the_catalogues() {
    let found = detected("name, memory.total [MiB], compute_cap\nNVIDIA GB10, [N/A], 12.1\n");
    assert_eq!(Some(&found.gpu), planner::gpu::find("NVIDIA GB10"));
}

#[test]
fn slices_are_not_joined() {
    let one = r#"{"name":"NVIDIA A100-SXM4-80GB","memory_total_bytes":10468982784,"memory_used_bytes":0,"mig":"1g.10gb","compute_capability":"8.0"}"#;
    let found = detected(&format!(
        r#"{{"schema":"vllm-wizard/host/v1","gpus":[{one},{one}]}}"#
    ));
    assert_eq!(found.gpus, 1);
    assert!(found.gpu.memory_visible.unwrap() < Bytes::from_gib(10));
}

#[test]
fn every_failure_says_its_own_thing() {
    let cut = &H100[..H100.len() - 40];
    let newer = H100.replace("host/v1", "host/v2");
    let text_size = H100.replacen("85520809984", "\"80GB\"", 1);
    let no_name = H100.replacen("\"name\":\"NVIDIA H100 80GB HBM3\",", "", 1);
    let bad_link = H100.replacen("\"links\":18,", "", 1);
    let bad_row = H100.replace("[\"SELF\",\"NVLINK\"],", "[1],");
    for (text, code, part) in [
        ("", "report-empty", "empty"),
        ("  \n", "report-empty", "empty"),
        ("<!doctype html><html>", "report-html", "web page"),
        (cut, "report-cut-off", "cut off"),
        ("{\"schema\": oops}", "report-not-json", "line 1"),
        (newer.as_str(), "report-newer", "host/v2"),
        ("{\"schema\":\"vllm-wizard/plan/v1\"}", "report-schema", "plan/v1"),
        ("{}", "report-schema", "none"),
        ("{\"schema\":\"vllm-wizard/host/v1\"}", "report-field", "`gpus`"),
        (
            "{\"schema\":\"vllm-wizard/host/v1\",\"gpus\":[]}",
            "report-no-gpus",
            "no GPU",
        ),
        (
            "{\"schema\":\"vllm-wizard/host/v1\",\"gpus\":[1]}",
            "report-field",
            "`gpus[0]`",
        ),
        (text_size.as_str(), "report-field", "`gpus[0].memory_total_bytes`"),
        (no_name.as_str(), "report-field", "`gpus[0].name`"),
        (bad_link.as_str(), "report-field", "`gpus[0].nvlink.links`"),
        (bad_row.as_str(), "report-field", "`topology[0]`"),
        ("[]", "report-no-gpus", "no GPU"),
        ("[{\"name\":\"X\"}]", "report-field", "`[0].vram_mib`"),
        ("[3]", "report-field", "`[0]`"),
        ("NVIDIA H100", "report-csv", "line 1"),
        ("NVIDIA H100, lots", "report-csv", "lots"),
        ("name, memory.total [MiB]\n", "report-no-gpus", "no GPU"),
        (
            "NVIDIA-SMI has failed because it couldn't communicate",
            "report-nvidia-smi",
            "failed",
        ),
        (
            "Wed Nov 25\n+-----+\n| NVIDIA-SMI 580 |\n",
            "report-table",
            "table",
        ),
    ] {
        let error = read(text).unwrap_err();
        assert_eq!(error.code(), code, "{text}: {error}");
        assert!(error.to_string().contains(part), "{text}: {error}");
        assert!(error.help().len() > 10);
    }
    let failed = H100.replace("\"error\":null", "\"error\":\"lost\"");
    assert_eq!(
        to_hardware(&read(&failed).unwrap()).unwrap_err().code(),
        "report-no-usable-gpu"
    );
    let unknown = read("NVIDIA Z999, [N/A], 9.0").unwrap();
    assert_eq!(to_hardware(&unknown).unwrap_err().code(), "report-no-memory");
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config { failure_persistence: None, ..Default::default() })]

    #[test]
    fn no_text_panics(text in "(\\[|\\{|[a-z,. ]{0,10})?.{0,60}") {
        if let Ok(report) = read(&text) {
            let _ = to_hardware(&report);
        }
    }

    #[test]
    fn no_cut_panics(at in 0..H100.len()) {
        if let Some(text) = H100.get(..at) {
            proptest::prop_assert!(read(text).is_err());
        }
    }
}
