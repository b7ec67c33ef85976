"""How long an event waits for its next try."""

import random
from collections.abc import Callable
from datetime import timedelta

FIRST = timedelta(seconds=5)
LONGEST = timedelta(hours=1)
# somebody else works on the same subscription, or has died doing so: that is over in half a minute
BUSY = "sync_busy"
LONGEST_BUSY = timedelta(seconds=10)
_LEAST = timedelta(seconds=0.5)


def pause(attempts: int, why: str, chance: Callable[[], float] = random.random) -> timedelta:
    """A random part of a span that begins with 5 seconds and doubles with each try, up to an hour.

    Random, so that events which failed together (Stripe was away) do not come back together ("full jitter", Exponential
    Backoff And Jitter, AWS Architecture Blog). ``chance`` gives a number from 0 to 1.
    """
    span = min(FIRST * (1 << min(max(attempts - 1, 0), 20)), LONGEST_BUSY if why == BUSY else LONGEST)
    return max(span * chance(), _LEAST)
