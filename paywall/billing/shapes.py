"""Reads Stripe's JSON, in today's shape and in older ones, into snapshots."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from paywall.billing.snapshots import (
    CheckoutSnapshot,
    EventSnapshot,
    PaidInvoice,
    PriceSnapshot,
    SubscriptionSnapshot,
)
from paywall.domain.entitlements import PaidPeriod, SubscriptionFacts

Json = Mapping[str, Any]

_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")  # control characters, halves of surrogate pairs


def moment(seconds: int | float | None) -> datetime | None:
    """Unix seconds as an aware moment."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def ref(value: Any) -> str | None:
    """The id of a reference, expanded or not."""
    found = value.get("id") if isinstance(value, Mapping) else value
    return found if isinstance(found, str) else None


def at(value: Any, *path: str) -> Any:
    """The value at a path of keys, None where any step is missing or of another kind."""
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def checkout(body: Json) -> CheckoutSnapshot:
    """A ``checkout.session``."""
    return CheckoutSnapshot(
        id=body["id"],
        status=body.get("status") or "expired",
        payment_status=body.get("payment_status") or "unpaid",
        mode=body["mode"],
        livemode=bool(body.get("livemode")),
        url=body.get("url"),
        reader_id=body.get("client_reference_id"),
        checkout_id=at(body, "metadata", "checkout"),
        customer_id=ref(body.get("customer")),
        subscription_id=ref(body.get("subscription")),
    )


def price(body: Json) -> PriceSnapshot:
    """A ``price``."""
    return PriceSnapshot(
        id=body["id"],
        product_id=ref(body["product"]) or "",
        amount=body.get("unit_amount"),
        currency=body["currency"],
        interval=at(body, "recurring", "interval"),
        tax_behavior=body.get("tax_behavior"),
        active=bool(body.get("active")),
        lookup_key=body.get("lookup_key"),
    )


def subscription(body: Json, invoices: Iterable[Json], products: frozenset[str]) -> SubscriptionSnapshot:
    """A ``subscription`` with its ``invoice`` objects; ``products`` are the ids of ours."""
    items = body["items"]["data"]
    item = next((one for one in items if ref(one["price"]["product"]) in products), items[0])
    product_id = ref(item["price"]["product"]) or ""
    bills = list(invoices)
    paid = tuple(one for bill in bills if (one := _paid_invoice(bill, products)))
    end = item.get("current_period_end") or body.get("current_period_end")
    return SubscriptionSnapshot(
        id=body["id"],
        livemode=bool(body.get("livemode")),
        customer_id=ref(body["customer"]) or "",
        product_id=product_id,
        price_id=item["price"]["id"],
        amount=(item["price"].get("unit_amount") or 0) * (item.get("quantity") or 1),
        currency=item["price"]["currency"],
        created_at=_known(body["created"]),
        current_period_end=moment(end),
        reader_id=at(body, "metadata", "reader"),
        checkout_id=at(body, "metadata", "checkout"),
        facts=_facts(body, paid, _unpaid_from(bills, paid, products)),
        invoices=paid,
    )


def subscription_of_invoice(body: Json) -> str | None:
    """The subscription that an ``invoice`` belongs to, in the shape of any version."""
    direct = ref(at(body, "parent", "subscription_details", "subscription")) or ref(body.get("subscription"))
    return direct or next((found for line in _lines(body) if (found := _subscription_of_line(line))), None)


def event(body: Json) -> EventSnapshot:
    """An ``event`` of any API version: the envelope, and the ids that it names.

    Raises KeyError or TypeError, also for texts that are no names of Stripe's: no database sees them.
    """
    thing = body["data"]["object"]
    kind = _text(thing.get("object", "unknown"), 100)
    objects = {kind: ref(thing), "customer": ref(thing.get("customer"))}
    if kind == "customer":
        objects["customer"] = ref(thing)
    if kind == "invoice":
        objects["subscription"] = subscription_of_invoice(thing)
    elif kind != "subscription":
        objects["subscription"] = ref(thing.get("subscription"))
        objects["invoice"] = ref(thing.get("invoice"))
    return EventSnapshot(
        id=_text(body["id"], 255),
        type=_text(body["type"], 100),
        api_version=None if body.get("api_version") is None else _text(body["api_version"], 40),
        created_at=_known(body["created"]),
        livemode=bool(body.get("livemode")),
        objects={name: _text(found, 255) for name, found in objects.items() if found},
    )


def _text(value: Any, longest: int) -> str:
    """A name such as Stripe gives: neither empty nor too long for its column, nor with what no database keeps.

    Some ids are made by people (products, coupons), so they may hold any letter.
    """
    if not isinstance(value, str) or not 0 < len(value) <= longest or _UNFIT.search(value):
        raise TypeError("not a name of Stripe's")
    return value


def _known(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _lines(bill: Json) -> list[Json]:
    data = at(bill, "lines", "data")
    return data if isinstance(data, list) else []


def _subscription_of_line(line: Json) -> str | None:
    return ref(at(line, "parent", "subscription_item_details", "subscription")) or ref(line.get("subscription"))


def _periods(bill: Json, products: frozenset[str]) -> list[tuple[datetime, datetime]]:
    """The periods of a bill's lines for our products; corrections of part of a period do not count."""
    found = []
    for line in _lines(bill):
        details = at(line, "parent", "subscription_item_details") or {}
        product = ref(at(line, "pricing", "price_details", "product")) or ref(at(line, "price", "product"))
        if product in products and not (details.get("proration") or line.get("proration")):
            found.append((_known(line["period"]["start"]), _known(line["period"]["end"])))
    return found


def _paid_invoice(bill: Json, products: frozenset[str]) -> PaidInvoice | None:
    periods = _periods(bill, products)
    if bill.get("status") != "paid" or not periods:
        return None
    start, end = max(periods, key=lambda period: period[1])
    return PaidInvoice(
        id=bill["id"],
        amount=bill.get("amount_paid") or 0,
        currency=bill["currency"],
        period_start=start,
        period_end=end,
        paid_at=_known(at(bill, "status_transitions", "paid_at") or bill["created"]),
    )


def _unpaid_from(bills: list[Json], paid: tuple[PaidInvoice, ...], products: frozenset[str]) -> datetime | None:
    """The start of the oldest period after the paid ones whose payment was tried and failed."""
    covered = max((one.period_end for one in paid), default=None)
    starts = [
        start
        for bill in bills
        if bill.get("status") in ("open", "uncollectible") and (bill.get("attempt_count") or 0) > 0
        for start, end in _periods(bill, products)
        if covered is None or end > covered
    ]
    return min(starts, default=None)


def _facts(body: Json, paid: tuple[PaidInvoice, ...], unpaid_from: datetime | None) -> SubscriptionFacts:
    cause = at(body, "cancellation_details", "reason")
    return SubscriptionFacts(
        status=body["status"],
        periods=tuple(PaidPeriod(one.period_start, one.period_end) for one in paid),
        unpaid_from=unpaid_from,
        cancel_at=moment(body.get("cancel_at")),
        cancels_at_period_end=bool(body.get("cancel_at_period_end")),
        ended_at=moment(body.get("ended_at")),
        ended_by_dispute=cause == "payment_disputed",
        ended_by_failure=cause == "payment_failed",
        collection_paused=body.get("pause_collection") is not None,
    )
