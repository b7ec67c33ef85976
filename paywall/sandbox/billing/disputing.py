"""Disputes: a cardholder's bank takes a payment back, asks about it, or warns of fraud; and how that ends."""

from paywall.sandbox.billing.later import does
from paywall.sandbox.shapes.refunds import dispute_shape, movement_shape, warning_shape
from paywall.sandbox.state.account import Account
from paywall.sandbox.state.bodies import Json, Value

CLOSED = ("lost", "prevented", "warning_closed", "won")
HARMLESS = ("prevented", "won")  # and every inquiry: no money is with the bank
REFUNDABLE = ("prevented", "won")


def harmless(status: str) -> bool:
    """Return whether a dispute of this status takes no money."""
    return status in HARMLESS or status.startswith("warning_")


def open_dispute(account: Account, charge_id: str, status: str = "needs_response", reason: str = "fraudulent") -> Json:
    """Open a dispute over a paid charge; `warning_needs_response` makes it an inquiry, which takes no money."""
    with account.unit():
        charge = account.get("charge", charge_id, "charge")
        if charge["status"] != "succeeded":
            raise ValueError(f"Only a charge that was paid can be disputed; {charge_id} was not.")
        body = account.create(dispute_shape(charge, status, reason, account.now()), "charge.dispute.created")
        account.amend(charge, None, disputed=True, dispute=body["id"])
        return move_money(account, body)


def move_money(account: Account, dispute: Json) -> Json:
    """Withdraw or reinstate the amount, where the status asks for it and it is not so yet."""
    moves = dispute["balance_transactions"]
    with_bank = len(moves) % 2 == 1
    status = dispute["status"]
    # An appeal reopens what was decided; the money stays where the decision had put it until the next one.
    wanted = with_bank if status.startswith("appeal_") else not harmless(status)
    if wanted == with_bank:
        return dispute
    move = movement_shape(dispute, back=with_bank, now=account.now())
    event = "charge.dispute.funds_reinstated" if with_bank else "charge.dispute.funds_withdrawn"
    return account.amend(dispute, event, balance_transactions=[*moves, move])


def settle(account: Account, dispute_id: str, status: str) -> Json:
    """Bring a dispute to any status that Stripe knows, with the events and the money of that step."""
    with account.unit():
        dispute = account.get("dispute", dispute_id, "dispute")
        if dispute["status"] == status:
            return dispute
        changes: dict[str, Value] = {"status": status}
        changes["is_charge_refundable"] = status in REFUNDABLE or status.startswith("warning_")
        if dispute["status"].startswith("warning_") and not status.startswith("warning_"):
            details = dispute["payment_method_details"]
            chargeback = details["card"] | {"case_type": "chargeback"}
            changes["payment_method_details"] = details | {"card": chargeback}
        event = "charge.dispute.closed" if status in CLOSED else "charge.dispute.updated"
        return move_money(account, account.amend(dispute, event, **changes))


@does("fraudulent")
def dispute_as_fraud(account: Account, charge_id: str) -> None:
    """The cardholder says that it was somebody else."""
    open_dispute(account, charge_id, reason="fraudulent")


@does("product_not_received")
def dispute_as_missing(account: Account, charge_id: str) -> None:
    """The cardholder says that nothing came."""
    open_dispute(account, charge_id, reason="product_not_received")


@does("inquiry")
def inquire(account: Account, charge_id: str) -> None:
    """The bank asks before it takes anything."""
    open_dispute(account, charge_id, status="warning_needs_response", reason="fraudulent")


@does("fraud_warning")
def warn(account: Account, charge_id: str) -> None:
    """The bank warns that a charge may be fraud; nothing is taken."""
    charge = account.get("charge", charge_id)
    account.create(warning_shape(charge, account.now()), "radar.early_fraud_warning.created")
