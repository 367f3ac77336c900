//! GPUs that are named: every file that can choose them does, in the form that its reader takes.
use crate::{artifacts::options, support::scenario};
use planner::{ArtifactKind, evaluate, render};

fn file(gpu: &str, fields: &[(&str, &str)], kind: ArtifactKind) -> String {
    let plan = evaluate(&scenario("Qwen/Qwen3-8B", gpu, fields));
    render(&plan, &options()).get(kind).unwrap().text.clone()
}

#[test]
fn every_file_that_chooses_gpus_names_them() {
    let fields = [
        ("gpus", "8"),
        ("tensor_parallel_size", "2"),
        ("device_ids", "5, GPU-1c-2"),
    ];
    for (gpu, kind, expected) in [
        (
            "H100 SXM",
            ArtifactKind::Command,
            "\nexport CUDA_VISIBLE_DEVICES=5,GPU-1c-2\n",
        ),
        (
            "H100 SXM",
            ArtifactKind::Docker,
            "  --gpus '\"device=5,GPU-1c-2\"' \\\n",
        ),
        (
            "H100 SXM",
            ArtifactKind::Compose,
            "device_ids:\n                - \"5\"\n                - GPU-1c-2\n",
        ),
        (
            "H100 SXM",
            ArtifactKind::Systemd,
            "\nEnvironment=CUDA_VISIBLE_DEVICES=5,GPU-1c-2\n",
        ),
        (
            "H100 SXM",
            ArtifactKind::Quadlet,
            "AddDevice=nvidia.com/gpu=5\nAddDevice=nvidia.com/gpu=GPU-1c-2\n",
        ),
        (
            "MI300X",
            ArtifactKind::Command,
            "\nexport HIP_VISIBLE_DEVICES=5,GPU-1c-2\n",
        ),
        (
            "MI300X",
            ArtifactKind::Docker,
            "  -e HIP_VISIBLE_DEVICES=5,GPU-1c-2 \\\n",
        ),
        (
            "MI300X",
            ArtifactKind::Compose,
            "      HIP_VISIBLE_DEVICES: 5,GPU-1c-2\n",
        ),
        (
            "MI300X",
            ArtifactKind::Quadlet,
            "\nEnvironment=HIP_VISIBLE_DEVICES=5,GPU-1c-2\n",
        ),
    ] {
        let text = file(gpu, &fields, kind);
        assert!(text.contains(expected), "{gpu}, {}: {text}", kind.path());
        assert!(!text.contains("count: 2"), "{gpu}, {}: {text}", kind.path());
    }
}

#[test]
fn other_counts_are_noted_and_left_out() {
    let fields = [
        ("gpus", "8"),
        ("tensor_parallel_size", "4"),
        ("device_ids", "0,1"),
    ];
    let plan = evaluate(&scenario("Qwen/Qwen3-8B", "H100 SXM", &fields));
    let note = plan
        .notes
        .iter()
        .find(|note| note.code == "deploy.device_ids")
        .unwrap();
    assert!(
        note.message.contains("names 2, and the plan takes 4"),
        "{}",
        note.message
    );
    let docker = file("H100 SXM", &fields, ArtifactKind::Docker);
    assert!(docker.contains("--gpus 4 "), "{docker}");
}

#[test]
fn what_names_no_gpu_is_refused() {
    for text in ["0,0", "0,,1", "all", "-1", "GPU-a b", "0;id", "MIG-$(id)", "1234"] {
        let mut scenario = scenario("Qwen/Qwen3-8B", "H100 SXM", &[]);
        let refused = scenario.set("device_ids", text).unwrap_err().to_string();
        assert!(refused.contains("nvidia-smi -L"), "{text}: {refused}");
        assert_eq!(scenario.deploy.device_ids, None);
    }
}
