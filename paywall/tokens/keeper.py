"""Keeps a value from the database in memory: refreshed by the request that finds it stale, kept when that fails."""

import os
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Generic, TypeVar

import structlog
from sqlalchemy.exc import SQLAlchemyError

from paywall.errors import Unavailable

log = structlog.get_logger("paywall.tokens")

T = TypeVar("T")

PATIENCE_SECONDS = 0.5  # a database that hangs must not hold every thread of the server


class Keeper(Generic[T]):
    """Holds what ``load`` returns for ``interval`` seconds. Thread-safe, and usable after a fork.

    One thread loads at a time. For one more interval the others go on with the value at hand; after that it may be of
    any age, so they wait for the load: before the first one until it ends, later ``PATIENCE_SECONDS`` at most. So while
    the database answers nobody is given a value that is older than twice the interval.
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
        self._forget()

    def _forget(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._value: T | None = None
        self._stale_at = float("-inf")
        self._failing = False

    def current(self, now: datetime) -> T:
        """The value. Raises Unavailable while it could never be loaded."""
        if self._pid != os.getpid():  # a lock that was held at the fork stays locked in the child
            self._forget()
        if self._monotonic() >= self._stale_at and self._lock.acquire(timeout=self._patience()):
            try:
                if self._monotonic() >= self._stale_at:
                    self._refresh(now)
            finally:
                self._lock.release()
        if self._value is None:
            raise Unavailable("The service cannot read its keys yet; try again in a moment.")
        return self._value

    def _patience(self) -> float:
        """How many seconds to wait for another thread's load; -1: until it ends."""
        if self._value is None:
            return -1
        return PATIENCE_SECONDS if self._monotonic() >= self._stale_at + self.interval else 0

    def _refresh(self, now: datetime) -> None:
        try:
            self._value = self._load(self._value, now)
            self._failing = False
        except SQLAlchemyError as error:
            if not self._failing:
                log.error("snapshot_not_refreshed", kind=type(error).__name__)
            self._failing = True
        self._stale_at = self._monotonic() + self.interval
