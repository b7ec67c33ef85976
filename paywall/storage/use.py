"""Rows that count what tokens are used for: one for a day, a content service, a kind of use and what was asked for."""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import BigInteger, Date, String, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from paywall.storage.database import Base, db, insert_for

_KEY = ["day", "service_id", "kind", "features"]
_AT_ONCE = 1000  # rows of one statement


class Kind(StrEnum):
    """What was done with a token, or for a service."""

    ISSUED = "issued"  # a token was made: at a sign-in, or renewed for a service
    ALLOWED = "allowed"  # a token was checked and good
    REFUSED = "refused"  # a token was checked and not good, or not for this
    LISTED = "listed"  # a service that checks by itself took the list of what was revoked
    REPORTED = "reported"  # a service read a report


class Counted(NamedTuple):
    """What a number is of. ``service_id`` is the key's, or nothing: a reader's own page, or a gateway without a key.

    ``features`` are the names that a made token carries or that a check asked for, in order, with a space between;
    nothing where any token would do.
    """

    day: date
    service_id: str
    kind: str
    features: str


class UseCount(Base):
    """A number, which only grows."""

    __tablename__ = "use_counts"

    day: Mapped[date] = mapped_column(Date, primary_key=True)  # the newsroom's
    service_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    kind: Mapped[str] = mapped_column(String(10), primary_key=True)
    features: Mapped[str] = mapped_column(String(200), primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger)


def add(session: Session, counts: Mapping[Counted, int]) -> None:
    """Adds to the numbers. Commits nothing. In one order, so that two processes cannot wait for each other."""
    rows = [
        {"day": one.day, "service_id": one.service_id, "kind": one.kind, "features": one.features, "number": number}
        for one, number in sorted(counts.items())
    ]
    for start in range(0, len(rows), _AT_ONCE):
        statement = insert_for(UseCount).values(rows[start : start + _AT_ONCE])
        more = {"number": UseCount.number + statement.excluded.number}
        session.execute(statement.on_conflict_do_update(index_elements=_KEY, set_=more))


def between(first: date, last: date) -> list[tuple[Counted, int]]:
    """All numbers of these days, both included, in the order of what they are of."""
    columns = UseCount.day, UseCount.service_id, UseCount.kind, UseCount.features
    query = select(*columns, UseCount.number).where(UseCount.day.between(first, last)).order_by(*columns)
    return [(Counted(*row[:4]), row[4]) for row in db.session.execute(query)]


def last_days() -> dict[str, date]:
    """The newest day on which each service's key was used, by its id; a key that never was is left out."""
    query = select(UseCount.service_id, func.max(UseCount.day)).where(UseCount.service_id != "")
    return {row[0]: row[1] for row in db.session.execute(query.group_by(UseCount.service_id))}
