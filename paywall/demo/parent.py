"""Notices that the process which started us is gone, or waits for us to end so that it can."""

import os
import signal
import time
from pathlib import Path

_ENDING = sum(1 << (number - 1) for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT))


class Parent:
    """The parent of this process when this object was made.

    make, when it alone is told to stop, tells nobody: it waits for its children first. While it waits, the signal's
    handler runs and the signal is blocked, which Linux shows in /proc; elsewhere only the parent's end is noticed.
    """

    def __init__(self) -> None:
        self._pid = os.getppid()
        self._usual = _blocked(self._pid)

    def ending(self) -> bool:
        """Whether it is gone, or has begun to end."""
        if os.getppid() != self._pid:
            return True
        if not self._handles_signal():
            return False
        time.sleep(0.02)  # starting a child blocks signals too, for a moment
        return self._handles_signal()

    def _handles_signal(self) -> bool:
        return bool(_blocked(self._pid) & ~self._usual & _ENDING)


def _blocked(pid: int) -> int:
    """The signals that a process blocks, as a bit mask (proc(5), SigBlk); 0 where that cannot be seen."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1], 16) for line in lines if line.startswith("SigBlk:")), 0)
