"""Reads Stripe's JSON, in today's shape and in older ones, into snapshots."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from paywall.billing import money, outlook
from paywall.billing.reading import Json, at, known_moment, listed, moment, ref
from paywall.billing.snapshots import (
    CheckoutSnapshot,
    EventSnapshot,
    PaidInvoice,
    PriceSnapshot,
    SubscriptionSnapshot,
)
from paywall.domain.doubles import ERASED, SUPERSEDED
from paywall.domain.entitlements import PaidPeriod, Reason, SubscriptionFacts

# what an event's object may name, and what leads from it to a subscription
_NAMED = ("customer", "subscription", "invoice", "payment_intent", "charge")

# what we write beside a cancellation of our own, so that it is told from those of readers and staff
MARKS: dict[str, str] = {
    Reason.REFUNDED: "paywall: refunded",
    Reason.DISPUTE_LOST: "paywall: dispute lost",
    SUPERSEDED: "paywall: superseded",
    ERASED: "paywall: erased",
}
_FOR_MONEY = (MARKS[Reason.REFUNDED], MARKS[Reason.DISPUTE_LOST])

_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")  # control characters, halves of surrogate pairs


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


def subscription(
    body: Json, invoices: Iterable[Json], products: frozenset[str], cases: money.Cases = money.NO_CASES
) -> SubscriptionSnapshot:
    """A ``subscription`` with its ``invoice`` objects and the cases about their payments; ``products`` are ours."""
    items = body["items"]["data"]
    item = next((one for one in items if ref(one["price"]["product"]) in products), items[0])
    bills = list(invoices)
    paid = tuple(one for bill in bills if (one := paid_invoice(bill, products)))
    refunds, disputes = money.refunds(cases.refunds, paid), money.disputes(cases.disputes, paid)
    ended_at = moment(body.get("ended_at"))
    in_time = tuple(one for one in paid if ended_at is None or one.paid_at <= ended_at)
    unpaid_from = _unpaid_from(bills, in_time, products)
    return SubscriptionSnapshot(
        id=body["id"],
        livemode=bool(body.get("livemode")),
        customer_id=ref(body["customer"]) or "",
        product_id=ref(item["price"]["product"]) or "",
        price_id=item["price"]["id"],
        amount=(item["price"].get("unit_amount") or 0) * (item.get("quantity") or 1),
        currency=item["price"]["currency"],
        created_at=known_moment(body["created"]),
        current_period_end=moment(item.get("current_period_end") or body.get("current_period_end")),
        reader_id=at(body, "metadata", "reader"),
        checkout_id=at(body, "metadata", "checkout"),
        facts=_facts(body, money.periods(in_time, refunds, disputes), unpaid_from),
        invoices=paid,
        refunds=refunds,
        disputes=disputes,
        card_ends_on=outlook.kept_card(body),
        owed=outlook.owed(bill for bill in bills if _periods(bill, products)),
    )


def paid_invoice(bill: Json, products: frozenset[str]) -> PaidInvoice | None:
    """What an ``invoice`` paid for; None unless it is paid and has a line for one of our products."""
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
        paid_at=known_moment(at(bill, "status_transitions", "paid_at") or bill["created"]),
        tax=money.tax_of(bill),
        payments=money.invoice_payments(bill),
        number=bill.get("number"),
        receipt_number=bill.get("receipt_number"),
    )


def subscription_of_invoice(body: Json) -> str | None:
    """The subscription that an ``invoice`` belongs to, in the shape of any version."""
    direct = ref(at(body, "parent", "subscription_details", "subscription")) or ref(body.get("subscription"))
    return direct or next((found for line in listed(body.get("lines")) if (found := _subscription_of_line(line))), None)


def event(body: Json) -> EventSnapshot:
    """An ``event`` of any API version: the envelope, and the ids that it names.

    Raises KeyError or TypeError, also for texts that are no names of Stripe's: no database sees them.
    """
    thing = body["data"]["object"]
    objects = _objects(thing, _text(thing.get("object", "unknown"), 100))
    return EventSnapshot(
        id=_text(body["id"], 255),
        type=_text(body["type"], 100),
        api_version=None if body.get("api_version") is None else _text(body["api_version"], 40),
        created_at=known_moment(body["created"]),
        livemode=bool(body.get("livemode")),
        objects={name: _text(found, 255) for name, found in objects.items() if found},
    )


def _objects(thing: Json, kind: str) -> dict[str, str | None]:
    """The ids that an object names, by kind; an expanded charge tells what the object itself does not."""
    charge = thing.get("charge")
    found = {name: ref(thing.get(name)) or ref(at(charge, name)) for name in _NAMED}
    if kind == "invoice":
        found["subscription"] = subscription_of_invoice(thing)
    if kind == "invoice_payment":
        paid_by = thing.get("payment")
        found |= {name: ref(at(paid_by, name)) for name in ("payment_intent", "charge")}
    return found | {kind: ref(thing)}


def _text(value: Any, longest: int) -> str:
    """A name such as Stripe gives: neither empty nor too long for its column, nor with what no database keeps.

    Some ids are made by people (products, coupons), so they may hold any letter.
    """
    if not isinstance(value, str) or not 0 < len(value) <= longest or _UNFIT.search(value):
        raise TypeError("not a name of Stripe's")
    return value


def _subscription_of_line(line: Json) -> str | None:
    return ref(at(line, "parent", "subscription_item_details", "subscription")) or ref(line.get("subscription"))


def _periods(bill: Json, products: frozenset[str]) -> list[tuple[datetime, datetime]]:
    """The periods of a bill's lines for our products; corrections of part of a period do not count."""
    found = []
    for line in listed(bill.get("lines")):
        details = at(line, "parent", "subscription_item_details") or {}
        product = ref(at(line, "pricing", "price_details", "product")) or ref(at(line, "price", "product"))
        if product in products and not (details.get("proration") or line.get("proration")):
            found.append((known_moment(line["period"]["start"]), known_moment(line["period"]["end"])))
    return found


def _unpaid_from(bills: list[Json], in_time: tuple[PaidInvoice, ...], products: frozenset[str]) -> datetime | None:
    """The start of the oldest period after the paid ones whose payment was tried and failed.

    What was paid after the subscription had ended came too late: it stays unpaid, so that it revives nothing.
    """
    covered = max((one.period_end for one in in_time), default=None)
    counted = {one.id for one in in_time}
    owed = [bill for bill in bills if bill.get("status") in ("open", "uncollectible", "paid")]
    starts = [
        start
        for bill in owed
        if bill["id"] not in counted and (bill.get("attempt_count") or 0) > 0
        for start, end in _periods(bill, products)
        if covered is None or end > covered
    ]
    return min(starts, default=None)


def _facts(body: Json, periods: tuple[PaidPeriod, ...], unpaid_from: datetime | None) -> SubscriptionFacts:
    cause = at(body, "cancellation_details", "reason")
    return SubscriptionFacts(
        status=body["status"],
        periods=periods,
        unpaid_from=unpaid_from,
        cancel_at=moment(body.get("cancel_at")),
        cancels_at_period_end=bool(body.get("cancel_at_period_end")),
        ended_at=moment(body.get("ended_at")),
        ended_by_dispute=cause == "payment_disputed",
        ended_by_failure=cause == "payment_failed",
        ended_for_money=at(body, "cancellation_details", "comment") in _FOR_MONEY,
        collection_paused=body.get("pause_collection") is not None,
    )
