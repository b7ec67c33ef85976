"""Runs one command and ends it, with everything it started, as soon as whoever started the guard is gone.

The launcher holds the other end of the guard's standard input. However the launcher dies, the system closes that end;
so nobody has to be asked, and it works wherever there are pipes and process groups.
"""

import os
import select
import signal
import subprocess
import sys

GRACE_SECONDS = 5.0


def main(command: list[str]) -> int:
    """Runs `command` in this process's group until it ends, or standard input does, or a signal asks to stop.

    Returns the command's exit code; a stop that was asked for ends with the whole group, this process included.
    """
    asked, ask = os.pipe()
    os.set_blocking(ask, False)
    if os.getpgrp() != os.getpid():
        os.setpgid(0, 0)
    # the system writes the signal's number into the pipe: a handler of ours could meet a lock that it interrupted
    signal.set_wakeup_fd(ask, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda _number, _frame: None)
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    while child.poll() is None:
        if _must_end(asked):
            _end(child)
            # Sweeps what the command left behind, such as the workers of a server that had to be killed.
            os.killpg(0, signal.SIGKILL)
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


def _must_end(asked: int) -> bool:
    """Waits a moment for a signal, or for the end of standard input."""
    ready, _, _ = select.select([0, asked], [], [], 0.1)
    return asked in ready or (0 in ready and not os.read(0, 1024))


def _end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
