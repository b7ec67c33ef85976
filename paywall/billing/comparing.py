"""What Stripe says beside what our rows say: the differences, each with its evidence. Pure: nothing is asked here."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from paywall.billing import money, rows
from paywall.billing.listing import Listed, ListedCase, ListedInvoice
from paywall.billing.snapshots import (
    DisputeSnapshot,
    InvoicePayment,
    PaidInvoice,
    RefundSnapshot,
    SubscriptionSnapshot,
)
from paywall.domain.entitlements import Terms, must_cancel, terms_of
from paywall.domain.lifecycle import Group, group_of
from paywall.domain.plans import Plan
from paywall.domain.reversals import ARRIVED, UNDER_WAY

Row = Mapping[str, Any]
Kind = Literal["missing", "extra", "different"]
Values = Mapping[str, tuple[Any, Any]]  # what is compared -> what we say, what Stripe says

PAYMENT_FIELDS = ("amount", "tax", "currency", "period_start", "period_end", "paid_at")
CASE_FIELDS = ("amount", "currency", "status")


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is missing here, extra here (Stripe has no such thing), or different.

    ``thing`` is subscription, entitlement, payment, refund, dispute or event; ``values`` are the evidence, ours first.
    ``outcome`` is found (nothing was to be changed), repaired or failed; ``note`` says what the repair did, or why not.
    """

    kind: Kind
    thing: str
    id: str
    subscription_id: str | None
    values: Values = field(default_factory=dict)
    outcome: Literal["found", "repaired", "failed"] = "found"
    note: str = ""


@dataclass(frozen=True, slots=True)
class Ours:
    """All our rows about one subscription."""

    subscription: Row
    entitlement: Row | None = None
    payments: tuple[Row, ...] = ()
    parts: Mapping[str, Mapping[str, Row]] = field(default_factory=dict)  # by invoice, then by what paid
    refunds: tuple[Row, ...] = ()
    disputes: tuple[Row, ...] = ()


def plan_of(snapshot: SubscriptionSnapshot, row: Row | None, plans: Mapping[str, Plan]) -> Plan | None:
    """The plan that a subscription is to: by its product, else by our row, which a sync keeps after it moved away."""
    known = plans.get(row["plan"]) if row else None
    return next((one for one in plans.values() if one.product == snapshot.product_id), known)


def subscription(listed: Listed, ours: Ours | None, plan: Plan) -> Iterator[Difference]:
    """A subscription and its latest invoice beside our rows."""
    there = listed.snapshot
    if ours is None:
        values = {"status": (None, there.facts.status), "customer_id": (None, there.customer_id)}
        yield Difference("missing", "subscription", there.id, there.id, values)
        return
    if values := _unequal(ours.subscription, stored_fields(there, plan)):
        yield Difference("different", "subscription", there.id, there.id, values)
    for invoice in there.invoices:
        row = next((one for one in ours.payments if one["invoice_id"] == invoice.id), None)
        yield from payment(invoice, there.id, row, ours.parts.get(invoice.id, {}))
    yield from _later_payments(listed, ours)


def stored_fields(snapshot: SubscriptionSnapshot, plan: Plan) -> dict[str, Any]:
    """What a sync would store of a subscription. One that left our product counts as over, as a sync has it."""
    left = plan.product != snapshot.product_id and group_of(snapshot.facts.status) is not Group.CLOSED
    return rows.described(snapshot) | {"plan": plan.key} | ({"status": "canceled"} if left else {})


def payment(
    invoice: PaidInvoice, subscription_id: str, row: Row | None, parts: Mapping[str, Row]
) -> Iterator[Difference]:
    """A paid invoice, and what paid it, beside our rows."""
    there = {name: getattr(invoice, name) for name in PAYMENT_FIELDS}
    if row is None:
        values = {name: (None, value) for name, value in there.items()}
        yield Difference("missing", "payment", invoice.id, subscription_id, values)
        return
    values = _unequal(row, there)
    ours = {key: one["amount"] for key, one in parts.items()}
    stripes = {one.intent_id or one.id: one.amount for one in invoice.payments}
    for key in sorted(ours.keys() | stripes.keys()):
        if ours.get(key) != stripes.get(key):
            values[f"paid by {key}"] = (ours.get(key), stripes.get(key))
    if values:
        yield Difference("different", "payment", invoice.id, subscription_id, values)


