//! `generate`: all or none, nothing of anybody's overwritten.
use crate::support::{Ended, Run};
use planner::ArtifactKind;
use std::fs;

fn generate(more: &str) -> Run {
    Run::new("generate -o out --model Qwen/Qwen3-8B --gpu L40S").args(more)
}

/// What a plan for one node becomes.
fn kinds() -> impl Iterator<Item = ArtifactKind> {
    let several = [ArtifactKind::Lws, ArtifactKind::Ray];
    ArtifactKind::ALL
        .iter()
        .copied()
        .filter(move |kind| !several.contains(kind))
}

fn names(ended: &Ended) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(ended.folder.path().join("out"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn writes_every_file_and_says_so() {
    let ended = generate("--date 2026-01-31").code(0);
    for kind in kinds() {
        ended.has(&[kind.path()]);
        let text = ended.read(&format!("out/{}", kind.path()));
        assert!(text.ends_with('\n'), "{}", kind.path());
    }
    assert_eq!(names(&ended).len(), kinds().count());
    assert!(ended.read("out/serve_command.sh").contains("2026-01-31"));
    let plan: serde_json::Value = serde_json::from_str(&ended.read("out/plan.json")).unwrap();
    assert_eq!(plan["schema"], "vllm-wizard/plan/v1");
    assert_eq!(
        plan["artifacts"]["serve_command.sh"],
        ended.read("out/serve_command.sh")
    );
}

#[cfg(unix)]
#[test]
fn scripts_can_be_run_and_the_rest_not() {
    use std::os::unix::fs::PermissionsExt;
    let ended = generate("").code(0);
    let mode = |name: &str| {
        let meta = fs::metadata(ended.folder.path().join("out").join(name)).unwrap();
        meta.permissions().mode() & 0o777
    };
    assert_eq!(mode("serve_command.sh"), 0o755);
    assert_eq!(mode("docker_run.sh"), 0o755);
    assert_eq!(mode("plan.json") & 0o111, 0);
}

#[test]
fn emit_chooses_and_plan_json_is_always_there() {
    let ended = generate("--emit command,compose").code(0);
    assert_eq!(
        names(&ended),
        ["docker-compose.yaml", "plan.json", "serve_command.sh"]
    );
    let ended = generate("--emit lws").code(0);
    assert!(
        ended.stderr.contains("no lws.yaml: one node is enough"),
        "{}",
        ended.stderr
    );
    generate("--emit comand").fails(2, &["--emit", "comand", "command, systemd"]);
}

#[test]
fn twice_is_once_and_another_day_is_no_change() {
    let first = generate("").env("SOURCE_DATE_EPOCH", "1767225600").code(0);
    assert!(first.read("out/serve_command.sh").contains("2026-01-01"));
    let second = generate("")
        .env("SOURCE_DATE_EPOCH", "1767312000")
        .again(first.folder)
        .code(0);
    assert!(!second.stdout.contains("wrote"), "{}", second.stdout);
    second.has(&["unchanged"]);
    assert!(second.read("out/serve_command.sh").contains("2026-01-01"));
    // A date that is asked for is written.
    let third = generate("--date 2026-02-02")
        .again(second.folder)
        .fails(2, &["--force"]);
    let fourth = generate("--date 2026-02-02 --force").again(third.folder).code(0);
    assert!(fourth.read("out/serve_command.sh").contains("2026-02-02"));
    assert_eq!(names(&fourth).len(), kinds().count(), "a temporary file is left");
}

#[test]
fn a_changed_file_is_kept_and_nothing_is_written() {
    let first = generate("--date 2026-01-31").code(0);
    let path = first.folder.path().join("out/docker_run.sh");
    fs::write(&path, "# mine\n").unwrap();
    fs::remove_file(first.folder.path().join("out/plan.json")).unwrap();
    let refused = generate("--date 2026-01-31")
        .again(first.folder)
        .fails(2, &["docker_run.sh", "--force"]);
    assert_eq!(refused.read("out/docker_run.sh"), "# mine\n");
    assert!(!refused.folder.path().join("out/plan.json").exists());
    let forced = generate("--date 2026-01-31 --force")
        .again(refused.folder)
        .code(0);
    forced.has(&["replaced", "unchanged", "wrote"]);
    assert_ne!(forced.read("out/docker_run.sh"), "# mine\n");
}

#[test]
fn what_does_not_fit_is_written_with_code_3_and_the_unsupported_not_at_all() {
    let ended = generate("--gpu-memory-gib 12").code(3);
    assert!(ended.stderr.contains("Does not fit"), "{}", ended.stderr);
    assert!(names(&ended).contains(&"serve_command.sh".to_owned()));
    let config = crate::support::CONFIG.replace("Qwen3ForCausalLM", "MadeUpForCausalLM");
    let ended = Run::new("generate -o out --gpu L4 --model org/new --model-config c.json")
        .file("c.json", config)
        .fails(6, &["MadeUpForCausalLM"]);
    assert!(!ended.folder.path().join("out").exists());
}

#[test]
fn its_own_profile_gives_the_same_files() {
    let first = generate("--date 2026-01-31 --max-model-len 8192 --concurrency 7").code(0);
    let profile = first.read("out/profile.yaml");
    let second = Run::new("generate -o out --profile profile.yaml --date 2026-01-31")
        .file("profile.yaml", profile)
        .code(0);
    for kind in kinds() {
        let name = format!("out/{}", kind.path());
        assert_eq!(second.read(&name), first.read(&name), "{name}");
    }
}

#[test]
fn a_profile_with_an_unknown_key_names_it() {
    Run::new("plan --profile p.yaml")
        .file("p.yaml", "profile_version: 1\nmodel:\n  idd: Qwen/Qwen3-8B\n")
        .fails(5, &["p.yaml", "idd"]);
}

#[test]
fn a_folder_that_cannot_be_written_is_an_error() {
    Run::new("generate -o out/x --model Qwen/Qwen3-8B --gpu L40S")
        .file("out", "a file")
        .fails(1, &["cannot be written"]);
    generate("--date 31.1.2026").fails(2, &["--date", "2026-01-31"]);
    generate("")
        .env("SOURCE_DATE_EPOCH", "soon")
        .fails(2, &["SOURCE_DATE_EPOCH"]);
}
