"""What races begin with and are judged by: buyers between payment and return, the ledger, answers."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, func, select

from paywall.storage.database import db, new_id
from paywall.storage.models import Entitlement, LedgerEntry
from tests.support.farm import Farm, Visitor

TIMES = 6
# how long each waits after the one before: from the same moment to about when the first is done
APART = [number * 0.008 for number in range(TIMES)]


def statuses(answers: Sequence[Any]) -> list[int]:
    """The status of each answer; an action that failed shows its error."""
    return [getattr(answer, "status_code", answer) for answer in answers]


def address(name: str) -> str:
    """One that nobody has yet: a second try of a test buys anew."""
    return f"{name}-{new_id('try')}@example.com"


def buyer(farm: Farm, email: str) -> tuple[Visitor, str, str, str]:
    """A visitor who has paid and not come back: the browser, the session, the subscription, the way back."""
    visitor = farm.visitor()
    session_id = visitor.start(email)
    back = farm.pay(session_id, email=email)
    return visitor, session_id, str(farm.session(session_id)["subscription"]), back


def ledger_of(subscription_id: str) -> list[str]:
    """The changes that the ledger tells of a subscription's entitlement."""
    query = select(LedgerEntry.change).join(Entitlement).where(Entitlement.source_id == subscription_id)
    found = list(db.session.scalars(query.order_by(LedgerEntry.id)))
    db.session.rollback()
    return found


def count(query: Select[Any]) -> int:
    """How many rows a query finds."""
    found = db.session.scalar(select(func.count()).select_from(query.subquery()))
    db.session.rollback()
    return int(found or 0)