def _later_payments(listed: Listed, ours: Ours) -> Iterator[Difference]:
    """Payments of ours for the latest invoice though that is not paid, or for a period after the latest paid one."""
    paid = {one.id: one for one in listed.snapshot.invoices}
    end = max((one.period_end for one in paid.values()), default=None)
    for row in ours.payments:
        later = end is not None and row["period_end"] > end
        if row["invoice_id"] not in paid and (later or row["invoice_id"] == listed.latest_invoice_id):
            yield _extra_payment(row)


def _extra_payment(row: Row) -> Difference:
    values = {name: (row[name], None) for name in ("amount", "period_end")}
    return Difference("extra", "payment", row["invoice_id"], row["subscription_id"], values)


def invoice(listed: ListedInvoice, row: Row | None, parts: Mapping[str, Row]) -> Iterator[Difference]:
    """A listed invoice of a subscription of ours, paid or not, beside our payment."""
    if listed.paid is not None:
        yield from payment(listed.paid, listed.subscription_id, row, parts)
    elif row is not None:
        yield _extra_payment(row)


def case(thing: str, listed: ListedCase, row: Row | None, subscription_id: str) -> Iterator[Difference]:
    """A refund or a dispute about a payment of ours beside our row.

    A refund that came to nothing moved no money, and a sync that has not heard of it does not ask: no row is needed.
    """
    there = {name: getattr(listed, name) for name in CASE_FIELDS}
    in_vain = thing == "refund" and listed.status not in ARRIVED | UNDER_WAY
    if row is None and not in_vain:
        values = {name: (None, value) for name, value in there.items()}
        yield Difference("missing", thing, listed.id, subscription_id, values)
    elif row is not None and (values := _unequal(row, there)):
        yield Difference("different", thing, listed.id, subscription_id, values)


def with_our_money(snapshot: SubscriptionSnapshot, ours: Ours) -> SubscriptionSnapshot:
    """A listed subscription with all the paid periods that our rows tell of, and what became of their money."""
    facts = snapshot.facts
    invoices = [_invoice_of(row, ours.parts.get(row["invoice_id"], {})) for row in ours.payments]
    in_time = [one for one in invoices if facts.ended_at is None or one.paid_at <= facts.ended_at]
    refunds = [RefundSnapshot(**_case_of(row)) for row in ours.refunds]
    disputes = [DisputeSnapshot(**_case_of(row), reason=row["reason"]) for row in ours.disputes]
    return replace(snapshot, facts=replace(facts, periods=money.periods(in_time, refunds, disputes)))


def deserved(snapshot: SubscriptionSnapshot, plan: Plan, zone: ZoneInfo) -> Terms:
    """What a subscription gives by the rule, as a sync would decide."""
    facts = snapshot.facts
    if plan.product != snapshot.product_id and group_of(facts.status) is not Group.CLOSED:
        facts = replace(facts, status="canceled", unpaid_from=None)
    return terms_of(facts, plan, zone)


def access(snapshot: SubscriptionSnapshot, ours: Ours, plan: Plan, zone: ZoneInfo, now: datetime) -> list[Difference]:
    """What a subscription gives by the rule beside what our row says that it gives, and whether Stripe ended it."""
    should, row = deserved(snapshot, plan, zone), ours.entitlement
    if row is None:
        values: Values = {"until": (None, should.until)}
        return [Difference("missing", "entitlement", snapshot.id, snapshot.id, values)]
    values = _unequal(row, {**asdict(should), "reader_id": ours.subscription["reader_id"], "plan": plan.key})
    if values:
        return [Difference("different", "entitlement", row["id"], snapshot.id, values)]
    if must_cancel(snapshot.facts, plan, now):
        values = {"status": ("ended, for the money of its period went back", snapshot.facts.status)}
        return [Difference("different", "subscription", snapshot.id, snapshot.id, values)]
    return []


def _unequal(row: Row, there: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {name: (row[name], value) for name, value in there.items() if row[name] != value}


def _invoice_of(row: Row, parts: Mapping[str, Row]) -> PaidInvoice:
    paid_by = tuple(
        InvoicePayment(one["id"], one["payment_intent_id"], one["charge_id"], one["amount"]) for one in parts.values()
    )
    return PaidInvoice(row["invoice_id"], **{name: row[name] for name in PAYMENT_FIELDS}, payments=paid_by)


def _case_of(row: Row) -> dict[str, Any]:
    named = ("id", "invoice_id", "charge_id", "amount", "currency", "status", "created_at")
    return {**{name: row[name] for name in named}, "intent_id": row["payment_intent_id"]}
