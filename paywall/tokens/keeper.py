"""Keeps a value from the database in memory: refreshed by the request that finds it stale, kept when that fails."""

import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Generic, TypeVar

import structlog
from sqlalchemy.exc import SQLAlchemyError

from paywall.errors import Unavailable
from paywall.verifier import forking

log = structlog.get_logger("paywall.tokens")

T = TypeVar("T")

PATIENCE_SECONDS = 0.5  # a database that hangs must not hold every thread of the server


class Keeper(Generic[T]):
    """Holds what ``load`` returns for ``interval`` seconds. Thread-safe, and usable after a fork.

    One thread loads at a time. For one more interval the others go on with the value at hand; after that it may be of
    any age, so they wait for the load: before the first one until it ends, later ``PATIENCE_SECONDS`` at most. Once
    somebody waited in vain nobody else does until that load ends. So while the database answers nobody is given a value
    that is older than twice the interval, and one that hangs stops the threads once, not at every request.
    """

    def __init__(
        self,
        load: Callable[[T | None, datetime], T],
        interval: float = 0.5,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``load`` is given the value at hand (None at first) and the present moment."""
        self._load = load
        self.interval = interval
        self._monotonic = monotonic
        self.after_fork()
        forking.tell(self)

    def after_fork(self) -> None:
        """Begins anew: a lock that was held at the fork stays locked in the child."""
        self._lock = threading.Lock()
        self._value: T | None = None
        self._stale_at = float("-inf")
        self._loaded_at = float("-inf")
        self._failing = False
        self._ended = 0  # loads
        self._hangs_after: int | None = None  # so many loads the next one made somebody wait in vain

    def fresh(self, moment: float) -> T | None:
        """The value if nobody has to look for a newer one at this moment of the monotonic clock; else None."""
        return self._value if moment < self._stale_at else None

    def current(self, now: datetime) -> T:
        """The value. Raises Unavailable while it could never be loaded."""
        if self._monotonic() >= self._stale_at:
            self._take_turn(now)
        if self._value is None:
            raise Unavailable("The service cannot read its keys yet; try again in a moment.")
        return self._value

    @property
    def age(self) -> float:
        """Seconds since the value was last loaded; infinite before the first time."""
        return self._monotonic() - self._loaded_at

    def _take_turn(self, now: datetime) -> None:
        ended, patience = self._ended, self._patience()
        if not self._lock.acquire(timeout=patience):
            self._hangs_after = ended if patience else self._hangs_after
            return
        try:
            if self._monotonic() >= self._stale_at:
                self._refresh(now)
        finally:
            self._ended += 1
            self._lock.release()

    def _patience(self) -> float:
        """How many seconds to wait for another thread's load; -1: until it ends."""
        if self._value is None:
            return -1
        if self._hangs_after == self._ended or self._monotonic() < self._stale_at + self.interval:
            return 0
        return PATIENCE_SECONDS

    def _refresh(self, now: datetime) -> None:
        try:
            self._value = self._load(self._value, now)
            self._failing = False
            self._loaded_at = self._monotonic()
        except SQLAlchemyError as error:
            if not self._failing:
                log.error("snapshot_not_refreshed", kind=type(error).__name__)
            self._failing = True
        self._stale_at = self._monotonic() + self.interval
