"""How long to wait before asking again."""

import random

_RANDOM = random.SystemRandom()


class Backoff:
    """Waits of `first` seconds, then doubling up to `longest`, while asking fails; each shortened at random by up to
    a fifth, so that many services do not ask in step.
    """

    def __init__(self, first: float, longest: float) -> None:
        self._first = first
        self._longest = longest
        self._failures = 0

    def after_failure(self) -> float:
        """Seconds to wait after one more failure."""
        wait = min(self._longest, self._first * 2.0 ** min(self._failures, 32))
        self._failures += 1
        return shortened(wait)

    def after_success(self, interval: float) -> float:
        """Seconds to wait when it went well and `interval` is the longest time that may pass."""
        self._failures = 0
        return shortened(interval)


def shortened(seconds: float) -> float:
    """These seconds less up to a fifth of them."""
    return seconds * _RANDOM.uniform(0.8, 1.0)
