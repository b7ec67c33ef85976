"""Who is in grace: since when, how often a card was tried, when it is tried again, when access ends, what is owed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select

from paywall.domain.days import last_day, local_day
from paywall.domain.roles import Right
from paywall.reports.dunning_sums import in_grace, owed_by_subscription
from paywall.reports.report import Column, Question, Report, Table, read_nothing
from paywall.settings import Settings
from paywall.storage.database import db
from paywall.storage.models import Entitlement, Reader, Subscription

MOST = 1000  # rows; those whose access ends first come first


@dataclass(frozen=True, slots=True)
class Person:
    """One entitlement in grace, with its reader. Days are the newsroom's; ``owed`` is in minor units."""

    reader_id: str
    email: str | None
    subscription_id: str
    since: date
    last_day: date
    attempts: int | None
    next_try_at: datetime | None
    owed: int | None
    currency: str


@dataclass(frozen=True, slots=True)
class Figures:
    """The first of them, whose access ends first, and how many there are."""

    people: Sequence[Person]
    count: int


def compute(_question: Question, settings: Settings, now: datetime) -> Figures:
    """Who is in grace at a moment."""
    row, due, zone = Entitlement, owed_by_subscription(), settings.zone
    query = (
        select(row.reader_id, Reader.email, Subscription.id, row.paid_until, row.until, due.c.attempts)
        .add_columns(due.c.next_try_at, due.c.amount, Subscription.currency)
        .select_from(row)
        .join(Subscription, Subscription.id == row.source_id)
        .join(Reader, Reader.id == row.reader_id)
        .outerjoin(due, due.c.subscription_id == Subscription.id)
        .where(*in_grace(now))
        .order_by(row.until, row.id)
        .limit(MOST)
    )
    people = [
        Person(reader, email, name, local_day(since, zone), last_day(until, zone), tries, again, owed, currency)
        for reader, email, name, since, until, tries, again, owed, currency in db.session.execute(query)
    ]
    return Figures(people, db.session.scalar(select(func.count()).select_from(row).where(*in_grace(now))) or 0)


_COLUMNS = (
    Column("reader_id", "Reader", "text"),
    Column("email", "Address", "text"),
    Column("subscription_id", "Subscription", "text"),
    Column("in_grace_since", "Since", "day"),
    Column("attempts", "Tries so far"),
    Column("next_try_at", "Next try (UTC)", "text"),
    Column("last_day", "Last day of access", "day"),
    Column("owed", "Owed", "money"),
    Column("currency", "Currency", "text"),
)


def tables(figures: Figures) -> list[Table]:
    """The people as rows."""
    rows = [
        (
            *(one.reader_id, one.email, one.subscription_id, one.since, one.attempts),
            f"{one.next_try_at:%Y-%m-%d %H:%M}" if one.next_try_at else None,
            *(one.last_day, one.owed, one.currency),
        )
        for one in figures.people
    ]
    return [Table("people", "Readers in grace", _COLUMNS, rows, ("in_grace_since", "attempts", "last_day", "owed"))]


REPORT = Report(
    name="grace",
    title="In grace",
    right=Right.PERSONS,
    read=read_nothing,
    compute=compute,
    tables=tables,
    template="reports/people.html",
)
