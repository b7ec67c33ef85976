"""What is told about a reader: plain values, for a command or a page to show."""

from dataclasses import dataclass
from datetime import datetime

from paywall.domain.entitlements import Reason, Terms
from paywall.domain.lifecycle import State


@dataclass(frozen=True, slots=True)
class Step:
    """A change of an entitlement: when it took effect, when and from what we learned of it."""

    change: str
    state: str
    reason: str
    effective_at: datetime
    learned_at: datetime
    cause: str


@dataclass(frozen=True, slots=True)
class Paid:
    """A paid invoice; minor units."""

    invoice_id: str
    amount: int
    currency: str
    period_start: datetime
    period_end: datetime
    paid_at: datetime


@dataclass(frozen=True, slots=True)
class Back:
    """A refund or a dispute (``thing``) about a payment; minor units. ``detail`` is a dispute's reason."""

    thing: str
    id: str
    invoice_id: str
    amount: int
    currency: str
    status: str
    created_at: datetime
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """One entitlement at the moment asked about: what it gives by which rule, and how it came to that.

    ``hindsight`` tells what was learned only later and changes the answer for that moment; ``status`` and
    ``duplicate_of`` are those of today.
    """

    entitlement_id: str
    plan: str
    source: str
    source_id: str
    terms: Terms
    state: State
    reason: Reason
    rule: str
    next_step: str
    steps: tuple[Step, ...]
    paid: tuple[Paid, ...] = ()
    back: tuple[Back, ...] = ()
    status: str | None = None
    duplicate_of: str | None = None
    hindsight: str | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """An event that names something of this reader's and is not dealt with."""

    id: str
    type: str
    state: str
    outcome: str | None
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a reader may or may not read ``at`` a moment, as known then (of a future moment: as known ``now``).

    ``notes`` are sentences on what gives nothing at that moment: not known then, or of a plan that is not sold any
    more. ``doubles`` are subscriptions that stand beside another one of the same reader or address, for staff.
    """

    reader_id: str
    name: str
    at: datetime
    now: datetime
    may_read: bool
    until: datetime | None
    given: tuple[Given, ...] = ()
    notes: tuple[str, ...] = ()
    doubles: tuple[str, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    open_checkouts: tuple[datetime, ...] = ()
