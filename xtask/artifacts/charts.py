"""Values files: rendered with the charts that read them, and judged by what comes out."""

import functools
import json
import pathlib
import shutil
import tempfile

from folders import documents, holds
from kubernetes import GPU, pods, together_problem, words_of

STACK = "production-stack-values.yaml"


class Charts:
    def __init__(self, report, kubernetes, tools, given):
        self.report = report
        self.kubernetes = kubernetes
        self.tools = tools
        self.schemas = given.schemas
        self.work = given.work

    def vllm(self, folders, what="vLLM's chart"):
        self.render(what, "vllm-chart", "k8s-values.yaml", folders)

    def production_stack(self, folders, what="production-stack's chart"):
        self.render(what, "production-stack-chart", STACK, folders)

    def production_stack_schema(self, folders, what="production-stack's schema"):
        self.values_schema(what, self.schemas / "production-stack.json", STACK, folders)

    def load(self, source):
        """A copy whose schema Helm reads: both charts list theirs in .helmignore."""
        from helm_python import Chart

        copy = pathlib.Path(tempfile.mkdtemp(dir=self.work)) / "chart"
        shutil.copytree(source, copy)
        ignore = copy / ".helmignore"
        lines = [line for line in ignore.read_text().splitlines() if "values.schema.json" not in line]
        ignore.write_text("\n".join(lines) + "\n")
        # Charts it depends on are not there, and are switched off by default.
        text = (copy / "Chart.yaml").read_text()
        (copy / "Chart.yaml").write_text(text.split("\ndependencies:")[0] + "\n")
        (copy / "Chart.lock").unlink(missing_ok=True)
        return Chart.load(copy)

    def render(self, what, tool, file, folders):
        source = self.tools[tool]

        @functools.cache
        def loaded():
            if not (source / "values.schema.json").is_file():
                raise FileNotFoundError(f"no values.schema.json in {source}")
            return self.load(source), set(documents((source / "values.yaml").read_text())[0])

        def judge(folder):
            [values] = documents(folder.text(file))
            chart, known = loaded()
            missing = [key for key in values if key not in known]
            if missing:
                return f"the chart has no {missing}"
            rendered = chart.render(values, name="release", namespace="default")
            objects = [item for text in rendered.values() for item in documents(text)]
            for item in objects:
                wrong = self.kubernetes.problem(item)
                if wrong:
                    return f"{item['kind']}: {wrong}"
            return together_problem(objects) or serves(objects, folder)

        needs = [tool, "import helm_python", *self.kubernetes.NEEDS]
        self.report.check(what, [f for f in folders if f.has(file)], judge, 0, needs)

    def values_schema(self, what, schema, file, folders):
        """The chart's own schema, and no key that it does not know: it would be taken and do nothing."""

        @functools.cache
        def loaded():
            import jsonschema

            document = json.loads(schema.read_text())
            return document, jsonschema.validators.validator_for(document)(document)

        def judge(folder):
            [values] = documents(folder.text(file))
            document, validator = loaded()
            wrong = next((str(error) for error in validator.iter_errors(values)), None)
            return wrong or unknown(values, document, "")

        needs = ["import jsonschema", "import yaml"]
        self.report.check(what, [f for f in folders if f.has(file)], judge, 0, needs)


def unknown(value, schema, path):
    if isinstance(value, list):
        found = (unknown(item, schema.get("items") or {}, path) for item in value)
        return next(filter(None, found), None)
    known = schema.get("properties")
    if not isinstance(value, dict) or not known:
        return None
    for key, item in value.items():
        if key not in known:
            return f"the chart has no {path}{key}"
        wrong = unknown(item, known[key], f"{path}{key}.")
        if wrong:
            return wrong
    return None


def serves(objects, folder):
    """One container with the plan's words, GPUs and port."""
    expected = folder.expected
    found = []
    for item in objects:
        for spec in pods(item):
            for container in spec["containers"]:
                if holds(words_of(container), folder.argv[:1]) and container.get("resources"):
                    found.append((item, container))
    if len(found) != 1:
        return f"{len(found)} containers with the model"
    item, container = found[0]
    words = words_of(container)
    missing = [word for word in folder.argv if word not in words]
    if missing:
        return f"missing {missing} in {words}"
    if item["spec"].get("replicas", 1) != 1:
        return f"replicas {item['spec']['replicas']}"
    limits = container["resources"]["limits"]
    gpus = [int(limits[gpu]) for gpu in GPU if gpu in limits]
    if gpus != [expected["gpus"]]:
        return f"GPUs {gpus}, expected {expected['gpus']}"
    ports = [port["containerPort"] for port in container["ports"]]
    if expected["port"] not in ports:
        return f"ports {ports}, expected {expected['port']}"
    return None
