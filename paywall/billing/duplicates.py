"""Ending a second subscription of one person: its payments are given back, then it is cancelled at Stripe."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from paywall.billing import cases
from paywall.billing.errors import StripeRefused
from paywall.billing.stripe_gateway import StripeGateway
from paywall.billing.sync import Sync
from paywall.domain.entitlements import Reason
from paywall.domain.lifecycle import LIVE_STATUSES
from paywall.domain.plans import price_of
from paywall.domain.reversals import IN_VAIN
from paywall.errors import Conflict, NotFound
from paywall.storage import entitlements, payments, subscriptions
from paywall.storage.database import begin_read, db
from paywall.storage.entitlements import Cause
from paywall.storage.payments import InvoicePayment

log = structlog.get_logger("paywall.duplicates")

CAUSE = Cause("command", "end-duplicate")


class NotASecond(Conflict):
    """The subscription is alive and nobody's second one: it must not be ended by this command."""

    code, title = "not_a_duplicate", "This is no second subscription"


class Changed(Conflict):
    """Between the question and the answer one of the two subscriptions became another."""

    code, title = "duplicate_changed", "Something has changed meanwhile"


@dataclass(frozen=True, slots=True)
class Owed:
    """What is left to give back of one payment, in minor units. ``key`` makes the request safe to repeat."""

    invoice_id: str
    intent_id: str | None
    charge_id: str | None
    amount: int
    currency: str
    key: str


@dataclass(frozen=True, slots=True)
class Giving:
    """What a subscription gives at the moment: whether access, and in words its status, state and reason."""

    access: bool
    words: str


@dataclass(frozen=True, slots=True)
class Ending:
    """What ending a second subscription comes to, the oldest payment first; without ``beside`` it is over already.

    ``gives`` is what this one gives now, ``beside_gives`` what the one to keep does. Without ``same_reader`` only the
    address is the same, which nobody may have proved.
    """

    subscription_id: str
    beside: str | None
    owed: tuple[Owed, ...]
    gives: Giving
    beside_gives: Giving
    same_reader: bool = True


def look(sync: Sync, subscription_id: str) -> Ending:
    """What is to be done, after the newest state was fetched. Raises NotFound, NotASecond, StripeUnavailable, Busy."""
    found = sync.subscription(subscription_id, CAUSE)
    if (beside := _beside(subscription_id)) is not None:
        sync.subscription(beside, CAUSE)  # what it gives is shown, and must not be old news
    begin_read()
    row = subscriptions.get(subscription_id)
    gives, beside_gives = _giving(sync, subscription_id), _giving(sync, beside)
    kept = subscriptions.get(row.duplicate_of) if row and row.duplicate_of else None
    paid = payments.payments_of(subscription_id)
    # what was read before the one that stays began was paid once
    currency_of = {one.invoice_id: one.currency for one in paid if kept is None or one.period_end > kept.created_at}
    paid_by = payments.invoice_payments_of(subscription_id)
    db.session.commit()
    if found.outcome != "synced" or row is None:
        raise NotFound(
            f"{subscription_id} is not known here; `flask paywall subscriptions duplicates` lists second ones."
        )
    if row.duplicate_of is None and row.status in LIVE_STATUSES:
        raise NotASecond(f"{subscription_id} is nobody's second one. If it must end, end it in Stripe's dashboard.")
    in_order = [one for invoice_id in currency_of for one in paid_by if one.invoice_id == invoice_id]
    owed = [_left(sync.gateway, one, currency_of[one.invoice_id]) for one in in_order]
    same = kept is None or kept.reader_id == row.reader_id
    return Ending(row.id, row.duplicate_of, tuple(one for one in owed if one.amount > 0), gives, beside_gives, same)


