//! vllm.container: a unit from which Podman's quadlet makes a service.
use super::{
    deployment::{BY_PATH, Deployment},
    quote::{Comments, bind, push_comment, systemd_word},
    systemd::{continued, reasons},
};
use crate::gpu::Vendor;

/// vllm.container
pub(crate) fn quadlet(deployment: &Deployment<'_>, header: &Comments) -> String {
    let port = deployment.port;
    let mut text = header.as_str().to_owned();
    for line in [
        "",
        "cp vllm.container /etc/containers/systemd/ && systemctl daemon-reload && systemctl start vllm",
        "journalctl -fu vllm",
        "Podman 4.4 or newer. HF_TOKEN and VLLM_API_KEY, where they are needed, stand in /etc/vllm.env, one NAME=value a line.",
    ] {
        push_comment(&mut text, line);
    }
    if deployment.cuda() {
        push_comment(
            &mut text,
            "NVIDIA's container toolkit names the GPUs: nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml",
        );
    }
    reasons(&mut text, deployment);
    text.push_str("\n[Unit]\nDescription=vLLM server\nWants=network-online.target\nAfter=network-online.target\n\n[Container]\n");
    let mut key = |key: &str, value: &str| {
        text.push_str(key);
        text.push('=');
        text.push_str(value);
        text.push('\n');
    };
    key("Image", &systemd_word(&deployment.image()));
    key("ContainerName", deployment.name());
    key("PublishPort", &format!("{port}:{port}"));
    if !deployment.cuda() {
        key("AddDevice", "/dev/dri");
        if deployment.vendor == Vendor::Intel {
            key("Volume", BY_PATH);
            key("PodmanArgs", "--privileged");
        } else {
            key("AddDevice", "/dev/kfd");
            key(
                "PodmanArgs",
                "--group-add=video --cap-add=SYS_PTRACE --security-opt=seccomp=unconfined",
            );
        }
        if let Some(devices) = deployment.visible_devices() {
            key("Environment", &devices);
        }
    } else if let Some(ids) = deployment.device_ids() {
        for id in ids.split(',') {
            key("AddDevice", &format!("nvidia.com/gpu={id}"));
        }
    } else if deployment.leaves_gpus() {
        for gpu in 0..deployment.gpus {
            key("AddDevice", &format!("nvidia.com/gpu={gpu}"));
        }
    } else {
        key("AddDevice", "nvidia.com/gpu=all");
    }
    key("SecurityLabelDisable", "true");
    // The GPUs' processes share memory; the token comes from the service's environment.
    key("PodmanArgs", "--ipc=host --env=HF_TOKEN --env=VLLM_API_KEY");
    for (name, value) in deployment.env() {
        key("Environment", &format!("{name}={value}"));
    }
    if deployment.non_root() {
        key("User", "2000");
        key("Group", "0");
    }
    key("Volume", &format!("vllm-cache:{}/.cache", deployment.home()));
    if let Some(folder) = deployment.model_folder() {
        // Podman writes the folder of a `Volume` or `Mount` into RequiresMountsFor without quotes.
        key("PodmanArgs", &systemd_word(&format!("--mount={}", bind(folder))));
    }
    key(
        "HealthCmd",
        &format!(
            "python3 -c 'import urllib.request as r; r.urlopen(\"http://127.0.0.1:{port}/health\", timeout=5)'"
        ),
    );
    key("HealthInterval", "15s");
    key("HealthTimeout", "10s");
    key("HealthRetries", "4");
    key("HealthStartPeriod", &format!("{}s", deployment.start_seconds));
    text.push_str("Exec=");
    let mut words = String::new();
    continued(&mut words, deployment);
    // The image's own program is `vllm serve`.
    text.push_str(words.trim_start_matches([' ', '\\', '\n']));
    text.push_str("\n\n[Service]\nEnvironmentFile=-/etc/vllm.env\n# The first start fetches the image.\nTimeoutStartSec=1800\nRestart=on-failure\nRestartSec=10\nTimeoutStopSec=120\n");
    text.push_str("\n[Install]\nWantedBy=multi-user.target default.target\n");
    text
}
