"""Helpers that look at processes from outside."""

import time
from collections.abc import Callable

import psutil


def mentioning(text: str) -> list[psutil.Process]:
    """Processes alive whose command line, or environment, holds that text."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                continue
            told = [*process.cmdline(), *process.environ().values()]
        except psutil.Error:
            continue
        if any(text in one for one in told):
            found.append(process)
    return found


def eventually(condition: Callable[[], object], seconds: float = 10) -> bool:
    """Whether the condition comes true in that time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
