"""Has counts stored together now and then, by a thread beside the requests, and at a process's end."""

import threading
import time
from multiprocessing.util import Finalize
from typing import Final, Protocol
from weakref import WeakSet

from paywall.later import LATER
from paywall.verifier import forking


class Stored(Protocol):
    """What counts, and is stored every so many seconds while it has counted something."""

    seconds: float

    def flush(self) -> bool:
        """Stores what was counted; False if that failed and is to be tried again."""


class Flusher:
    """Has tallies stored: one thread a process, which sleeps while there is nothing to store."""

    def __init__(self) -> None:
        self.after_fork()
        forking.tell(self)

    def after_fork(self) -> None:
        """Begins anew: the thread was the parent's, and so is what it was to store."""
        self._lock = threading.Lock()
        self._storing = threading.Lock()
        self._wanted: WeakSet[Stored] = WeakSet()
        self._some = threading.Event()
        self._thread: threading.Thread | None = None

    def want(self, tally: Stored) -> None:
        """Has ``tally`` stored in its time."""
        with self._lock:
            self._wanted.add(tally)
            self._some.set()
            if self._thread is None:  # the first of this process
                # servers start their workers by multiprocessing, which ends them without what atexit holds
                Finalize(None, self.finish, exitpriority=0)
                self._thread = threading.Thread(target=self._run, name="paywall-use", daemon=True)
                self._thread.start()

    def finish(self) -> None:
        """Stores everything that was counted, at once."""
        LATER.settle()
        self._store()

    def _run(self) -> None:
        while self._some.wait():
            with self._lock:
                pause = min((tally.seconds for tally in self._wanted), default=0.0)
            time.sleep(pause)
            self._some.clear()  # first, so that whoever counts from now on wakes the thread again
            self._store()

    def _store(self) -> None:
        with self._storing:  # whoever ends the process waits for what the thread is about
            with self._lock:
                waiting = list(self._wanted)
                self._wanted.clear()
            for tally in waiting:
                if not tally.flush():
                    self.want(tally)


FLUSHER: Final = Flusher()
