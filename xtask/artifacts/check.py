"""Runs the readers of every kind of file over many plans. `cargo xtask check-artifacts` starts it."""

import argparse
import pathlib

import folders
from charts import Charts
from compose import Compose
from kubernetes import Kubernetes
from readers import Readers
from report import Report
from scripts import Scripts
from units import Units


def arguments():
    parser = argparse.ArgumentParser()
    for name in ("files", "work", "venv", "docker", "compose", "quadlet", "vllm-chart", "schemas"):
        parser.add_argument(f"--{name}", type=pathlib.Path, required=True)
    parser.add_argument("--production-stack-chart", type=pathlib.Path)
    return vars(parser.parse_args())


def main():
    tools = arguments()
    report = Report()
    plans = folders.all_in(tools["files"] / "plans")
    hostile = folders.all_in(tools["files"] / "hostile")
    print(f"{len(plans)} plans, {len(hostile)} with hostile texts", flush=True)
    report.check("at least 200 plans", plans, lambda _: None, at_least=200)
    scripts = Scripts(report, tools, tools["work"])
    scripts.shellcheck(plans)
    scripts.bash(plans)
    scripts.bench(plans)
    scripts.docker(plans)
    compose = Compose(report, tools)
    compose.config(plans)
    compose.schema(plans)
    kubernetes = Kubernetes(report, tools)
    kubernetes.manifests(plans)
    charts = Charts(report, kubernetes, tools["work"])
    charts.render("vLLM's chart", tools["vllm_chart"], "k8s-values.yaml", plans)
    stack = "production-stack-values.yaml"
    charts.values_schema("production-stack's schema", tools["schemas"] / "production-stack.json", stack, plans)
    if tools["production_stack_chart"]:
        charts.render("production-stack's chart", tools["production_stack_chart"], stack, plans)
    else:
        print("  production-stack's chart: not rendered, no registry has it; PRODUCTION_STACK_CHART=<its helm/ folder>")
    units = Units(report, tools, tools["work"])
    units.systemd(plans)
    units.quadlet(plans)
    readers = Readers(report, tools)
    readers.both(plans)
    readers.lint(plans)
    hostile_texts(hostile, scripts, compose, units, readers)
    kubernetes.manifests(hostile[::8], "hostile texts, Kubernetes")
    report.end()


def hostile_texts(folders, scripts, compose, units, readers):
    """Every reader gives back the very text, or the text was refused."""
    scripts.bash(folders, "hostile texts, bash")
    scripts.bench(folders, "hostile texts, bash, bench.sh")
    scripts.docker(folders, "hostile texts, docker")
    compose.config(folders, "hostile texts, docker compose")
    units.systemd(folders, "hostile texts, systemd")
    units.quadlet(folders, "hostile texts, quadlet")
    readers.both(folders, "hostile texts, PyYAML and ruamel")


if __name__ == "__main__":
    main()
