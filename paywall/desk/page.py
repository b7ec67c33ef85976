"""What the reader's page shows beside the explanation and the timeline, read in a few queries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select

from paywall.caring.reading import Reading
from paywall.desk.bar import Span, spans
from paywall.desk.timeline import Person
from paywall.explaining.holdings import Holdings
from paywall.explaining.story import Explanation, Given
from paywall.storage import addresses, aliases, erasures, sessions
from paywall.storage.addresses import AddressChange, FormerAddress
from paywall.storage.aliases import ReaderAlias
from paywall.storage.database import db
from paywall.storage.erasures import Erasure
from paywall.storage.models import Checkout, Reader, ReaderSession, Subscription
from paywall.storage.owed import Owed

_CHECKOUTS = 10  # the newest of those with a mark
_SESSIONS = 20


@dataclass(frozen=True, slots=True)
class Device:
    """A signed-in browser."""

    name: str
    since: datetime
    seen_on: date | None
    until: datetime
    method: str


@dataclass(frozen=True, slots=True)
class Page:
    """All of it. ``more_devices`` says how many are not shown."""

    person: Person
    erasure: Erasure | None
    former: Sequence[FormerAddress]
    wished: AddressChange | None
    joined: Sequence[ReaderAlias]
    subscriptions: Sequence[Subscription]
    owed: Sequence[Owed]
    devices: Sequence[Device]
    more_devices: int
    flagged: Sequence[Checkout]
    spans: Sequence[Span]


def gather(reader: Reader, held: Holdings, now: datetime) -> Page:
    """Reads it; ``held`` are the reader's holdings."""
    former, joined = addresses.former_of(reader.id), aliases.of_reader(reader.id)
    live = sessions.live_of(reader.id, now)
    names = {reader.email_normalised, *(one.email_normalised for one in former)}
    return Page(
        person=Person((reader.id, *(one.id for one in joined)), [one for one in names if one]),
        erasure=erasures.of_reader(reader.id),
        former=former,
        wished=_wished(reader, now),
        joined=joined,
        subscriptions=held.own[::-1],
        owed=_owed(held.own),
        devices=[_device(row) for row in live[:_SESSIONS]],
        more_devices=max(0, len(live) - _SESSIONS),
        flagged=_flagged(reader),
        spans=spans(reader.id, held.histories, now),
    )


def reading(reader: Reader, held: Holdings, page: Page) -> Reading:
    """What the list of actions goes by: what the page has read, and the rest when it is asked for."""
    paid = [one for row in held.own for one in held.payments[row.id]]
    erased = page.erasure is not None
    return Reading(reader, erased=erased, joined=page.joined, bought=held.own, paid=paid)


def reason_of(told: Explanation) -> Given | None:
    """What answers "why can I read?", or "why not?": what gives access, else what ended, or is held, last."""
    giving = [one for one in told.given if one.state.grants]
    if told.may_read:
        return max(giving, key=_end, default=None)
    return max(told.given, key=lambda one: (one.state.value != "ended", _end(one)), default=None)


def _end(one: Given) -> float:
    return one.terms.until.timestamp() if one.terms.until else 0.0


def _device(row: ReaderSession) -> Device:
    return Device(row.label or "A browser without a name", row.created_at, row.seen_on, row.expires_at, row.method)


def _wished(reader: Reader, now: datetime) -> AddressChange | None:
    row = AddressChange
    waits = row.reader_id == reader.id, row.used_at.is_(None), row.expires_at > now
    return db.session.scalar(select(row).where(*waits).order_by(row.created_at.desc()).limit(1))


def _owed(rows: Sequence[Subscription]) -> Sequence[Owed]:
    of_these = Owed.subscription_id.in_([row.id for row in rows])
    return db.session.scalars(select(Owed).where(of_these).order_by(Owed.invoice_id)).all()


def _flagged(reader: Reader) -> Sequence[Checkout]:
    marked = select(Checkout).where(Checkout.reader_id == reader.id, Checkout.flag.is_not(None))
    return db.session.scalars(marked.order_by(Checkout.created_at.desc()).limit(_CHECKOUTS)).all()
