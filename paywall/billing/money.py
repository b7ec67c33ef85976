"""Reads what paid an invoice and what became of that money: payments, refunds, disputes, and the periods they pay."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from paywall.billing.reading import Json, at, known_moment, listed, ref
from paywall.billing.snapshots import DisputeSnapshot, InvoicePayment, PaidInvoice, RefundSnapshot
from paywall.domain.entitlements import PaidPeriod
from paywall.domain.reversals import Given, Stand, full_refund, stand_of


@dataclass(frozen=True, slots=True)
class Cases:
    """The ``refund`` and ``dispute`` objects about payments, as Stripe told them."""

    refunds: tuple[Json, ...] = ()
    disputes: tuple[Json, ...] = ()


NO_CASES = Cases()


def invoice_payments(bill: Json) -> tuple[InvoicePayment, ...]:
    """What paid a bill, in today's shape (``payments`` expanded) or as old versions had it on the invoice itself.

    https://docs.stripe.com/api/invoice-payment/object
    """
    found = [_invoice_payment(bill, one) for one in listed(bill.get("payments")) if one.get("status") == "paid"]
    if not found and (ref(bill.get("payment_intent")) or ref(bill.get("charge"))):
        found = [_invoice_payment(bill, {"payment": bill, "amount_paid": bill.get("amount_paid")})]
    return tuple(found)


def _invoice_payment(bill: Json, body: Json) -> InvoicePayment:
    intent_id, charge_id = ref(at(body, "payment", "payment_intent")), ref(at(body, "payment", "charge"))
    made_up = f"{bill['id']}:{intent_id or charge_id or 'other'}"
    return InvoicePayment(ref(body.get("id")) or made_up, intent_id, charge_id, body.get("amount_paid") or 0)


def tax_of(bill: Json) -> int:
    """The tax within a bill, in minor units."""
    parts = bill.get("total_taxes") or bill.get("total_tax_amounts") or []
    return sum(one.get("amount") or 0 for one in parts) if parts else bill.get("tax") or 0


def refunds(bodies: Iterable[Json], invoices: Iterable[PaidInvoice]) -> tuple[RefundSnapshot, ...]:
    """The refunds of these invoices' payments, the oldest first; those of other payments are left out."""
    found = [RefundSnapshot(**values) for _, values in _about(bodies, invoices)]
    return tuple(sorted(found, key=lambda one: (one.created_at, one.id)))


def disputes(bodies: Iterable[Json], invoices: Iterable[PaidInvoice]) -> tuple[DisputeSnapshot, ...]:
    """The disputes over these invoices' payments, the oldest first; those over other payments are left out."""
    about = _about(bodies, invoices)
    found = [DisputeSnapshot(**values, reason=body.get("reason") or "unknown") for body, values in about]
    return tuple(sorted(found, key=lambda one: (one.created_at, one.id)))


def _about(bodies: Iterable[Json], invoices: Iterable[PaidInvoice]) -> list[tuple[Json, dict[str, Any]]]:
    paid_by = {
        name: invoice.id
        for invoice in invoices
        for payment in invoice.payments
        for name in (payment.intent_id, payment.charge_id)
        if name
    }
    once = {body["id"]: body for body in bodies}
    found = []
    for body in once.values():
        intent_id, charge_id = ref(body.get("payment_intent")), ref(body.get("charge"))
        invoice_id = paid_by.get(intent_id or "") or paid_by.get(charge_id or "")
        if invoice_id is not None:
            found.append((body, {**case_values(body), "invoice_id": invoice_id}))
    return found


def case_values(body: Json) -> dict[str, Any]:
    """What a refund and a dispute both tell, whichever request gave it; a refund's status may be null at Stripe."""
    return {
        "id": body["id"],
        "intent_id": ref(body.get("payment_intent")),
        "charge_id": ref(body.get("charge")),
        "amount": body.get("amount") or 0,
        "currency": body["currency"],
        "status": body.get("status") or "unknown",
        "created_at": known_moment(body["created"]),
    }


def periods(
    invoices: Iterable[PaidInvoice], refunded: Iterable[RefundSnapshot], disputed: Iterable[DisputeSnapshot]
) -> tuple[PaidPeriod, ...]:
    """The period of each invoice, with what became of its money."""
    backs, cases = _by_invoice(refunded), _by_invoice(disputed)
    return tuple(_period(one, backs.get(one.id, []), cases.get(one.id, [])) for one in invoices)


def _by_invoice(found: Iterable[Any]) -> Mapping[str, list[Any]]:
    groups: dict[str, list[Any]] = {}
    for one in found:
        groups.setdefault(one.invoice_id, []).append(one)
    return groups


def _period(invoice: PaidInvoice, backs: list[RefundSnapshot], cases: list[DisputeSnapshot]) -> PaidPeriod:
    full = full_refund(invoice.amount, [Given(one.amount, one.status, one.created_at) for one in backs])
    stands = [(stand_of(one.status), one.created_at) for one in cases]
    lost: list[datetime] = [since for stand, since in stands if stand is Stand.LOST]
    return PaidPeriod(
        invoice.period_start,
        invoice.period_end,
        refunded_at=full.since if full else None,
        refund_arrived=bool(full and full.arrived),
        lost_at=min(lost, default=None),
        disputed=any(stand is Stand.OPEN for stand, _ in stands),
        contested=bool(stands),
    )
