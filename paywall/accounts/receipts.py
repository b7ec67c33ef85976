"""What a reader paid, and what became of it: from our own rows; Stripe's page of one is asked for when it is opened."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from paywall import context
from paywall.billing.stripe_gateway import StripeNotFound
from paywall.domain.days import in_words, last_day, local_day
from paywall.domain.plans import price_of
from paywall.domain.reversals import ARRIVED, UNDER_WAY, Stand, stand_of
from paywall.errors import NotFound
from paywall.parts import parts
from paywall.phrases import Phrase
from paywall.storage import entitlements, payments
from paywall.storage.database import db
from paywall.storage.models import Reader
from paywall.storage.payments import Dispute, Payment, Refund


class NoReceipt(NotFound):
    """Stripe has no page of this receipt, or it belongs to somebody else."""

    code, title = "no_receipt", "There is no such receipt"

    def __init__(self) -> None:
        super().__init__("There is no such receipt under your account. Your account page lists those that there are.")


@dataclass(frozen=True, slots=True)
class Receipt:
    """A payment in words. ``marks`` say what was given back or is in dispute."""

    id: str
    paid_on: str
    amount: str
    tax: str | None
    period: str
    marks: tuple[str, ...]


def of_reader(reader: Reader) -> list[Receipt]:
    """All that the reader paid, the newest first."""
    zone = context.settings().zone
    found: list[tuple[datetime, Receipt]] = []
    for subscription_id in _subscriptions(reader):
        refunds, disputes = payments.refunds_of(subscription_id), payments.disputes_of(subscription_id)
        found += [
            (paid.paid_at, describe(paid, refunds, disputes, zone)) for paid in payments.payments_of(subscription_id)
        ]
    return [receipt for _, receipt in sorted(found, key=lambda one: (one[0], one[1].id), reverse=True)]


def describe(paid: Payment, refunds: Iterable[Refund], disputes: Iterable[Dispute], zone: ZoneInfo) -> Receipt:
    """One payment in words; days are those of the newsroom's ``zone``. Cases of other payments are passed over."""
    given = [one for one in refunds if one.invoice_id == paid.invoice_id]
    stands = [stand_of(one.status) for one in disputes if one.invoice_id == paid.invoice_id]
    first, last = local_day(paid.period_start, zone), last_day(paid.period_end, zone)
    return Receipt(
        id=paid.invoice_id,
        paid_on=in_words(local_day(paid.paid_at, zone)),
        amount=price_of(paid.amount, paid.currency),
        tax=price_of(paid.tax, paid.currency) if paid.tax else None,
        period=Phrase("%(first)s to %(last)s", first=in_words(first), last=in_words(last)),
        marks=tuple(_marks(paid, given, stands)),
    )


def page_of(reader: Reader, invoice_id: str) -> str:
    """The address of a receipt at Stripe, asked for at this moment and never kept.

    Raises NoReceipt, StripeUnavailable, StripeRefused.
    """
    if payments.subscription_of_invoice(invoice_id) not in _subscriptions(reader):
        raise NoReceipt
    db.session.commit()  # Stripe is asked next, and no lock may be held meanwhile
    try:
        invoice = parts().gateway.ask(
            "invoice.fetch", lambda client: client.v1.invoices.retrieve(invoice_id), invoice=invoice_id
        )
    except StripeNotFound as gone:
        raise NoReceipt from gone
    if not invoice.hosted_invoice_url:
        raise NoReceipt
    return invoice.hosted_invoice_url


def _subscriptions(reader: Reader) -> list[str]:
    return [row.source_id for row in entitlements.of_reader(reader.id) if row.source == "subscription"]


def _marks(paid: Payment, refunds: Iterable[Refund], stands: Iterable[Stand]) -> Iterable[str]:
    given = list(refunds)
    for statuses, words in ((ARRIVED, Phrase("refunded")), (UNDER_WAY, Phrase("on its way back to you"))):
        total = sum(one.amount for one in given if one.status in statuses)
        if total:
            part = Phrase("%(amount)s %(words)s", amount=price_of(total, paid.currency), words=words)
            yield words if total >= paid.amount else part
    if Stand.LOST in stands:
        yield Phrase("taken back by your bank")
    elif Stand.OPEN in stands:
        yield Phrase("your bank is looking into it")
