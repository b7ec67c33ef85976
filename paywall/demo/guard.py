"""Runs one command and ends it, with everything it started, as soon as whoever started the guard is gone.

The launcher holds the other end of the guard's standard input. However the launcher dies, the system closes that end;
so nobody has to be asked, and it works wherever there are pipes and process groups.
"""

import os
import signal
import subprocess
import sys
import threading
from types import FrameType

GRACE_SECONDS = 5.0


def main(command: list[str]) -> int:
    """Runs `command` in this process's group until it ends, or standard input does, or a signal asks to stop.

    Returns the command's exit code; a stop that was asked for ends with the whole group, this process included.
    """
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    if os.getpgrp() != os.getpid():
        os.setpgid(0, 0)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, on_signal)
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    threading.Thread(target=_watch_input, args=(stop,), daemon=True).start()
    while child.poll() is None:
        if stop.wait(0.1):
            _end(child)
            # Sweeps what the command left behind, such as the workers of a server that had to be killed.
            os.killpg(0, signal.SIGKILL)
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


def _watch_input(stop: threading.Event) -> None:
    while os.read(0, 1024):
        pass
    stop.set()


def _end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
