"""Invoices and their lines as Stripe shows them."""

from paywall.sandbox.money import rhythm, written
from paywall.sandbox.shapes.lists import embedded
from paywall.sandbox.state.bodies import Json, Value
from paywall.sandbox.state.ids import new_id


def line_shape(invoice_id: str, item: Json, product_name: str) -> Json:
    """What one subscription item costs for its current period."""
    price, quantity = item["price"], item["quantity"]
    recurring = price["recurring"]
    each = f"{written(price['unit_amount'], price['currency'])} / "
    each += rhythm(recurring["interval"], recurring["interval_count"])
    amount = price["unit_amount"] * quantity
    return {
        "id": new_id("il"),
        "object": "line_item",
        "amount": amount,
        "currency": price["currency"],
        "description": f"{quantity} \u00d7 {product_name} (at {each})",
        "discount_amounts": [],
        "discountable": True,
        "discounts": [],
        "invoice": invoice_id,
        "livemode": False,
        "metadata": item["metadata"],
        "parent": {
            "invoice_item_details": None,
            "subscription_item_details": {
                "invoice_item": None,
                "proration": False,
                "proration_details": {"credited_items": None},
                "subscription": item["subscription"],
                "subscription_item": item["id"],
            },
            "type": "subscription_item_details",
        },
        "period": {"end": item["current_period_end"], "start": item["current_period_start"]},
        "pretax_credit_amounts": [],
        "pricing": {
            "price_details": {"price": price["id"], "product": price["product"]},
            "type": "price_details",
            "unit_amount_decimal": price["unit_amount_decimal"],
        },
        "quantity": quantity,
        "quantity_decimal": str(quantity),
        "subtotal": amount,
        "taxes": [],
    }


def parent_of(subscription: Json) -> Json:
    """The subscription that an invoice bills, with its metadata as it was then."""
    details = {"metadata": subscription["metadata"], "subscription": subscription["id"]}
    return {"quote_details": None, "subscription_details": details, "type": "subscription_details"}


def invoice_shape(
    subscription: Json, customer: Json, names: dict[str, str], account_name: str, now: int, **known: Value
) -> Json:
    """A draft invoice for a subscription's current period; `names` maps product ids to names."""
    invoice_id = new_id("in")
    items = subscription["items"]["data"]
    lines = [line_shape(invoice_id, item, names[item["price"]["product"]]) for item in items]
    total = sum(line["amount"] for line in lines)
    lines_list = embedded(lines, f"/v1/invoices/{invoice_id}/lines", total_count=len(lines))
    return (
        {"id": invoice_id, "object": "invoice", "account_country": "US", "account_name": account_name}
        | amounts(total)
        | blanks()
        | {
            "automatic_tax": {
                "disabled_reason": None,
                "enabled": False,
                "liability": None,
                "provider": None,
                "status": None,
            },
            "billing_reason": "subscription_create",
            "collection_method": "charge_automatically",
            "created": now,
            "currency": subscription["currency"],
            "customer": customer["id"],
            "customer_email": customer["email"],
            "customer_name": customer["name"],
            "customer_tax_exempt": "none",
            "customer_tax_ids": [],
            "issuer": {"type": "self"},
            "lines": lines_list,
            "livemode": False,
            "metadata": {},
            "parent": parent_of(subscription),
            "payment_settings": {
                "default_mandate": None,
                "payment_method_options": None,
                "payment_method_types": None,
            },
            "period_end": now,
            "period_start": now,
            "status": "draft",
            "status_transitions": {
                "finalized_at": None,
                "marked_uncollectible_at": None,
                "paid_at": None,
                "voided_at": None,
            },
        }
        | known
    )


def amounts(total: int) -> Json:
    """The sums of an invoice on which nothing is paid yet."""
    same = ("amount_due", "amount_remaining", "subtotal", "subtotal_excluding_tax", "total", "total_excluding_tax")
    none = (
        "amount_overpaid",
        "amount_paid",
        "amount_paid_off_stripe",
        "amount_shipping",
        "attempt_count",
        "post_payment_credit_notes_amount",
        "pre_payment_credit_notes_amount",
        "starting_balance",
    )
    return dict.fromkeys(same, total) | dict.fromkeys(none, 0)


def blanks() -> Json:
    """The fields of an invoice that the sandbox never fills."""
    empty = (
        "account_tax_ids application automatically_finalizes_at custom_fields customer_account customer_address "
        "customer_phone customer_shipping default_payment_method default_source description due_date effective_at "
        "ending_balance footer from_invoice hosted_invoice_url invoice_pdf last_finalization_error latest_revision "
        "next_payment_attempt number on_behalf_of receipt_number rendering shipping_cost shipping_details "
        "statement_descriptor test_clock webhooks_delivered_at"
    )
    lists = "default_tax_rates discounts total_discount_amounts total_pretax_credit_amounts total_taxes"
    return (
        dict.fromkeys(empty.split()) | {name: [] for name in lists.split()} | {"attempted": False, "auto_advance": True}
    )
