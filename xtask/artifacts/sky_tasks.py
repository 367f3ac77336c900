"""Reads skypilot.yaml of many folders: a task with the accelerators that the plan takes. Answers folder by folder."""

import json
import pathlib
import sys


def problem(sky, folder):
    expected = json.loads((folder / "expected.json").read_text())
    try:
        task = sky.Task.from_yaml(str(folder / "skypilot.yaml"))
    except Exception as error:  # It refuses a file by an exception.
        return f"{type(error).__name__}: {error}"
    gpus = {count for r in task.resources for count in (r.accelerators or {}).values()}
    nodes = task.num_nodes or 1
    total = expected["gpus"] // nodes
    return None if gpus == {total} else f"{gpus} accelerators on each of {nodes} nodes, expected {total}"


def main():
    import sky

    paths = json.load(sys.stdin)
    print(json.dumps({path: problem(sky, pathlib.Path(path)) for path in paths}))


if __name__ == "__main__":
    main()
