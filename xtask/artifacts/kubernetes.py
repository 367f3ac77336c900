"""Manifests: kubernetes-validate for core kinds, schemas of the CRDs for others, and what an API server refuses besides."""

import json
import re
import shlex

from folders import documents, holds, undollar

VERSION = "1.34"
FILES = ("k8s.yaml", "k8s-autoscale.yaml", "lws.yaml", "rayservice.yaml", "kserve-inferenceservice.yaml",
         "kserve-llminferenceservice.yaml")
CORE = re.compile(r"v1|apps/v1|autoscaling/v2|policy/v1|batch/v1|rbac.authorization.k8s.io/v1|networking.k8s.io/v1")
NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
QUANTITY = re.compile(r"[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?")
UNITS = {"": 1, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18}
UNITS |= {f"{unit}i": 1024**power for power, unit in enumerate("KMGTPE", 1)}
GPU = ("nvidia.com/gpu", "amd.com/gpu", "gpu.intel.com/xe")


class Kubernetes:
    NEEDS = ("import kubernetes_validate", "import jsonschema", "import yaml")

    def __init__(self, report, schemas):
        self.report = report
        with open(schemas / "kubernetes.json") as file:
            self.schemas = json.load(file)

    def manifests(self, folders, what="Kubernetes manifests"):
        pairs = [(folder, file) for folder in folders for file in FILES if folder.has(file)]
        self.report.check(what, pairs, lambda pair: self.file_problem(*pair), 0, self.NEEDS, pure=True)

    def file_problem(self, folder, file):
        objects = documents(folder.text(file))
        for item in objects:
            wrong = self.problem(item)
            if wrong:
                return f"{file}, {item.get('kind')}: {wrong}"
        return together_problem(objects, folder, words=file != "k8s-autoscale.yaml")

    def problem(self, item):
        """What is wrong with one object by itself."""
        version, kind = item["apiVersion"], item["kind"]
        if CORE.fullmatch(version):
            import kubernetes_validate

            # What it has no schema for, it does not check: an old version would pass.
            kubernetes_validate.validate(item, VERSION, strict=True)
        else:
            self.custom(item, f"{version}/{kind}")
        if not NAME.fullmatch(item["metadata"]["name"]):
            return f"name {item['metadata']['name']!r}"
        if kind == "Service" and item["metadata"]["name"] == "vllm":
            return "a service named vllm sets VLLM_PORT to a URL"
        if kind == "PersistentVolumeClaim":
            quantity(item["spec"]["resources"]["requests"]["storage"])
        return next(filter(None, map(pod_problem, pods(item))), None)

    def custom(self, item, key):
        import jsonschema

        if key not in self.schemas["kinds"]:
            raise ValueError(f"no schema of {key}")
        schema = {"$ref": f"#/kinds/{key.replace('~', '~0').replace('/', '~1')}", **self.schemas}
        error = next(jsonschema.Draft202012Validator(schema).iter_errors(item), None)
        if error:
            raise ValueError(f"{error.json_path}: {error.message[:300]}")


def pods(node):
    """Every pod's spec in an object, wherever it stands."""
    if isinstance(node, dict):
        if isinstance(node.get("containers"), list):
            yield node
        for value in node.values():
            yield from pods(value)
    elif isinstance(node, list):
        for value in node:
            yield from pods(value)


def quantity(value):
    text = str(value)
    if not QUANTITY.fullmatch(text):
        raise ValueError(f"quantity {text!r}")
    digits = re.match(r"[0-9.]+", text).group()
    return float(digits) * UNITS[text[len(digits):]]


def pod_problem(spec):
    volumes = {volume["name"] for volume in spec.get("volumes", [])}
    for volume in spec.get("volumes", []):
        size = (volume.get("emptyDir") or {}).get("sizeLimit")
        if size is not None:
            quantity(size)
    for container in [*spec["containers"], *spec.get("initContainers", [])]:
        wrong = container_problem(container, volumes)
        if wrong:
            return f"container {container.get('name')}: {wrong}"
    return None


def container_problem(container, volumes):
    for mount in container.get("volumeMounts", []):
        if mount["name"] not in volumes:
            return f"mounts {mount['name']}, which is no volume"
    resources = container.get("resources", {})
    requests, limits = resources.get("requests", {}), resources.get("limits", {})
    for name, value in requests.items():
        if name in limits and quantity(value) > quantity(limits[name]):
            return f"asks for more {name} than its limit"
    for name in limits:
        quantity(limits[name])
    for gpu in GPU:
        if gpu in requests and requests[gpu] != limits.get(gpu):
            return f"{gpu}: request {requests[gpu]} is not the limit {limits.get(gpu)}"
    ports = {port.get("name") for port in container.get("ports", [])}
    numbers = {port["containerPort"] for port in container.get("ports", [])}
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        for kind in ("httpGet", "tcpSocket"):
            port = container.get(probe, {}).get(kind, {}).get("port")
            if port is not None and port not in ports | numbers:
                return f"{probe} asks port {port}, the container has {ports | numbers}"
    return None


def labels(item):
    return item.get("spec", {}).get("template", {}).get("metadata", {}).get("labels", {})


def words_of(container):
    return undollar([*container.get("command", []), *container.get("args", [])])


