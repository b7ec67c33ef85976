"""One entitlement of a made-up history: decided by the rule at each moment, each change entered in its ledger."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from paywall.domain import changes
from paywall.domain.entitlements import Reason, Terms
from paywall.domain.lifecycle import State

Row = dict[str, Any]

_RUNNING = (State.ACTIVE, State.GRACE, State.SUSPENDED)
_CLOCK = ("clock", "expiry")


@dataclass(slots=True)
class Chronicle:
    """What one source gives, as it is written down. With ``clock`` a worker writes down what dates change."""

    id: str
    reader_id: str
    plan: str
    source: str
    source_id: str
    price: tuple[int | None, str | None] = (None, None)  # minor units an interval, currency; none for what is free
    clock: bool = True
    terms: Terms | None = None
    state: State | None = None
    reason: Reason | None = None
    created_at: datetime | None = None
    decided_at: datetime | None = None
    entries: list[Row] = field(default_factory=list)

    def decide(self, terms: Terms, cause: tuple[str, str], now: datetime) -> None:
        """Writes down what is deserved ``now``, if that is news."""
        state, reason = terms.explain(now)
        if self.terms == terms and self.state is state:
            return
        before = (self.state, self.terms) if self.terms is not None and self.state is not None else None
        change = changes.name(before, state, terms, now)
        effective_at = changes.took_effect(change, terms, self.terms.paid_until if self.terms else None, now)
        self.terms, self.state, self.reason, self.decided_at = terms, state, reason, now
        self.created_at = self.created_at or now
        own = {"entitlement_id": self.id, "reader_id": self.reader_id, "plan": self.plan, "change": change}
        told = {"effective_at": effective_at, "learned_at": now, "cause": cause[0], "cause_id": cause[1]}
        self.entries.append(own | self._decided() | told)

    def pass_time(self, to: datetime) -> None:
        """Writes down what dates have changed up to a moment, each shortly after its date."""
        while self.clock and self.terms is not None and (due := self._due()) is not None:
            noticed = due + timedelta(seconds=1, microseconds=int(self.id[-6:], 16))  # drawn once, with the id
            if noticed > to:
                return
            self.decide(self.terms, _CLOCK, noticed)

    def row(self) -> Row:
        """The entitlement as it stands."""
        own = {"id": self.id, "reader_id": self.reader_id, "plan": self.plan}
        source = {"source": self.source, "source_id": self.source_id}
        return own | source | self._decided() | {"created_at": self.created_at, "decided_at": self.decided_at}

    def _due(self) -> datetime | None:
        """The next date that changes the state which is written down."""
        terms = self.terms
        if terms is None or terms.until is None or self.state not in _RUNNING:
            return None
        if terms.in_dunning and self.state is State.ACTIVE and terms.paid_until is not None:
            return min(terms.paid_until, terms.until)
        return terms.until

    def _decided(self) -> Row:
        terms = self.terms
        if terms is None:
            raise ValueError("nothing was decided yet")
        return {
            "amount": self.price[0],
            "currency": self.price[1],
            "state": self.state,
            "reason": self.reason,
            "starts_at": terms.starts_at,
            "paid_until": terms.paid_until,
            "until": terms.until,
            "lapse": terms.lapse,
            "in_dunning": terms.in_dunning,
            "hold": terms.hold,
            "renews": terms.renews,
        }
