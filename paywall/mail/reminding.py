"""Tells readers of each renewal once, some time before it: many laws ask for that, and nobody likes a surprise."""

from datetime import datetime, timedelta

from paywall import context
from paywall.domain.plans import Plan
from paywall.storage import entitlements, letters, payments, readers, reminders, subscriptions
from paywall.storage.database import begin_read, db

BATCH = 100
_DAYS = {"month": 28, "year": 365}  # at least so long is a period


def remind(now: datetime, days: int, limit: int = BATCH) -> int:
    """Posts the letters about renewals of the next so many ``days``, at most ``limit``; returns how many it looked at.

    0 days are none at all. Each subscription has a transaction of its own.
    """
    if not days:
        return 0
    begin_read()
    due = reminders.due(now, now + timedelta(days=days), limit)
    db.session.commit()
    for subscription_id in due:
        _remind(subscription_id, days, now)
        db.session.commit()
    return len(due)


def worth_telling(plan: Plan | None, days: int) -> bool:
    """Whether a period is long enough to be reminded so early: a month is not, a few days after it began."""
    return plan is not None and _DAYS[plan.interval] >= 2 * days


def _remind(subscription_id: str, days: int, now: datetime) -> None:
    """Notes the renewal as told of, also where there is nobody to tell, so that it is not looked at again."""
    gives, row = entitlements.of_source("subscription", subscription_id), subscriptions.get(subscription_id)
    if gives is None or row is None or gives.paid_until is None:
        return
    if not reminders.note(subscription_id, gives.paid_until):
        return
    reader = readers.get(gives.reader_id)
    if reader is None or reader.email is None or not worth_telling(context.settings().plans.get(row.plan), days):
        return
    end = gives.paid_until.isoformat()
    facts = {
        "subscription": row.id,
        "plan": row.plan,
        "amount": row.amount,
        "currency": row.currency,
        "tax": sum(one.tax for one in payments.payments_of(row.id)[-1:]),
        "period_end": end,
    }
    letters.add("renewal_reminder", reader.email, f"reminder:{row.id}:{end}", now, None, reader.id, facts)
