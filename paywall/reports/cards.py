"""Whose card is no longer good when their subscription renews: those that renew first come first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import case, func, select

from paywall.domain.days import local_day
from paywall.domain.roles import Right
from paywall.reports.calendar import Month, day_start
from paywall.reports.renewals import AHEAD, renewing
from paywall.reports.report import Column, Question, Report, Table, read_nothing
from paywall.reports.steps import step
from paywall.settings import Settings
from paywall.storage.database import db
from paywall.storage.models import Entitlement, Reader, Subscription

MOST = 1000  # rows


@dataclass(frozen=True, slots=True)
class Person:
    """One subscription whose card ends too early, with its reader. ``amount`` is its price in minor units."""

    reader_id: str
    email: str | None
    subscription_id: str
    card_ends_on: date
    renews_on: date
    amount: int
    currency: str


@dataclass(frozen=True, slots=True)
class Figures:
    """The first of them, which renew first, and how many there are."""

    people: Sequence[Person]
    count: int


def compute(_question: Question, settings: Settings, now: datetime) -> Figures:
    """Whose card ends before the renewal, of the renewals that the report of renewals counts."""
    row, zone = Entitlement, settings.zone
    months = [Month.of(now, zone).plus(ahead) for ahead in range(AHEAD + 1)]
    due = step(row.paid_until, [day_start(month.first_day, zone) for month in months])
    ends = step(Subscription.card_ends_on, [month.first_day for month in months])
    early = ends < case((due < 0, 0), else_=due)
    query = (
        select(row.reader_id, Reader.email, Subscription.id, Subscription.card_ends_on, row.paid_until)
        .add_columns(row.amount, row.currency)
        .join(Subscription, Subscription.id == row.source_id)
        .join(Reader, Reader.id == row.reader_id)
        .where(renewing(months, zone, now), Subscription.card_ends_on < months[-1].first_day, early)
    )
    people = [
        Person(reader, email, name, card, local_day(renewal, zone), amount, currency)
        for reader, email, name, card, renewal, amount, currency in db.session.execute(
            query.order_by(row.paid_until, row.id).limit(MOST)
        )
    ]
    return Figures(people, db.session.scalar(select(func.count()).select_from(query.subquery())) or 0)


_COLUMNS = (
    Column("reader_id", "Reader", "text"),
    Column("email", "Address", "text"),
    Column("subscription_id", "Subscription", "text"),
    Column("card_ends_on", "Card good until", "day"),
    Column("renews_on", "Renews", "day"),
    Column("amount", "Price", "money"),
    Column("currency", "Currency", "text"),
)


def tables(figures: Figures) -> list[Table]:
    """The people as rows."""
    rows = [
        (one.reader_id, one.email, one.subscription_id, one.card_ends_on, one.renews_on, one.amount, one.currency)
        for one in figures.people
    ]
    return [Table("people", "Readers whose card ends too early", _COLUMNS, rows, ("card_expires", "card_ends_on"))]


REPORT = Report(
    name="cards",
    title="Expiring cards",
    right=Right.PERSONS,
    read=read_nothing,
    compute=compute,
    tables=tables,
    template="reports/people.html",
)
