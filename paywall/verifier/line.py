"""The way to one paywall service, and whether it answers at present."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from paywall.verifier.errors import TransportError
from paywall.verifier.transport import MAX_BYTES, Answer, Exchange, exchange


class Line:
    """Asks the service and remembers a failure for `memory` seconds. Thread-safe.

    An answer with a status of 500 and more is a failure: it comes from a service, or from a proxy before it, that
    cannot do its work. Every other answer shows that the service is there.
    """

    def __init__(
        self,
        transport: Exchange = exchange,
        *,
        timeout: float = 2.0,
        memory: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._exchange = transport
        self._timeout = timeout
        self._memory = memory
        self._clock = clock
        self._lost_until = float("-inf")

    def ask(
        self,
        url: str,
        *,
        send: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        max_bytes: int = MAX_BYTES,
    ) -> Answer:
        """The service's answer. Raises TransportError."""
        try:
            answer = self._exchange(url, send=send, headers=headers, timeout=self._timeout, max_bytes=max_bytes)
            if answer.status >= 500:
                raise TransportError(f"status {answer.status}")
        except TransportError:
            self._lost_until = self._clock() + self._memory
            raise
        self._lost_until = float("-inf")
        return answer

    @property
    def lost(self) -> bool:
        """Whether the last question failed, not long ago."""
        return self._clock() < self._lost_until
