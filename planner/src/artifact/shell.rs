//! serve_command.sh and docker_run.sh.
use super::{
    advice::advice,
    argv::Arg,
    deployment::{BY_PATH, Deployment},
    nodes::Word,
    quote::{Comments, bind, push_comment, shell_word},
};
use crate::gpu::Vendor;

/// serve_command.sh
pub(crate) fn serve(deployment: &Deployment<'_>, header: &Comments) -> String {
    let version = deployment.plan.scenario.vllm_version;
    let args = &deployment.args;
    let mut script = Script::new(header, args);
    script.advice(deployment);
    if !deployment.nodes.is_alone() {
        script.on_each_node(deployment, "serve_command.sh");
    }
    script.line("set -euo pipefail");
    script.line("");
    let install = if deployment.cuda() {
        format!("pip install vllm=={version}")
    } else {
        format!(
            "the build for {} of its installation guide",
            deployment.platform()
        )
    };
    script.needs("vllm", &install);
    script.note(&format!(
        "`vllm --version` should print {version}: other versions have other flags and defaults."
    ));
    script.note(
        "A gated model needs HF_TOKEN in the environment; VLLM_API_KEY makes the server ask for a key.",
    );
    if let Some(devices) = deployment.visible_devices() {
        script.line(&format!("export {devices}"));
    } else if deployment.leaves_gpus() {
        script.note(&format!(
            "vLLM takes the first {} GPUs; CUDA_VISIBLE_DEVICES chooses others.",
            deployment.gpus
        ));
    }
    script.variables(deployment);
    script.line("");
    script.nodes(deployment);
    script.command("exec vllm serve", &[], args);
    script.text
}

/// docker_run.sh
pub(crate) fn docker(deployment: &Deployment<'_>, header: &Comments) -> String {
    let args = &deployment.args;
    let mut script = Script::new(header, args);
    if !deployment.nodes.is_alone() {
        script.on_each_node(deployment, "docker_run.sh");
    }
    script.line("set -euo pipefail");
    script.line("");
    script.note("HF_TOKEN and VLLM_API_KEY are passed on by name where they are set; their values are never written here.");
    script.note("--ipc=host: the GPUs' processes share memory.");
    script.note("The two volumes keep weights and compiled graphs for the next start.");
    if deployment.model_folder().is_some() {
        script.note("The model's folder is mounted where it lies here.");
    }
    script.line("");
    script.nodes(deployment);
    script.command("exec docker run", &options(deployment), args);
    script.text
}

/// Options of `docker run` and the image, one line each.
fn options(deployment: &Deployment<'_>) -> Vec<String> {
    let mut lines = vec![
        "--rm".to_owned(),
        format!("--name {}", shell_word(deployment.name())),
    ];
    let whole = match deployment.vendor {
        Vendor::Amd => {
            lines.push("--device /dev/kfd --device /dev/dri".to_owned());
            lines.push("--group-add video".to_owned());
            lines.push("--cap-add SYS_PTRACE --security-opt seccomp=unconfined".to_owned());
            true
        }
        Vendor::Intel => {
            // As `docs/getting_started/installation/gpu.xpu.inc.md` has it.
            lines.push(format!("--device /dev/dri:/dev/dri -v {BY_PATH} --privileged"));
            true
        }
        Vendor::Nvidia | Vendor::Google => false,
    };
    if whole {
        if let Some(devices) = deployment.visible_devices() {
            lines.push(format!("-e {devices}"));
        }
    } else if let Some(ids) = deployment.device_ids() {
        // Docker reads the value as a line of CSV: without these quotes a comma ends the option.
        lines.push(format!("--gpus {}", shell_word(&format!("\"device={ids}\""))));
    } else {
        lines.push(format!("--gpus {}", deployment.gpus));
    }
    if deployment.non_root() {
        lines.push("--user 2000:0".to_owned());
    }
    lines.push("--ipc=host".to_owned());
    lines.push(if deployment.nodes.is_alone() {
        format!("-p {0}:{0}", deployment.port)
    } else {
        // The nodes talk over ports of their choice.
        "--network host".to_owned()
    });
    lines.push("-e HF_TOKEN -e VLLM_API_KEY".to_owned());
    for (name, value) in deployment.env() {
        lines.push(format!("-e {name}={value}"));
    }
    let home = deployment.home();
    lines.push(format!(
        r#"-v "${{HF_HOME:-$HOME/.cache/huggingface}}:{home}/.cache/huggingface""#
    ));
    lines.push(format!("-v vllm-cache:{home}/.cache/vllm"));
    if let Some(folder) = deployment.model_folder() {
        lines.push(format!("--mount {}", shell_word(&bind(folder))));
    }
    lines.push(shell_word(&deployment.image()));
    lines
}

/// A bash script.
pub(crate) struct Script {
    pub(crate) text: String,
    /// Words of an array that the node fills.
    has_nodes: bool,
}

