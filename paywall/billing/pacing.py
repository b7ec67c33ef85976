"""How fast Stripe is asked by a long run, and how it waits when Stripe says no for now."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from paywall.errors import Unavailable

T = TypeVar("T")

PER_SECOND = 20  # Stripe takes 25 in test mode; the service itself may need the rest
_LONGEST_PAUSE_SECONDS = 30.0


class Halt(Exception):
    """The whole run is to end: whoever keeps the failure of one object from the others lets this one pass."""


class Pace:
    """Asks one after the other, never faster than ``per_second``, and again after a pause where Stripe was away.

    ``requests`` counts what was asked. Waiting goes through ``sleep`` and is measured by ``tell``, both in seconds.
    ``before`` is called before each request, however many belong to one step; it may raise Halt.
    """

    def __init__(
        self,
        sleep: Callable[[float], None] = time.sleep,
        tell: Callable[[], float] = time.monotonic,
        per_second: int = PER_SECOND,
    ) -> None:
        self.requests = 0
        self.before: Callable[[], None] = nothing
        self._sleep = sleep
        self._tell = tell
        self._gap = 1 / per_second
        self._free_at = tell()

    def ask(self, call: Callable[[], T], *, requests: int = 1, tries: int = 6) -> T:
        """What ``call`` returns, which makes about so many requests.

        Raises what it raises; Unavailable (Stripe is away, or has too much to do) only after the last of the tries.
        """
        for attempt in range(1, tries):
            try:
                return self._once(call, requests)
            except Unavailable:
                self._sleep(_pause(attempt))
        return self._once(call, requests)

    def _once(self, call: Callable[[], T], requests: int) -> T:
        now = self._tell()
        if self._free_at > now:
            self._sleep(self._free_at - now)
        self._free_at = max(self._free_at, now) + requests * self._gap
        self.requests += requests
        self.before()
        return call()


def nothing() -> None:
    """Does nothing: who runs alone has nobody to tell."""


def _pause(attempt: int) -> float:
    """Seconds before the next try: doubling from one, less up to half of it by chance, so that many do not meet."""
    longest = min(_LONGEST_PAUSE_SECONDS, 2.0 ** (attempt - 1))
    return longest * random.uniform(0.5, 1.0)  # noqa: S311  # spreads load, guards nothing
