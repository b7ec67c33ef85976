"""Refunds, disputes, fraud warnings and the money that they move, as Stripe shows them."""

from paywall.sandbox.shapes.lists import nulls
from paywall.sandbox.state.bodies import Json, Value
from paywall.sandbox.state.ids import new_id

DISPUTE_FEE = 1500
DAY = 86400


def refund_shape(charge: Json, amount: int, status: str, now: int, **known: Value) -> Json:
    """Money on its way back to the card; `known` fields replace the usual ones."""
    reference = {"reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund"}
    shape = nulls("customer customer_account reason receipt_number source_transfer_reversal transfer_reversal") | {
        "id": new_id("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": new_id("txn"),
        "charge": charge["id"],
        "created": now,
        "currency": charge["currency"],
        "customer": charge["customer"],
        "destination_details": {"card": reference, "type": "card"},
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "payment_method": charge["payment_method"],
        "status": status,
    }
    if status == "pending":
        shape["pending_reason"] = "processing"
    return shape | known


EVIDENCE = (
    "access_activity_log billing_address cancellation_policy cancellation_policy_disclosure cancellation_rebuttal "
    "customer_communication customer_email_address customer_name customer_purchase_ip customer_signature "
    "duplicate_charge_documentation duplicate_charge_explanation duplicate_charge_id product_description receipt "
    "refund_policy refund_policy_disclosure refund_refusal_explanation service_date service_documentation "
    "shipping_address shipping_carrier shipping_date shipping_documentation shipping_tracking_number "
    "uncategorized_file uncategorized_text"
)
NETWORK_CODES = {"fraudulent": "10.4", "product_not_received": "13.1"}


def dispute_shape(charge: Json, status: str, reason: str, now: int) -> Json:
    """A cardholder's complaint about a charge, of which no money has moved yet."""
    inquiry = status.startswith("warning")
    brand = charge["payment_method_details"].get("card", {}).get("brand", "ach")
    card = {"brand": brand, "case_type": "inquiry" if inquiry else "chargeback", "network": brand}
    return {
        "id": new_id("du"),
        "object": "dispute",
        "amount": charge["amount"],
        "balance_transactions": [],
        "charge": charge["id"],
        "created": now,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": nulls(EVIDENCE) | {"enhanced_evidence": {}},
        "evidence_details": {
            "due_by": now + 20 * DAY,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        "is_charge_refundable": inquiry,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "payment_method_details": {
            "card": card | {"network_reason_code": NETWORK_CODES.get(reason, "10.4")},
            "type": "card",
        },
        "reason": reason,
        "status": status,
    }


def movement_shape(dispute: Json, *, back: bool, now: int) -> Json:
    """The balance transaction of a dispute: the amount and a fee taken, or both given back."""
    sign = 1 if back else -1
    fee = -sign * DISPUTE_FEE
    amount = sign * dispute["amount"]
    words = "Chargeback reversal" if back else "Chargeback withdrawal"
    currency = dispute["currency"]
    return {
        "id": new_id("txn"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": now,
        "balance_type": "payments",
        "created": now,
        "currency": currency,
        "description": f"{words} for {dispute['charge']}",
        "exchange_rate": None,
        "fee": fee,
        "fee_details": [
            {
                "amount": fee,
                "application": None,
                "currency": currency,
                "description": "Dispute fee",
                "type": "stripe_fee",
            }
        ],
        "net": amount - fee,
        "reporting_category": "dispute_reversal" if back else "dispute",
        "source": dispute["id"],
        "status": "available",
        "type": "adjustment",
    }


def warning_shape(charge: Json, now: int) -> Json:
    """A bank's early word that a charge may be fraud."""
    return {
        "id": new_id("issfr"),
        "object": "radar.early_fraud_warning",
        "actionable": True,
        "charge": charge["id"],
        "created": now,
        "fraud_type": "made_with_stolen_card",
        "livemode": False,
        "payment_intent": charge["payment_intent"],
    }
