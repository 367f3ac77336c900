"""Shell scripts: shellcheck, bash with stubs that record their words, docker's own flag parser."""

import json
import os
import pathlib
import subprocess
import tempfile

from engine_stub import Engine
from folders import DEVICES, differs, holds

STUB = "#!/bin/sh\nprintf '%s\\0' \"$@\" >\"$RECORD\"\n"


def run(command, **options):
    if "input" not in options:
        options["stdin"] = subprocess.DEVNULL
    return subprocess.run(command, capture_output=True, text=True, **{"timeout": 120, **options})


class Scripts:
    def __init__(self, report, tools, work):
        self.report = report
        self.tools = tools
        self.work = pathlib.Path(work)
        self.stubs = self.work / "stubs"
        self.stubs.mkdir(parents=True, exist_ok=True)
        for program in ("vllm", "docker", "ray"):
            stub = self.stubs / program
            stub.write_text(STUB)
            stub.chmod(0o755)

    def syntax(self, folders, what="bash -n"):
        def judge(folder):
            wrong = (run(["bash", "-n", path]).stderr for path in sorted(folder.path.glob("*.sh")))
            return next(filter(None, wrong), None)

        self.report.check(what, [f for f in folders if list(f.path.glob("*.sh"))], judge, needs=["bash"])

    def shellcheck(self, folders, what="shellcheck"):
        own = self.tools["readers"] / "bin" / "shellcheck"
        shellcheck = own if own.is_file() else self.tools["shellcheck"]
        needs = [] if own.is_file() else ["shellcheck"]

        def judge(folder):
            scripts = sorted(str(path) for path in folder.path.glob("*.sh"))
            done = run([shellcheck, "-S", "style", "-s", "bash", *scripts])
            return done.stdout + done.stderr if done.returncode else None

        self.report.check(what, [f for f in folders if list(f.path.glob("*.sh"))], judge, needs=needs)

    def record(self, folder, script, environment=None):
        """What the stub that the script starts was given."""
        # The folder is empty: a file that appears was made by text that ran.
        place = self.work / "run" / f"{folder.path.name}-{script}"
        place.mkdir(parents=True, exist_ok=True)
        record = self.work / "run" / f"{folder.path.name}-{script}.argv"
        env = {
            "PATH": f"{self.stubs}:{os.environ['PATH']}",
            "HOME": "/home/nobody",
            "RECORD": str(record),
            # What a script over several nodes asks for.
            "HEAD_ADDRESS": "10.0.0.1",
            "NODE_RANK": "0",
            **(environment or {}),
        }
        done = run(["bash", folder.path / script, "one more"], env=env, cwd=place)
        if done.returncode or done.stderr:
            return None, f"bash: rc {done.returncode}: {done.stdout}{done.stderr}"
        if list(place.iterdir()):
            return None, "text of a user was executed"
        words = record.read_bytes().decode().split("\0")[:-1]
        if words[-1:] != ["one more"]:
            return None, f"{script} does not pass further arguments on: {words[-1:]}"
        return words[:-1], None

    def bash(self, folders, what="bash, serve_command.sh"):
        def judge(folder):
            words, wrong = self.record(folder, "serve_command.sh")
            if wrong:
                return wrong
            if words[:1] != ["serve"]:
                return f"vllm got {words[:1]}"
            argv = folder.argv
            return differs("serve_command.sh", words[1 : len(argv) + 1], argv)

        self.report.check(what, [f for f in folders if f.has("serve_command.sh")], judge, needs=["bash"])

    def bench(self, folders, what="bash, bench.sh"):
        def judge(folder):
            words, wrong = self.record(folder, "bench.sh")
            if wrong:
                return wrong
            if words[:2] != ["bench", "serve"]:
                return f"vllm got {words[:2]}"
            model = folder.expected["model"]
            named = ["--model", model] if not model.startswith("-") else [f"--model={model}"]
            return None if holds(words, named) else f"no {named} in {words}"

        self.report.check(what, [f for f in folders if f.has("bench.sh")], judge, at_least=0, needs=["bash"])

    def docker(self, folders, what="docker's flag parser, docker_run.sh"):
        """Once with a stub for the words, once with docker itself against a stub of the engine."""

        def judge(folder):
            words, wrong = self.record(folder, "docker_run.sh")
            if wrong:
                return wrong
            argv = folder.argv
            if not holds(words, argv):
                return f"the plan's words are not in {words}"
            # Folders of a checkout may be deeper than the name of a socket can be long.
            with tempfile.TemporaryDirectory() as place, Engine(pathlib.Path(place) / "s") as engine:
                done = run(
                    [self.tools["docker"], *words],
                    env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", "DOCKER_HOST": engine.address},
                )
                if done.returncode:
                    return f"docker: rc {done.returncode}: {done.stderr}"
                return body_problem(folder, engine.body)

        self.report.check(what, [f for f in folders if f.has("docker_run.sh")], judge, needs=["bash", "docker"])


def body_problem(folder, text):
    """What the engine would be asked for."""
    body, expected = json.loads(text), folder.expected
    host = body["HostConfig"]
    argv = folder.argv
    if body["Cmd"][: len(argv)] != argv:
        return differs("Cmd", body["Cmd"][: len(argv)], argv)
    requests = host.get("DeviceRequests") or []
    own = DEVICES.get(expected["vendor"])
    if own:
        devices = {device["PathOnHost"] for device in host.get("Devices") or []}
        if requests or not own <= devices:
            return f"devices of {expected['vendor']}: {devices}, requests {requests}"
    else:
        [request] = requests
        ids, count = request.get("DeviceIDs") or [], request["Count"]
        if bool(ids) == bool(count):
            return f"device ids {ids} and count {count}: one of them has to be set"
        if (len(ids) or count) not in (expected["gpus"], -1) and not several(expected):
            return f"{len(ids) or count} GPUs, expected {expected['gpus']}"
        if request["Capabilities"] != [["gpu"]]:
            return f"capabilities {request['Capabilities']}"
    if host["IpcMode"] not in ("host", "") or (host["IpcMode"] == "" and host["ShmSize"] < 2**30):
        return f"no shared memory: {host['IpcMode']!r}, {host['ShmSize']}"
    port = f"{expected['port']}/tcp"
    ports = host.get("PortBindings") or {}
    if host["NetworkMode"] != "host" and [b["HostPort"] for b in ports.get(port, [])] != [str(expected["port"])]:
        return f"ports {ports}, expected {port}"
    folder = expected["model"] if expected["model"].startswith("/") else None
    mounts = [(m["Source"], m["Target"], m["ReadOnly"]) for m in host.get("Mounts") or [] if m["Type"] == "bind"]
    if mounts != ([(folder, folder, True)] if folder else []):
        return f"mounts {mounts}, the model is {expected['model']!r}"
    for bind in host.get("Binds") or []:
        source, target = bind.split(":")[:2]
        if not target.startswith("/") or not (source.startswith("/") or source.replace("-", "").isalnum()):
            return f"volume {bind}"
    if any(variable.startswith(("HF_TOKEN=", "VLLM_API_KEY=")) for variable in body.get("Env") or []):
        return "a secret's value in the environment"
    if host["RestartPolicy"]["Name"] not in ("", "no", "always", "on-failure", "unless-stopped"):
        return f"restart {host['RestartPolicy']}"
    return None


def several(expected):
    return expected["gpus"] > expected["node_gpus"]
