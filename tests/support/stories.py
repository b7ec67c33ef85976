"""Random histories of entitlements, written as the service writes them, and the overview's figures by plain Python.

Nothing of the reports is used here but the shape of what they say: the expected figures come from the rule of access
(``Terms.state_at``) and from days of the calendar, one entitlement after the other.
"""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from hypothesis import strategies as st

from paywall.domain.days import last_day, local_day
from paywall.domain.entitlements import Reason, Terms, end_of_day
from paywall.domain.lifecycle import State
from paywall.storage import entitlements
from paywall.storage.daily_figures import DailyFigure, Rollup
from paywall.storage.database import db
from paywall.storage.entitlements import Cause, Source
from paywall.storage.models import Entitlement, LedgerEntry, Reader, Subscription
from tests.support.builders import NOW, make_reader, make_subscription

HOUR = timedelta(hours=1)
ZONES = ("UTC", "America/New_York", "Pacific/Niue", "Pacific/Kiritimati", "Asia/Beirut")
# an ordinary day; when New York and Beirut leave summer time, and enter it: in Beirut at midnight, which then is twice
# or not at all
BASES = (NOW, *(datetime(2026, month, day, 12, tzinfo=UTC) for month, day in ((11, 3), (10, 27), (3, 10), (3, 31))))
READERS, SOURCES = 3, 5  # few, so that readers have several and change hands
FREE = 4  # the source of this number is a grant
PRICES = ((10000, "usd"), (9000, "eur"), (1200, "usd"))
LAPSES = (Reason.CANCELED, Reason.PERIOD_OVER, Reason.PAYMENT_FAILED, Reason.REFUNDED, Reason.DISPUTE_LOST)

_hours = st.integers(0, 9 * 24)
# ends lie on a midnight of the newsroom, or cut short at any moment; some are over before they began
_ends = st.tuples(st.integers(-1, 6 * 24), st.booleans())
_terms = st.tuples(
    _hours, _ends, st.sampled_from(LAPSES), st.booleans(), st.sampled_from([None, None, Reason.DISPUTED]), st.booleans()
)
beginnings = st.tuples(
    *(st.tuples(st.just("decide"), st.just(number), st.integers(0, READERS - 1), _terms) for number in range(SOURCES))
)
steps = st.one_of(
    st.tuples(st.just("decide"), st.integers(0, SOURCES - 1), st.integers(0, READERS - 1), _terms),
    st.tuples(st.just("move"), st.integers(0, SOURCES - 1), st.integers(0, READERS - 1), st.none()),
    st.tuples(st.just("price"), st.integers(0, SOURCES - 2), st.integers(0, len(PRICES) - 1), st.none()),
    st.tuples(st.just("erase"), st.integers(0, SOURCES - 2), st.just(0), st.none()),
    st.tuples(st.just("refresh"), st.just(0), st.just(0), st.none()),
    st.tuples(st.just("rebuild"), st.just(0), st.just(0), st.none()),
)


@dataclass(frozen=True)
class Held:
    """What one source gives, as the story goes."""

    reader: int
    terms: Terms
    price: tuple[int, str] | None
    erased: bool = False


