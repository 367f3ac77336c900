"""YAML by readers of both versions, hygiene, and the JSON documents."""

import io
import json

from folders import documents

LINT = """
extends: relaxed
rules:
  truthy: {level: error}
  key-duplicates: {level: error}
  line-length: disable
  comments: disable
  comments-indentation: disable
  # A flow map that is empty, and an indentless list, read the same.
  indentation: {spaces: consistent, level: error}
"""


def yaml_files(folders):
    return [(folder, path.name) for folder in folders for path in sorted(folder.path.glob("*.yaml"))]


class Readers:
    def __init__(self, report, tools):
        self.report = report
        self.tools = tools

    def both(self, folders, what="PyYAML and ruamel read the same"):
        def judge(pair):
            from ruamel.yaml import YAML

            folder, name = pair
            text = folder.text(name)
            old = documents(text)
            new = [d for d in YAML(typ="safe", pure=True).load_all(io.StringIO(text)) if d is not None]
            return None if old == new else f"{old} is not {new}"

        self.report.check(what, yaml_files(folders), judge)

    def lint(self, folders):
        from yamllint import linter
        from yamllint.config import YamlLintConfig

        config = YamlLintConfig(LINT)

        def judge(pair):
            folder, name = pair
            problems = [p for p in linter.run(folder.text(name), config) if p.level == "error"]
            return "; ".join(f"{p.line}: {p.desc}" for p in problems) or None

        self.report.check("yamllint", yaml_files(folders), judge)

    def plan_json(self, folders, schema):
        import jsonschema

        with open(schema) as file:
            document = json.load(file)
        jsonschema.Draft202012Validator.check_schema(document)
        validator = jsonschema.Draft202012Validator(document)

        def judge(folder):
            return next((str(e) for e in validator.iter_errors(json.loads(folder.text("plan.json")))), None)

        self.report.check("plan.json by its schema", folders, judge)
