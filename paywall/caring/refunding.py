"""Money given back through Stripe, in full or in part: never more than is left of a payment, nor than a role may."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from paywall.billing import desk_calls
from paywall.billing.snapshots import PaidInvoice, SubscriptionSnapshot
from paywall.caring import amounts, effects, limits, stripes
from paywall.caring.reading import Reading
from paywall.caring.shapes import BadField, CannotAct, Desk, Done, Field, Given, Preview, Step
from paywall.domain.days import in_words, local_day
from paywall.domain.entitlements import PaidPeriod, SubscriptionFacts, must_cancel
from paywall.domain.plans import price_of
from paywall.domain.reversals import IN_VAIN, Stand, stand_of
from paywall.domain.roles import Right
from paywall.storage import subscriptions
from paywall.storage.models import Reader
from paywall.storage.payments import Payment


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of an invoice's payment, in minor units; ``by`` is payment_intent or charge, ``name`` its id."""

    invoice: PaidInvoice
    by: str
    name: str
    amount: int
    whole: int  # of the invoice, over all of its payments


class Refund:
    """A payment, or a part of it, goes back."""

    name, title = "refund", "Give money back"
    about = "In full or in part, the way it was paid. A full refund of the last period may end access: see the preview."
    right, recent, typed = Right.REFUND, True, False

    def fields(self, desk: Desk, of: Reading) -> Sequence[Field]:
        """Which payment, and how much."""
        paid = _paid(of)
        if not paid:
            raise CannotAct("Nothing is known that the reader paid. Read again from Stripe if that is wrong.")
        choices = [(row.invoice_id, _named(row, desk)) for row in paid]
        amount = Field(
            "amount",
            f"Amount in {paid[0].currency.upper()}",
            hint=limits.hint(desk.who, (row.currency for row in paid)),
            value=amounts.shown(paid[0].amount, paid[0].currency),
        )
        return [Field("invoice", "Payment", "choice", choices=choices), amount]

    def look(self, desk: Desk, reader: Reader, given: Given) -> Preview:
        """What is left of it at Stripe, and what the rule makes of access when it is given back."""
        row = _chosen(Reading(reader), given)
        subscription = subscriptions.get(row.subscription_id)
        if subscription is None:
            raise CannotAct("The subscription of this payment is not known here any more.")
        found = stripes.fetched(desk, subscription)
        left = _left(found, row.invoice_id)
        amount = amounts.read(given.get("amount", ""), left.amount, left.invoice.currency)
        limits.check(desk, left.invoice.id, self.name, amount, left.invoice.currency)
        return self._preview(desk, reader, found, left, amount)

    def _preview(self, desk: Desk, reader: Reader, found: SubscriptionSnapshot, left: Left, amount: int) -> Preview:
        price, currency = price_of(amount, left.invoice.currency), left.invoice.currency
        facts = _given_back(found, left, amount, desk.now)
        lines = [f"{price} ({currency.upper()}) of {left.invoice.id} goes back to the card or account that paid."]
        asks = [f"to give back {price} of {left.name}"]
        plan = desk.settings.plans.get(_plan_of(found))
        if plan and must_cancel(facts, plan, desk.now):
            lines.append(f"It is the last paid period, so access ends and {found.id} is cancelled.")
            asks.append(f"to cancel {found.id}, once the refund has arrived")
        rest = price_of(left.amount - amount, currency)
        return Preview(
            thing=left.invoice.id,
            lines=(*lines, f"{rest} of the payment is left then."),
            before={**stripes.known(found), "left": left.amount},
            after={
                "subscription": found.id,
                "by": left.by,
                "name": left.name,
                "amount": amount,
                "currency": currency,
            },
            access=effects.access(desk, reader.id, {found.id: stripes.terms(desk, found, facts)}),
            asks=tuple(asks),
            back="It cannot be taken back.",
        )

    def do(self, desk: Desk, reader: Reader, step: Step) -> Done:
        """At Stripe once, under the action's id; then here."""
        told = step.after
        desk_calls.refund(desk.gateway, told["by"], told["name"], told["amount"], step.action_id)
        stripes.read_again(desk, told["subscription"], step)
        return Done(f"{price_of(told['amount'], told['currency'])} is given back.")


def _paid(of: Reading) -> list[Payment]:
    """What the reader paid, the newest first."""
    return sorted(
        (row for row in of.paid if row.amount > 0), key=lambda row: (row.paid_at, row.invoice_id), reverse=True
    )


def _named(row: Payment, desk: Desk) -> str:
    day = in_words(local_day(row.paid_at, desk.settings.zone))
    return f"{price_of(row.amount, row.currency)} of {day} ({row.invoice_id})"


def _chosen(of: Reading, given: Given) -> Payment:
    paid = {row.invoice_id: row for row in _paid(of)}
    wanted = given.get("invoice", "") or (next(iter(paid)) if len(paid) == 1 else "")
    if wanted not in paid:
        raise BadField("invoice", "Choose one of the reader's payments.")
    return paid[wanted]


def _left(found: SubscriptionSnapshot, invoice_id: str) -> Left:
    invoice = next((one for one in found.invoices if one.id == invoice_id), None)
    if invoice is None:
        raise CannotAct("Stripe does not have this payment any more. Read the reader again from Stripe.")
    _check_disputes({stand_of(one.status) for one in found.disputes if one.invoice_id == invoice_id})
    parts = []
    for paid in invoice.payments:
        name = paid.intent_id or paid.charge_id
        if name is not None:
            back = sum(
                one.amount for one in found.refunds if name in (one.intent_id, one.charge_id) and _counts(one.status)
            )
            parts.append(("payment_intent" if paid.intent_id else "charge", name, paid.amount - back))
    if not parts:
        raise CannotAct("This was paid outside Stripe: give it back by hand.")
    by, name, most = max(parts, key=lambda part: part[2])
    if most <= 0:
        raise CannotAct("All of this payment was given back before.")
    return Left(invoice, by, name, most, sum(part[2] for part in parts))


def _check_disputes(stands: Collection[Stand]) -> None:
    """An inquiry may be answered with a refund; a dispute is decided by the bank, which moves the money itself."""
    if Stand.LOST in stands:
        raise CannotAct("The payer's bank took this payment back: there is nothing left to give.")
    if Stand.OPEN in stands:
        raise CannotAct("The payer's bank disputes this payment, and decides who has the money. Answer it at Stripe.")


def _counts(status: str) -> bool:
    return status not in IN_VAIN


def _given_back(found: SubscriptionSnapshot, left: Left, amount: int, now: datetime) -> SubscriptionFacts:
    """Stripe's facts as they will be, once the money has arrived."""
    if amount < left.whole:
        return found.facts

    def after(period: PaidPeriod) -> PaidPeriod:
        mine = (period.start, period.end) == (left.invoice.period_start, left.invoice.period_end)
        return replace(period, refunded_at=now, refund_arrived=True) if mine else period

    return replace(found.facts, periods=tuple(after(one) for one in found.facts.periods))


def _plan_of(found: SubscriptionSnapshot) -> str:
    row = subscriptions.get(found.id)
    return row.plan if row else ""
