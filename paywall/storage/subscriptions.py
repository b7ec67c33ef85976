"""Rows of subscriptions; written by billing/sync alone."""

from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, or_, select, update

from paywall.domain import doubles
from paywall.domain.doubles import Held
from paywall.domain.entitlements import Reason
from paywall.domain.lifecycle import LIVE_STATUSES, State
from paywall.storage.database import db, insert_for
from paywall.storage.entitlements import terms_of
from paywall.storage.models import Checkout, Entitlement, Reader, Subscription


def get(subscription_id: str) -> Subscription | None:
    """The subscription with this Stripe id."""
    return db.session.get(Subscription, subscription_id)


def of_customer(customer_id: str) -> list[str]:
    """The ids of the subscriptions of a Stripe customer, the oldest first."""
    query = select(Subscription.id).where(Subscription.customer_id == customer_id)
    return list(db.session.scalars(query.order_by(Subscription.created_at, Subscription.id)))


def live_of_customer(customer_id: str) -> list[str]:
    """The ids of those of a Stripe customer that have not ended, the oldest first."""
    query = select(Subscription.id).where(Subscription.customer_id == customer_id, Subscription.ended_at.is_(None))
    return list(db.session.scalars(query.order_by(Subscription.created_at, Subscription.id)))


def of_reader(reader_id: str) -> list[Subscription]:
    """The subscriptions of a reader, the oldest first."""
    query = select(Subscription).where(Subscription.reader_id == reader_id)
    return list(db.session.scalars(query.order_by(Subscription.created_at, Subscription.id)))


def holder_of(subscription_id: str) -> str | None:
    """Whose it is, as the database has it now."""
    return db.session.scalar(select(Subscription.reader_id).where(Subscription.id == subscription_id))


def hand_over(subscription_id: str, reader_id: str) -> None:
    """Gives the subscription to another reader. Only billing/moving may. Commits nothing."""
    change = update(Subscription).where(Subscription.id == subscription_id).values(reader_id=reader_id)
    db.session.execute(change)


def put(values: dict[str, Any]) -> None:
    """Adds or replaces a subscription, by its id."""
    changes = {name: value for name, value in values.items() if name != "id"}
    statement = insert_for(Subscription).values(**values)
    db.session.flush()
    db.session.execute(statement.on_conflict_do_update(index_elements=["id"], set_=changes))
    db.session.expire_all()


def duplicates() -> list[Subscription]:
    """The subscriptions that stand beside another live one of the same person, the oldest first."""
    query = select(Subscription).where(Subscription.duplicate_of.is_not(None))
    return list(db.session.scalars(query.order_by(Subscription.created_at, Subscription.id)))


def of_person(reader: Reader, now: datetime) -> list[Held]:
    """What a person has and what each of it gives ``now``, in the order in which it was bought.

    A person is a reader, and whoever gave the same address. Of those that Stripe made in one second the one whose
    checkout we opened first is the oldest.
    """
    return [_held(row, gives, now) for row, gives in _of_person(reader)]


def flag_duplicates(reader: Reader, now: datetime) -> list[str]:
    """Marks every live subscription of one person but the one to keep; returns the ids that are marked.

    Those of others under the same address are flagged for staff, never linked.
    """
    found = _of_person(reader)
    kept = doubles.kept([_held(row, gives, now) for row, gives in found])
    marked = [row for row, _ in found if row.status in LIVE_STATUSES and row.id != kept]
    for row, _ in found:
        row.duplicate_of = kept if row in marked else None
    db.session.flush()
    return [row.id for row in marked]


def _of_person(reader: Reader) -> list[tuple[Subscription, Entitlement | None]]:
    same = Reader.id == reader.id
    if reader.email_normalised:
        same = or_(same, Reader.email_normalised == reader.email_normalised)
    gives = and_(Entitlement.source == "subscription", Entitlement.source_id == Subscription.id)
    opened = select(func.min(Checkout.created_at)).where(Checkout.subscription_id == Subscription.id).scalar_subquery()
    query = select(Subscription, Entitlement).join(Reader, Reader.id == Subscription.reader_id)
    query = query.outerjoin(Entitlement, gives).where(same)
    rows = db.session.execute(query.order_by(Subscription.created_at, opened.nulls_last(), Subscription.id))
    return [(row, entitlement) for row, entitlement in rows]


def _held(row: Subscription, gives: Entitlement | None, now: datetime) -> Held:
    state, reason = terms_of(gives).explain(now) if gives else (State.PENDING, Reason.NOT_PAID_YET)
    return Held(row.id, row.reader_id, row.status in LIVE_STATUSES, state, reason)
