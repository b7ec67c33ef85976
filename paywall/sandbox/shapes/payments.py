"""Payment methods, payment intents, charges and invoice payments as Stripe shows them."""

from paywall.sandbox.cards import ROUTING_NUMBER, Card, Decline
from paywall.sandbox.shapes.lists import nulls
from paywall.sandbox.state.bodies import Json, Value
from paywall.sandbox.state.ids import new_id, random_text

NO_ADDRESS = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))


def billing_details(email: str | None = None, name: str | None = None) -> Json:
    """Who pays, as far as the payment page asked."""
    return {"address": dict(NO_ADDRESS), "email": email, "name": name, "phone": None, "tax_id": None}


def card_checks() -> Json:
    """What the bank compared: the code alone, because no address is asked for."""
    return {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"}


def method_shape(card: Card, exp: tuple[int, int], details: Json, now: int) -> Json:
    """A card as a payment method; `exp` is month and four-digit year."""
    return {
        "id": new_id("pm"),
        "object": "payment_method",
        "allow_redisplay": "limited",
        "billing_details": details,
        "card": {
            "brand": card.brand,
            "checks": card_checks(),
            "country": "US",
            "display_brand": card.brand,
            "exp_month": exp[0],
            "exp_year": exp[1],
            "fingerprint": card.fingerprint,
            "funding": card.funding,
            "generated_from": None,
            "last4": card.last4,
            "networks": {"available": [card.brand], "preferred": None},
            "regulated_status": "unregulated",
            "three_d_secure_usage": {"supported": True},
            "wallet": None,
        },
        "created": now,
        "customer": None,
        "customer_account": None,
        "livemode": False,
        "metadata": {},
        "type": "card",
    }


def bank_shape(bank: Card, details: Json, now: int) -> Json:
    """A bank account as a payment method."""
    return {
        "id": new_id("pm"),
        "object": "payment_method",
        "allow_redisplay": "limited",
        "billing_details": details,
        "created": now,
        "customer": None,
        "customer_account": None,
        "livemode": False,
        "metadata": {},
        "type": "us_bank_account",
        "us_bank_account": charged_bank(bank.fingerprint, bank.last4)
        | {"financial_connections_account": None, "networks": {"preferred": "ach", "supported": ["ach"]}}
        | {"status_details": {}},
    }


def charged_bank(fingerprint: str, last4: str) -> Json:
    """The bank account as a charge remembers it."""
    return {
        "account_holder_type": "individual",
        "account_type": "checking",
        "bank_name": "STRIPE TEST BANK",
        "fingerprint": fingerprint,
        "last4": last4,
        "routing_number": ROUTING_NUMBER,
    }


INTENT_NULLS = (
    "application application_fee_amount automatic_payment_methods canceled_at cancellation_reason "
    "customer customer_account excluded_payment_method_types last_payment_error latest_charge next_action "
    "on_behalf_of payment_method payment_method_configuration_details processing receipt_email review "
    "shipping source statement_descriptor statement_descriptor_suffix transfer_data transfer_group"
)


def intent_shape(amount: int, currency: str, now: int, **known: Value) -> Json:
    """A payment intent that waits for a payment method; `known` fields replace the usual ones."""
    intent_id = new_id("pi")
    return (
        nulls(INTENT_NULLS)
        | {
            "id": intent_id,
            "object": "payment_intent",
            "amount": amount,
            "amount_capturable": 0,
            "amount_details": {"tip": {}},
            "amount_received": 0,
            "capture_method": "automatic",
            "client_secret": f"{intent_id}_secret_{random_text(25)}",
            "confirmation_method": "automatic",
            "created": now,
            "currency": currency,
            "description": "Subscription creation",
            "livemode": False,
            "metadata": {},
            "payment_details": {"customer_reference": None, "order_reference": None},
            "payment_method_options": {
                "card": {
                    "installments": None,
                    "mandate_options": None,
                    "network": None,
                    "request_three_d_secure": "automatic",
                }
            },
            "payment_method_types": ["card"],
            "setup_future_usage": "off_session",
            "status": "requires_payment_method",
        }
        | known
    )


def outcome_shape(decline: Decline | None) -> Json:
    """What the bank said."""
    return {
        "advice_code": "try_again_later" if decline else None,
        "network_advice_code": None,
        "network_decline_code": "01" if decline else None,
        "network_status": "declined_by_network" if decline else "approved_by_network",
        "reason": (decline.decline_code or decline.code) if decline else None,
        "risk_level": "normal",
        "risk_score": 20,
        "seller_message": "The bank declined the payment." if decline else "Payment complete.",
        "type": "issuer_declined" if decline else "authorized",
    }


CHARGE_NULLS = (
    "application application_fee application_fee_amount balance_transaction destination dispute "
    "failure_balance_transaction on_behalf_of order receipt_email receipt_number receipt_url review "
    "shipping source source_transfer statement_descriptor statement_descriptor_suffix transfer_data "
    "transfer_group"
)


def charge_shape(intent: Json, method: Json, decline: Decline | None, now: int) -> Json:
    """One attempt to take an intent's amount; with a reason to decline it is a failed one."""
    taken = 0 if decline else intent["amount"]
    return nulls(CHARGE_NULLS) | {
        "id": new_id("ch"),
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": taken,
        "amount_refunded": 0,
        "billing_details": method["billing_details"],
        "calculated_statement_descriptor": "SANDBOX",
        "captured": decline is None,
        "created": now,
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_code": decline.code if decline else None,
        "failure_message": decline.message if decline else None,
        "fraud_details": {},
        "livemode": False,
        "metadata": {},
        "outcome": outcome_shape(decline),
        "paid": decline is None,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": charged_method(method, intent["amount"]),
        "radar_options": {},
        "refunded": False,
        "status": "failed" if decline else "succeeded",
    }


def charged_method(method: Json, amount: int) -> Json:
    """The payment method as a charge remembers it."""
    if method["type"] == "card":
        return {"card": charged_card(method["card"], amount), "type": "card"}
    account = method["us_bank_account"]
    known = charged_bank(account["fingerprint"], account["last4"]) | {"payment_reference": None}
    return {"type": "us_bank_account", "us_bank_account": known}


def charged_card(card: Json, amount: int) -> Json:
    """The card as a charge remembers it."""
    kept = ("brand", "checks", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4")
    return {name: card[name] for name in kept} | {
        "amount_authorized": amount,
        "authorization_code": "100000",
        "extended_authorization": {"status": "disabled"},
        "incremental_authorization": {"status": "unavailable"},
        "installments": None,
        "mandate": None,
        "multicapture": {"status": "unavailable"},
        "network": card["brand"],
        "network_token": {"used": False},
        "network_transaction_id": None,
        "overcapture": {"maximum_amount_capturable": amount, "status": "unavailable"},
        "regulated_status": "unregulated",
        "three_d_secure": None,
        "wallet": None,
    }


def invoice_payment_shape(invoice: Json, intent: Json, now: int) -> Json:
    """The tie between an invoice and the intent that is to pay it."""
    return {
        "id": new_id("inpay"),
        "object": "invoice_payment",
        "amount_paid": None,
        "amount_requested": intent["amount"],
        "created": now,
        "currency": invoice["currency"],
        "invoice": invoice["id"],
        "is_default": True,
        "livemode": False,
        "payment": {"payment_intent": intent["id"], "type": "payment_intent"},
        "status": "open",
        "status_transitions": {"canceled_at": None, "paid_at": None},
    }
