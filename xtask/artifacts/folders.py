"""Folders of files, as the planner's example artifact_matrix writes them."""

import functools
import json
import pathlib


# What a container is given of GPUs that are not asked for by number.
DEVICES = {"amd": {"/dev/kfd", "/dev/dri"}, "intel": {"/dev/dri"}}


class Folder:
    """The files of one plan."""

    def __init__(self, path):
        self.path = path
        self.name = f"{path.parent.name}/{path.name}"
        self.expected = json.loads((path / "expected.json").read_text())

    def __repr__(self):
        return self.name

    def has(self, file):
        return (self.path / file).is_file()

    def text(self, file):
        # As it stands: a carriage return stays one.
        return (self.path / file).read_bytes().decode()

    @property
    def argv(self):
        return self.expected["argv"]


def all_in(folder):
    return [Folder(path) for path in sorted(pathlib.Path(folder).iterdir()) if path.is_dir()]


@functools.cache
def loaders():
    import yaml

    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def documents(text):
    """As a YAML 1.1 reader, which Kubernetes' and Python's are, takes it."""
    import yaml

    return [document for document in yaml.load_all(text, Loader=loaders()) if document is not None]


def undollar(words):
    """Docker Compose and Kubernetes take `$$` for a dollar sign."""
    return [word.replace("$$", "$") for word in words]


def holds(words, argv):
    """Whether argv stands in words, one behind the other."""
    return any(words[i : i + len(argv)] == argv for i in range(len(words) - len(argv) + 1))


def differs(name, found, argv):
    if found == argv:
        return None
    at = next((i for i, (a, b) in enumerate(zip(found, argv)) if a != b), min(len(found), len(argv)))
    return f"{name}: word {at} is {found[at : at + 2]!r}, expected {argv[at : at + 2]!r}"
