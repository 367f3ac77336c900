//! vllm.service: vLLM of a virtual environment as a unit of systemd.
use super::{
    deployment::Deployment,
    quote::{Comments, push_comment, systemd_word},
};
use std::fmt::Write as _;

/// Where the unit expects vLLM.
const HOME: &str = "/opt/vllm";

/// vllm.service
pub(crate) fn systemd(deployment: &Deployment<'_>, header: &Comments) -> String {
    let version = deployment.plan.scenario.vllm_version;
    let mut text = header.as_str().to_owned();
    for line in [
        String::new(),
        if deployment.cuda() {
            format!("python3 -m venv {HOME} && {HOME}/bin/pip install vllm=={version}")
        } else {
            let platform = deployment.platform();
            format!("vLLM {version} built for {platform} has to lie in the virtual environment {HOME}.")
        },
        "cp vllm.service /etc/systemd/system/ && systemctl daemon-reload && systemctl enable --now vllm".to_owned(),
        "journalctl -fu vllm".to_owned(),
        "HF_TOKEN and VLLM_API_KEY, where they are needed, stand in /etc/vllm.env, one NAME=value a line, readable by root only.".to_owned(),
    ] {
        push_comment(&mut text, &line);
    }
    let devices = deployment.visible_devices();
    if devices.is_none() && deployment.leaves_gpus() {
        push_comment(
            &mut text,
            &format!(
                "vLLM takes the first {} GPUs; CUDA_VISIBLE_DEVICES in /etc/vllm.env chooses others.",
                deployment.gpus
            ),
        );
    }
    reasons(&mut text, deployment);
    text.push_str(
        "\n[Unit]\nDescription=vLLM server\nWants=network-online.target\nAfter=network-online.target\n",
    );
    text.push_str("\n[Service]\nType=exec\nDynamicUser=yes\n");
    if !deployment.cuda() {
        text.push_str("SupplementaryGroups=video render\n");
    }
    text.push_str("# Weights and compiled graphs stay in /var/cache/vllm.\nCacheDirectory=vllm\n");
    for variable in [
        "HOME=/var/cache/vllm".to_owned(),
        "HF_HOME=/var/cache/vllm/huggingface".to_owned(),
        "VLLM_CACHE_ROOT=/var/cache/vllm/vllm".to_owned(),
        format!(
            "PATH={HOME}/bin:/usr/local/cuda/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        ),
    ] {
        text.push_str("Environment=");
        text.push_str(&systemd_word(&variable));
        text.push('\n');
    }
    text.push_str("EnvironmentFile=-/etc/vllm.env\n");
    if let Some(devices) = devices {
        let _ = writeln!(text, "Environment={devices}");
    }
    for (name, value) in deployment.env() {
        let _ = writeln!(text, "Environment={name}={value}");
    }
    text.push_str("LimitNOFILE=65536\nLimitMEMLOCK=infinity\n");
    let _ = write!(text, "ExecStart={HOME}/bin/vllm serve");
    continued(&mut text, deployment);
    text.push_str("\nRestart=on-failure\nRestartSec=10\nTimeoutStopSec=120\n");
    text.push_str("\n[Install]\nWantedBy=multi-user.target\n");
    text
}

/// A reason for each flag.
pub(crate) fn reasons(text: &mut String, deployment: &Deployment<'_>) {
    push_comment(text, "");
    push_comment(text, "Why each flag is there:");
    for arg in &deployment.args {
        if let Some(flag) = &arg.flag {
            push_comment(text, &format!("{flag}: {}", arg.why));
        }
    }
}

/// The arguments, one a line.
pub(crate) fn continued(text: &mut String, deployment: &Deployment<'_>) {
    for arg in &deployment.args {
        text.push_str(" \\\n ");
        for word in arg.words() {
            text.push(' ');
            text.push_str(&systemd_word(&word));
        }
    }
}
