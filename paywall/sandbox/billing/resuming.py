"""Resuming a paused subscription, with a new period that has to be paid or with the one that it had.

Source: the API's description of POST /v1/subscriptions/{id}/pause and /resume.
"""

from paywall.sandbox.billing.changing import charge, credit
from paywall.sandbox.billing.collecting import card_for, charge_by_itself, pay
from paywall.sandbox.billing.invoicing import draft, finalize, names_of
from paywall.sandbox.billing.pausing import pause, resumed
from paywall.sandbox.billing.rhythm import next_period, period_around
from paywall.sandbox.state.account import Account
from paywall.sandbox.state.bodies import Json
from paywall.sandbox.state.due import UNPAID_FIRST, ends_of

CHANGED = "customer.subscription.updated"


def pause_on_request(account: Account, subscription: Json, *, credited: bool) -> Json:
    """Pause a subscription; the rest of its period is credited to its next invoice if `credited`."""
    lines = []
    if credited and subscription["status"] != "trialing":
        names = names_of(account, subscription)
        items = subscription["items"]["data"]
        lines = [credit(account, subscription, item, names[item["price"]["product"]]) for item in items]
    return pause(account, subscription, "pause_requested", _pending=[*subscription.get("_pending", []), *lines])


def resume_anew(account: Account, subscription: Json, *, attempt: bool) -> Json:
    """Begin a new period and bill it at once; `attempt` resumes whatever the bank says, else only payment does."""
    now = account.now()
    moved = subscription | {"billing_cycle_anchor": now}
    subscription = account.amend(subscription, CHANGED, billing_cycle_anchor=now, items=next_period(moved, now))
    invoice = finalize(account, draft(account, subscription, billing_reason="subscription_update"))
    waiting = {"_resuming": invoice["id"], "_resumes_until": now + UNPAID_FIRST}
    subscription = account.amend(subscription, None, latest_invoice=invoice["id"], _pending=[], **waiting)
    if attempt:
        subscription = resumed(account, subscription)
        charge_by_itself(account, invoice)
    else:
        pay(account, invoice, card_for(account, subscription), authenticated=False)
    return account.get("subscription", subscription["id"])


def resume_unchanged(account: Account, subscription: Json, *, prorated: bool) -> Json:
    """Go on in the old rhythm; the rest of the running period goes to the next invoice if `prorated`."""
    now, anchor = account.now(), subscription["billing_cycle_anchor"]
    items = list(subscription["items"]["data"])
    if ends_of(subscription) <= now:
        items = [period_around(item, anchor, now) for item in items]
    names = names_of(account, subscription)
    lines = [charge(account, item, names[item["price"]["product"]]) for item in items] if prorated else []
    changes = {"items": subscription["items"] | {"data": items}}
    subscription = account.amend(subscription, None, _pending=[*subscription.get("_pending", []), *lines], **changes)
    return resumed(account, subscription)
