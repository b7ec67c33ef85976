"""Processes of the service that need not load it: forked from one that has, each with a command line, files, a folder.

They run the program that they would have run, and end as it ends. What a program must find out while it loads (whether
it loads at all, its warnings, a folder for the metrics of several processes) is no case for this.
"""

import atexit
import contextlib
import functools
import json
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.support import loaded
from tests.support.talking import talking

_OWN = ("PROMETHEUS_MULTIPROC_DIR", "PYTHONPATH")  # read while the service loads
TEXT = tuple[str, str]


class Child:
    """A process, as ``subprocess.Popen`` has it."""

    def __init__(self, nursery: "Nursery", pid: int) -> None:
        self._nursery, self.pid, self.returncode = nursery, pid, None

    def poll(self) -> int | None:
        """How it ended, if it has."""
        if self.returncode is None:
            self.returncode = self._nursery.ask(wait=self.pid)
        return self.returncode

    def wait(self, timeout: float = 60) -> int:
        """Waits for its end."""
        deadline = time.monotonic() + timeout
        while self.poll() is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(str(self.pid), timeout)
            time.sleep(0.005)
        return int(str(self.returncode))

    def send_signal(self, number: int) -> None:
        """Sends a signal to one that runs."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Asks it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Ends it."""
        self.send_signal(signal.SIGKILL)


class Nursery:
    """Where processes are forked from; one question at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        end = contextlib.ExitStack()
        self._process = end.enter_context(talking("tests.support.nursery"))
        atexit.register(end.close)

    def ask(self, **question: Any) -> Any:
        """One question, and its answer."""
        with self._lock:
            assert self._process.stdin
            assert self._process.stdout
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        assert answer, "the nursery has ended by itself"
        return json.loads(answer)


_nursery = functools.cache(Nursery)


def start(command: Sequence[str], env: Mapping[str, str], out: Path, err: Path | None = None) -> Child:
    """Starts a Python program, ``python -m MODULE`` or a script of this environment; what it says is added to files."""
    assert all(env.get(name) == os.environ.get(name) for name in _OWN), "must load by itself"
    words = [str(word) for word in command]
    files = {"out": str(out), "err": str(err or out)}
    for file in files.values():
        Path(file).touch()  # there as soon as the process is
    return Child(_nursery(), _nursery().ask(command=words, env=dict(env), **files))


def run(command: Sequence[str], env: Mapping[str, str], timeout: float = 60) -> subprocess.CompletedProcess[str]:
    """Runs such a program to its end."""
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        child = start(command, env, out, err)
        try:
            code = child.wait(timeout)
        finally:
            child.kill()
        return subprocess.CompletedProcess(list(command), code, out.read_text(), err.read_text())


def main() -> None:
    """Forks what is asked for on standard input, a line each; a child leaves by running its program."""
    loaded.load()
    for line in sys.stdin:
        question = json.loads(line)
        if "wait" in question:
            pid, status = os.waitpid(question["wait"], os.WNOHANG)
            print(json.dumps(os.waitstatus_to_exitcode(status) if pid else None), flush=True)
            continue
        child = os.fork()
        if child == 0:
            _become(question)
            return
        print(child, flush=True)


def _become(question: dict[str, Any]) -> None:
    """Runs the program in this process, which ends with it."""
    nowhere = os.open(os.devnull, os.O_RDONLY)
    files = [os.open(question[name], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) for name in ("out", "err")]
    for number, file in enumerate((nowhere, *files)):
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(question["env"])
    time.tzset()
    program, *words = question["command"]
    if program == sys.executable:
        flag, module, *words = words
        assert flag == "-m", "a module"
        sys.argv = [module, *words]
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    else:
        sys.argv = [program, *words]
        runpy.run_path(program, run_name="__main__")


if __name__ == "__main__":
    main()
