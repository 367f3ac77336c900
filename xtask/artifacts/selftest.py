"""Breaks a file for every reader, one thing at a time: a check that cannot fail is worth nothing."""

import re
import shutil
import time

from folders import Folder
from report import Refusals

# Reader, file, what is broken, pattern (multiline), replacement. Each is judged alone.
MANIFESTS = ("k8s.yaml", "lws.yaml", "rayservice.yaml", "kserve-inferenceservice.yaml")
BREAKS = [
    ("scripts.syntax", "serve_command.sh", "an open `if`", r"\Z", "if true; then\n"),
    ("scripts.syntax", "bench.sh", "an open quote", r"\Z", "echo '\n"),
    ("scripts.shellcheck", "serve_command.sh", "a variable without quotes", r"\Z", "echo $1\n"),
    ("scripts.shellcheck", "docker_run.sh", "a blank behind the backslash", r" \\$", r" \\ "),
    ("scripts.shellcheck", "bench.sh", "words without quotes", r'"\$@"', "$@"),
    ("scripts.bash", "serve_command.sh", "another model", r"^  [^-\s]\S+ \\$", r"  another/model \\"),
    ("scripts.bash", "serve_command.sh", "a flag missing", r"^  --max-num-seqs .*\n", ""),
    ("scripts.bash", "serve_command.sh", "text that runs", r"^set -euo pipefail$", "touch here"),
    ("scripts.bash", "serve_command.sh", "further arguments lost", r'^  "\$@"', "  x"),
    ("scripts.bench", "bench.sh", "another model", r"--model \S+", "--model another/model"),
    ("scripts.bench", "bench.sh", "no benchmark", r"^exec vllm bench serve", "exec vllm bench"),
    ("scripts.docker", "docker_run.sh", "a flag that docker lacks", r"^  --ipc=host", "  --icp=host"),
    ("scripts.docker", "docker_run.sh", "a port out of range", r"-p 8000:8000", "-p 99999:8000"),
    ("scripts.docker", "docker_run.sh", "fewer GPUs", r"--gpus \d+", "--gpus 77"),
    ("scripts.docker", "docker_run.sh", "a secret", r"-e HF_TOKEN", "-e HF_TOKEN=hf_x"),
    ("scripts.docker", "docker_run.sh", "no shared memory", r"^  --ipc=host \\\n", ""),
    ("compose.config", "docker-compose.yaml", "a misspelt key", r"^services:", "servicess:"),
    ("compose.config", "docker-compose.yaml", "a restart that is none", r"unless-stopped", "sometimes"),
    ("compose.config", "docker-compose.yaml", "another word", r"--max-num-seqs", "--max-seqs"),
    ("compose.config", "docker-compose.yaml", "a variable that is not set", r"--max-num-seqs", "$nowhere"),
    ("compose.config", "docker-compose.yaml", "fewer GPUs", r"count: \d+", "count: 77"),
    ("compose.schema", "docker-compose.yaml", "a misspelt key", r"^    image:", "    imagee:"),
    ("compose.schema", "docker-compose.yaml", "a number for a word", r"driver: nvidia", "driver: 7"),
    *[("kubernetes.manifests", file, "a misspelt key", r"^( *)containers:", r"\1container:") for file in MANIFESTS],
    *[("kubernetes.manifests", file, "a misspelt key of a container", r"^( *)resources:\n( *)requests:\n( *)cpu",
       r"\1resource:\n\2requests:\n\3cpu") for file in MANIFESTS],
    ("kubernetes.manifests", "k8s.yaml", "a text for a number", r"replicas: 1", 'replicas: "1"'),
    ("kubernetes.manifests", "k8s.yaml", "labels that are not found", r"(template:\n.*\n.*\n.*name: ).*", r"\1x"),
    ("kubernetes.manifests", "k8s.yaml", "a port that is not there", r"port: http$", "port: htp"),
    ("kubernetes.manifests", "k8s.yaml", "a volume that is not there", r"- name: shm\n +mountPath", "- name: s\n              mountPath"),
    ("kubernetes.manifests", "k8s.yaml", "a claim that is not there", r"claimName: .*", "claimName: x"),
    ("kubernetes.manifests", "k8s.yaml", "less than it asks for", r"(limits:\n +cpu: )\d+", r"\g<1>1"),
    ("kubernetes.manifests", "k8s.yaml", "GPUs apart", r"(limits:(\n.*){2}\n +nvidia.com/gpu: )\d+", r"\g<1>99"),
    ("kubernetes.manifests", "k8s.yaml", "an old version", r"apps/v1", "apps/v1beta2"),
    ("kubernetes.manifests", "k8s.yaml", "a name that is none", r"^  name: .*", "  name: Llm_server"),
    ("kubernetes.manifests", "k8s.yaml", "a service named vllm", r"(kind: Service\nmetadata:\n  name: ).*", r"\1vllm"),
    ("kubernetes.manifests", "k8s.yaml", "a quantity that is none", r"storage: (\d+)Gi", r"storage: \1GiB"),
    ("kubernetes.manifests", "k8s.yaml", "another word", r"--max-num-seqs", "--max-seqs"),
    ("kubernetes.manifests", "lws.yaml", "another word", r"--max-num-seqs", "--max-seqs"),
    ("kubernetes.manifests", "rayservice.yaml", "another word", r"max_num_seqs", "max_seqs"),
    ("kubernetes.manifests", "rayservice.yaml", "another value", r"max_num_seqs: .*", "max_num_seqs: 7"),
    ("kubernetes.manifests", "kserve-inferenceservice.yaml", "another word", r"--max-num-seqs", "--max-seqs"),
    ("kubernetes.manifests", "kserve-llminferenceservice.yaml", "another model", r"uri: .*", "uri: hf://x/y"),
    ("kubernetes.manifests", "kserve-llminferenceservice.yaml", "another word", r"--max-num-seqs", "--max-seqs"),
    ("kubernetes.manifests", "kserve-llminferenceservice.yaml", "a misspelt key", r"^  model:", "  models:"),
    ("kubernetes.manifests", "k8s-autoscale.yaml", "a text for a number", r"maxReplicas: (\d+)", r'maxReplicas: "\1"'),
    ("kubernetes.manifests", "k8s-autoscale.yaml", "a misspelt key", r"podMetricsEndpoints", "podMetricsEndpoint"),
    ("kubernetes.manifests", "k8s-autoscale.yaml", "a time that is none", r"interval: 15s", "interval: 15 s"),
    ("charts.vllm", "k8s-values.yaml", "a key that the chart lacks", r"^replicaCount", "replicaCnt"),
    ("charts.vllm", "k8s-values.yaml", "a text for a number", r"^replicaCount: 1", "replicaCount: one"),
    ("charts.vllm", "k8s-values.yaml", "more replicas", r"^replicaCount: 1", "replicaCount: 2"),
    ("charts.vllm", "k8s-values.yaml", "another word", r"--max-num-seqs", "--max-seqs"),
    ("charts.vllm", "k8s-values.yaml", "other GPUs", r"nvidia.com/gpu: \d+", "nvidia.com/gpu: 99"),
    ("charts.vllm", "k8s-values.yaml", "a port that is not there", r"^containerPort: .*", "containerPort: 1"),
    ("charts.production_stack_schema", "production-stack-values.yaml", "a key that the chart lacks", r"modelURL", "modelUrl"),
    ("charts.production_stack_schema", "production-stack-values.yaml", "a list for a number", r"requestCPU: .*", "requestCPU: [6]"),
    ("charts.production_stack", "production-stack-values.yaml", "other GPUs", r"requestGPU: .*", "requestGPU: 99"),
    ("charts.production_stack", "production-stack-values.yaml", "another word", r"--max-num-seqs", "--max-seqs"),
    ("charts.production_stack", "production-stack-values.yaml", "more replicas", r"replicaCount: 1", "replicaCount: 2"),
    ("units.systemd", "vllm.service", "a restart that is none", r"^Restart=.*", "Restart=sometimes"),
    ("units.systemd", "vllm.service", "a time that is none", r"^RestartSec=.*", "RestartSec=15 minuts"),
    ("units.systemd", "vllm.service", "a section that is none", r"^\[Service\]", "[Servce]"),
    ("units.systemd", "vllm.service", "a single %", r"^  --max-num-seqs \d+", "  --max-num-seqs %n"),
    ("units.systemd", "vllm.service", "another word", r"^  --max-num-seqs", "  --max-seqs"),
    ("units.quadlet", "vllm.container", "no image", r"^Image=.*\n", ""),
    ("units.quadlet", "vllm.container", "a misspelt key", r"^ContainerName=", "ContainrName="),
    ("units.quadlet", "vllm.container", "a restart that is none", r"^Restart=.*", "Restart=sometimes"),
    ("units.quadlet", "vllm.container", "another word", r"^  --max-num-seqs", "  --max-seqs"),
    ("readers.both", "docker-compose.yaml", "a word that is no word in YAML 1.1", r"\Z", "x-more: no\n"),
    ("readers.both", "k8s-values.yaml", "a number in one version only", r"\Z", "more: 12:30\n"),
    ("readers.lint", "k8s.yaml", "a key twice", r"\Z", "metadata: 1\nmetadata: 2\n"),
    ("readers.lint", "profile.yaml", "a word that is no word in YAML 1.1", r"\Z", "more: yes\n"),
    ("readers.plan_json", "plan.json", "a misspelt key", r'"weights_bytes"', '"weight_bytes"'),
    ("readers.plan_json", "plan.json", "a text for a number", r'"weights_bytes":\s*(\d+)', r'"weights_bytes": "\1"'),
    ("readers.plan_json", "plan.json", "an outcome that is none", r'"outcome":\s*"\w+"', '"outcome": "perhaps"'),
    ("readers.profile", "profile.yaml", "a misspelt key", r"^  concurrency:", "  concurency:"),
    ("readers.profile", "profile.yaml", "a text for a number", r"^  gpus: .*", "  gpus: two"),
    ("readers.profile", "profile.yaml", "an unknown kind of file", r"- command", "- commands"),
    ("sky.tasks", "skypilot.yaml", "a misspelt key", r"accelerators:", "accelerator:"),
    ("sky.tasks", "skypilot.yaml", "other GPUs", r"^    (\w+): \d+", r"    \1: 99"),
    ("sky.tasks", "skypilot.yaml", "a port that is none", r"ports: .*", "ports: 800000"),
]


