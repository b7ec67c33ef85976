"""Rows of subscriptions; written by billing/sync alone."""

from typing import Any

from sqlalchemy import func, or_, select

from paywall.domain.lifecycle import LIVE_STATUSES
from paywall.storage.database import db, insert_for
from paywall.storage.models import Checkout, Reader, Subscription


def get(subscription_id: str) -> Subscription | None:
    """The subscription with this Stripe id."""
    return db.session.get(Subscription, subscription_id)


def of_customer(customer_id: str) -> list[str]:
    """The ids of the subscriptions of a Stripe customer, the oldest first."""
    query = select(Subscription.id).where(Subscription.customer_id == customer_id)
    return list(db.session.scalars(query.order_by(Subscription.created_at, Subscription.id)))


def put(values: dict[str, Any]) -> None:
    """Adds or replaces a subscription, by its id."""
    changes = {name: value for name, value in values.items() if name != "id"}
    statement = insert_for(Subscription).values(**values)
    db.session.flush()
    db.session.execute(statement.on_conflict_do_update(index_elements=["id"], set_=changes))
    db.session.expire_all()


def duplicates() -> list[Subscription]:
    """The subscriptions that stand beside an older live one of the same person, the oldest first."""
    query = select(Subscription).where(Subscription.duplicate_of.is_not(None))
    return list(db.session.scalars(query.order_by(Subscription.created_at, Subscription.id)))


def flag_duplicates(reader: Reader) -> list[str]:
    """Marks every live subscription of one person but the oldest; returns the ids that are marked.

    A person is a reader, and whoever gave the same address: they are flagged for staff, never linked. Of those that
    Stripe made in one second the one whose checkout we opened first is the oldest.
    """
    same = Reader.id == reader.id
    if reader.email_normalised:
        same = or_(same, Reader.email_normalised == reader.email_normalised)
    opened = select(func.min(Checkout.created_at)).where(Checkout.subscription_id == Subscription.id).scalar_subquery()
    query = select(Subscription).join(Reader, Reader.id == Subscription.reader_id).where(same)
    rows = list(db.session.scalars(query.order_by(Subscription.created_at, opened.nulls_last(), Subscription.id)))
    live = [row for row in rows if row.status in LIVE_STATUSES]
    for row in rows:
        row.duplicate_of = live[0].id if row in live[1:] else None
    db.session.flush()
    return [row.id for row in live[1:]]
