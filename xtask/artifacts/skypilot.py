"""skypilot.yaml as SkyPilot reads it, in a Python of its own: it asks for other versions than the rest."""

import json
import os
import pathlib
import tempfile

from scripts import run

SCRIPT = pathlib.Path(__file__).with_name("sky_tasks.py")


class Sky:
    def __init__(self, report, tools):
        self.report = report
        self.tools = tools

    def tasks(self, folders, what="SkyPilot"):
        folders = [folder for folder in folders if folder.has("skypilot.yaml")]
        answers = {} if self.tools.lacks(["skypilot"]) else self.read(folders)
        self.report.check(what, folders, lambda folder: answers[str(folder.path)], needs=["skypilot"])

    def read(self, folders):
        python = self.tools["skypilot"] / "bin" / "python"
        paths = json.dumps([str(folder.path) for folder in folders])
        with tempfile.TemporaryDirectory() as home:
            # It writes where it is told to, and calls nobody.
            environment = {**os.environ, "HOME": home, "SKYPILOT_DISABLE_USAGE_COLLECTION": "1"}
            # Isolated: files beside the script have the names of what SkyPilot imports.
            done = run([python, "-I", "-B", SCRIPT], input=paths, env=environment, timeout=600)
        if done.returncode:
            print(done.stderr[-2000:], flush=True)
            return {}
        # It may print before it answers.
        return json.loads(done.stdout.splitlines()[-1])
