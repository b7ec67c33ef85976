"""Giving money back: what a refund changes, and what becomes of one that its bank settles later."""

from paywall.sandbox.billing.later import does, note
from paywall.sandbox.cards import BY_FINGERPRINT
from paywall.sandbox.errors import StripeError
from paywall.sandbox.money import written
from paywall.sandbox.shapes.refunds import refund_shape
from paywall.sandbox.state.account import Account
from paywall.sandbox.state.bodies import Json, Value
from paywall.sandbox.state.filters import equals
from paywall.sandbox.state.ids import new_id

UNDONE = ("failed", "canceled")
SOME_TIME = 60  # seconds until the bank behind a test card settles a refund
BEGINS = {"failed": "succeeded", "pending": "pending", "requires_action": "requires_action", "succeeded": "succeeded"}


def refund(
    account: Account, charge_id: str, amount: int | None = None, outcome: str | None = None, **known: Value
) -> Json:
    """Give a charge back, all that is left of it unless an amount (minor units) is named.

    `outcome` is `succeeded`, `pending` (until `settle_refund`), `requires_action` or `failed` (it succeeds and fails
    at once); None leaves it to the card. Raises StripeError where Stripe would refuse, ValueError for another outcome.
    """
    if outcome not in (None, *BEGINS):
        raise ValueError(f"A refund's outcome is one of {', '.join(sorted(BEGINS))}, not {outcome!r}.")
    with account.unit():
        charge = account.get("charge", charge_id, "charge")
        amount = refundable(account, charge, amount)
        card = card_behavior(account, charge) if outcome is None else ""
        status = BEGINS[outcome or "succeeded"] if card != "pending" else "pending"
        body = account.create(refund_shape(charge, amount, status, account.now(), **known), "refund.created")
        recount(account, charge, "charge.refunded")
        if card:
            note(account, f"refund.{card}", body["id"], SOME_TIME)
        return settle_refund(account, body["id"], "failed") if outcome == "failed" else body


def card_behavior(account: Account, charge: Json) -> str:
    """Return what the card behind a charge does with refunds: nothing special, `pending` or `failing`."""
    details = charge["payment_method_details"]
    return BY_FINGERPRINT[details[details["type"]]["fingerprint"]].refunds


def refundable(account: Account, charge: Json, amount: int | None) -> int:
    """Return how much to give back, or raise the StripeError that tells why it cannot be."""
    if charge["status"] != "succeeded":
        raise StripeError(f"Charge {charge['id']} was not paid; there is nothing to refund.", param="charge")
    left = charge["amount_captured"] - charge["amount_refunded"]
    if left <= 0:
        message = f"Charge {charge['id']} has already been refunded."
        raise StripeError(message, code="charge_already_refunded")
    disputes = account.store.find("dispute", [equals("charge", charge["id"])])
    if any(not dispute["is_charge_refundable"] for dispute in disputes):
        message = f"Charge {charge['id']} has been charged back; cannot issue a refund."
        raise StripeError(message, code="charge_disputed")
    if amount is not None and amount > left:
        asked, rest = written(amount, charge["currency"]), written(left, charge["currency"])
        raise StripeError(
            f"Refund amount ({asked}) is greater than unrefunded amount on charge ({rest})", param="amount"
        )
    return left if amount is None else amount


def recount(account: Account, charge: Json, event: str | None) -> Json:
    """Bring a charge's sums in line with its refunds; those that failed or were canceled do not count."""
    refunds = account.store.find("refund", [equals("charge", charge["id"])])
    total = sum(one["amount"] for one in refunds if one["status"] not in UNDONE)
    return account.amend(charge, event, amount_refunded=total, refunded=total >= charge["amount_captured"])


def settle_refund(account: Account, refund_id: str, status: str) -> Json:
    """Let a refund end as `succeeded`, `failed` or `canceled`; what did not arrive is no longer given back."""
    if status not in ("succeeded", *UNDONE):
        raise ValueError(f"A refund ends as succeeded, failed or canceled, not as {status!r}.")
    with account.unit():
        old = account.get("refund", refund_id, "refund")
        if old["status"] == status:
            return old
        changes: Json = {"status": status}
        if status in UNDONE:
            changes["failure_balance_transaction"] = new_id("txn")
        if status == "failed":
            changes["failure_reason"] = "expired_or_canceled_card"
        body = account.amend(old, "refund.updated", **changes)
        recount(account, account.get("charge", body["charge"]), None)
        account.emit("charge.refund.updated", body, {"status": old["status"]})
        if status == "failed":
            account.emit("refund.failed", body)
        return body


@does("refund.pending")
def succeed_later(account: Account, refund_id: str) -> None:
    """The bank confirms a refund that waited, unless it ended some other way."""
    if account.get("refund", refund_id)["status"] == "pending":
        settle_refund(account, refund_id, "succeeded")


@does("refund.failing")
def fail_later(account: Account, refund_id: str) -> None:
    """The bank sends a refund's money back."""
    settle_refund(account, refund_id, "failed")
