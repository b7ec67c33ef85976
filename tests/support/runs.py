"""Runs of the reconciliation in a shop, and what the tests of them look at and alter."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from paywall.billing.comparing import Difference
from paywall.billing.pacing import Pace
from paywall.billing.reconcile import Summary
from paywall.reconciling import reconciler
from paywall.storage.database import db
from paywall.storage.models import Checkout, Entitlement, InboxEvent, LedgerEntry, Reader, Subscription
from paywall.storage.payments import Dispute, InvoicePayment, Payment, Refund
from tests.support.shop import Shop

MONTH = timedelta(days=30)


class Runs:
    """Runs the reconciliation of a shop without waiting, and keeps what it tells."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.found: list[Difference] = []
        self.steps: list[int] = []
        self.slept: list[float] = []

    def __call__(self, *, since: timedelta = MONTH, dry_run: bool = False, inbox: bool = True) -> Summary:
        self.found, self.steps = [], []
        db.session.commit()
        ours = reconciler(self.shop.parts)
        made = replace(ours, inbox=ours.inbox if inbox else None, pace=Pace(self.slept.append, lambda: 0.0, 10**9))
        try:
            return made.run(since, dry_run, self.found.append, self.steps.append)
        finally:
            db.session.expire_all()

    @property
    def told(self) -> set[tuple[str, str, str]]:
        """Kind, thing and outcome of each difference."""
        return {(one.kind, one.thing, one.outcome) for one in self.found}

    def one(self, thing: str) -> Difference:
        """The one difference of this thing."""
        (found,) = [one for one in self.found if one.thing == thing]
        return found


def change(statement: Any) -> None:
    """Alters rows behind the service's back."""
    db.session.execute(statement)
    db.session.commit()


def rows(table: Any) -> list[dict[str, Any]]:
    """All rows of a table but their times of syncing and deciding, in one order."""
    db.session.expire_all()
    found = db.session.execute(sa.select(*table.__table__.columns)).mappings()
    kept = [{name: value for name, value in row.items() if name not in ("synced_at", "decided_at")} for row in found]
    return sorted(kept, key=str)


def state_of_all() -> list[Any]:
    """All that a sync writes."""
    return [rows(table) for table in (Subscription, Payment, InvoicePayment, Refund, Dispute, Entitlement)]


def charge_of(shop: Shop) -> str:
    """The only charge at Stripe."""
    (charge,) = shop.sandbox.sandbox.account.store.find("charge")
    return str(charge["id"])


def forget_everything() -> None:
    """Leaves nothing of any reader, as in an installation that never heard of them."""
    for table in (LedgerEntry, Entitlement, InvoicePayment, Payment, InboxEvent, Checkout, Subscription):
        change(sa.delete(table))
    db.session.execute(sa.text("DELETE FROM reader_sessions"))
    db.session.execute(sa.text("DELETE FROM letters"))
    change(sa.delete(Reader))