impl Script {
    /// The first lines.
    pub(crate) fn start(header: &Comments) -> Self {
        let mut text = "#!/usr/bin/env bash\n".to_owned();
        text.push_str(header.as_str());
        Self {
            text,
            has_nodes: false,
        }
    }

    /// Nothing yet.
    pub(crate) const fn bare() -> Self {
        Self {
            text: String::new(),
            has_nodes: false,
        }
    }

    /// The first lines: header, and a reason for each flag.
    fn new(header: &Comments, args: &[Arg]) -> Self {
        let mut script = Self::start(header);
        script.note("");
        script.note("Why each flag is there:");
        for arg in args {
            if let Some(flag) = &arg.flag {
                script.note(&format!("{flag}: {}", arg.why));
            }
        }
        script
    }

    pub(crate) fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    pub(crate) fn note(&mut self, text: &str) {
        push_comment(&mut self.text, text);
    }

    /// Stops where a program is not there.
    pub(crate) fn needs(&mut self, program: &str, install: &str) {
        self.line(&format!("if ! command -v {program} >/dev/null; then"));
        self.line(&format!(
            "  echo '{program} is not on PATH; install it with: {install}' >&2"
        ));
        self.line("  exit 127");
        self.line("fi");
    }

    /// Flags that can be added behind the script.
    fn advice(&mut self, deployment: &Deployment<'_>) {
        let advice = advice(deployment.plan);
        if !advice.is_empty() {
            self.note("");
            self.note(
                "Models of this family are mostly served with these too; add them behind the script's name:",
            );
            for one in advice {
                self.note(&format!("{} ({})", one.flags, one.why));
            }
        }
    }

    /// What the plan relies on.
    pub(crate) fn variables(&mut self, deployment: &Deployment<'_>) {
        for (name, value) in deployment.env() {
            self.line(&format!("export {name}={value}"));
        }
    }

    /// How the script is run where a deployment takes several nodes.
    fn on_each_node(&mut self, deployment: &Deployment<'_>, name: &str) {
        self.note("");
        self.note(&deployment.nodes.reason());
        self.note("Run this on each, the first one first:");
        for rank in 0..deployment.nodes.count.min(4) {
            self.note(&format!("NODE_RANK={rank} HEAD_ADDRESS=10.0.0.1 ./{name}"));
        }
        self.note("HEAD_ADDRESS is the first node's, as the others reach it; where a node has several, VLLM_HOST_IP says which is its own.");
    }

    /// What depends on the node.
    pub(crate) fn nodes(&mut self, deployment: &Deployment<'_>) {
        let nodes = &deployment.nodes;
        if nodes.is_alone() {
            return;
        }
        self.has_nodes = true;
        self.line(": \"${NODE_RANK:?is 0 on the first node, 1 on the next}\" \"${HEAD_ADDRESS:?is the address of the first node}\"");
        if nodes.needs_ray() {
            self.note("vLLM before 0.11.2 needs a Ray cluster for this: pip install ray");
            self.line("if [ \"$NODE_RANK\" -gt 0 ]; then");
            self.line("  exec ray start --address \"$HEAD_ADDRESS:6379\" --block");
            self.line("fi");
            self.line("ray start --head --port 6379");
        }
        self.line(&format!("node=({})", shell_words(&nodes.common())));
        let others = nodes.others();
        if !others.is_empty() {
            self.line("if [ \"$NODE_RANK\" -gt 0 ]; then");
            self.line(&format!("  node+=({})", shell_words(&others)));
            self.line("fi");
        }
        self.line("");
    }

    /// Says so where a text below looks like a variable and is none.
    pub(crate) fn meant<'a>(&mut self, mut texts: impl Iterator<Item = &'a str>) {
        if texts.any(|text| text.contains(['$', '`'])) {
            self.note("What looks like a variable below is meant as it stands.");
            self.line("# shellcheck disable=SC2016");
        }
    }

    /// One argument a line; what the caller adds comes last.
    pub(crate) fn command(&mut self, program: &str, options: &[String], args: &[Arg]) {
        self.meant(args.iter().flat_map(|arg| &arg.values).map(String::as_str));
        let args = args.iter().map(|arg| {
            let words: Vec<String> = arg.words().iter().map(|word| shell_word(word)).collect();
            words.join(" ")
        });
        let mut command = program.to_owned();
        for part in options.iter().cloned().chain(args) {
            command.push_str(" \\\n  ");
            command.push_str(&part);
        }
        if self.has_nodes {
            command.push_str(" \\\n  \"${node[@]}\"");
        }
        command.push_str(" \\\n  \"$@\"");
        self.line(&command);
    }
}

fn shell_words(words: &[Word]) -> String {
    let words: Vec<String> = words
        .iter()
        .map(|word| match word {
            Word::Plain(text) => shell_word(text),
            Word::Rank => "\"$NODE_RANK\"".to_owned(),
            Word::Head => "\"$HEAD_ADDRESS\"".to_owned(),
            Word::Start(engines) => format!("\"$((NODE_RANK * {engines}))\""),
        })
        .collect();
    words.join(" ")
}
