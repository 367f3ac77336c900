"""What there is to read files with: programs, charts, and Python's modules."""

import importlib.util
import pathlib
import shutil

# Where no registry of packages has it: its absence is told, and fails nothing.
OPTIONAL = ("production-stack-chart",)


class Tools:
    def __init__(self, found, missing):
        self.found = {name: pathlib.Path(path) for name, path in found}
        self.missing = dict(missing)

    def __getitem__(self, name):
        return self.found.get(name) or pathlib.Path(shutil.which(name) or name)

    def lacks(self, needs):
        """What of these is not here, and why; nothing where all are."""
        return next(filter(None, map(self.lack, needs)), None)

    def lack(self, need):
        if need in self.found:
            return None
        if need in self.missing:
            return f"{need}: {self.missing[need]}"
        if need.startswith("import "):
            module = need.removeprefix("import ")
            if is_there(module):
                return None
            return f"Python's {module}: {self.missing.get('readers', 'not installed')}"
        return None if shutil.which(need) else f"{need}: not on PATH"


def is_there(module):
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # Not even the package that it is in.
        return False
