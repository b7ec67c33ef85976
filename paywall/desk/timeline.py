"""A reader's timeline: what happened, from all tables that know something, the newest first, a page at a time."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, or_, select

from paywall.desk.told import Teller, Told
from paywall.errors import BadRequest
from paywall.storage import ledger
from paywall.storage.addresses import FormerAddress
from paywall.storage.aliases import ReaderAlias
from paywall.storage.database import db
from paywall.storage.erasures import Erasure
from paywall.storage.letters import WaitingLetter
from paywall.storage.models import Checkout, LedgerEntry, ReaderSession, SignInLink, Subscription
from paywall.storage.moves import PurchaseMove
from paywall.storage.payments import Dispute, Payment, Refund
from paywall.storage.staff_actions import BEGUN, StaffAction

PAGE = 50


class Kind(StrEnum):
    """What an entry is about, to filter by."""

    ACCESS = "access"
    MONEY = "money"
    MAIL = "mail"
    SIGN_IN = "sign-in"
    STAFF = "staff"
    ACCOUNT = "account"


TITLES = {
    Kind.ACCESS: "Access",
    Kind.MONEY: "Money",
    Kind.MAIL: "Mail",
    Kind.SIGN_IN: "Sign-ins",
    Kind.STAFF: "Staff",
    Kind.ACCOUNT: "Account",
}


class BadPlace(BadRequest):
    """The address of the page was changed."""

    code, title = "bad_place", "That page cannot be shown"


@dataclass(frozen=True, slots=True)
class Person:
    """Whose timeline it is: the reader's id with those that were joined to it, and the addresses now and earlier."""

    ids: Collection[str]
    addresses: Collection[str]


