"""Rows of reminders: of which renewal the reader of a subscription was last told, so that each is told of once."""

from datetime import datetime, timedelta

from sqlalchemy import String, and_, select
from sqlalchemy.orm import Mapped, mapped_column

from paywall.domain.lifecycle import State
from paywall.storage.database import Base, UTCDateTime, db, insert_for
from paywall.storage.models import Entitlement, Subscription

_SLACK = timedelta(days=33)  # the longest that a plan may have, to the end of the day


class Reminder(Base):
    """The renewal that was last told of. It outlives the letter, which is deleted by age."""

    __tablename__ = "reminders"

    subscription_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    period_end: Mapped[datetime] = mapped_column(UTCDateTime)


def due(now: datetime, before: datetime, limit: int) -> list[str]:
    """The subscriptions that renew after ``now`` and up to ``before``, and whose readers were not told; those first
    that renew first.
    """
    row = Entitlement
    told = and_(Reminder.subscription_id == row.source_id, Reminder.period_end == row.paid_until)
    # paid_until has no index, but until has, and a plan's slack keeps it near
    near = row.until > now, row.until <= before + _SLACK
    soon = row.paid_until > now, row.paid_until <= before
    renews = row.state == State.ACTIVE, row.renews, row.in_dunning.is_(False), Reminder.subscription_id.is_(None)
    query = select(row.source_id).join(Subscription, Subscription.id == row.source_id).outerjoin(Reminder, told)
    return list(db.session.scalars(query.where(*near, *soon, *renews).order_by(row.until, row.id).limit(limit)))


def note(subscription_id: str, period_end: datetime) -> bool:
    """Notes that the renewal is told of; False where it was. Commits nothing."""
    statement = insert_for(Reminder).values(subscription_id=subscription_id, period_end=period_end)
    changed = statement.on_conflict_do_update(
        index_elements=["subscription_id"],
        set_={"period_end": period_end},
        where=Reminder.period_end != period_end,
    )
    return db.session.execute(changed.returning(Reminder.subscription_id)).first() is not None
