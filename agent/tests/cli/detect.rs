//! `detect`, from saved reports and without a driver.
use crate::support::{Run, fixture};
use std::path::Path;

fn saved(name: &str) -> Run {
    Run::new("detect --from-file").arg(fixture(name))
}

#[test]
fn the_table_shows_what_matters() {
    let ended = saved("h200x8.json").code(0);
    ended.has(&[
        "8 GPUs",
        "NVIDIA H200",
        "140.4 GiB",
        "9.0",
        "v4 ×18",
        "700 W",
        "Between all GPUs: NVLINK",
    ]);
    assert!(!ended.stdout.contains('\u{1b}'), "colour without a terminal");
    for line in ended.stdout.lines() {
        assert!(line.chars().count() <= 100, "{line}");
    }
}

#[test]
fn json_is_the_report_itself() {
    for name in ["h200x8.json", "h100x2.json", "one_unreadable.json"] {
        let saved_report = std::fs::read_to_string(fixture(name)).unwrap();
        let expected: serde_json::Value = serde_json::from_str(&saved_report).unwrap();
        assert_eq!(saved(name).arg("--json").code(0).json(), expected, "{name}");
        let compact = saved(name).arg("--compact").code(0);
        assert_eq!(compact.json(), expected, "{name}");
        assert_eq!(compact.stdout.lines().count(), 1);
    }
}

#[test]
fn one_unreadable_gpu_is_reported_and_the_rest_stay() {
    let ended = saved("one_unreadable.json").code(0);
    ended.has(&[
        "3 GPUs",
        "NVIDIA L40S",
        "GPU 1 cannot be read: it has fallen off the bus",
        "Topology",
        "NODE",
    ]);
}

#[test]
fn a_report_can_come_from_stdin() {
    let text = std::fs::read(fixture("h100x2.json")).unwrap();
    Run::new("detect --from-file -")
        .stdin(text)
        .code(0)
        .has(&["NVIDIA H100 80GB HBM3"]);
}

#[test]
fn the_link_opens_the_page_with_this_hardware() {
    let ended = saved("h100x2.json")
        .args("--link https://wizard.example/#old")
        .code(0);
    assert!(
        ended.stdout.starts_with("https://wizard.example/#host="),
        "{}",
        ended.stdout
    );
    let fragment = ended.stdout.trim_end();
    assert!(!fragment.contains([' ', '"', '{', '<']), "{fragment}");
    // Letters and digits only: no chat and no shell changes them.
    let packed = fragment.rsplit_once("#host=").unwrap().1;
    assert!(
        packed
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)),
        "{packed}"
    );
    saved("h100x2.json")
        .args("--link javascript:alert(1)")
        .fails(2, &["--link"]);
}

#[test]
fn the_link_is_also_a_code_for_a_camera() {
    let ended = saved("h200x8.json")
        .args("--link https://wizard.example/ --qr")
        .code(0);
    assert!(
        ended.stderr.contains("https://wizard.example/#host="),
        "{}",
        ended.stderr
    );
    let lines: Vec<&str> = ended.stdout.lines().collect();
    let width = lines[0].chars().count();
    // Version 1 is 21 modules wide and each further one four more, with a margin of four on both sides.
    assert_eq!((width - 8 - 21) % 4, 0);
    assert!(width < 160, "{width}");
    assert!(lines.iter().all(|line| line.chars().count() == width));
    saved("h200x8.json").arg("--qr").fails(2, &["--link"]);
}

#[test]
fn no_usable_gpu_ends_with_4() {
    let none = r#"{"schema":"vllm-wizard/host/v1","gpus":[]}"#;
    let ended = Run::new("detect --from-file none.json")
        .file("none.json", none)
        .code(4);
    assert!(ended.stderr.contains("no GPU"), "{}", ended.stderr);
    let lost = r#"{"schema":"vllm-wizard/host/v1","gpus":[{"index":0,"error":"lost"}]}"#;
    let ended = Run::new("detect --from-file lost.json")
        .file("lost.json", lost)
        .code(4);
    assert!(
        ended.stderr.contains("no GPU could be read: lost"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_report_that_is_none_ends_with_5() {
    Run::new("detect --from-file missing.json").fails(5, &["missing.json", "no such file"]);
    Run::new("detect --from-file bad.json")
        .file("bad.json", "{")
        .fails(5, &["bad.json"]);
    Run::new("detect --from-file .").fails(5, &["is a folder"]);
    Run::new("detect --from-file new.json")
        .file("new.json", r#"{"schema":"vllm-wizard/host/v9","gpus":[]}"#)
        .fails(5, &["new.json", "v9"]);
}

#[test]
fn a_machine_without_a_driver_ends_with_4_and_advice() {
    if Path::new("/dev/nvidiactl").exists() {
        // Here is one: the report must at least be sound.
        let ended = Run::new("detect --json").run();
        assert!(ended.code == 0 || ended.code == 4, "{}", ended.stderr);
        return;
    }
    // What is said depends on the place, and that there is none does not.
    let ended = Run::new("detect").fails(4, &["no NVIDIA driver", "help: "]);
    assert!(ended.stderr.contains("--gpu"), "{}", ended.stderr);
    Run::new("plan --model Qwen/Qwen3-8B").fails(4, &["no --gpu given", "help: "]);
}

#[test]
fn a_report_cannot_steer_the_terminal() {
    let evil = r#"{"schema":"vllm-wizard/host/v1","gpus":[{"index":0,"name":"\u001b]0;title\u0007","memory_total_bytes":1}]}"#;
    let ended = Run::new("detect --from-file evil.json")
        .file("evil.json", evil)
        .run();
    assert!(!ended.stdout.contains('\u{1b}') && !ended.stderr.contains('\u{1b}'));
}
