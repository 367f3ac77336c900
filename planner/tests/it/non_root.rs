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

/// docker/Dockerfile in the source packages of 0.20.2, 0.21.0 and 0.22.0: only the last makes the user.
#[test]
fn images_without_that_user_run_as_root_and_it_is_said() {
    for (gpu, version, image, user) in [
        ("H100 SXM", "0.22.0", "", true),
        ("H100 SXM", "0.21.0", "", false),
        ("H100 SXM", "0.10.2", "", false),
        ("H100 SXM", "0.10.2", "registry.example/own:1", true),
        ("MI300X", "0.33.0", "", false),
    ] {
        let fields = [("non_root", "true"), ("vllm_version", version), ("image", image)];
        let plan = evaluate(&scenario("Qwen/Qwen3-8B", gpu, &fields));
        let docker = render(&plan, &options())
            .get(ArtifactKind::Docker)
            .unwrap()
            .text
            .clone();
        let noted = plan.notes.iter().any(|note| note.code == "deploy.non_root");
        assert_eq!(
            docker.contains("--user 2000:0"),
            user,
            "{gpu} {version}: {docker}"
        );
        assert_eq!(noted, !user, "{gpu} {version}");
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
