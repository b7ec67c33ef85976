"""Controls of money: a charge that fails, refunds, disputes, bank debits."""

from collections.abc import Mapping
from typing import Any

from paywall.sandbox.billing import delayed, disputing, refunding
from paywall.sandbox.billing.paying import fail_next, ordered_failure
from paywall.sandbox.controls.registry import Outcome, Room, control
from paywall.sandbox.errors import StripeError
from paywall.sandbox.money import written
from paywall.sandbox.state.account import Account
from paywall.sandbox.state.bodies import Json
from paywall.sandbox.state.filters import equals
from paywall.sandbox.wire.params import ID, Boolean, Choice, Integer, Text

Sent = Mapping[str, Any]
STATUSES = (
    "appeal_needs_response",
    "appeal_under_review",
    "lost",
    "needs_response",
    "prevented",
    "under_review",
    "warning_closed",
    "warning_needs_response",
    "warning_under_review",
    "won",
)
# people look at the site next, and wonder
TOKENS = " A site that checks tokens by itself lets the reader in until the token runs out, some minutes from now."


def latest_charge(account: Account, subscription_id: str) -> Json | None:
    """Return the charge of the latest invoice of a subscription that was paid by one."""
    mine = equals("parent.subscription_details.subscription", subscription_id)
    for invoice in account.store.find("invoice", [mine, equals("status", "paid")]):
        for tie in account.store.find("invoice_payment", [equals("invoice", invoice["id"])]):
            intent = account.store.get("payment_intent", tie["payment"].get("payment_intent") or "")
            charge = account.store.get("charge", intent["latest_charge"] or "") if intent else None
            if charge and charge["status"] == "succeeded":
                return charge
    return None


def charge_of(room: Room, sent: Sent) -> str:
    """Return the charge that is named, or the latest one of the subscription that is."""
    if "charge" in sent:
        return str(sent["charge"])
    if "subscription" not in sent:
        raise StripeError("Name a charge or a subscription.", param="charge")
    room.account.get("subscription", sent["subscription"], "subscription")
    charge = latest_charge(room.account, sent["subscription"])
    if charge is None:
        raise StripeError("Nothing was paid for this subscription yet, so there is nothing to take back.")
    return str(charge["id"])


@control("fail-next-charge", code=Text())
def fail_next_charge(room: Room, sent: Sent) -> Outcome:
    """Let the next charge of any card be declined."""
    fail_next(room.account, sent.get("code", "generic_decline"))
    return Outcome(f"The next charge will be declined: {sent.get('code', 'generic_decline')}.")


@control("clear-next-charge")
def clear_next_charge(room: Room, sent: Sent) -> Outcome:
    """Call off the decline of the next charge."""
    if ordered_failure(room.account) is None:
        return Outcome("Nothing was to be called off: no decline was ordered, or a charge has used it up.")
    fail_next(room.account, None)
    return Outcome("Called off: the next charge goes by its card.")


@control(
    "refund",
    charge=ID,
    subscription=ID,
    amount=Integer(1),
    percent=Integer(1, 100),
    outcome=Choice(*sorted(refunding.BEGINS)),
)
def refund(room: Room, sent: Sent) -> Outcome:
    """Give a charge back, or a part of it in minor units or in hundredths."""
    charge = room.account.get("charge", charge_of(room, sent), "charge")
    amount = sent.get("amount")
    if "percent" in sent and sent["percent"] < 100:
        amount = charge["amount"] * sent["percent"] // 100
    body = refunding.refund(room.account, charge["id"], amount, sent.get("outcome"))
    said = f"Refund of {written(body['amount'], body['currency'])}: {body['status']}."
    full = room.account.get("charge", charge["id"])["refunded"]
    return Outcome(said + TOKENS * full, {"refund": body["id"], "status": body["status"]})


@control("settle-refund", required="refund status", refund=ID, status=Choice("canceled", "failed", "succeeded"))
def settle_refund(room: Room, sent: Sent) -> Outcome:
    """Let a refund that is under way end."""
    body = refunding.settle_refund(room.account, sent["refund"], sent["status"])
    return Outcome(f"The refund is {body['status']}.", {"refund": body["id"], "status": body["status"]})


@control("dispute", charge=ID, subscription=ID, status=Choice(*STATUSES), reason=Text())
def dispute(room: Room, sent: Sent) -> Outcome:
    """Open a dispute over a charge; as an inquiry with the status `warning_needs_response`."""
    status, reason = sent.get("status", "needs_response"), sent.get("reason", "fraudulent")
    body = disputing.open_dispute(room.account, charge_of(room, sent), status, reason)
    said = f"The charge is disputed: {worded(body['status'])}."
    return Outcome(said + TOKENS * suspends(body["status"]), {"dispute": body["id"]})


@control("settle-dispute", required="dispute status", dispute=ID, status=Choice(*STATUSES))
def settle_dispute(room: Room, sent: Sent) -> Outcome:
    """Bring a dispute to a status."""
    body = disputing.settle(room.account, sent["dispute"], sent["status"])
    said = f"The dispute is now: {worded(body['status'])}."
    return Outcome(said + TOKENS * suspends(body["status"]), {"dispute": body["id"], "status": body["status"]})


@control("settle-debit", required="session", session=ID, ok=Boolean())
def settle_debit(room: Room, sent: Sent) -> Outcome:
    """Let the bank debit behind a session arrive, or bounce."""
    ok = sent.get("ok", True)
    delayed.settle(room.account, sent["session"], ok=ok)
    return Outcome(f"The bank debit {'arrived' if ok else 'bounced'}.", {"session": sent["session"]})


def suspends(status: str) -> bool:
    """Return whether a dispute in this status takes money away, which an inquiry does not."""
    return status in ("needs_response", "lost", "appeal_needs_response")


def worded(status: str) -> str:
    """Return a status without its underscores."""
    return status.replace("_", " ")
