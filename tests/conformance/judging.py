"""Judges a run: at no moment access that Stripe's state does not deserve, at the end what it deserves and no less."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from paywall.storage import entitlements
from paywall.storage.database import db
from paywall.storage.models import Entitlement, LedgerEntry, Reader
from tests.conformance import oracle
from tests.support import books

if TYPE_CHECKING:
    from tests.conformance.stage import Stage

_FETCH = re.compile(r"(?:http://[^/]+)?/v1/subscriptions/(sub_\w+)")
Cases = Mapping[str, oracle.Case]


@dataclass(frozen=True)
class Standing:
    """Where an entitlement stands in the end; equal for every order of the same story."""

    state: str
    reason: str
    starts_at: datetime | None
    paid_until: datetime | None
    until: datetime | None
    lapse: str
    in_dunning: bool
    hold: str | None
    renews: bool


@dataclass(frozen=True)
class Memory:
    """What a judge knows of a run: the states that Stripe had, and in which of them the service asked."""

    history: tuple[Cases, ...]
    fetched: Mapping[str, int]


_NEAR = timedelta(minutes=2)  # a process that was killed has cost half a minute


def alike(some: Sequence[Standing], others: Sequence[Standing]) -> bool:
    """Whether entitlements stand equally, but for the seconds that a run may have taken longer."""
    return len(some) == len(others) and all(map(_alike, some, others))


def _alike(one: Standing, other: Standing) -> bool:
    dates = ("starts_at", "paid_until", "until")
    rest = [{name: value for name, value in asdict(found).items() if name not in dates} for found in (one, other)]
    return rest[0] == rest[1] and all(_near(getattr(one, name), getattr(other, name)) for name in dates)


def _near(one: datetime | None, other: datetime | None) -> bool:
    return one == other if one is None or other is None else abs(one - other) < _NEAR


class Judge:
    """Watches one run on a stage. ``faults`` says what it found."""

    def __init__(self, stage: "Stage") -> None:
        self.stage = stage
        self.faults: list[str] = []
        self._plans = stage.parts.settings.plans
        self._zone = stage.parts.settings.zone
        self._history: list[Cases] = []
        self.fetched: dict[str, int] = {}  # subscription -> the state in which the service asked for it last
        self._stale = True
        self._blind = False
        stage.line.watch = self._watch

    def begin(self) -> None:
        """A run begins: nobody has asked for anything."""
        self._history, self.fetched = [self.stage.beginning.cases], {}

    def shown(self, cases: Cases | None, fetched: Iterable[str] = ()) -> None:
        """Stripe's objects have changed: by an act of the story, of which ``cases`` and ``fetched`` may be known."""
        self._history.append(oracle.read(self.stage.account) if cases is None else cases)
        self.fetched |= dict.fromkeys(fetched, len(self._history) - 1)
        self._stale = False

    def save(self) -> Memory:
        """What it knows of the run so far."""
        return Memory(tuple(self._history), dict(self.fetched))

    def restore(self, memory: Memory) -> None:
        """Goes back to where it knew that."""
        self._history, self.fetched, self._stale = list(memory.history), dict(memory.fetched), False

    def blind(self) -> None:
        """Somebody else may have asked Stripe unseen: what was never asked for may be known from now on."""
        self._blind = True

    def look(self, after: str = "an act") -> None:
        """What each reader may read now must follow from a state that Stripe had since we asked for it."""
        if self._stale:
            self.shown(None)
        for reader, ids in self._readers().items():
            views = [self._views(one) for one in ids]
            may, must = any(True in view for view in views), any(False not in view for view in views)
            reads = self._reads(reader)
            if (reads and not may) or (must and not reads):
                self.faults.append(f"after {after} {'access' if reads else 'no access'}, deserved: {views}")

    def at_the_end(self) -> None:
        """Nothing is left to come: the books are in order, and say of each subscription what the oracle says."""
        self.shown(None)
        self.faults.extend(_book_faults(self.stage.shop))
        now = self.stage.clock.moment
        rows = {row.source_id: row for row in _fresh(Entitlement)}
        for key, case in self._history[-1].items():
            expected = oracle.judge(case, self._plan(case), self._zone, now)
            row = rows.get(key)
            found = row and oracle.Deserved(*_state_and_until(row, now))
            if found != expected:
                self.faults.append(f"{case.body['status']} gives {found}, deserved is {expected}")
            elif row is not None and row.reader_id != case.reader:
                self.faults.append(f"{key} belongs to another reader")
            if row is not None and row.state != expected.state:
                self.faults.append(f"{key} is kept as {row.state}, it is {expected.state}")
        self.look("everything")

    def standings(self) -> list[Standing]:
        """Where the entitlements stand, in the order of their subscriptions' creation."""
        created = {key: case.body["created"] for key, case in self._history[-1].items()}
        rows = sorted(_fresh(Entitlement), key=lambda row: (created.get(row.source_id, 0), row.source_id))
        now = self.stage.clock.moment
        return [_standing(row, now) for row in rows]

    def _watch(self, method: str, path: str, status: int) -> None:
        if method != "GET":
            self._stale = True
        elif (found := _FETCH.fullmatch(path)) and status == 200:
            if self._stale:
                self.shown(None)
            self.fetched[found[1]] = len(self._history) - 1

    def _plan(self, case: oracle.Case) -> Any:
        products = {item["price"]["product"] for item in case.body["items"]["data"]}
        return next(plan for plan in self._plans.values() if plan.product in products)

    def _readers(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for key, case in self._history[-1].items():
            found.setdefault(str(case.reader), []).append(key)
        return found

    def _views(self, key: str) -> set[bool]:
        """What a subscription may be held to give: by any state since it was asked for last; nothing before that."""
        if key not in self.fetched and not self._blind:
            return {False}
        now = self.stage.clock.moment
        asked = self.fetched.get(key)
        cases = [one[key] for one in self._history[-1 if asked is None else asked :] if key in one]
        seen = {oracle.judge(case, self._plan(case), self._zone, now).access for case in cases}
        return seen | {False} if asked is None else seen

    def _reads(self, reader: str) -> bool:
        allowed = entitlements.access_of(reader, self._plans, self.stage.clock.moment).allowed
        db.session.remove()
        return allowed


def _fresh(model: Any) -> list[Any]:
    rows = list(db.session.scalars(select(model).execution_options(populate_existing=True)))
    db.session.expunge_all()
    db.session.commit()
    return rows


def _standing(row: Entitlement, now: datetime) -> Standing:
    state, reason = entitlements.terms_of(row).explain(now)
    names = ("starts_at", "paid_until", "until", "lapse", "in_dunning", "hold", "renews")
    return Standing(str(state), str(reason), *(getattr(row, name) for name in names))


def _state_and_until(row: Entitlement, now: datetime) -> tuple[str, datetime | None, str]:
    state, reason = entitlements.terms_of(row).explain(now)
    return str(state), row.until, str(reason)


def _book_faults(shop: Any) -> Iterable[str]:
    found = books.read(shop)
    checks = (books.agree_with_stripe, books.ledgers, books.open_checkouts, books.paid_twice, books.left_over)
    yield from (f"{check.__name__}: {fault}" for check in checks for fault in check(found))
    readers = {row.id for row in _fresh(Reader)}
    yield from (f"the ledger names {one.reader_id}" for one in _fresh(LedgerEntry) if one.reader_id not in readers)