def together_problem(objects, folder=None, words=True):
    """What is wrong between objects: selectors that find nothing, a claim that is not there, other words than the plan's."""
    by_kind = {}
    for item in objects:
        by_kind.setdefault(item["kind"], []).append(item)
    for deployment in by_kind.get("Deployment", []):
        selector = deployment["spec"]["selector"]["matchLabels"]
        if not selector.items() <= labels(deployment).items():
            return f"selector {selector} does not find labels {labels(deployment)}"
    workloads = by_kind.get("Deployment", [])
    for service in by_kind.get("Service", []):
        selector = service["spec"].get("selector") or {}
        found = [item for item in workloads if selector.items() <= labels(item).items()]
        if workloads and not found:
            return f"service {service['metadata']['name']} selects {selector}, which no pod has"
        for item in found:
            names = {p.get("name") for c in pods(item) for k in c["containers"] for p in k.get("ports", [])}
            numbers = {p["containerPort"] for c in pods(item) for k in c["containers"] for p in k.get("ports", [])}
            for port in service["spec"]["ports"]:
                if port.get("targetPort", port["port"]) not in names | numbers:
                    return f"service port {port} leads nowhere"
    claims = {item["metadata"]["name"] for item in by_kind.get("PersistentVolumeClaim", [])}
    for item in objects:
        for spec in pods(item):
            for volume in spec.get("volumes", []):
                claim = volume.get("persistentVolumeClaim", {}).get("claimName")
                if claim and claim not in claims:
                    return f"claims {claim}, which is not in the file"
    if folder is None or not words:
        return None
    return words_problem(objects, folder)


def words_problem(objects, folder):
    """The plan's words in some container, one behind the other, or in a script of its; or as its controller takes them."""
    for item in objects:
        if item["kind"] == "RayService":
            return ray_problem(item, folder)
        if item["kind"] == "LLMInferenceService":
            return llm_problem(item["spec"], folder)
    lists = []
    for item in objects:
        for spec in pods(item):
            for container in spec["containers"]:
                words = words_of(container)
                if words[:2] == ["vllm", "serve"]:
                    lists.append(words)
                for script in (word for word in words if "vllm serve" in word):
                    # It takes its words from behind it, or holds them.
                    lists.append(words if '"$@"' in script else shlex.split(script, comments=True))
    if not lists:
        return "no container starts vLLM"
    wrong = (words for words in lists if not holds(words, folder.argv))
    return next((f"the plan's words are not in {words}" for words in wrong), None)


def flags(words):
    """Flags with their values, as text."""
    found = {}
    for word in words:
        if word.startswith("--"):
            flag, _, value = word.partition("=")
            found[flag] = [value] if value else []
        elif found:
            found[flag].append(word)
    return {flag: " ".join(values) for flag, values in found.items()}


def ray_problem(item, folder):
    """Ray takes an engine's settings by their names in Python."""
    [serve] = documents(item["spec"]["serveConfigV2"])
    [config] = serve["applications"][0]["args"]["llm_configs"]
    model = config["model_loading_config"]["model_source"]
    if model != folder.expected["model"]:
        return f"the model is {model!r}"
    engine = config["engine_kwargs"]
    for flag, value in flags(folder.argv[1:]).items():
        if flag in ("--host", "--port", "--served-model-name"):
            continue
        name, wanted = flag.removeprefix("--").replace("-", "_"), value
        if flag.startswith("--no-") and not value:
            name, wanted = flag.removeprefix("--no-").replace("-", "_"), "False"
        if name not in engine:
            return f"no {name} in {engine}"
        found = engine[name]
        if str(found) != (wanted or "True") and not (isinstance(found, (dict, list)) and same(found, wanted)):
            return f"{name} is {found!r}, expected {wanted!r}"
    return None


def same(found, text):
    try:
        return found == json.loads(text)
    except ValueError:
        return " ".join(map(str, found)) == text


PARALLELISM = {
    "tensor": "--tensor-parallel-size",
    "pipeline": "--pipeline-parallel-size",
    "data": "--data-parallel-size",
    "dataLocal": "--data-parallel-size-local",
    "expert": "--enable-expert-parallel",
}


def llm_problem(spec, folder):
    """KServe names the model and the parallel sizes itself; the rest is in a variable that its script splits."""
    model = folder.expected["model"]
    revision = flags(folder.argv[1:]).get("--revision")
    uri = spec["model"]["uri"]
    if uri.split("://", 1)[1] != model.lstrip("/") + (f":{revision}" if revision else ""):
        return f"the model is {uri!r}"
    [container] = [c for c in spec["template"]["containers"] if c["name"] == "main"]
    more = [e["value"] for e in container.get("env", []) if e["name"] == "VLLM_ADDITIONAL_ARGS"]
    found = flags(undollar(shlex.split(more[0])) if more else [])
    for size, flag in PARALLELISM.items():
        if size in spec.get("parallelism", {}):
            value = spec["parallelism"][size]
            found[flag] = "" if value is True else str(value)
    wanted = flags(folder.argv[1:])
    for flag in ("--served-model-name", "--port", "--revision"):
        found.pop(flag, None)
        wanted.pop(flag, None)
    return None if found == wanted else f"{found}, expected {wanted}"
