"""Runs the readers of every kind of file over many plans. `cargo xtask test artifacts` starts it."""

import argparse
import pathlib
import sys

import folders
from charts import Charts
from compose import Compose
from kubernetes import Kubernetes
from readers import Readers
from report import Report
from scripts import Scripts
from selftest import broken_files
from skypilot import Sky
from tools import Tools
from units import Units


def arguments():
    parser = argparse.ArgumentParser()
    for name in ("files", "work", "schemas", "own-schemas"):
        parser.add_argument(f"--{name}", type=pathlib.Path, required=True)
    parser.add_argument("--tool", nargs=2, action="append", default=[])
    parser.add_argument("--missing", nargs=2, action="append", default=[])
    return parser.parse_args()


class Checks:
    """The readers, with one place to report to."""

    def __init__(self, given, report):
        tools = report.tools
        self.scripts = Scripts(report, tools, given.work)
        self.compose = Compose(report, tools)
        self.kubernetes = Kubernetes(report, given.schemas)
        self.charts = Charts(report, self.kubernetes, tools, given)
        self.units = Units(report, tools, given.work)
        self.readers = Readers(report, given.own_schemas)
        self.sky = Sky(report, tools)


def main():
    given = arguments()
    tools = Tools(given.tool, given.missing)
    report = Report(tools)
    plans = folders.all_in(given.files / "plans")
    hostile = folders.all_in(given.files / "hostile")
    print(f"{len(plans)} plans, {len(hostile)} with hostile texts", flush=True)
    report.check("at least 200 plans", plans, lambda _: None, at_least=200)
    checks = Checks(given, report)
    every_plan(checks, plans)
    hostile_texts(checks, hostile)
    # Last: after its library has started threads, no process is forked.
    checks.charts.vllm(plans)
    checks.charts.production_stack(plans)
    broken_files(report, lambda refusals: Checks(given, refusals), plans, given.work)
    sys.exit(report.end())


def every_plan(checks, plans):
    checks.scripts.syntax(plans)
    checks.scripts.shellcheck(plans)
    checks.scripts.bash(plans)
    checks.scripts.bench(plans)
    checks.scripts.docker(plans)
    checks.compose.config(plans)
    checks.compose.schema(plans)
    checks.kubernetes.manifests(plans)
    checks.charts.production_stack_schema(plans)
    checks.units.systemd(plans)
    checks.units.quadlet(plans)
    checks.readers.both(plans)
    checks.readers.lint(plans)
    checks.readers.plan_json(plans)
    checks.readers.profile(plans)
    checks.sky.tasks(plans)


def hostile_texts(checks, folders):
    """Every reader gives back the very text, or the text was refused."""
    checks.scripts.bash(folders, "hostile texts, bash")
    checks.scripts.bench(folders, "hostile texts, bash, bench.sh")
    checks.scripts.docker(folders, "hostile texts, docker")
    checks.compose.config(folders, "hostile texts, docker compose")
    checks.units.systemd(folders, "hostile texts, systemd")
    checks.units.quadlet(folders, "hostile texts, quadlet")
    checks.readers.both(folders, "hostile texts, PyYAML and ruamel")
    checks.readers.plan_json(folders, "hostile texts, plan.json by its schema")
    checks.readers.profile(folders, "hostile texts, profile.yaml by its schema")
    checks.sky.tasks(folders, "hostile texts, SkyPilot")
    checks.kubernetes.manifests(folders[::8], "hostile texts, Kubernetes")


if __name__ == "__main__":
    main()
