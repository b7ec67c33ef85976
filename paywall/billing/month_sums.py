"""Sums of whole months as Stripe's own lists tell them, of payments for our products alone: asked for, and kept."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog

from paywall.billing.errors import StripeNotFound
from paywall.billing.listing import ListedCase, Lists
from paywall.billing.snapshots import PaidInvoice
from paywall.domain.reversals import ARRIVED, UNDER_WAY, Stand, stand_of
from paywall.storage import beside, stripe_months
from paywall.storage.database import db
from paywall.storage.stripe_months import Sums

log = structlog.get_logger("paywall.revenue")

# an invoice is listed by the day on which it was made; Stripe tries to collect it for two months at most
LATE = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A month of the newsroom: its name (``2026-11``), its first moment, and the first one after it."""

    name: str
    since: datetime
    before: datetime


@dataclass(slots=True)
class MonthSums:
    """What the lists have told so far of some months that follow each other."""

    months: Sequence[Stretch]
    before: datetime
    amounts: Counter[tuple[str, str, str]] = field(default_factory=Counter)  # month, currency, kind -> minor units
    invoices: set[str] = field(default_factory=set)
    paid_by: set[str] = field(default_factory=set)

    def add_invoice(self, invoice: PaidInvoice | None) -> None:
        """Counts a paid invoice of ours in the month of its payment, and remembers what paid it."""
        if invoice is None:
            return
        self.invoices.add(invoice.id)
        self.paid_by.update(name for one in invoice.payments for name in (one.intent_id, one.charge_id) if name)
        self._add("charged", invoice.paid_at, invoice.currency, invoice.amount)

    def add_cases(self, thing: str, cases: Iterable[ListedCase | None]) -> None:
        """Counts refunds, or disputes, that took money of ours back."""
        moved = [one for one in cases if one is not None and _moved(thing, one.status)]
        known = self.paid_by | beside.subscriptions_of_money({key for one in moved for key in one.paid_by}).keys()
        for one in moved:
            if not known.isdisjoint(one.paid_by):
                self._add(f"{thing}s", one.created_at, one.currency, one.amount)

    def sums(self, currencies: Collection[str]) -> Iterator[Sums]:
        """A row for every month and currency, also where nothing moved."""
        found = {currency for _, currency, _ in self.amounts}
        for month in self.months:
            for currency in sorted(found | set(currencies)):
                told = [self.amounts[month.name, currency, kind] for kind in ("charged", "refunds", "disputes")]
                yield Sums(month.name, currency, *told)

    def _add(self, kind: str, moment: datetime, currency: str, amount: int) -> None:
        if self.months[0].since <= moment < self.before:
            index = bisect_right([month.since for month in self.months], moment) - 1
            self.amounts[self.months[index].name, currency, kind] += amount


def take(lists: Lists, months: Sequence[Stretch], currencies: Collection[str], zone: str, now: datetime) -> None:
    """Asks Stripe for the months (one after the other, without a gap) and keeps their sums.

    Of a month that is not over, what has happened until ``now``. Raises what the lists raise; then nothing is kept.
    """
    taken_at = now.replace(microsecond=0)  # Stripe counts in whole seconds
    first, before = months[0].since, min(months[-1].before, taken_at)
    told = MonthSums(months, before)
    for page in lists.invoices(first - LATE, before):
        for one in page:
            told.add_invoice(one.paid if one else None)
    for invoice_id in sorted(stripe_months.invoices_paid(first, before) - told.invoices):
        told.add_invoice(_invoice(lists, invoice_id))
    for thing in ("refund", "dispute"):
        for cases in lists.cases(thing, first, before):
            told.add_cases(thing, cases)
    stripe_months.put([month.name for month in months], told.sums(currencies), zone, taken_at)
    db.session.commit()
    log.info("months_compared", first=months[0].name, last=months[-1].name, requests=lists.pace.requests)


def _invoice(lists: Lists, invoice_id: str) -> PaidInvoice | None:
    """One that we hold as paid and that no list named: made long before it was paid, or unknown to Stripe."""
    try:
        found = lists.invoice(invoice_id)
    except StripeNotFound:
        return None
    return found.paid if found else None


def _moved(thing: str, status: Any) -> bool:
    if thing == "refund":
        return status in ARRIVED | UNDER_WAY
    return stand_of(status) is not Stand.HARMLESS
