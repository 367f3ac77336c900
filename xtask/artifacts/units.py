"""vllm.service and vllm.container: systemd's own checks, podman's generator, and the words that systemd reads."""

import ctypes
import glob
import os
import pathlib
import shutil

from folders import differs, holds
from scripts import run

# load-fragment.c: config_parse_exec
UNQUOTE, CUNESCAPE = 1 << 5, 1 << 1


class Units:
    def __init__(self, report, tools, work):
        self.report = report
        self.tools = tools
        self.work = pathlib.Path(work)

    def verify(self, name, text):
        """systemd-analyze, with a program where the unit expects one."""
        folder = self.work / "units" / name
        folder.mkdir(parents=True, exist_ok=True)
        unit = folder / "llm.service"
        unit.write_text(text)
        done = run(["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", unit])
        return done.stdout + done.stderr if done.returncode or done.stderr else None

    def systemd(self, folders, what="systemd-analyze verify, vllm.service", at_least=0):
        def judge(folder):
            text = folder.text("vllm.service")
            words = [once(word) for word in exec_words(text, "ExecStart")]
            wrong = differs("ExecStart", words[1:], ["serve", *folder.argv])
            # The program does not lie there on this machine.
            return wrong or self.verify(folder.path.name, text.replace(words[0], "/bin/true"))

        self.report.check(what, [f for f in folders if f.has("vllm.service")], judge, at_least, ["systemd-analyze"])

    def quadlet(self, folders, what="quadlet, then systemd-analyze, vllm.container", at_least=0):
        def judge(folder):
            units = self.work / "quadlet" / folder.path.name
            units.mkdir(parents=True, exist_ok=True)
            shutil.copy(folder.path / "vllm.container", units)
            environment = {"QUADLET_UNIT_DIRS": str(units), "PATH": os.environ["PATH"]}
            done = run([self.tools["quadlet"], "-dryrun"], env=environment)
            if done.returncode:
                return done.stdout + done.stderr
            made = done.stdout.split("---vllm.service---", 1)[1]
            # podman's own words hold specifiers, so ours are doubled instead.
            words = exec_words(made, "ExecStart")
            if not holds(words, [word.replace("%", "%%").replace("$", "$$") for word in folder.argv]):
                return f"the plan's words are not in {words}"
            return self.verify(f"{folder.path.name}-quadlet", made.replace(words[0], "/bin/true"))

        self.report.check(what, [f for f in folders if f.has("vllm.container")], judge, at_least, ["quadlet", "systemd-analyze"])


def exec_words(text, key):
    """The words of a command line, as systemd itself splits them."""
    lines = []
    for line in text.split("\n"):
        # conf-parser.c: a comment between continued lines is left out, the backslash becomes a space.
        if lines and lines[-1].endswith("\\"):
            if line.lstrip().startswith(("#", ";")):
                continue
            lines[-1] = lines[-1][:-1] + " " + line
        else:
            lines.append(line)
    [line] = [line for line in lines if line.startswith(f"{key}=")]
    return split(line.removeprefix(f"{key}="))


def once(word):
    """`%%` and `$$` are one sign; alone they would be replaced by something else."""
    for sign in "%$":
        if sign in word.replace(sign * 2, ""):
            raise ValueError(f"a single {sign} in {word!r}")
        word = word.replace(sign * 2, sign)
    return word


def library():
    found = glob.glob("/usr/lib/*/systemd/libsystemd-shared-*.so") + glob.glob("/lib/systemd/libsystemd-shared-*.so")
    if not found:
        raise FileNotFoundError("libsystemd-shared: apt-get install systemd")
    shared = ctypes.CDLL(found[0])
    shared.extract_first_word.argtypes = [
        ctypes.POINTER(ctypes.c_char_p), ctypes.POINTER(ctypes.c_void_p), ctypes.c_char_p, ctypes.c_int
    ]
    return shared


def split(line):
    shared, libc, words = library(), ctypes.CDLL(None), []
    libc.free.argtypes = [ctypes.c_void_p]
    buffer = ctypes.create_string_buffer(line.encode())
    at = ctypes.cast(buffer, ctypes.c_char_p)
    while True:
        word = ctypes.c_void_p()
        got = shared.extract_first_word(ctypes.byref(at), ctypes.byref(word), None, UNQUOTE | CUNESCAPE)
        if got < 0:
            raise ValueError(f"systemd cannot split it: {os.strerror(-got)}")
        if got == 0:
            return words
        words.append(ctypes.string_at(word).decode())
        libc.free(word)
