"""docker-compose.yaml: Compose itself, the published schema, and what both miss."""

import functools
import json
import os
import re

from folders import DEVICES, differs, documents
from scripts import run, several

RESTARTS = re.compile(r"no|always|unless-stopped|on-failure(:\d+)?")


class Compose:
    FILE = "docker-compose.yaml"

    def __init__(self, report, tools):
        self.report = report
        self.tools = tools

    def config(self, folders, what="docker compose config", at_least=1):
        compose = self.tools["compose"]
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": "/home/nobody",
            "HEAD_ADDRESS": "10.0.0.1",
            "NODE_RANK": "1",
        }

        def judge(folder):
            command = [compose, "-f", folder.path / self.FILE, "--profile", "*", "config", "--format", "json"]
            done = run(command, env=environment)
            # A warning, as for a variable that is not set, changes what would run.
            if done.returncode or done.stderr:
                return f"rc {done.returncode}: {done.stderr}"
            services = json.loads(done.stdout)["services"]
            wrong = (service_problem(folder, name, service) for name, service in services.items())
            return next(filter(None, wrong), None)

        self.report.check(what, [f for f in folders if f.has(self.FILE)], judge, at_least, ["compose"])

    def schema(self, folders, what="compose-spec schema"):
        @functools.cache
        def validator():
            import check_jsonschema
            import jsonschema

            place = os.path.dirname(check_jsonschema.__file__)
            with open(f"{place}/builtin_schemas/vendor/compose-spec.json") as file:
                schema = json.load(file)
            return jsonschema.validators.validator_for(schema)(schema)

        def judge(folder):
            [document] = documents(folder.text(self.FILE))
            return next((str(error) for error in validator().iter_errors(document)), None)

        needs = ["import check_jsonschema", "import jsonschema", "import yaml"]
        self.report.check(what, [f for f in folders if f.has(self.FILE)], judge, needs=needs, pure=True)


def service_problem(folder, name, service):
    """Compose writes `$` doubled, as it stood in the file."""
    expected, argv = folder.expected, folder.argv
    words = [word.replace("$$", "$") for word in service["command"]]
    wrong = differs(name, words[: len(argv)], argv)
    if wrong:
        return wrong
    if not RESTARTS.fullmatch(service.get("restart", "no")):
        return f"restart {service['restart']}"
    resources = service.get("deploy", {}).get("resources", {}).get("reservations", {})
    devices = resources.get("devices", [])
    for device in devices:
        if ("count" in device) == ("device_ids" in device):
            return f"count xor device_ids: {device}"
        if device["capabilities"] != ["gpu"]:
            return f"capabilities {device}"
        gpus = device.get("count") or len(device["device_ids"])
        if gpus not in (expected["gpus"], -1) and not several(expected):
            return f"{gpus} GPUs, expected {expected['gpus']}"
    own = DEVICES.get(expected["vendor"], set())
    given = {device["source"] for device in service.get("devices", [])}
    if bool(own) == bool(devices) or not own <= given:
        return f"GPUs {devices} and devices {given} for {expected['vendor']}"
    ports = [(str(port["published"]), port["target"]) for port in service.get("ports", [])]
    port = expected["port"]
    if service.get("network_mode") != "host" and ports != [(str(port), port)]:
        return f"ports {ports}, expected {port}"
    if service.get("ipc") != "host" and "shm_size" not in service:
        return "no shared memory"
    for secret in ("HF_TOKEN", "VLLM_API_KEY"):
        if (service.get("environment") or {}).get(secret):
            return f"a value of {secret}"
    probe = service.get("healthcheck", {}).get("test")
    if probe and f":{port}/" not in " ".join(probe):
        return f"healthcheck {probe} misses port {port}"
    return None
