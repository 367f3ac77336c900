"""YAML by readers of both versions, hygiene, and the JSON documents."""

import functools
import io
import json
import pathlib

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
    def __init__(self, report, schemas):
        self.report = report
        self.schemas = schemas

    def both(self, folders, what="PyYAML and ruamel read the same"):
        def judge(pair):
            from ruamel.yaml import YAML

            folder, name = pair
            text = folder.text(name)
            old = documents(text)
            new = [d for d in YAML(typ="safe", pure=True).load_all(io.StringIO(text)) if d is not None]
            return None if old == new else f"{old} is not {new}"

        needs = ["import yaml", "import ruamel.yaml"]
        self.report.check(what, yaml_files(folders), judge, needs=needs, pure=True)

    def lint(self, folders, what="yamllint"):
        def judge(pair):
            from yamllint import linter

            folder, name = pair
            config = lint_config()
            problems = [p for p in linter.run(folder.text(name), config) if p.level == "error"]
            return "; ".join(f"{p.line}: {p.desc}" for p in problems) or None

        self.report.check(what, yaml_files(folders), judge, needs=["import yamllint"], pure=True)

    def plan_json(self, folders, what="plan.json by its schema"):
        self.by_schema(folders, what, "plan.json", lambda text: [json.loads(text)])

    def profile(self, folders, what="profile.yaml by its schema"):
        self.by_schema(folders, what, "profile.yaml", documents)

    def by_schema(self, folders, what, file, read):
        schema = self.schemas / f"{pathlib.Path(file).stem}.schema.json"

        def judge(folder):
            [document] = read(folder.text(file))
            error = next(validator(schema).iter_errors(document), None)
            return error and f"{error.json_path}: {error.message[:300]}"

        needs = ["import jsonschema", "import yaml"]
        self.report.check(what, [f for f in folders if f.has(file)], judge, needs=needs, pure=True)


@functools.cache
def lint_config():
    from yamllint.config import YamlLintConfig

    return YamlLintConfig(LINT)


@functools.cache
def validator(schema):
    """Of a schema that is one itself."""
    import jsonschema

    document = json.loads(schema.read_text())
    jsonschema.Draft202012Validator.check_schema(document)
    return jsonschema.Draft202012Validator(document)
