"""Processes under a guard: started, watched, stopped, and gone whenever the launcher is."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from paywall.demo import guard

_TAIL_LINES = 15
_LOG_BYTES = 1_000_000


class GuardedProcess:
    """A command that ends with this process at the latest; what it prints is added to a log file.

    So the log of a crash outlives the next start. One of over a megabyte is put aside as `.1`, in place of the last.
    """

    def __init__(self, name: str, command: list[str], *, env: Mapping[str, str], cwd: Path, log: Path) -> None:
        self.name = name
        self._again = partial(GuardedProcess, name, command, env=env, cwd=cwd, log=log)
        self._log = log
        if log.exists() and log.stat().st_size > _LOG_BYTES:
            log.replace(log.with_name(f"{log.name}.1"))
        with log.open("ab") as output:
            self._begins = output.tell()
            self._guard = subprocess.Popen(
                [sys.executable, "-I", guard.__file__, *command],
                stdin=subprocess.PIPE,  # held open by us alone: see guard
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(env),
                cwd=cwd,
                start_new_session=True,  # a Ctrl-C in the terminal is for the launcher to handle
            )

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._guard.poll()

    def again(self) -> "GuardedProcess":
        """The same command once more, after this one has ended and what it left behind is swept."""
        self.finish()
        return self._again()

    def ask_to_stop(self) -> None:
        """Returns at once; `finish` waits."""
        with contextlib.suppress(OSError):
            self._guard.terminate()

    def finish(self) -> None:
        """Waits until it has ended, insists when it does not, and sweeps what is left of its process group."""
        try:
            self._guard.wait(guard.GRACE_SECONDS + 2)
        except subprocess.TimeoutExpired:
            self._guard.kill()
            self._guard.wait()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._guard.pid, signal.SIGKILL)
        if self._guard.stdin:
            self._guard.stdin.close()

    def tail(self) -> str:
        """The last lines that it printed, and none of those before its start."""
        lines = self._log.read_bytes()[self._begins :].decode(errors="replace").splitlines()
        return "\n".join(f"    {line}" for line in lines[-_TAIL_LINES:]) or "    (it printed nothing)"