def broken_files(report, checks_of, plans, work):
    """Reports whether every reader refuses what is broken for it, and takes the same plan as it was."""
    started = time.monotonic()
    items, wrong, whole, left = [], [], {}, {}
    for number, (reader, file, what, pattern, replacement) in enumerate(BREAKS):
        name = f"{reader}: {file} with {what}"
        good = plan_with(plans, file, pattern)
        if good is None:
            items.append(name)
            wrong.append((name, "no plan has such a file"))
            continue
        place = work / "broken" / str(number)
        shutil.copytree(good.path, place)
        text = good.text(file)
        broken = re.sub(pattern, replacement, text, count=1, flags=re.M)
        (place / file).write_bytes(broken.encode())
        refused, why = verdict(report, checks_of, reader, Folder(place))
        if (reader, good.path) not in whole:
            whole[reader, good.path] = verdict(report, checks_of, reader, good)
        refused_whole, objection = whole[reader, good.path]
        if why.startswith("NOT RUN"):
            why = why.removeprefix("NOT RUN ")
            left[why] = left.get(why, 0) + 1
            continue
        items.append(name)
        if not refused or broken == text:
            wrong.append((name, "it was taken for good"))
        elif refused_whole:
            wrong.append((name, f"refused before it was broken: {objection}"))
    for why, count in left.items():
        report.leave_out(f"{count} broken files", why)
    report.count("broken files are refused", items, wrong, 1, time.monotonic() - started)


def plan_with(plans, file, pattern):
    """The first whole plan whose file holds the pattern."""
    plans = (plan for plan in plans if plan.has(file) and plan.expected["vendor"] == "nvidia")
    return next((plan for plan in plans if re.search(pattern, plan.text(file), re.M)), None)


def verdict(report, checks_of, reader, folder):
    """Whether a reader refuses anything in a folder, and what it says."""
    refusals = Refusals(report.tools)
    group, check = reader.split(".")
    getattr(getattr(checks_of(refusals), group), check)([folder])
    said = [str(problem) for problem in refusals.seen if problem]
    return bool(said), said[0] if said else ""
