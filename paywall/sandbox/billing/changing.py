"""Changes within a period: another price or quantity, an anchor that begins anew, a trial that ends or is moved.

What was paid for and is not used is credited, what is used more is billed: at once, with the next invoice, or never.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from paywall.sandbox.billing.collecting import charge_by_itself, end_without_card
from paywall.sandbox.billing.invoicing import draft, finalize, invoices_of, names_of
from paywall.sandbox.billing.rhythm import item_period, next_period
from paywall.sandbox.shapes.invoices import proration_line
from paywall.sandbox.state.account import Account
from paywall.sandbox.state.bodies import Json

CHANGED = "customer.subscription.updated"


def cost(item: Json) -> int:
    """Return what an item costs for one whole period, in minor units."""
    return int(item["price"]["unit_amount"] * item["quantity"])


def unused(item: Json, now: int) -> int:
    """Return what the rest of an item's period is worth."""
    start, end = item["current_period_start"], item["current_period_end"]
    return round(cost(item) * max(int(end) - now, 0) / (int(end) - int(start)))


def day(moment: int) -> str:
    """Write a date as it stands in a line of an invoice."""
    return datetime.fromtimestamp(moment, UTC).strftime("%d %b %Y").lstrip("0")


def credit(account: Account, subscription: Json, item: Json, name: str) -> Json:
    """Return the line that gives back the rest of an item's period."""
    now = account.now()
    lines = [
        (invoice["id"], line["id"])
        for invoice in invoices_of(account, subscription, "paid", "open")
        for line in invoice["lines"]["data"]
        if line["parent"]["subscription_item_details"]["subscription_item"] == item["id"] and line["amount"] > 0
    ]
    credited = {"invoice": lines[0][0], "invoice_line_items": [lines[0][1]]} if lines else None
    period = (now, item["current_period_end"])
    return proration_line(item, -unused(item, now), f"Unused time on {name} after {day(now)}", period, credited)


def charge(account: Account, item: Json, name: str) -> Json:
    """Return the line that bills the rest of an item's period."""
    now = account.now()
    period = (now, item["current_period_end"])
    return proration_line(item, unused(item, now), f"Remaining time on {name} after {day(now)}", period, None)


def bill(account: Account, subscription: Json, lines: Sequence[Json] | None) -> Json:
    """Invoice lines, or the period that has just begun, and charge them at once; returns the subscription."""
    invoice = finalize(account, draft(account, subscription, lines, billing_reason="subscription_update"))
    subscription = account.amend(subscription, None, latest_invoice=invoice["id"])
    charge_by_itself(account, invoice)
    return account.get("subscription", subscription["id"])


def change_items(account: Account, subscription: Json, items: Sequence[Json], behavior: str) -> Json:
    """Give a subscription other items (each with the id it had) from now on, within the running period."""
    now, anchor = account.now(), subscription["billing_cycle_anchor"]
    olds = {item["id"]: item for item in subscription["items"]["data"]}
    news = [item_period(item, anchor, olds[item["id"]]["current_period_start"], now) for item in items]
    changes = in_short(subscription["items"] | {"data": news})
    moved = subscription | changes
    if subscription["status"] == "trialing" or behavior == "none":
        if subscription["status"] == "trialing":
            changes["items"] = subscription["items"] | {"data": [keep_period(olds[new["id"]], new) for new in news]}
        return account.amend(subscription, CHANGED, **changes)
    before, after = names_of(account, subscription), names_of(account, moved)
    lines = [
        line
        for new in news
        if cost(new) != cost(olds[new["id"]]) or new["price"]["id"] != olds[new["id"]]["price"]["id"]
        for line in (
            credit(account, subscription, olds[new["id"]], before[olds[new["id"]]["price"]["product"]]),
            charge(account, new, after[new["price"]["product"]]),
        )
    ]
    return settle_lines(account, subscription, changes, lines, behavior)


def settle_lines(account: Account, subscription: Json, changes: Json, lines: Sequence[Json], behavior: str) -> Json:
    """Change a subscription and bill the lines now, or keep them for its next invoice."""
    if behavior != "always_invoice":
        changes = changes | {"_pending": [*subscription.get("_pending", []), *lines]}
    subscription = account.amend(subscription, CHANGED, **changes)
    return bill(account, subscription, lines) if lines and behavior == "always_invoice" else subscription


def keep_period(old: Json, new: Json) -> Json:
    """Return an item with the period that it had."""
    return new | {name: old[name] for name in ("current_period_start", "current_period_end", "billed_until")}


def begin_anew(account: Account, subscription: Json, behavior: str, items: Sequence[Json] | None = None) -> Json:
    """Let a new period begin now, of other items if they are given, and bill it at once.

    The rest of the old period is credited unless `behavior` is `none`.
    """
    now, old = account.now(), subscription["items"]["data"]
    names = names_of(account, subscription)
    trial = subscription["status"] == "trialing"
    credits = []
    if behavior != "none" and not trial:
        credits = [credit(account, subscription, item, names[item["price"]["product"]]) for item in old]
    changes = {"billing_cycle_anchor": now, "status": "active" if trial else subscription["status"]}
    changes |= {"trial_end": now} if trial else {}
    listed = subscription["items"] | {"data": list(items or old)}
    changes |= in_short(next_period(subscription | {"items": listed, "billing_cycle_anchor": now}, now))
    subscription = account.amend(subscription, CHANGED, **changes)
    pending = [*subscription.get("_pending", []), *credits]
    subscription = bill(account, account.amend(subscription, None, _pending=pending), None)
    return account.amend(subscription, None, _pending=[])


def in_short(items: Json) -> Json:
    """Return a subscription's items with what it repeats of a single one."""
    single = items["data"][0] if len(items["data"]) == 1 else None
    return {"items": items, "plan": single and single["plan"], "quantity": single and single["quantity"]}


def end_trial_now(account: Account, subscription: Json) -> Json:
    """End a trial at this moment: bill the first period at once, or do what was chosen for a buyer without a card."""
    ended = end_without_card(account, subscription | {"trial_end": account.now()})
    return ended or begin_anew(account, subscription, "none")


def try_until(account: Account, subscription: Json, end: int) -> Json:
    """Let a trial last until `end` (unix seconds), or begin one that does."""
    now = account.now()
    begun = subscription["trial_start"] if subscription["status"] == "trialing" else now
    items = [
        item | {"current_period_start": begun, "current_period_end": end, "billed_until": end}
        for item in subscription["items"]["data"]
    ]
    changes = {"trial_start": begun, "trial_end": end, "status": "trialing", "billing_cycle_anchor": end}
    return account.amend(subscription, CHANGED, items=subscription["items"] | {"data": items}, **changes)
