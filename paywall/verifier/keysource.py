"""Where the verifier's public keys come from: pinned, or fetched from the service and kept."""

import logging
import re
import threading
import time
from collections.abc import Callable
from typing import Protocol

from paywall.verifier.errors import KeysError, TransportError
from paywall.verifier.keys import KeySet
from paywall.verifier.transport import Answer, exchange

log = logging.getLogger("paywall.verifier")

DEFAULT_MAX_AGE = 300.0
LONGEST_MAX_AGE = 86400.0


class KeySource(Protocol):
    """What a verifier asks for keys. Neither method raises."""

    def current(self) -> KeySet:
        """The keys to use now; empty when there are none yet."""

    def after_unknown(self, kid: str) -> KeySet:
        """The keys to use after a token named a key that `current` lacked."""


class PinnedKeys:
    """A fixed key set; unknown keys stay unknown."""

    def __init__(self, keys: KeySet) -> None:
        self._keys = keys

    def current(self) -> KeySet:
        """The pinned keys."""
        return self._keys

    def after_unknown(self, kid: str) -> KeySet:
        """The pinned keys."""
        return self._keys


class RemoteKeys:
    """The JWKS document at an address: fetched by the request that first needs it, and kept when a fetch fails.

    One fetch runs at a time. While it does, other requests go on with the keys at hand; only when there are none yet
    they wait for it. At most one fetch is tried per `cooldown` seconds, whatever tokens are thrown at it.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout: float = 2.0,
        cooldown: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._timeout = timeout
        self._cooldown = cooldown
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: KeySet | None = None
        self._stale_at = float("-inf")
        self._next_try = float("-inf")

    def current(self) -> KeySet:
        """The keys at hand, refreshed first when they are older than the service's max-age."""
        if self._clock() >= self._stale_at and self._lock.acquire(blocking=self._keys is None):
            try:
                if self._clock() >= self._stale_at:
                    self._fetch()
            finally:
                self._lock.release()
        return self._keys or KeySet()

    def after_unknown(self, kid: str) -> KeySet:
        """The keys after one more fetch, unless another request just made it or the cool-down holds."""
        with self._lock:
            if self._keys is None or self._keys.get(kid) is None:
                self._fetch()
        return self._keys or KeySet()

    def _fetch(self) -> None:
        if self._clock() < self._next_try:
            return
        try:
            answer = exchange(self._url, timeout=self._timeout)
            if answer.status != 200:
                raise TransportError(f"status {answer.status}")
            self._keys = KeySet.from_jwks(answer.body)
            self._stale_at = self._clock() + _max_age(answer)
        except (TransportError, KeysError) as error:
            self._stale_at = self._clock() + self._cooldown
            log.warning("keys not refreshed from %s (%s); going on with %d", self._url, error, len(self._keys or ()))
        self._next_try = self._clock() + self._cooldown


def _max_age(answer: Answer) -> float:
    """Seconds for which the answer may be used (RFC 9111 max-age), within a day."""
    found = re.search(r"\bmax-age=(\d{1,9})\b", answer.headers.get("Cache-Control", ""))
    return min(float(found[1]), LONGEST_MAX_AGE) if found else DEFAULT_MAX_AGE
