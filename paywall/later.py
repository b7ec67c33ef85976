"""Does in batches, beside the requests, what no answer has to wait for: lines of the log, figures."""

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from multiprocessing.util import Finalize
from typing import Any, Final, Generic, TypeVar

from paywall.verifier import forking

T = TypeVar("T")

# items done in one go: each go costs what ten items do, and lets requests in; at a high rate many goes cost them more
# than a few long ones
_LEAST, _BATCH = 100, 2000
_BREATH = 0.001  # seconds between goes at a low rate


class Later:
    """Items with the work that is to be done on them, ``pause`` seconds after the first of them at the latest.

    A thread of its own does it, started with the first item. Who adds an item while ``most`` of them wait, or where no
    thread can be had, does what waits itself: a log that nobody reads slows requests down, as it would if each wrote
    its own line; memory stays bounded. A process that ends does what waits; one that is killed loses it.
    """

    def __init__(self, pause: float = 0.5, most: int = 50_000) -> None:
        self._pause = pause
        self.most = most
        self.forget()

    def forget(self) -> None:
        """Begins anew, as a child after a fork must: what waits is its parent's, and so was the thread."""
        self._waiting: deque[tuple[Callable[[Sequence[Any]], None], Any]] = deque()
        self._settling = threading.Lock()
        self._starting = threading.Lock()
        self._some = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, work: Callable[[Sequence[T]], None], item: T) -> None:
        """Has ``work`` done on a batch with this item. Thread-safe; takes less than a microsecond."""
        self._waiting.append((work, item))
        if not self._some.is_set():
            self._wake()
        elif len(self._waiting) >= self.most:
            self.settle()

    def settle(self) -> None:
        """Does what waits; when this returns, all that was added before is done."""
        with self._settling:
            while count := min(len(self._waiting), _BATCH):
                batches: dict[Callable[[Sequence[Any]], None], list[Any]] = {}
                for work, item in [self._waiting.popleft() for _ in range(count)]:
                    batches.setdefault(work, []).append(item)
                _all(partial(work, items) for work, items in batches.items())

    def let_others_go_first(self) -> None:
        """Between two goes of the thread: without a pause it would have the interpreter again before they wake up."""
        if threading.current_thread() is self._thread:
            time.sleep(_BREATH)

    def _wake(self) -> None:
        self._some.set()
        try:
            with self._starting:
                if self._thread is None or not self._thread.is_alive():
                    self._begin()
        except RuntimeError:  # no more threads, or the interpreter is about to end; the next item tries again
            self._some.clear()
            self.settle()

    def _begin(self) -> None:
        if self._thread is None:  # the first item of this process
            # servers start their workers by multiprocessing, which ends them without what atexit holds
            Finalize(None, self.settle, exitpriority=0)
        self._thread = threading.Thread(target=self._run, name="paywall-later", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while self._some.wait():
            time.sleep(self._pause)
            self._some.clear()  # first, so that whoever adds from now on wakes the thread again
            self.settle()


LATER: Final = Later()
os.register_at_fork(after_in_child=LATER.forget)


class Pile(Generic[T]):
    """Items for one work that is wanted with every request: adding one takes a fraction of what ``Later.add`` takes.

    What waits in it is no item of ``later`` but the pile itself is. Thread-safe, and usable after a fork.
    """

    def __init__(self, work: Callable[[Sequence[T]], None], later: Later = LATER) -> None:
        self.work = work
        self._later = later
        self.after_fork()
        forking.tell(self)

    def after_fork(self) -> None:
        """Begins anew: what waits is the parent's."""
        self._items: deque[T] = deque()
        self._due = False

    def add(self, item: T) -> None:
        """Has the work done on a batch with this item."""
        self._items.append(item)
        if not self._due:
            self._due = True
            self._later.add(_do, self)
        elif len(self._items) >= self._later.most:
            self._later.settle()

    def do(self) -> None:
        """Does what waits, batch after batch."""
        self._due = False  # first, so that whoever adds from now on has it done
        most = max(_LEAST, min(len(self._items) // 8, _BATCH))
        while count := min(len(self._items), most):
            self.work([self._items.popleft() for _ in range(count)])
            if most == _LEAST:
                self._later.let_others_go_first()


def _do(piles: Sequence[Pile[Any]]) -> None:
    _all(pile.do for pile in piles)


def _all(jobs: Iterable[Callable[[], None]]) -> None:
    """Does each of them, also where one before it fails; raises what the first failure was."""
    failed: Exception | None = None
    for job in jobs:
        try:
            job()
        except Exception as error:  # raised below: what the others were given must not be lost with it
            failed = failed or error
    if failed is not None:
        raise failed
