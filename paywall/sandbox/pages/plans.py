"""What the control page shows of a subscription: how it stands, what comes next, what can be done to it."""

from paywall.sandbox.controls.money import latest_charge
from paywall.sandbox.money import written
from paywall.sandbox.state.account import Account
from paywall.sandbox.state.bodies import Json
from paywall.sandbox.state.filters import equals, one_of
from paywall.sandbox.wording import clock

OVER = ("canceled", "incomplete_expired")
CLOSED = ("lost", "prevented", "warning_closed", "won")
SHOWN = 12
LOOKED_AT = 200


def plan_cards(account: Account) -> list[Json]:
    """Return the latest subscriptions, those that are over last."""
    with account.store.lock:
        latest = account.store.find("subscription", limit=LOOKED_AT)
        latest.sort(key=lambda one: one["status"] in OVER)
        return [plan_card(account, one) for one in latest[:SHOWN]]


def plan_card(account: Account, subscription: Json) -> Json:
    """Return what the page says of one subscription, with its customer's address, by which people know it."""
    charge = latest_charge(account, subscription["id"])
    return {
        "id": subscription["id"],
        "customer": subscription["customer"],
        "who": who(account, subscription["customer"]),
        "card": card_of(account, subscription),
        "status": subscription["status"],
        "over": subscription["status"] in OVER,
        "ending": bool(subscription["cancel_at"]),
        "paused": subscription["status"] == "paused",
        "collection": (subscription["pause_collection"] or {}).get("behavior"),
        "moments": moments(account, subscription),
        "charge": charge and charge_row(charge),
        "refund": charge and refund_row(account, charge["id"]),
        "dispute": charge and dispute_row(account, charge["id"]),
        "customer_gone": customer_gone(account, subscription["customer"]),
    }


def who(account: Account, customer_id: str) -> str:
    """Return a customer's address, or the id of one who has none."""
    customer = account.store.get("customer", customer_id)
    return (customer and customer.get("email")) or customer_id


def card_of(account: Account, subscription: Json) -> str:
    """Return what pays for a subscription, as `visa 4242`; nothing where there is none."""
    customer = account.store.get("customer", subscription["customer"]) or {}
    usual = (customer.get("invoice_settings") or {}).get("default_payment_method")
    method = account.store.get("payment_method", subscription["default_payment_method"] or usual or "")
    if method is None:
        return ""
    return f"{method[method['type']].get('brand', 'bank')} {method[method['type']]['last4']}"


def moments(account: Account, subscription: Json) -> list[tuple[str, str]]:
    """Return what comes next with its moment, in the order in which it comes."""
    if subscription["status"] in OVER:
        return [("ended", clock(subscription["ended_at"]))] if subscription["ended_at"] else []
    end = min(item["current_period_end"] for item in subscription["items"]["data"])
    found = [
        ("period ends", end),
        ("ends for good", subscription["cancel_at"]),
        ("trial ends", subscription["trial_end"]),
    ]
    mine = equals("parent.subscription_details.subscription", subscription["id"])
    for invoice in account.store.find("invoice", [mine, one_of("status", ["draft", "open"])], limit=1):
        name = "draft invoice is final" if invoice["status"] == "draft" else "next attempt to charge"
        when = (
            invoice["automatically_finalizes_at"] if invoice["status"] == "draft" else invoice["next_payment_attempt"]
        )
        found.append((name, when))
    return [(name, clock(moment)) for name, moment in sorted(found, key=lambda one: one[1] or 0) if moment]


def charge_row(charge: Json) -> Json:
    """Return what was paid last and what of it went back."""
    currency = charge["currency"]
    back = charge["amount_refunded"]
    left = charge["amount"] - back
    return {
        "id": charge["id"],
        "amount": written(charge["amount"], currency),
        "back": written(back, currency) if back else "",
        "left": left > 0,
    }


def refund_row(account: Account, charge_id: str) -> Json | None:
    """Return the latest refund of a charge that is still under way."""
    found = account.store.find("refund", [equals("charge", charge_id), equals("status", "pending")], limit=1)
    return {"id": found[0]["id"], "amount": written(found[0]["amount"], found[0]["currency"])} if found else None


def dispute_row(account: Account, charge_id: str) -> Json | None:
    """Return the latest dispute over a charge."""
    found = account.store.find("dispute", [equals("charge", charge_id)], limit=1)
    if not found:
        return None
    status = found[0]["status"]
    return {
        "id": found[0]["id"],
        "status": status.replace("_", " "),
        "open": status not in CLOSED,
        "inquiry": status.startswith("warning_"),
    }


def customer_gone(account: Account, customer_id: str) -> bool:
    """Return whether the customer was deleted."""
    customer = account.store.get("customer", customer_id)
    return customer is None or bool(customer.get("deleted"))
