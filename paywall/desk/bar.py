"""A reader's access over time, as it was known at each moment: spans of one state each, for a bar and its table."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from paywall.domain.lifecycle import State
from paywall.storage.entitlements import terms_of
from paywall.storage.models import Entitlement, LedgerEntry

MOST = 40  # more spans than this are told from the newest
WIDTH = 1000

_BEST = (State.ACTIVE, State.GRACE, State.SUSPENDED, State.PENDING, State.ENDED)
_NOTHING = len(_BEST)

WORDS = {
    State.ACTIVE: "could read",
    State.GRACE: "could read, in grace",
    State.SUSPENDED: "on hold",
    State.PENDING: "not paid yet",
    State.ENDED: "access had ended",
    None: "nothing held",
}


@dataclass(frozen=True, slots=True)
class Span:
    """A time in which nothing changed; ``x`` and ``width`` of a bar that is WIDTH wide."""

    since: datetime
    until: datetime
    state: State | None
    x: int = 0
    width: int = 0

    @property
    def words(self) -> str:
        """What the reader could do."""
        return WORDS[self.state]


@dataclass(frozen=True, slots=True)
class _History:
    """One entitlement's entries in the order in which they were learned."""

    entries: Sequence[LedgerEntry]
    learned: Sequence[datetime]

    def state_at(self, moment: datetime, reader_id: str) -> int:
        """The rank of what it gave the reader, by what was known then."""
        index = bisect_right(self.learned, moment) - 1
        if index < 0 or self.entries[index].reader_id != reader_id:
            return _NOTHING
        return _BEST.index(terms_of(self.entries[index]).state_at(moment))

    def moments(self) -> Iterator[datetime]:
        """When something may have changed."""
        for one in self.entries:
            yield one.learned_at
            yield from (at for at in (one.starts_at, one.paid_until, one.until) if at is not None)


def spans(
    reader_id: str, histories: Sequence[tuple[Entitlement, list[LedgerEntry]]], now: datetime, most: int = MOST
) -> list[Span]:
    """The spans from the first that was known to now, the oldest first; the best of what the reader held in each."""
    own = [_history(entries) for _, entries in histories if entries]
    if not own:
        return []
    first = min(one.learned[0] for one in own)
    moments = sorted({at for one in own for at in one.moments() if first <= at < now} | {first})
    found: list[Span] = []
    for index, since in enumerate(moments):
        until = moments[index + 1] if index + 1 < len(moments) else now
        rank = min(one.state_at(since, reader_id) for one in own)
        state = _BEST[rank] if rank < _NOTHING else None
        if found and found[-1].state is state:
            since = found.pop().since
        found.append(Span(since, until, state))
    return _placed([one for one in found if one.since < one.until][-most:])


def _history(entries: Sequence[LedgerEntry]) -> _History:
    ordered = sorted(entries, key=lambda one: (one.learned_at, one.id))
    return _History(ordered, [one.learned_at for one in ordered])


def _placed(found: list[Span]) -> list[Span]:
    """The spans with their places on the bar; even the shortest can be seen."""
    if not found:
        return []
    begin = found[0].since
    scale = WIDTH / (found[-1].until - begin).total_seconds()
    placed = []
    for one in found:
        x = min(round((one.since - begin).total_seconds() * scale), WIDTH - 2)
        width = max(2, round((one.until - one.since).total_seconds() * scale))
        placed.append(Span(one.since, one.until, one.state, x, min(width, WIDTH - x)))
    return placed
