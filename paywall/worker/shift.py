"""What a running job is told and tells: whether to go on, that it gets on, which lease it holds."""

import threading
import time
from dataclasses import dataclass, field

from paywall.billing.pacing import Halt

# Longer than the longest step, a sync: some ten calls of Stripe, of up to 70 seconds each with their repetitions.
STUCK_SECONDS = 900.0


class Stopped(Halt):
    """The worker ends; what is left of the job is done by the next one."""


@dataclass(slots=True)
class Shift:
    """One job's thread as seen by the others. ``owner`` is the worker's id."""

    owner: str
    stopping: threading.Event = field(default_factory=threading.Event)
    lease: str | None = None
    _progress: float = field(default_factory=time.monotonic)

    def going(self) -> bool:
        """Whether to begin the next step; to be asked before each one."""
        self._progress = time.monotonic()
        return not self.stopping.is_set()

    def step(self) -> None:
        """As ``going``, for a job that cannot just return. Raises Stopped."""
        if not self.going():
            raise Stopped

    def nap(self, seconds: float) -> None:
        """Waits, but not for a worker that ends. Raises Stopped."""
        self.step()
        self.stopping.wait(seconds)
        self.step()

    def stuck(self) -> bool:
        """Whether it has not begun a step for very long."""
        return time.monotonic() - self._progress > STUCK_SECONDS
