"""Where the verifier's revocation list comes from: nowhere, the caller, or the service, read on in the background."""

import copy
import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from paywall.verifier import forking
from paywall.verifier.backoff import Backoff
from paywall.verifier.errors import TransportError
from paywall.verifier.feed import Feed
from paywall.verifier.line import Line
from paywall.verifier.revocations import RevocationList

log = logging.getLogger("paywall.verifier")

MAX_PAGE_BYTES = 8 * 1024 * 1024  # 10,000 entries of the longest ids
MOST_PAGES = 1000  # a bound for a service that promises more for ever


class RevocationSource(Protocol):
    """What a verifier asks for revocations. Neither method raises."""

    ready: bool  # whether `current` answers without waiting

    def current(self) -> RevocationList:
        """The list as known now; empty when it was never read."""

    def age(self) -> float:
        """For how many seconds nothing was heard of the list; 0 for one that cannot grow old."""


class GivenRevocations:
    """A list that the caller keeps, or none."""

    ready = True

    def __init__(self, give: Callable[[], RevocationList]) -> None:
        self._give = give

    def current(self) -> RevocationList:
        """What the caller knows now."""
        return self._give()

    def age(self) -> float:
        """Always 0: the caller answers for it."""
        return 0.0


class RemoteRevocations:
    """The service's list: read by the request that first needs it, later by `refresh` in the background.

    Only what is new is asked for. Requests go on with the list at hand and never wait, except for the first attempt.
    """

    def __init__(
        self,
        url: str,
        service_key: str,
        line: Line,
        *,
        interval: float = 30.0,
        keep: float = 0.0,
        now: Callable[[], datetime],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`interval` is the longest time between two readings, in seconds. Entries are kept for `keep` seconds longer
        than the service says, for whoever takes tokens after they expired. `now` gives the aware time.
        """
        self._url = url
        self._headers = {"Authorization": f"Bearer {service_key}"}
        self._line = line
        self._interval = interval
        self._keep = keep
        self._now = now
        self._clock = clock
        self._backoff = Backoff(1.0, interval)
        self._feed = Feed()
        self._list = RevocationList()
        self._heard_at: float | None = None
        self.after_fork()
        forking.tell(self)

    def after_fork(self) -> None:
        """Makes a lock that nobody holds; a child may have slept since the fork, so it reads the list at once."""
        self._lock = threading.Lock()
        self._refresh_at = float("-inf")
        self.ready = False

    def current(self) -> RevocationList:
        """The list at hand; the first call of a process reads it."""
        if not self.ready:
            self.refresh()
        return self._list

    def age(self) -> float:
        """Seconds since the list was last read to its end; while it never was, since that was first tried."""
        return 0.0 if self._heard_at is None else self._clock() - self._heard_at

    def refresh(self) -> float:
        """Reads what is new if it is time; returns the seconds until it will be."""
        with self._lock:
            if self._clock() >= self._refresh_at:
                self._refresh_at = self._clock() + self._read()
                self.ready = True
            return max(0.1, self._refresh_at - self._clock())

    def _read(self) -> float:
        asked_at = self._clock()
        feed = copy.copy(self._feed)
        feed.entries = dict(feed.entries)
        try:
            changed = self._read_on(feed)
        except TransportError as error:
            self._heard_at = asked_at if self._heard_at is None else self._heard_at
            log.warning("revocations not read from %s (%s); going on with %d", self._url, error, len(self._list))
            return self._backoff.after_failure()
        if feed.drop_ended(self._now().timestamp() - self._keep) or changed:
            self._list = feed.as_list()
        self._feed = feed
        self._heard_at = asked_at
        return self._backoff.after_success(self._interval)

    def _read_on(self, feed: Feed) -> bool:
        """Ask page after page; returns whether there was anything new."""
        before = (feed.epoch, feed.seq)
        for _ in range(MOST_PAGES):
            headers = {**self._headers, **({"If-None-Match": feed.etag} if feed.etag else {})}
            answer = self._line.ask(f"{self._url}?after={feed.seq}", headers=headers, max_bytes=MAX_PAGE_BYTES)
            if answer.status == 304 and feed.etag:
                break
            if not feed.add(answer):
                break
        else:
            raise TransportError("a list of revocations without an end")
        return (feed.epoch, feed.seq) != before