@dataclass(frozen=True, slots=True)
class Source:
    """A table that knows something: at which moment it happened, under which id, whose it is, how it is told."""

    name: str
    kind: Kind
    at: Any
    id: Any
    whose: Callable[[Person], ColumnElement[bool]]
    tell: Callable[[Teller, Any], Told]


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that happened."""

    at: datetime
    kind: Kind
    source: str
    id: str
    told: Told

    @property
    def place(self) -> str:
        """Where it stands, for the address of the page that follows it."""
        return f"{self.at.isoformat()}~{self.source}~{self.id}"


@dataclass(frozen=True, slots=True)
class Page:
    """Some entries, and the place behind which more follow."""

    entries: Sequence[Entry]
    more: str | None


def _readers(column: Any) -> Callable[[Person], ColumnElement[bool]]:
    return lambda person: column.in_(person.ids)


def _bought(column: Any) -> Callable[[Person], ColumnElement[bool]]:
    mine = Subscription.reader_id
    return lambda person: column.in_(select(Subscription.id).where(mine.in_(person.ids)))


def _moved(person: Person) -> ColumnElement[bool]:
    return or_(PurchaseMove.from_reader_id.in_(person.ids), PurchaseMove.to_reader_id.in_(person.ids))


def _asked(person: Person) -> ColumnElement[bool]:
    return SignInLink.email_normalised.in_(person.addresses)


# in the order in which what happened at one moment is shown, the newest first
SOURCES: tuple[Source, ...] = (
    Source("staff", Kind.STAFF, StaffAction.at, StaffAction.id, _readers(StaffAction.subject_id), Teller.staff),
    Source("erasure", Kind.ACCOUNT, Erasure.asked_at, Erasure.id, _readers(Erasure.reader_id), Teller.erasure),
    Source("move", Kind.STAFF, PurchaseMove.moved_at, PurchaseMove.id, _moved, Teller.move),
    Source("alias", Kind.ACCOUNT, ReaderAlias.joined_at, ReaderAlias.id, _readers(ReaderAlias.reader_id), Teller.alias),
    Source(
        "former", Kind.ACCOUNT, FormerAddress.until, FormerAddress.id, _readers(FormerAddress.reader_id), Teller.former
    ),
    Source(
        "letter",
        Kind.MAIL,
        WaitingLetter.created_at,
        WaitingLetter.id,
        _readers(WaitingLetter.reader_id),
        Teller.letter,
    ),
    Source("link", Kind.SIGN_IN, SignInLink.created_at, SignInLink.id, _asked, Teller.link),
    Source(
        "session-end",
        Kind.SIGN_IN,
        ReaderSession.ended_at,
        ReaderSession.id,
        _readers(ReaderSession.reader_id),
        Teller.session_end,
    ),
    Source(
        "session",
        Kind.SIGN_IN,
        ReaderSession.created_at,
        ReaderSession.id,
        _readers(ReaderSession.reader_id),
        Teller.session,
    ),
    Source(
        "change", Kind.ACCESS, LedgerEntry.learned_at, LedgerEntry.id, _readers(LedgerEntry.reader_id), Teller.change
    ),
    Source("dispute", Kind.MONEY, Dispute.created_at, Dispute.id, _bought(Dispute.subscription_id), Teller.dispute),
    Source("refund", Kind.MONEY, Refund.created_at, Refund.id, _bought(Refund.subscription_id), Teller.refund),
    Source(
        "payment", Kind.MONEY, Payment.paid_at, Payment.invoice_id, _bought(Payment.subscription_id), Teller.payment
    ),
    Source("checkout", Kind.ACCOUNT, Checkout.created_at, Checkout.id, _readers(Checkout.reader_id), Teller.checkout),
)
_RANKS = {source.name: rank for rank, source in enumerate(SOURCES)}


def page(person: Person, zone: ZoneInfo, kinds: Collection[str] = (), after: str = "", size: int = PAGE) -> Page:
    """The newest entries of these kinds, or of all; behind a place if it is given. Raises BadPlace."""
    place = _read(after) if after else None
    rows: list[tuple[Source, Any]] = []
    for source in SOURCES:
        if not kinds or source.kind in kinds:
            query = select(source.at.class_).where(source.whose(person), source.at.is_not(None))
            if place is not None:
                query = query.where(_behind(source, *place))
            ordered = query.order_by(source.at.desc(), source.id.desc()).limit(size + 1)
            rows += [(source, row) for row in db.session.scalars(ordered)]
    # a stable sort: within one table the database's own order stays
    rows.sort(key=lambda one: (-getattr(one[1], one[0].at.key).timestamp(), _RANKS[one[0].name]))
    entries = _entries(rows[:size], zone)
    return Page(entries, entries[-1].place if len(rows) > size else None)


def _entries(rows: Sequence[tuple[Source, Any]], zone: ZoneInfo) -> list[Entry]:
    events = {row.cause_id for source, row in rows if source.name == "change" and row.cause == "event"}
    teller = Teller(zone, ledger.event_types(events) if events else {}, _erasures(row for _, row in rows))
    return [
        Entry(
            at=getattr(row, source.at.key),
            kind=source.kind,
            source=source.name,
            id=str(getattr(row, source.id.key)),
            told=source.tell(teller, row),
        )
        for source, row in rows
    ]


def _erasures(rows: Iterable[Any]) -> dict[str, datetime | None]:
    """When those were erased about whom staff began what did not come to its end; asked for where there are any."""
    ids = {row.subject_id for row in rows if isinstance(row, StaffAction) and row.state == BEGUN and row.subject_id}
    query = select(Erasure.reader_id, Erasure.done_at).where(Erasure.reader_id.in_(ids))
    return dict(iter(db.session.execute(query))) if ids else {}


def _behind(source: Source, at: datetime, name: str, row_id: str) -> ColumnElement[bool]:
    rank, there = _RANKS[source.name], _RANKS[name]
    if rank == there:
        last = int(row_id) if source.name == "change" else row_id
        return or_(source.at < at, and_(source.at == at, source.id < last))
    same_too: ColumnElement[bool] = source.at <= at if rank > there else source.at < at
    return same_too


def _read(text: str) -> tuple[datetime, str, str]:
    at, name, row_id = [*text.split("~", 2), "", ""][:3]
    try:
        moment = datetime.fromisoformat(at)
        fits = (
            moment.tzinfo is not None
            and 1970 < moment.year < 2200
            and name in _RANKS
            and 0 < len(row_id) < 300
            and row_id.isprintable()
        )
        fits = fits and (name != "change" or 0 <= int(row_id) < 2**63)
        if fits:
            return moment, name, row_id
    except (ValueError, OverflowError):
        pass
    raise BadPlace("Open the reader's page again: this address does not say where the timeline goes on.")
