"""skypilot.yaml as SkyPilot reads it: a task with the accelerators that the plan takes."""

import pathlib
import sys

import folders
from report import Report


def main():
    import sky

    plans = folders.all_in(pathlib.Path(sys.argv[1]) / "plans")
    hostile = folders.all_in(pathlib.Path(sys.argv[1]) / "hostile")
    report = Report()

    def judge(folder):
        task = sky.Task.from_yaml(str(folder.path / "skypilot.yaml"))
        gpus = {count for r in task.resources for count in (r.accelerators or {}).values()}
        expected = folder.expected
        total = expected["gpus"] // (task.num_nodes or 1)
        return None if gpus == {total} else f"{gpus} accelerators on each of {task.num_nodes} nodes, expected {total}"

    report.check("SkyPilot", [f for f in plans if f.has("skypilot.yaml")], judge)
    report.check("hostile texts, SkyPilot", [f for f in hostile if f.has("skypilot.yaml")], judge)
    report.end()


if __name__ == "__main__":
    main()
