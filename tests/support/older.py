"""Tells an event of the sandbox as an endpoint of an older API version would have been told it."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from paywall.sandbox.state.store import Store

Json = dict[str, Any]

VERSIONS = (
    "2020-08-27",
    "2025-02-24.acacia",
    "2025-03-31.basil",
    "2025-10-29.clover",
    "2026-03-25.dahlia",
    "2026-10-28.endive",
)


@dataclass(frozen=True)
class Ties:
    """What an older object named by itself and today's does not: which intent paid which invoice, by which charge."""

    invoice_of_intent: Mapping[str, str] = field(default_factory=dict)
    intent_of_invoice: Mapping[str, str] = field(default_factory=dict)
    charge_of_intent: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, store: Store) -> "Ties":
        """The ties of a sandbox's account as they are now."""
        paid = [(tie["payment"]["payment_intent"], tie["invoice"]) for tie in store.find("invoice_payment")]
        charges = {intent["id"]: intent["latest_charge"] for intent in store.find("payment_intent")}
        return cls(dict(paid), {invoice: intent for intent, invoice in paid}, charges)


def told(event: Json, version: str, ties: Ties) -> Json | None:
    """The event in an older version's shape; None where that version did not tell it."""
    kind = _type_in(event["type"], version)
    if kind is None:
        return None
    data = copy.deepcopy(event["data"])
    data["object"] = shaped(data["object"], version, ties)
    return {**event, "type": kind, "api_version": version, "data": data}


def shaped(body: Json, version: str, ties: Ties) -> Json:
    """The object in an older version's shape."""
    made = copy.deepcopy(body)
    for since, kind, change in CHANGES:
        if version < since and made["object"] == kind:
            change(made, ties)
    return made


def _type_in(kind: str, version: str) -> str | None:
    if kind.startswith("invoice_payment.") and version < "2025-05-28":
        return None
    if kind.startswith("refund.") and version < "2024-10-28":
        # refunds of charges were told by these two alone: https://docs.stripe.com/changelog/acacia/2024-10-28/
        return None if kind == "refund.created" else "charge.refund.updated"
    return kind


def _without(*names: str) -> Callable[[Json, Ties], None]:
    def drop(body: Json, _ties: Ties) -> None:
        for name in names:
            body.pop(name, None)

    return drop


def _page_called_hosted(session: Json, _ties: Ties) -> None:
    names = {"hosted_page": "hosted", "embedded_page": "embedded", "elements": "custom"}
    session["ui_mode"] = names.get(session["ui_mode"], session["ui_mode"])


def _period_on_top(subscription: Json, _ties: Ties) -> None:
    for item in subscription["items"]["data"]:
        for name in ("current_period_start", "current_period_end"):
            subscription[name] = item.pop(name)


def _items_without_news(subscription: Json, _ties: Ties) -> None:
    for item in subscription["items"]["data"]:
        for name in ("billed_until", "current_trial"):
            item.pop(name, None)


def _one_discount(body: Json, _ties: Ties) -> None:
    body["discount"] = next(iter(body.get("discounts", [])), None)


def _items_without_discounts(subscription: Json, _ties: Ties) -> None:
    for item in subscription["items"]["data"]:
        item.pop("discounts", None)


def _coupon_of_discounts(body: Json, _ties: Ties) -> None:
    for discount in body.get("discounts", []):
        if isinstance(discount, dict) and "source" in discount:
            discount["coupon"] = discount.pop("source")["coupon"]


def _invoice_names_its_payment(invoice: Json, ties: Ties) -> None:
    details = (invoice.get("parent") or {}).get("subscription_details") or {}
    intent = ties.intent_of_invoice.get(invoice["id"])
    paid = invoice["status"] == "paid"
    invoice |= {
        "subscription": details.get("subscription"),
        "payment_intent": intent,
        "charge": ties.charge_of_intent.get(intent or "") if paid or invoice["attempted"] else None,
        "paid": paid,
        "tax": sum(one["amount"] for one in invoice.get("total_taxes") or []) or None,
        "total_tax_amounts": [],
    }
    for line in invoice["lines"]["data"]:
        _line_names_its_price(line)


def _line_names_its_price(line: Json) -> None:
    details = (line.get("parent") or {}).get("subscription_item_details") or {}
    price = (line.get("pricing") or {}).get("price_details") or {}
    line |= {
        "type": "subscription",
        "subscription": details.get("subscription"),
        "subscription_item": details.get("subscription_item"),
        "proration": bool(details.get("proration")),
        "price": {"id": price.get("price"), "object": "price", "product": price.get("product")},
        "plan": {"id": price.get("price"), "object": "plan", "product": price.get("product")},
    }


def _invoice_without_parents(invoice: Json, _ties: Ties) -> None:
    for line in invoice["lines"]["data"]:
        for name in ("parent", "pricing", "taxes", "pretax_credit_amounts"):
            line.pop(name, None)


def _payment_names_its_invoice(payment: Json, ties: Ties) -> None:
    intent = payment["id"] if payment["object"] == "payment_intent" else payment.get("payment_intent")
    payment["invoice"] = ties.invoice_of_intent.get(intent or "")


def _charge_lists_refunds(charge: Json, _ties: Ties) -> None:
    # a list of none: the older object held what is asked for by itself today
    url = f"/v1/charges/{charge['id']}/refunds"
    charge["refunds"] = {"object": "list", "data": [], "has_more": False, "url": url}


def _intent_lists_charges(intent: Json, _ties: Ties) -> None:
    url = f"/v1/charges?payment_intent={intent['id']}"
    intent["charges"] = {"object": "list", "data": [], "has_more": False, "url": url}


# what came when, newest first; an older object is made by taking each back (https://docs.stripe.com/changelog)
CHANGES: tuple[tuple[str, str, Callable[[Json, Ties], None]], ...] = (
    ("2026-09-30", "subscription", _without("status_details")),
    ("2026-09-30", "invoice", _without("status_details")),
    ("2026-05-27", "subscription", _without("billing_schedules")),
    ("2026-05-27", "subscription", _items_without_news),
    ("2026-05-27", "invoice", _without("amount_paid_off_stripe")),
    ("2026-03-25", "checkout.session", _page_called_hosted),
    ("2025-09-30", "subscription", _coupon_of_discounts),
    ("2025-09-30", "invoice", _coupon_of_discounts),
    ("2025-06-30", "subscription", _without("billing_mode")),
    ("2025-03-31", "subscription", _one_discount),
    ("2025-03-31", "subscription", _period_on_top),
    ("2025-03-31", "invoice", _one_discount),
    ("2025-03-31", "invoice", _invoice_names_its_payment),
    ("2025-03-31", "invoice", _without("payments", "confirmation_secret")),
    ("2025-03-31", "charge", _payment_names_its_invoice),
    ("2025-03-31", "payment_intent", _payment_names_its_invoice),
    # these were added beside the old fields some months before those went
    ("2024-12-18", "invoice", _without("parent", "total_taxes", "total_pretax_credit_amounts", "amount_overpaid")),
    ("2024-12-18", "invoice", _invoice_without_parents),
    ("2024-12-18", "subscription", _items_without_discounts),
    ("2022-11-15", "charge", _charge_lists_refunds),
    ("2022-11-15", "payment_intent", _intent_lists_charges),
    ("2022-11-15", "subscription", _without("discounts", "cancellation_details", "invoice_settings")),
)
