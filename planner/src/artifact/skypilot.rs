//! skypilot.yaml: a task of SkyPilot, which rents the GPUs.
use super::{
    deployment::Deployment,
    quote::Comments,
    shell::Script,
    yaml::{Document, Yaml, map},
};
use std::borrow::Cow;

/// Our names and those of SkyPilot's catalogue.
const NAMES: &[(&str, &str)] = &[
    ("T4", "T4"),
    ("V100 SXM2 16GB", "V100"),
    ("V100 SXM2 32GB", "V100-32GB"),
    ("RTX 3090", "RTX3090"),
    ("RTX 4090", "RTX4090"),
    ("RTX 5090", "RTX5090"),
    ("RTX A4000", "RTXA4000"),
    ("RTX A5000", "RTXA5000"),
    ("RTX A6000", "RTXA6000"),
    ("RTX 6000 Ada", "RTX6000-Ada"),
    ("RTX PRO 6000 Blackwell Server", "RTXPRO6000"),
    ("A10", "A10"),
    ("A10G", "A10G"),
    ("A30", "A30"),
    ("A40", "A40"),
    ("A100 SXM4 40GB", "A100"),
    ("A100 PCIe 40GB", "A100"),
    ("A100 SXM4 80GB", "A100-80GB"),
    ("A100 PCIe 80GB", "A100-80GB"),
    ("L4", "L4"),
    ("L40", "L40"),
    ("L40S", "L40S"),
    ("H100 PCIe", "H100"),
    ("H100 SXM", "H100"),
    ("H200 SXM", "H200"),
    ("GH200 96GB", "GH200"),
    ("B200 SXM", "B200"),
    ("B300 SXM", "B300"),
    ("GB200", "GB200"),
    ("MI300X", "MI300X"),
];

/// SkyPilot's name for the GPU of that name.
pub(crate) fn accelerator(gpu: &str) -> Option<&'static str> {
    NAMES.iter().find(|(ours, _)| *ours == gpu).map(|(_, name)| *name)
}

/// skypilot.yaml
pub(crate) fn skypilot(deployment: &Deployment<'_>, header: &Comments) -> String {
    let scenario = &deployment.plan.scenario;
    let mut document = Document::new(header);
    let name = deployment.name();
    document.comment("");
    document.comment(&format!("sky launch -c {name} skypilot.yaml"));
    document.comment("A gated model needs HF_TOKEN in the environment and: --secret HF_TOKEN");
    document.comment(&deployment.start_reason());
    document.comment("The port is open to everybody who can reach the machine: VLLM_API_KEY makes the server ask for a key.");
    document.gap();
    document.entry("name", name);
    let gpu = accelerator(&scenario.hardware.gpu.name).unwrap_or_default();
    let accelerators = Yaml::Map(vec![(Cow::Borrowed(gpu), deployment.gpus.into())]);
    document.entry(
        "resources",
        map([
            ("accelerators", accelerators),
            ("ports", deployment.port.into()),
            (
                "disk_size",
                Yaml::from(deployment.storage_gib() + 100)
                    .comment("GB: weights, caches, and 100 for the system"),
            ),
        ]),
    );
    document.entry("num_nodes", deployment.nodes.count);
    document.entry(
        "secrets",
        map([("HF_TOKEN", "".into()), ("VLLM_API_KEY", "".into())]),
    );
    let with_ray = if deployment.nodes.needs_ray() { " ray" } else { "" };
    document.entry(
        "setup",
        Yaml::Block(format!(
            "pip install uv\nuv venv --python 3.12 --seed ~/vllm\nuv pip install --python ~/vllm/bin/python vllm=={}{with_ray}\n",
            scenario.vllm_version
        )),
    );
    document.entry("run", Yaml::Block(run(deployment)));
    document.finish()
}

fn run(deployment: &Deployment<'_>) -> String {
    let mut script = Script::bare();
    script.line("source ~/vllm/bin/activate");
    script.line("if [ -z \"$VLLM_API_KEY\" ]; then unset VLLM_API_KEY; fi");
    script.line("if [ -z \"$HF_TOKEN\" ]; then unset HF_TOKEN; fi");
    if !deployment.nodes.is_alone() {
        script.line("NODE_RANK=$SKYPILOT_NODE_RANK");
        script.line("HEAD_ADDRESS=$(echo \"$SKYPILOT_NODE_IPS\" | head -n 1)");
    }
    script.variables(deployment);
    script.nodes(deployment);
    script.command("vllm serve", &[], &deployment.args);
    // There are no words of a caller.
    script.text.replace(" \\\n  \"$@\"\n", "\n")
}
