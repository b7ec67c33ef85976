"""Walking beside a list of Stripe's: which stretch of time it has passed, and what it named there."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of creation times that is listed completely: later than ``after``, up to and including ``upto``.

    None leaves a side open. A row of ours in it that is not among ``named`` was not listed.
    """

    after: datetime | None
    upto: datetime | None
    named: frozenset[str]


class Walk:
    """Takes a list's pages, the newest first, and tells after each what is complete by then.

    Objects made within one second may be spread over several pages, so a page's last second counts as complete only
    when a later page has gone beyond it. What it remembers is the objects of that second, not those before it.
    """

    def __init__(self) -> None:
        self._low: datetime | None = None
        self._at_low: frozenset[str] = frozenset()

    def page(self, items: Iterable[tuple[datetime, str]]) -> Stretch | None:
        """The stretch that this page (creation time and id of each object) completes; None if it completes none."""
        found = list(items)
        if not found:
            return None
        high = self._low
        low = min(created for created, _ in found)
        if high is not None and low >= high:
            self._at_low |= {name for _, name in found}
            return None
        named = self._at_low | {name for _, name in found}
        self._low, self._at_low = low, frozenset(name for created, name in found if created == low)
        return Stretch(low, high, named)

    def rest(self, after: datetime | None = None) -> Stretch:
        """What the end of the list completes: everything down to ``after``."""
        return Stretch(after, self._low, self._at_low)
