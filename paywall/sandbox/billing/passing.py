"""What the passing of time does by itself: open sessions expire, scheduled cancellations take effect."""

from paywall.sandbox.billing.subscribing import OVER, cancel
from paywall.sandbox.state.account import Account
from paywall.sandbox.state.bodies import Json
from paywall.sandbox.state.filters import equals, within


def expire(account: Account, session: Json) -> Json:
    """Close an unpaid session for good."""
    return account.amend(session, "checkout.session.expired", status="expired", url=None)


def let_time_pass(account: Account) -> None:
    """Do everything that is due by now, as one transaction."""
    with account.unit():
        now = account.now()
        for session in account.store.find(
            "checkout.session", [equals("status", "open"), within("expires_at", {"lte": now})]
        ):
            expire(account, session)
        for subscription in account.store.find("subscription", [within("cancel_at", {"lte": now})]):
            if subscription["status"] not in OVER:
                cancel(account, subscription)
