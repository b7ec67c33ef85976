"""Processes of our own that take a line of work on standard input and answer with a line."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from paywall.settings import ROOT


@contextmanager
def talking(module: str, *args: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
    """The module run as a command under the settings of tests; it ends with the block, or when this process does."""
    env = {**os.environ, "PAYWALL_ENV": "testing", **variables}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    command = [sys.executable, "-m", module, *args]
    with subprocess.Popen(command, text=True, cwd=ROOT, env=env, **pipes) as process:  # type: ignore[call-overload]
        try:
            yield process
        finally:
            if process.stdin:
                process.stdin.close()
            process.wait(10)
