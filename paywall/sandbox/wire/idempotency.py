"""Idempotency keys: the first answer is kept and repeated for a day.

Source: https://docs.stripe.com/api/idempotent_requests.
"""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from paywall.sandbox.errors import StripeError
from paywall.sandbox.state.store import Store

KEPT_SECONDS = 24 * 3600
OTHER_PARAMS = (
    "Keys for idempotent requests can only be used with the same parameters they were first used with. "
    "Try using a key other than '{key}' if you meant to execute a different request."
)
OTHER_PATH = (
    "Keys for idempotent requests can only be used for the same endpoint they were first used for "
    "('{path}' vs '{first}'). Try using a key other than '{key}' if you meant to execute a different request."
)
IN_USE = (
    "There is currently another in-progress request using this Idempotent Key (that probably means you submitted "
    "twice, and the other request is still going through): {key}. Try again later."
)


class Answer(NamedTuple):
    """A status and a body as they went over the wire, and the request that they first answered."""

    status: int
    body: str
    request_id: str


def fingerprint(pairs: list[tuple[str, str]]) -> str:
    """Return a digest of the parameters; their order does not matter."""
    return hashlib.sha256(repr(sorted(pairs)).encode()).hexdigest()


class Keys:
    """The keys in use right now, and the answers kept under those used before."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.guard = threading.Lock()
        self.busy: set[str] = set()

    @contextmanager
    def claim(self, key: str) -> Iterator[None]:
        """Hold a key while its request runs; a second request under it meets 409 meanwhile."""
        if len(key) > 255:
            message = f"Idempotency keys can have up to 255 characters; this one has {len(key)}."
            raise StripeError(message, kind="idempotency_error", stored=False)
        with self.guard:
            if key in self.busy:
                raise StripeError(IN_USE.format(key=key), status=409, code="idempotency_key_in_use", stored=False)
            self.busy.add(key)
        try:
            yield
        finally:
            with self.guard:
                self.busy.discard(key)

    def earlier(self, key: str, path: str, print_: str, now: int) -> Answer | None:
        """Return the kept answer; the same key for another request is an error."""
        self.store.rows("DELETE FROM answers WHERE at <= ?", now - KEPT_SECONDS)
        found = self.store.rows("SELECT path, fingerprint, status, body, request_id FROM answers WHERE key = ?", key)
        if not found:
            return None
        first, known, *answer = found[0]
        if first != path:
            message = OTHER_PATH.format(path=path, first=first, key=key)
            raise StripeError(message, kind="idempotency_error", stored=False)
        if known != print_:
            raise StripeError(OTHER_PARAMS.format(key=key), kind="idempotency_error", stored=False)
        return Answer(*answer)

    def keep(self, key: str, path: str, print_: str, answer: Answer, now: int) -> None:
        """Keep an answer; called inside the transaction that it reports, so that both or neither survive a kill."""
        self.store.rows(
            "INSERT INTO answers (key, path, fingerprint, request_id, status, body, at) VALUES (?, ?, ?, ?, ?, ?, ?)",
            *(key, path, print_, answer.request_id, answer.status, answer.body, now),
        )
