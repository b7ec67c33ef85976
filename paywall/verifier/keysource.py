"""Where the verifier's public keys come from: pinned, or fetched from the service and kept."""

import logging
import re
import threading
import time
from collections.abc import Callable
from typing import Protocol

from paywall.verifier import forking
from paywall.verifier.backoff import Backoff
from paywall.verifier.errors import KeysError, TransportError
from paywall.verifier.keys import KeySet
from paywall.verifier.line import Line
from paywall.verifier.transport import Answer

log = logging.getLogger("paywall.verifier")

DEFAULT_MAX_AGE = 300.0
LONGEST_MAX_AGE = 86400.0
LONGEST_PAUSE = 60.0
_NONE = KeySet()


class KeySource(Protocol):
    """What a verifier asks for keys. Neither method raises."""

    ready: bool  # whether `current` answers without waiting

    def current(self) -> KeySet:
        """The keys to use now; empty when there are none yet."""

    def after_unknown(self, kid: str) -> KeySet:
        """The keys to use after a token named a key that `current` lacked."""


class PinnedKeys:
    """A fixed key set; unknown keys stay unknown."""

    ready = True

    def __init__(self, keys: KeySet) -> None:
        self._keys = keys

    def current(self) -> KeySet:
        """The pinned keys."""
        return self._keys

    def after_unknown(self, kid: str) -> KeySet:
        """The pinned keys."""
        return self._keys


class RemoteKeys:
    """The JWKS document at an address: fetched by the request that first needs it, later by `refresh` in the
    background, and kept when a fetch fails.

    One fetch runs at a time. Requests go on with the keys at hand; they wait for a fetch only when there was none yet,
    and for a token whose key is not known. At most one fetch is tried per `cooldown` seconds, whatever tokens are
    thrown at it.
    """

    def __init__(
        self,
        url: str,
        line: Line,
        *,
        cooldown: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._line = line
        self._cooldown = cooldown
        self._clock = clock
        self._backoff = Backoff(max(cooldown, 1.0), LONGEST_PAUSE)
        self._keys: KeySet | None = None
        self._refresh_at = float("-inf")
        self._next_try = float("-inf")
        self.ready = False
        self.after_fork()
        forking.tell(self)

    def after_fork(self) -> None:
        """Makes a lock that nobody holds."""
        self._lock = threading.Lock()

    def current(self) -> KeySet:
        """The keys at hand; the first call fetches them."""
        if not self.ready:
            with self._lock:
                if not self.ready:
                    self._fetch()
        return self._keys or _NONE

    def after_unknown(self, kid: str) -> KeySet:
        """The keys after one more fetch, unless another request just made it or the cool-down holds."""
        with self._lock:
            if self._keys is None or self._keys.get(kid) is None:
                self._fetch()
        return self._keys or _NONE

    def refresh(self) -> float:
        """Fetches the keys if they are older than the service's max-age; returns the seconds until they may be."""
        with self._lock:
            if self._clock() >= self._refresh_at:
                self._fetch()
            return max(1.0, self._refresh_at - self._clock())

    def _fetch(self) -> None:
        if self._clock() < self._next_try:
            return
        try:
            answer = self._line.ask(self._url)
            if answer.status != 200:
                raise TransportError(f"status {answer.status}")
            found = KeySet.from_jwks(answer.body)
            if found != self._keys:  # else the one at hand: by it tokens are remembered, and sets take long to compare
                self._keys = found
            wait = self._backoff.after_success(_max_age(answer))
        except (TransportError, KeysError) as error:
            wait = self._backoff.after_failure()
            log.warning("keys not refreshed from %s (%s); going on with %d", self._url, error, len(self._keys or ()))
        self._refresh_at = self._clock() + wait
        self._next_try = self._clock() + self._cooldown
        self.ready = True


def _max_age(answer: Answer) -> float:
    """Seconds for which the answer may be used (RFC 9111 max-age), within a day."""
    found = re.search(r"\bmax-age=(\d{1,9})\b", answer.headers.get("Cache-Control", ""))
    return min(float(found[1]), LONGEST_MAX_AGE) if found else DEFAULT_MAX_AGE
