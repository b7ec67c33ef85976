"""Collecting what an invoice asks for: the attempts, and what each outcome means for its subscription."""

from paywall.sandbox.billing.pausing import pause, resumed
from paywall.sandbox.billing.paying import Outcome, collect, settle
from paywall.sandbox.billing.subscribing import cancel
from paywall.sandbox.billing.ties import drop_payment
from paywall.sandbox.state.account import Account
from paywall.sandbox.state.bodies import Json

DAY = 86400
CHANGED = "customer.subscription.updated"


def card_for(account: Account, owner: Json) -> Json | None:
    """Return what a subscription or an invoice is charged to: its own payment method, else the customer's."""
    customer = account.get("customer", owner["customer"])
    name = "default_payment_method"
    method_id = owner[name] or (customer.get("invoice_settings") or {}).get(name)
    method = account.store.get("payment_method", method_id) if method_id else None
    return method if method and method["customer"] == customer["id"] else None


def subscription_of(account: Account, invoice: Json) -> Json | None:
    """Return the subscription that an invoice bills, if it bills one."""
    details = (invoice["parent"] or {}).get("subscription_details") or {}
    return account.store.get("subscription", details["subscription"]) if details else None


def pay(account: Account, invoice: Json, method: Json | None, *, authenticated: bool) -> tuple[Json, Outcome]:
    """Pay an invoice because somebody asks for it; returns it and the outcome, its subscription follows.

    A failure here leaves the plan of automatic attempts as it is.
    """
    invoice, outcome = collect(account, invoice, method, authenticated=authenticated)
    subscription = subscription_of(account, invoice)
    if outcome == "paid" and subscription:
        recover(account, subscription, invoice)
    return invoice, outcome


def paid_elsewhere(account: Account, invoice: Json) -> Json:
    """Note that an invoice was paid in another way than through the account."""
    drop_payment(account, invoice)
    invoice = settle(account, invoice, None)
    subscription = subscription_of(account, invoice)
    if subscription:
        recover(account, subscription, invoice)
    return invoice


def charge_by_itself(account: Account, invoice: Json) -> Json:
    """Make one automatic attempt to collect an invoice, and plan the next where this one fails."""
    subscription = subscription_of(account, invoice)
    if subscription is None:
        raise AssertionError("only subscriptions' invoices are charged by themselves")
    waits = account.settings()["retry_days"]
    tried = invoice["attempt_count"]
    retry_at = account.now() + waits[tried] * DAY if tried < len(waits) else None
    method = card_for(account, subscription)
    plan = {"next_payment_attempt": retry_at, "auto_advance": retry_at is not None, "attempt_count": tried + 1}
    invoice, outcome = collect(account, invoice, method, authenticated=False, plan=plan)
    if outcome == "paid":
        recover(account, subscription, invoice)
        return invoice
    if subscription["status"] == "active":
        subscription = account.amend(subscription, CHANGED, status="past_due")
    if retry_at is None:
        exhaust(account, subscription)
    return invoice


def exhaust(account: Account, subscription: Json) -> None:
    """Do what the account's owner chose for a renewal that no attempt could collect."""
    if subscription["status"] != "past_due":
        return
    choice = account.settings()["exhausted"]
    if choice == "cancel":
        cancel(account, subscription, "payment_failed")
    elif choice == "unpaid":
        account.amend(subscription, CHANGED, status="unpaid")
    elif choice == "pause":
        pause(account, subscription, "final_payment_failure")


def recover(account: Account, subscription: Json, invoice: Json) -> None:
    """Bring a subscription back once its latest invoice is settled; one that has ended stays ended."""
    if subscription["latest_invoice"] != invoice["id"]:
        return
    if subscription["status"] in ("incomplete", "past_due", "unpaid"):
        account.amend(subscription, CHANGED, status="active")
    elif subscription["status"] == "paused" and (
        subscription.get("_resuming") == invoice["id"] or reason_of_pause(subscription) == "final_payment_failure"
    ):
        resumed(account, subscription)


def forgive(account: Account, invoice: Json, *, uncollectible: bool) -> None:
    """Let a subscription follow an invoice that was given up: voided, or marked as uncollectible."""
    subscription = subscription_of(account, invoice)
    if subscription is None or subscription["latest_invoice"] != invoice["id"]:
        return
    if subscription["status"] == "incomplete" and not uncollectible:
        account.amend(subscription, CHANGED, status="incomplete_expired", ended_at=account.now(), cancel_at=None)
    elif subscription.get("_resuming") == invoice["id"]:
        if uncollectible:
            resumed(account, subscription)
        else:
            account.amend(subscription, None, _resuming=None, _resumes_until=None)
    elif subscription["status"] in ("past_due", "unpaid"):
        account.amend(subscription, CHANGED, status="active")


def end_without_card(account: Account, subscription: Json) -> Json | None:
    """Do what was chosen for a trial that ends without a card; None where it is billed as any other."""
    behavior = subscription["trial_settings"]["end_behavior"]["missing_payment_method"]
    if behavior == "create_invoice" or card_for(account, subscription):
        return None
    if behavior == "cancel":
        return cancel(account, subscription)
    return pause(account, subscription, "trial_end_without_payment_method")


def reason_of_pause(subscription: Json) -> str:
    """Return why a subscription is paused."""
    return str(subscription["status_details"]["paused"]["subscription"]["type"])
