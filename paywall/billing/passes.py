"""What the passes of a reconciliation share: whom they ask, what they tell, and our rows as they compare them."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from paywall.billing.comparing import Ours
from paywall.billing.listing import Lists
from paywall.billing.pacing import Halt
from paywall.billing.repairing import Repairs
from paywall.billing.stripe_gateway import StripeGateway
from paywall.domain.plans import Plan
from paywall.errors import Conflict
from paywall.storage import beside
from paywall.storage.payments import Dispute, Refund


class OtherMode(Conflict, Halt):
    """Stripe's objects are of the other mode than the key of the settings."""

    code, title = "other_mode", "Stripe answers in the other mode"


@dataclass(frozen=True, slots=True)
class Scene:
    """One run's surroundings. ``step`` is called after each page of a list, with the number of objects on it.

    Events made after ``settled_at`` may still be on their way: they are taken in, and are no difference.
    """

    gateway: StripeGateway
    lists: Lists
    repairs: Repairs
    plans: Mapping[str, Plan]
    zone: ZoneInfo
    since: datetime
    started_at: datetime
    step: Callable[[int], None]
    settled_at: datetime | None = None

    def refuse_other_mode(self, livemode: bool | None) -> None:
        """Raises OtherMode for an object of the other mode: then nothing that Stripe lists is ours."""
        if livemode is None or livemode == self.gateway.livemode:
            return
        here, there = ("live", "test") if self.gateway.livemode else ("test", "live")
        raise OtherMode(
            f"The key in PAYWALL_STRIPE__API_KEY is of {here} mode, and Stripe lists objects of {there} mode: the run "
            "stopped there. Check the key, and where stripe.api_base leads."
        )


def load(subscription_ids: Collection[str]) -> dict[str, Ours]:
    """Our rows about these subscriptions, by subscription."""
    rows = beside.subscriptions(subscription_ids)
    if not rows:
        return {}
    gives, paid = beside.entitlements(rows), beside.payments(rows)
    parts = beside.parts_of_payments(subscription_ids=rows)
    refunds, disputes = beside.cases_of(Refund, rows), beside.cases_of(Dispute, rows)
    return {
        key: Ours(
            subscription=row,
            entitlement=gives.get(key),
            payments=tuple(paid.get(key, ())),
            parts={one["invoice_id"]: parts.get(one["invoice_id"], {}) for one in paid.get(key, ())},
            refunds=tuple(refunds.get(key, ())),
            disputes=tuple(disputes.get(key, ())),
        )
        for key, row in rows.items()
    }
