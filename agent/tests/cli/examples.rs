//! The examples for CI run as they stand.
use crate::support::Run;
use std::{fs, path::PathBuf};

fn example(name: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../examples/ci");
    fs::read_to_string(folder.join(name)).unwrap()
}

/// The arguments behind `vllm-wizard generate` in that file.
fn generate(name: &str) -> String {
    let text = example(name);
    let line = text
        .lines()
        .find(|line| line.contains("vllm-wizard generate"))
        .unwrap();
    line.split_once("vllm-wizard ").unwrap().1.to_owned()
}

#[test]
fn both_pipelines_write_the_same_files_and_fail_where_nothing_fits() {
    let commands = [generate("github-actions.yml"), generate("gitlab-ci.yml")];
    assert_eq!(commands[0], commands[1]);
    let profile = example("profile.yaml");
    let ended = Run::new(&commands[0]).file("profile.yaml", &profile).code(0);
    for file in [
        "serve_command.sh",
        "docker-compose.yaml",
        "report.md",
        "plan.json",
        "profile.yaml",
    ] {
        assert!(!ended.read(&format!("deploy/{file}")).is_empty(), "{file}");
    }
    let small = profile.replace("L40S", "T4");
    let ended = Run::new(&commands[0]).file("profile.yaml", small).code(3);
    assert!(ended.read("deploy/report.md").contains("not fit"));
    Run::new(&commands[0])
        .file("profile.yaml", profile.replace("id:", "di:"))
        .fails(5, &["model.di"]);
}

#[test]
fn the_job_runs_detect_with_flags_that_it_has() {
    let text = example("kubernetes-job.yaml");
    let line = text
        .lines()
        .find(|line| line.trim_start().starts_with("args:"))
        .unwrap();
    let list = line.split(['[', ']']).nth(1).unwrap();
    let args: Vec<&str> = list.split(',').map(str::trim).collect();
    let mut run = Run::new(&args.join(" "));
    run = run.arg("--from-file").arg(crate::support::fixture("h100x2.json"));
    let ended = run.code(0);
    assert_eq!(ended.json()["schema"], "vllm-wizard/host/v1");
    assert_eq!(ended.stderr, "");
}

#[test]
fn plan_reads_the_example_of_every_use() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../examples/uses");
    let mut read = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        Run::new(&format!("plan --scenario {name}"))
            .file(&name, fs::read_to_string(&path).unwrap())
            .code(0);
        read += 1;
    }
    assert_eq!(read, 9);
}