def outlook(ending: Ending) -> list[str]:
    """What ``carry_out`` would do, or that there is nothing to do, in words, a line each."""
    if ending.beside is None:
        kept = [f"{price_of(one.amount, one.currency)} of {one.invoice_id}" for one in ending.owed]
        rest = f"{', '.join(kept)} was not given back: do that in Stripe's dashboard if it is owed" if kept else ""
        return [f"{ending.subscription_id} is over: {rest or 'there is nothing to do'}"]
    whose = "reader" if ending.same_reader else "address"
    lines = [f"{ending.subscription_id} stands beside {ending.beside} of the same {whose}, which stays."]
    lines += [f"  {ending.beside}: {ending.beside_gives.words}", f"  {ending.subscription_id}: {ending.gives.words}"]
    if ending.gives.access and not ending.beside_gives.access:
        lines.append(f"Careful: the one to keep gives no access, this one does. Better end {ending.beside} at Stripe.")
    lines.append("This would:")
    lines += [f"  give back {price_of(one.amount, one.currency)} of {one.invoice_id}" for one in ending.owed]
    return [*lines, f"  cancel {ending.subscription_id} at once"]


def carry_out(gateway: StripeGateway, sync: Sync, ending: Ending, say: Callable[[str], None]) -> None:
    """Gives back and cancels; repeated after an interruption it does only what is left.

    The newest payment comes last, since giving it back may end the subscription, which is then no second one any more.
    Looks again first, since people take their time to say yes: nobody may lose the only subscription that is left.
    Raises NotASecond or Changed where it is not as it was shown, StripeUnavailable, StripeRefused, Busy.
    """
    if look(sync, ending.subscription_id) != ending:
        raise Changed("The subscriptions are not as they were shown; run the command again to see how they are now.")
    for owed in ending.owed:
        say(_give_back(gateway, owed))
    gateway.cancel_subscription(ending.subscription_id, Reason.REFUNDED)
    say(f"{ending.subscription_id} is cancelled")
    log.info("second_subscription_ended", subscription=ending.subscription_id, beside=ending.beside)
    sync.subscription(ending.subscription_id, CAUSE)


def _beside(subscription_id: str) -> str | None:
    begin_read()
    row = subscriptions.get(subscription_id)
    db.session.commit()
    return row.duplicate_of if row else None


def _giving(sync: Sync, subscription_id: str | None) -> Giving:
    row = entitlements.of_source("subscription", subscription_id) if subscription_id else None
    if row is None:
        return Giving(False, "gives nothing")
    state, reason = entitlements.terms_of(row).explain(sync.clock.now())
    return Giving(state.grants, f"{state}, {reason}")


def _left(gateway: StripeGateway, payment: InvoicePayment, currency: str) -> Owed:
    """What is left of a payment, by all its refunds at Stripe: one that failed unseen leaves no other trace."""
    intent_id, charge_id = payment.payment_intent_id, payment.charge_id
    refunds = cases.refunds_of(gateway, intent_id, charge_id) if intent_id or charge_id else []
    left = payment.amount - sum(one["amount"] for one in refunds if one["status"] not in IN_VAIN)
    # after a refund that failed another key is needed: under the old one Stripe would repeat its answer
    return Owed(payment.invoice_id, intent_id, charge_id, left, currency, f"end-duplicate-{payment.id}-{len(refunds)}")


def _give_back(gateway: StripeGateway, owed: Owed) -> str:
    what = f"{price_of(owed.amount, owed.currency)} of {owed.invoice_id}"
    by, name = ("payment_intent", owed.intent_id) if owed.intent_id else ("charge", owed.charge_id)
    if name is None:
        return f"{what} was paid outside Stripe: give it back by hand"
    try:
        gateway.refund(by, name, owed.amount, owed.key)
    except StripeRefused as refused:
        if refused.stripe_code == "charge_already_refunded":
            return f"{what} was given back before"
        if refused.stripe_code == "charge_disputed":
            return f"{what} is disputed: the bank decides, nothing is given back"
        raise
    return f"{what} is given back"
