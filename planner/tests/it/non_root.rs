//! Containers that do not run as root: every file names the user, and none mounts into root's home.
use crate::{artifacts::options, support::scenario};
use planner::{ArtifactKind, evaluate, render};
use std::collections::HashMap;

fn files(gpu: &str, fields: &[(&str, &str)]) -> HashMap<ArtifactKind, String> {
    let plan = evaluate(&scenario("Qwen/Qwen3-8B", gpu, fields));
    let files = render(&plan, &options()).files;
    files.into_iter().map(|file| (file.kind, file.text)).collect()
}

#[test]
fn every_container_runs_as_the_images_user() {
    let two_nodes = [
        ("non_root", "true"),
        ("nodes", "2"),
        ("pipeline_parallel_size", "2"),
    ];
    let mut found = files("H100 SXM", &[("non_root", "true")]);
    found.extend(
        files("H100 SXM", &two_nodes)
            .into_iter()
            .filter(|(kind, _)| *kind == ArtifactKind::Lws),
    );
    let pod = "runAsUser: 2000\n";
    for (kind, user) in [
        (ArtifactKind::Docker, "--user 2000:0 "),
        (ArtifactKind::Compose, "user: \"2000:0\" #"),
        (ArtifactKind::Quadlet, "User=2000\nGroup=0\n"),
        (ArtifactKind::K8s, pod),
        (ArtifactKind::Lws, pod),
        (ArtifactKind::Kserve, pod),
        (ArtifactKind::LlmInferenceService, pod),
        (ArtifactKind::ProductionStack, pod),
        (ArtifactKind::Values, "no security context"),
    ] {
        let text = &found[&kind];
        assert!(text.contains(user), "{}: {text}", kind.path());
        assert!(!text.contains("/root"), "{}: {text}", kind.path());
    }
}

#[test]
fn only_the_image_for_cuda_has_that_user() {
    for (kind, text) in files("MI300X", &[("non_root", "true")]) {
        assert!(
            !text.contains("2000:0") && !text.contains("runAsUser"),
            "{}",
            kind.path()
        );
    }
}