class Story:
    """Writes a history step by step, and remembers what it wrote."""

    def __init__(self, zone: ZoneInfo, base: datetime = NOW) -> None:
        self.zone, self.base = zone, base
        self.readers = [make_reader(None) for _ in range(READERS)]
        self.ids = [make_subscription(self.readers[0]).id for _ in range(SOURCES - 1)] + ["grt_1"]
        self.prices: list[tuple[int, str] | None] = [PRICES[0]] * (SOURCES - 1) + [None]
        self.held: dict[int, Held] = {}
        self.renewed: Counter[date] = Counter()
        db.session.execute(sa.update(Subscription).values(amount=PRICES[0][0], currency=PRICES[0][1]))
        db.session.commit()

    def tell(self, kind: str, number: int, other: int, told: tuple | None, now: datetime) -> None:
        """Does one step at a moment; what makes no sense yet is left out."""
        if kind == "decide":
            self._save(number, Held(other, self._terms(told, free=number == FREE), self.prices[number]), "event", now)
        elif number in self.held and kind == "move":
            entitlements.hand_over(self._source(number, other), Cause("moved", "mov_1"), now)
            self.held[number] = replace(self.held[number], reader=other)
        elif number in self.held and kind == "price":
            self.prices[number] = PRICES[other]
            values = dict(zip(("amount", "currency"), PRICES[other], strict=True))
            db.session.execute(sa.update(Subscription).where(Subscription.id == self.ids[number]).values(values))
            held = replace(self.held[number], price=PRICES[other])
            self._save(number, held, "event", now)
        elif number in self.held and kind == "erase":
            terms = replace(self.held[number].terms, lapse=Reason.CANCELED, hold=Reason.PAUSED, renews=False)
            self._save(number, replace(self.held[number], terms=terms, erased=True), "erasure", now)
        db.session.commit()

    def _save(self, number: int, held: Held, cause: str, now: datetime) -> None:
        before = self.held.get(number)
        held = replace(held, erased=held.erased or bool(before and before.erased))
        entry = entitlements.save(self._source(number, held.reader), held.terms, Cause(cause, "x"), now)
        if entry is None:
            held = replace(held, erased=bool(before and before.erased))
        elif entry.change in ("renewed", "recovered"):
            self.renewed[local_day(entry.effective_at, self.zone)] += 1
        self.held[number] = held

    def _source(self, number: int, reader: int) -> Source:
        return Source("comp" if number == FREE else "subscription", self.ids[number], self.readers[reader].id, "annual")

    def _terms(self, told: tuple, *, free: bool) -> Terms:
        hours, (length, whole), lapse, in_dunning, hold, renews = told
        start = self.base - 8 * 24 * HOUR + hours * HOUR
        paid = start + length * HOUR
        until = end_of_day(paid, self.zone, days=2 if in_dunning else 0) if whole and length >= 0 else paid
        if free:
            return Terms(start, until, until, Reason.COMP_OVER)
        return Terms(start, paid if in_dunning else until, until, lapse, in_dunning, hold, renews)

    def forget(self) -> None:
        """Deletes all that was written."""
        db.session.rollback()
        for table in (DailyFigure, Rollup, LedgerEntry, Entitlement, Subscription, Reader):
            db.session.execute(sa.delete(table))
        db.session.commit()


def standing(story: Story, now: datetime) -> tuple[int, int, int, int, int]:
    """Paying, in grace, ending, on hold, comped: persons by the rule of access."""
    held = [(one, number == FREE, one.terms.state_at(now)) for number, one in story.held.items()]
    paid = [(one, state) for one, free, state in held if not free]
    paying = {one.reader for one, state in paid if state.grants}
    active = {one.reader for one, state in paid if state is State.ACTIVE}
    renewing = {one.reader for one, state in paid if state.grants and one.terms.renews}
    on_hold = {one.reader for one, state in paid if state is State.SUSPENDED}
    reading = {one.reader for one, _, state in held if state.grants}
    return len(paying), len(paying - active), len(paying - renewing), len(on_hold), len(reading - paying)


def yearly(story: Story, now: datetime) -> dict[str, int]:
    """ARR by currency; every plan here is charged by the year."""
    found: Counter[str] = Counter()
    for one in story.held.values():
        if one.price and one.terms.state_at(now).grants:
            found[one.price[1]] += one.price[0]
    return {name: value for name, value in found.items() if value}


def flow(story: Story, first: date, last: date, now: datetime) -> dict[str, int]:
    """What the days from ``first`` to ``last`` began with, won and lost, up to ``now``."""
    found: Counter[str] = Counter(renewed=sum(n for day, n in story.renewed.items() if first <= day <= last))
    started: set[int] = set()
    ids = {number: row.id for row in db.session.scalars(sa.select(Entitlement)) for number in _number(story, row)}
    ran = [(one.terms, one, ids[number]) for number, one in story.held.items() if number != FREE]
    for terms, one, _ in sorted((x for x in ran if x[0].starts_at < x[0].until), key=lambda x: (x[0].starts_at, x[2])):
        kind = "returned" if one.reader in started else "new"
        started.add(one.reader)
        if terms.starts_at > now:
            continue
        began, ended = local_day(terms.starts_at, story.zone), last_day(terms.until, story.zone)
        over = terms.until <= now
        found["opening"] += began < first and not (over and ended < first)
        found[kind] += first <= began <= last
        if over and first <= ended <= last:
            erased = one.erased and terms.lapse is Reason.CANCELED
            found["erased" if erased else terms.lapse.value] += 1
            found["ended"] += 1
    return {name: value for name, value in found.items() if value}


def _number(story: Story, row: Entitlement) -> list[int]:
    return [story.ids.index(row.source_id)]
