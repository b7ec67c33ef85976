"""Asks Stripe which of a subscription's payments were given back or disputed, in as few requests as may be."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from paywall.billing.errors import StripeNotFound, StripeRefused
from paywall.billing.money import NO_CASES, Cases
from paywall.billing.reading import Json, ref
from paywall.billing.snapshots import InvoicePayment

T = TypeVar("T")


class Asks(Protocol):
    """Something that asks Stripe: the gateway."""

    def ask(self, operation: str, call: Callable[[Any], T], **ids: str) -> T:
        """What ``call`` gets from Stripe's library."""


def nothing() -> None:
    """What is done before a request that needs nothing."""


@dataclass(frozen=True, slots=True)
class Announced:
    """Asks Stripe, and calls ``before`` ahead of each question."""

    stripe: Asks
    before: Callable[[], None]

    def ask(self, operation: str, call: Callable[[Any], T], **ids: str) -> T:
        """What ``call`` gets from Stripe's library."""
        self.before()
        return self.stripe.ask(operation, call, **ids)


def everything(stripe: Asks, operation: str, call: Callable[[Any], Any], **ids: str) -> list[Json]:
    """All pages of a list that ``call`` gets the first page of."""
    return stripe.ask(operation, lambda client: [one.to_dict() for one in call(client).auto_paging_iter()], **ids)


def about(
    stripe: Asks, customer_id: str | None, payments: Iterable[InvoicePayment], known: frozenset[str] = frozenset()
) -> Cases:
    """The refunds and disputes of these payments.

    One request tells for all charges of a customer whether there is anything to ask; then two for each such payment,
    and for those of which something is ``known`` (ids of payment intents, or of charges without one): a refund that
    failed leaves no other trace.
    """
    paid = [one for one in payments if one.intent_id or one.charge_id]
    if not paid:
        return NO_CASES
    suspects = _suspects(stripe, customer_id)
    asked = [one for one in paid if suspects is None or _names(one) & (suspects | known)]
    refunds: list[Json] = []
    disputes: list[Json] = []
    for one in asked:
        refunds += refunds_of(stripe, one.intent_id, one.charge_id)
        disputes += _of_payment(stripe, "disputes", one.intent_id, one.charge_id)
    return Cases(tuple(refunds), tuple(disputes))


def refunds_of(stripe: Asks, intent_id: str | None, charge_id: str | None) -> list[Json]:
    """All refunds of a payment, by its intent or its charge, in any status."""
    return _of_payment(stripe, "refunds", intent_id, charge_id)


def _names(payment: InvoicePayment) -> set[str]:
    return {name for name in (payment.intent_id, payment.charge_id) if name}


def _suspects(stripe: Asks, customer_id: str | None) -> set[str] | None:
    """The intents and charges of a customer with which something happened; None where Stripe does not tell."""
    if customer_id is None:
        return None
    try:
        charges = everything(
            stripe,
            "charges.list",
            lambda client: client.v1.charges.list({"customer": customer_id, "limit": 100}),
            customer=customer_id,
        )
    except StripeNotFound:
        return None
    except StripeRefused as refused:
        if refused.stripe_code != "resource_missing":  # the customer was deleted
            raise
        return None
    touched = [one for one in charges if one.get("amount_refunded") or one.get("disputed")]
    return {name for one in touched for name in (ref(one), ref(one.get("payment_intent"))) if name}


def _of_payment(stripe: Asks, kind: str, intent_id: str | None, charge_id: str | None) -> list[Json]:
    params = {"payment_intent" if intent_id else "charge": intent_id or charge_id, "limit": 100}
    return everything(stripe, f"{kind}.list", lambda client: getattr(client.v1, kind).list(params))
