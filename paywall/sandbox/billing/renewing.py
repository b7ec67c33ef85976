"""What a subscription does by itself: it renews, its trial ends, it collects again, it ends or is given up."""

from paywall.sandbox.billing.collecting import charge_by_itself, end_without_card, subscription_of
from paywall.sandbox.billing.discounts import left
from paywall.sandbox.billing.invoicing import DRAFT_SECONDS, draft, finalize, give_up, invoices_of, void
from paywall.sandbox.billing.rhythm import next_period
from paywall.sandbox.billing.subscribing import cancel
from paywall.sandbox.state.account import Account
from paywall.sandbox.state.bodies import Json, Value
from paywall.sandbox.state.due import UNPAID_FIRST, ends_of, warning_of

CHANGED = "customer.subscription.updated"


def come(moment: int | None, now: int) -> bool:
    """Return whether a moment is set and here."""
    return moment is not None and moment <= now


def live(account: Account, subscription: Json) -> None:
    """Do the one thing that is due on a subscription."""
    now, status = account.now(), subscription["status"]
    pause_until = (subscription["pause_collection"] or {}).get("resumes_at")
    if status == "incomplete" and not subscription.get("_waiting") and subscription["created"] + UNPAID_FIRST <= now:
        give_up_first(account, subscription)
    elif come(subscription["cancel_at"], now):
        cancel(account, subscription)
    elif come(pause_until, now):
        account.amend(subscription, CHANGED, pause_collection=None)
    elif status == "paused":
        give_up_resuming(account, subscription)
    elif come(warning_of(subscription), now) and subscription["trial_end"] > now:
        announce_end_of_trial(account, subscription)
    elif status == "trialing":
        end_trial(account, subscription)
    else:
        renew(account, subscription)


def give_up_first(account: Account, subscription: Json) -> None:
    """End a subscription whose first invoice was not paid in time."""
    for invoice in invoices_of(account, subscription, "draft", "open", "uncollectible"):
        void(account, invoice)
    ended = {"status": "incomplete_expired", "ended_at": account.now(), "cancel_at": None}
    account.amend(account.get("subscription", subscription["id"]), CHANGED, **ended)


def give_up_resuming(account: Account, subscription: Json) -> None:
    """Leave a subscription paused whose resumption nobody paid for in time."""
    void(account, account.get("invoice", subscription["_resuming"]))
    account.amend(account.get("subscription", subscription["id"]), None, _resuming=None, _resumes_until=None)


def announce_end_of_trial(account: Account, subscription: Json) -> None:
    """Tell that a trial ends soon, once."""
    subscription = account.amend(subscription, None, _warned=subscription["trial_end"])
    account.emit("customer.subscription.trial_will_end", subscription)


def end_trial(account: Account, subscription: Json) -> None:
    """End a trial: bill the first period, or do what was chosen for a buyer without a card."""
    if end_without_card(account, subscription) is None:
        renew(account, subscription, status="active")


def renew(account: Account, subscription: Json, **changes: Value) -> Json:
    """Begin the next period: its invoice is a draft for an hour, the dates move before anything is paid."""
    ended, started = ends_of(subscription), subscription["items"]["data"][0]["current_period_start"]
    moved = subscription | {"items": next_period(subscription, ended)} | changes
    behavior = (subscription["pause_collection"] or {}).get("behavior")
    advances = subscription["status"] != "unpaid" and behavior != "keep_as_draft"
    known: Json = {"billing_reason": "subscription_cycle", "period_start": started, "period_end": ended}
    known |= {"auto_advance": advances, "next_payment_attempt": account.now() + DRAFT_SECONDS if advances else None}
    known["automatically_finalizes_at"] = account.now() + DRAFT_SECONDS if advances else None
    invoice = draft(account, moved, **known)
    changes |= {"items": moved["items"], "latest_invoice": invoice["id"], "discounts": left(account, subscription)}
    return account.amend(subscription, CHANGED, _pending=[], **changes)


def move_on(account: Account, invoice: Json) -> None:
    """Finalize a draft and charge it, or charge an open invoice again.

    A pause of collection holds for what is finalized while it lasts, not for what was open before.
    """
    subscription = subscription_of(account, invoice)
    pause = (subscription and subscription["pause_collection"]) or {}
    behavior = pause.get("behavior") if invoice["status"] == "draft" else None
    if invoice["status"] == "draft":
        invoice = finalize(account, invoice, next_payment_attempt=None)
    if behavior == "void":
        void(account, invoice)
    elif behavior == "mark_uncollectible":
        give_up(account, invoice)
    else:
        charge_by_itself(account, invoice)
