"""SIGTERM and Ctrl-C as something to wait for; the second one ends the process at once."""

import os
import select
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType


class Stop:
    """Happens once. A byte in a pipe, because a handler may have interrupted whoever holds a lock."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        os.set_blocking(self._write, False)

    def ask(self) -> None:
        """It has happened."""
        with suppress(BlockingIOError):
            os.write(self._write, b".")

    def wait(self, seconds: float) -> bool:
        """True as soon as it has happened, False after that many seconds."""
        return bool(select.select([self._read], [], [], seconds)[0])

    def close(self) -> None:
        """Gives the pipe back."""
        os.close(self._read)
        os.close(self._write)


@contextmanager
def stop_on_signals() -> Iterator[Stop]:
    """What the first signal sets. A second one is not waited for: leases and claims run out by themselves."""
    stop = Stop()

    def on_signal(number: int, _frame: FrameType | None) -> None:
        if stop.wait(0):
            os._exit(128 + number)
        stop.ask()

    before = {one: signal.signal(one, on_signal) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
        stop.close()
