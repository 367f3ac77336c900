//! serve_command.sh and docker_run.sh.
use super::{
    argv::Arg,
    deployment::Deployment,
    quote::{Comments, bind, push_comment, shell_word},
};

/// serve_command.sh
pub(crate) fn serve(deployment: &Deployment<'_>, header: &Comments) -> String {
    let version = deployment.plan.scenario.vllm_version;
    let args = &deployment.args;
    let mut script = Script::new(header, args);
    script.line("set -euo pipefail");
    script.line("");
    script.line("if ! command -v vllm >/dev/null; then");
    script.line(&format!(
        "  echo 'vllm is not on PATH; install it with: pip install vllm=={version}' >&2"
    ));
    script.line("  exit 127");
    script.line("fi");
    script.note(&format!(
        "`vllm --version` should print {version}: other versions have other flags and defaults."
    ));
    script.note(
        "A gated model needs HF_TOKEN in the environment; VLLM_API_KEY makes the server ask for a key.",
    );
    if deployment.leaves_gpus() {
        script.note(&format!(
            "vLLM takes the first {} GPUs; CUDA_VISIBLE_DEVICES chooses others.",
            deployment.gpus
        ));
    }
    script.line("");
    script.command("exec vllm serve", &[], args);
    script.text
}

/// docker_run.sh
pub(crate) fn docker(deployment: &Deployment<'_>, header: &Comments) -> String {
    let args = &deployment.args;
    let mut script = Script::new(header, args);
    script.line("set -euo pipefail");
    script.line("");
    script.note("HF_TOKEN is passed on by name where it is set; its value is never written here.");
    script.note("--ipc=host: the GPUs' processes share memory.");
    script.note("The two volumes keep weights and compiled graphs for the next start.");
    if deployment.model_folder().is_some() {
        script.note("The model's folder is mounted where it lies here.");
    }
    script.line("");
    script.command("exec docker run", &options(deployment), args);
    script.text
}

/// Options of `docker run` and the image, one line each.
fn options(deployment: &Deployment<'_>) -> Vec<String> {
    let mut lines = vec![
        "--rm".to_owned(),
        format!("--name {}", shell_word(deployment.name())),
    ];
    if deployment.rocm {
        lines.push("--device /dev/kfd --device /dev/dri".to_owned());
        lines.push("--group-add video".to_owned());
        lines.push("--cap-add SYS_PTRACE --security-opt seccomp=unconfined".to_owned());
        if let Some(devices) = deployment.hip_devices() {
            lines.push(format!("-e HIP_VISIBLE_DEVICES={devices}"));
        }
    } else {
        lines.push(format!("--gpus {}", deployment.gpus));
    }
    lines.push("--ipc=host".to_owned());
    lines.push(format!("-p {0}:{0}", deployment.port));
    lines.push("-e HF_TOKEN".to_owned());
    lines.push(r#"-v "${HF_HOME:-$HOME/.cache/huggingface}:/root/.cache/huggingface""#.to_owned());
    lines.push("-v vllm-cache:/root/.cache/vllm".to_owned());
    if let Some(folder) = deployment.model_folder() {
        lines.push(format!("--mount {}", shell_word(&bind(folder))));
    }
    lines.push(shell_word(&deployment.image()));
    lines
}

struct Script {
    text: String,
}

impl Script {
    /// The first lines: header, and a reason for each flag.
    fn new(header: &Comments, args: &[Arg]) -> Self {
        let mut script = Self {
            text: "#!/usr/bin/env bash\n".to_owned(),
        };
        script.text.push_str(header.as_str());
        script.note("");
        script.note("Why each flag is there:");
        for arg in args {
            if let Some(flag) = &arg.flag {
                script.note(&format!("{flag}: {}", arg.why));
            }
        }
        script
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn note(&mut self, text: &str) {
        push_comment(&mut self.text, text);
    }

    /// One argument a line; what the caller adds comes last.
    fn command(&mut self, program: &str, options: &[String], args: &[Arg]) {
        let expands = |word: &String| word.contains(['$', '`']);
        if args.iter().any(|arg| arg.values.iter().any(expands)) {
            self.note("What looks like a variable below is meant as it stands.");
            self.line("# shellcheck disable=SC2016");
        }
        let args = args.iter().map(|arg| {
            let words: Vec<String> = arg.words().iter().map(|word| shell_word(word)).collect();
            words.join(" ")
        });
        let mut command = program.to_owned();
        for part in options.iter().cloned().chain(args) {
            command.push_str(" \\\n  ");
            command.push_str(&part);
        }
        command.push_str(" \\\n  \"$@\"");
        self.line(&command);
    }
}
