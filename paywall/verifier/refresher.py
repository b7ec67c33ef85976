"""One background thread that keeps what was fetched fresh, and that nobody has to mind."""

import threading
import time
import weakref
from collections.abc import Callable, Sequence
from typing import Protocol

from paywall.verifier import forking

_AFTER_A_FAULT = 30.0  # seconds until a task that raised is tried again, by another thread


class Task(Protocol):
    """Something to repeat."""

    def refresh(self) -> float:
        """Do it; returns the seconds until the next time. Does not raise."""


class Refresher:
    """Runs its tasks, each when it asked to be, in a daemon thread that `start` makes where none runs.

    The thread holds this object weakly: it ends with `close`, with the last reference, and with the interpreter. A
    forked child has no thread until its own first `start`.
    """

    def __init__(self, tasks: Sequence[Task], clock: Callable[[], float] = time.monotonic) -> None:
        self._tasks = tuple(tasks)
        self._clock = clock
        self._due = [float("-inf")] * len(self._tasks)
        self._closed = False
        self.after_fork()
        forking.tell(self)

    def after_fork(self) -> None:
        """Begins without a thread."""
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        weakref.finalize(self, self._stop.set)

    def start(self) -> None:
        """See to it that the thread runs, unless there is nothing to do or `close` was called."""
        if self._thread is None and self._tasks and not self._closed:
            with self._lock:
                if self._thread is None:
                    self._begin()

    def _begin(self) -> None:
        about = (weakref.ref(self), self._stop)
        self._thread = threading.Thread(target=_run, args=about, name="paywall-verifier", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:  # no more threads, or the interpreter is about to end; a later request tries again
            self._thread = None

    def turn(self) -> float:
        """Run what is due; returns the seconds until something is due again."""
        for number, task in enumerate(self._tasks):
            if self._clock() >= self._due[number]:
                self._due[number] = self._clock() + _AFTER_A_FAULT
                self._due[number] = self._clock() + task.refresh()
        return max(0.0, min(self._due) - self._clock()) if self._due else _AFTER_A_FAULT

    def close(self) -> None:
        """End the thread and wait for it; what it is fetching at the moment is bounded by the time-out."""
        self._closed = True
        self._stop.set()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def ended(self) -> None:
        """The thread has ended; a later `start` makes another."""
        self._thread = None


def _run(held: weakref.ref[Refresher], stop: threading.Event) -> None:
    wait = 0.0
    while not stop.wait(wait):
        refresher = held()
        if refresher is None:
            return
        try:
            wait = refresher.turn()
        except BaseException:
            refresher.ended()
            raise
        del refresher
