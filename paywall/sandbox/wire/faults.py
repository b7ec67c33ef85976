"""Calls that fail on purpose, as Stripe's now and then do by accident."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass

from flask import Response

from paywall.sandbox.errors import StripeError

TOO_MANY = "Request rate limit exceeded: the sandbox was told to answer so. Wait a moment and try again."
LOCKED = "This object is in use by another request: the sandbox was told to answer so. Try again."
BROKEN = "An unknown error occurred: the sandbox was told to answer so."
KINDS = ("429", "500", "lock_timeout", "reset", "timeout")
ANSWERS = {
    "429": (TOO_MANY, 429, "rate_limit"),
    "lock_timeout": (LOCKED, 429, "lock_timeout"),
    "500": (BROKEN, 500, None),
}


@dataclass
class Fault:
    """What the next `left` calls below `path` meet.

    `reset` breaks the connection off, `timeout` does so after `seconds`. With `after` the work is done first and only
    its answer is lost.
    """

    kind: str
    left: int
    path: str = "/"
    seconds: float = 30
    after: bool = False

    def error(self) -> StripeError | None:
        """Return the refusal to answer with, None where there is to be no answer at all."""
        if self.kind not in ANSWERS:
            return None
        message, status, code = ANSWERS[self.kind]
        kind = "api_error" if status == 500 else "invalid_request_error"
        return StripeError(message, status=status, kind=kind, code=code, stored=False)


class Faults:
    """The faults that are still to come; they end with the process."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.planned: list[Fault] = []
        self.stopping = threading.Event()

    def plan(self, fault: Fault) -> None:
        """Let calls fail; raises StripeError for a kind that there is not, or where no call would fail."""
        if fault.kind not in KINDS:
            raise StripeError(f"There is no fault {fault.kind!r}: use one of {', '.join(KINDS)}.", param="kind")
        if fault.left < 1:
            raise StripeError("At least one call must fail.", param="times")
        with self.lock:
            self.planned.append(fault)

    def clear(self) -> int:
        """Let all calls succeed again; returns how many would have failed."""
        with self.lock:
            left = sum(fault.left for fault in self.planned)
            self.planned.clear()
        return left

    def take(self, path: str) -> Fault | None:
        """Return the fault that a call meets, the earliest planned first, and count it."""
        with self.lock:
            for fault in self.planned:
                if path.startswith(fault.path):
                    fault.left -= 1
                    if not fault.left:
                        self.planned.remove(fault)
                    return fault
        return None

    def silence(self, fault: Fault) -> Response:
        """Return the response that is none, after the time that the fault says."""
        if fault.kind == "timeout":
            self.stopping.wait(fault.seconds)
        return Response(breaking_off())


def breaking_off() -> Iterator[bytes]:
    """Break the connection off where the body would begin."""
    raise ConnectionResetError("the sandbox was told to break off")
    yield b""
