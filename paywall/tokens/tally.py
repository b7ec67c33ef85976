"""Counts what tokens are used for in memory, and has the numbers stored together, beside the requests."""

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.exc import SQLAlchemyError

from paywall import metrics
from paywall.domain.days import local_day
from paywall.later import LATER
from paywall.storage.use import Counted, Kind
from paywall.tokens.flushing import FLUSHER, Flusher
from paywall.verifier import forking

log = structlog.get_logger("paywall.tokens")

OTHER: Final = "other"  # for features that no plan gives: callers could make up any number of names
SEVERAL: Final = "several"  # for checks that ask for more than one at once, which could be combined at will
_LONGEST = 200  # characters of a row's features


class Tally:
    """One application's counts in one process, until they are stored. Thread-safe, and usable after a fork.

    ``store`` adds counts to the database; while it fails they are kept here and tried again. A process that ends
    stores what it has; one that is killed loses what it counted in the last ``seconds``. 0 seconds: nothing is counted.
    """

    def __init__(
        self,
        store: Callable[[Mapping[Counted, int]], None],
        zone: ZoneInfo,
        known: frozenset[str],
        seconds: float,
        flusher: Flusher = FLUSHER,
    ) -> None:
        self._store = store
        self._flusher = flusher
        self._zone = zone
        self._known = known
        self.seconds = seconds
        self.after_fork()
        forking.tell(self)

    def after_fork(self) -> None:
        """Begins anew: what was counted before is the parent's to store."""
        self._lock = threading.Lock()
        self._counts: Counter[Counted] = Counter()
        self._today = (-1, date.min)  # a quarter of an hour since 1970, and its day
        self._failing = False

    def answered(
        self, address: str, outcome: str, service: str, features: tuple[str, ...], now: datetime, number: int = 1
    ) -> None:
        """Counts tokens that were checked at ``address`` for ``service``; ``outcome`` is ``allowed`` or why not.

        ``features`` are those that a token must carry; none where any token would do.
        """
        metrics.tokens_answered(address, outcome, number)
        kind = Kind.ALLOWED if outcome == "allowed" else Kind.REFUSED
        self._add(Counter({Counted(self._day(now), service, kind, self._asked(features)): number}))

    def are_of_one_day(self, first: datetime, last: datetime) -> bool:
        """Whether these moments, and all between them, are of the same day of the newsroom."""
        return self._day(first) == self._day(last)

    def note(self, kind: Kind, service: str, features: str, now: datetime) -> None:
        """Counts, soon, any other use; ``features`` as they stand in a token."""
        if self.seconds:
            LATER.add(self._count_others, (kind, service, features, now))

    def flush(self) -> bool:
        """Stores what was counted; False if that failed and is to be tried again."""
        with self._lock:
            taken, self._counts = self._counts, Counter()
        if not taken:
            return True
        try:
            self._store(taken)
        except SQLAlchemyError as error:
            with self._lock:
                self._counts.update(taken)
            if not self._failing:
                log.warning("use_not_stored", kind=type(error).__name__)
            self._failing = True
            return False
        self._failing = False
        return True

    def _count_others(self, uses: Sequence[tuple[Kind, str, str, datetime]]) -> None:
        self._add(
            Counter(
                Counted(self._day(now), service, kind, features if len(features) <= _LONGEST else SEVERAL)
                for kind, service, features, now in uses
            )
        )

    def _add(self, counts: Counter[Counted]) -> None:
        if self.seconds:
            with self._lock:
                self._counts.update(counts)
            self._flusher.want(self)

    def _asked(self, features: tuple[str, ...]) -> str:
        if not features:
            return ""
        if len(features) > 1:
            return SEVERAL
        return features[0] if features[0] in self._known else OTHER

    def _day(self, now: datetime) -> date:
        """The newsroom's day; worked out once a quarter of an hour, as no zone changes its day in between."""
        quarter = int(now.timestamp()) // 900
        known, day = self._today
        if quarter != known:
            day = local_day(now, self._zone)
            self._today = (quarter, day)
        return day
