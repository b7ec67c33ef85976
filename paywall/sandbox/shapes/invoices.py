"""Invoices and their lines as Stripe shows them."""

from collections.abc import Mapping, Sequence

from paywall.sandbox.money import rhythm, written
from paywall.sandbox.shapes.lists import embedded, nulls
from paywall.sandbox.state.bodies import Json, Value
from paywall.sandbox.state.ids import new_id


def line_shape(item: Json, amount: int, description: str, **known: Value) -> Json:
    """A line of an invoice about one subscription item; `known` fields replace the usual ones."""
    price, quantity = item["price"], item["quantity"]
    return {
        "id": new_id("il"),
        "object": "line_item",
        "amount": amount,
        "currency": price["currency"],
        "description": description,
        "discount_amounts": [],
        "discountable": True,
        "discounts": [],
        "invoice": None,
        "livemode": False,
        "metadata": item["metadata"],
        "parent": line_parent(item),
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
    } | known


def period_line(item: Json, product_name: str) -> Json:
    """What one subscription item costs for its current period."""
    price, quantity = item["price"], item["quantity"]
    recurring = price["recurring"]
    each = f"{written(price['unit_amount'], price['currency'])} / "
    each += rhythm(recurring["interval"], recurring["interval_count"])
    return line_shape(item, price["unit_amount"] * quantity, f"{quantity} \u00d7 {product_name} (at {each})")


def trial_line(item: Json, product_name: str) -> Json:
    """What one subscription item costs while it is tried: nothing."""
    line = line_shape(item, 0, f"Free trial for {item['quantity']} \u00d7 {product_name}")
    return line | {"pricing": line["pricing"] | {"unit_amount_decimal": "0"}}


def proration_line(item: Json, amount: int, description: str, period: tuple[int, int], credited: Json | None) -> Json:
    """What a change within a period adds or takes off; `credited` names the lines that are given back."""
    parent = line_parent(item)
    details = parent["subscription_item_details"]
    details |= {"invoice_item": new_id("ii"), "proration": True, "proration_details": {"credited_items": credited}}
    when = {"start": period[0], "end": period[1]}
    line = line_shape(item, amount, description, discountable=False, parent=parent, period=when)
    return line | {"pricing": line["pricing"] | {"unit_amount_decimal": str(abs(amount))}}


def subscription_lines(subscription: Json, names: Mapping[str, str]) -> list[Json]:
    """What a subscription's current period costs, a trial nothing; `names` maps product ids to names."""
    items = subscription["items"]["data"]
    if subscription["status"] == "trialing":
        return [trial_line(item, names[item["price"]["product"]]) for item in items]
    return [period_line(item, names[item["price"]["product"]]) for item in items]


def line_parent(item: Json) -> Json:
    """The subscription item that a line bills."""
    details = {
        "invoice_item": None,
        "proration": False,
        "proration_details": {"credited_items": None},
        "subscription": item["subscription"],
        "subscription_item": item["id"],
    }
    kind = "subscription_item_details"
    return {"invoice_item_details": None, kind: details, "type": kind}


def parent_of(subscription: Json) -> Json:
    """The subscription that an invoice bills, with its metadata as it was then."""
    details = {"metadata": subscription["metadata"], "subscription": subscription["id"]}
    return {"quote_details": None, "subscription_details": details, "type": "subscription_details"}


NULLS = (
    "account_tax_ids application automatically_finalizes_at custom_fields customer_account customer_address "
    "customer_phone customer_shipping default_payment_method default_source description due_date effective_at "
    "ending_balance footer from_invoice hosted_invoice_url invoice_pdf last_finalization_error latest_revision "
    "next_payment_attempt number on_behalf_of receipt_number rendering shipping_cost shipping_details "
    "statement_descriptor test_clock webhooks_delivered_at"
)
LISTS = "customer_tax_ids default_tax_rates discounts total_discount_amounts total_pretax_credit_amounts total_taxes"
SUMS = "amount_due amount_remaining subtotal subtotal_excluding_tax total total_excluding_tax"
ZEROS = (
    "amount_overpaid amount_paid amount_paid_off_stripe amount_shipping attempt_count "
    "post_payment_credit_notes_amount pre_payment_credit_notes_amount starting_balance"
)


def blank_invoice(total: int) -> Json:
    """A draft of which only the sum is known: nothing is paid, nothing is tried."""
    return (
        nulls(NULLS)
        | {name: [] for name in LISTS.split()}
        | dict.fromkeys(SUMS.split(), total)
        | dict.fromkeys(ZEROS.split(), 0)
        | {
            "object": "invoice",
            "attempted": False,
            "auto_advance": True,
            "automatic_tax": {"enabled": False} | nulls("disabled_reason liability provider status"),
            "billing_reason": "subscription_create",
            "collection_method": "charge_automatically",
            "issuer": {"type": "self"},
            "livemode": False,
            "metadata": {},
            "payment_settings": nulls("default_mandate payment_method_options payment_method_types"),
            "status": "draft",
            "status_transitions": nulls("finalized_at marked_uncollectible_at paid_at voided_at"),
        }
    )


def invoice_shape(subscription: Json, customer: Json, lines: Sequence[Json], account_name: str, now: int) -> Json:
    """A draft invoice of these lines for a subscription."""
    invoice_id = new_id("in")
    lines = [line | {"invoice": invoice_id} for line in lines]
    return blank_invoice(sum(line["amount"] for line in lines)) | {
        "id": invoice_id,
        "account_country": "US",
        "account_name": account_name,
        "created": now,
        "currency": subscription["currency"],
        "customer": customer["id"],
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "customer_tax_exempt": customer["tax_exempt"],
        "lines": embedded(lines, f"/v1/invoices/{invoice_id}/lines", total_count=len(lines)),
        "parent": parent_of(subscription),
        "period_end": now,
        "period_start": now,
    }
