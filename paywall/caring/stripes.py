"""Subscriptions: ended at Stripe now or with their period, and read again from Stripe."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from paywall.billing import desk_calls
from paywall.billing.errors import StripeNotFound, StripeRefused, StripeUnavailable
from paywall.billing.snapshots import SubscriptionSnapshot
from paywall.caring import effects
from paywall.caring.reading import Reading
from paywall.caring.shapes import BadField, CannotAct, Desk, Done, Field, Given, Preview, Step
from paywall.domain.entitlements import SubscriptionFacts, Terms, terms_of
from paywall.domain.lifecycle import Group, group_of
from paywall.domain.plans import price_of
from paywall.domain.roles import Right
from paywall.storage import payments, subscriptions
from paywall.storage.database import begin_read, db
from paywall.storage.entitlements import Cause
from paywall.storage.models import Reader, Subscription


class CancelNow:
    """A subscription ends at Stripe at once."""

    name, title = "cancel-now", "Cancel at once"
    about = "Ends the subscription at Stripe now. Nothing is given back by itself: that is another action."
    right, recent, typed = Right.CARE, False, False

    def fields(self, desk: Desk, of: Reading) -> Sequence[Field]:
        """Which one."""
        return [_choice(of)]

    def look(self, desk: Desk, reader: Reader, given: Given) -> Preview:
        """By the rule, with the subscription ended now."""
        found = fetched(desk, _chosen(Reading(reader), given))
        ended = replace(found.facts, status="canceled", ended_at=desk.now)
        return Preview(
            thing=found.id,
            lines=(f"{found.id} ends at once, and nothing more is charged for it.",),
            before=known(found),
            after={"ends": "now"},
            access=effects.access(desk, reader.id, {found.id: terms(desk, found, ended)}),
            asks=(f"to cancel {found.id} now, without a credit",),
            back="It cannot be taken back: Stripe revives nothing. The reader may buy again, or be given days.",
        )

    def do(self, desk: Desk, reader: Reader, step: Step) -> Done:
        """At Stripe, then here."""
        with suppress(StripeNotFound):  # it is over: a repetition, or somebody was faster
            desk_calls.cancel(desk.gateway, step.thing or "")
        read_again(desk, step.thing or "", step)
        return Done(f"{step.thing} is cancelled.")


class CancelLater:
    """A subscription does not renew."""

    name, title = "cancel-later", "Cancel at the end of the period"
    about = "The subscription runs to the end of what is paid, and does not renew."
    right, recent, typed = Right.CARE, False, False

    def fields(self, desk: Desk, of: Reading) -> Sequence[Field]:
        """Which one."""
        return [_choice(of)]

    def look(self, desk: Desk, reader: Reader, given: Given) -> Preview:
        """By the rule, with the end planned."""
        found = fetched(desk, _chosen(Reading(reader), given))
        if _ends(found.facts):
            raise CannotAct(f"{found.id} does not renew anyhow: it ends with its period.")
        planned = replace(found.facts, cancels_at_period_end=True)
        return Preview(
            thing=found.id,
            lines=(f"{found.id} ends with its period; {price_of(found.amount, found.currency)} is not charged again.",),
            before=known(found),
            after={"ends": "period"},
            access=effects.access(desk, reader.id, {found.id: terms(desk, found, planned)}),
            asks=(f"to end {found.id} with its period",),
            back="It can be taken back as long as the period runs.",
        )

    def do(self, desk: Desk, reader: Reader, step: Step) -> Done:
        """At Stripe, then here."""
        desk_calls.end_with_period(desk.gateway, step.thing or "", True, step.action_id)
        read_again(desk, step.thing or "", step)
        return Done(f"{step.thing} ends with its period.")


class Resync:
    """All that the reader bought is read from Stripe again."""

    name, title = "resync", "Read again from Stripe"
    about = "Brings our rows to what Stripe has now. Harmless."
    right, recent, typed = Right.CARE, False, False

    def fields(self, desk: Desk, of: Reading) -> Sequence[Field]:
        """None; but there must be something to read."""
        if not of.bought:
            raise CannotAct("The reader has no subscription that could be read from Stripe.")
        return []

    def look(self, desk: Desk, reader: Reader, given: Given) -> Preview:
        """How many are read."""
        of = Reading(reader)
        self.fields(desk, of)
        ids = [row.id for row in of.bought]
        return Preview(
            thing=None,
            lines=(f"{len(ids)} subscription{'s' * (len(ids) > 1)} of the reader: {', '.join(ids)}.",),
            after={"subscriptions": ids},
            asks=("for each subscription, its invoices, and what became of their money",),
            back="There is nothing to take back: Stripe is right about money.",
        )

    def do(self, desk: Desk, reader: Reader, step: Step) -> Done:
        """One by one."""
        changed = 0
        for subscription_id in step.after["subscriptions"]:
            changed += desk.sync.subscription(subscription_id, Cause("staff", step.action_id)).changed
        return Done(f"Read from Stripe: {changed} changed." if changed else "Read from Stripe: nothing was different.")


def read_again(desk: Desk, subscription_id: str, step: Step) -> None:
    """Brings our rows to what Stripe has just done. One that it does not tell now is gone on with, never undone.

    Raises StripeUnavailable.
    """
    try:
        desk.sync.subscription(subscription_id, Cause("staff", step.action_id))
    except (StripeNotFound, StripeRefused) as error:
        raise StripeUnavailable from error


def fetched(desk: Desk, row: Subscription) -> SubscriptionSnapshot:
    """The subscription as Stripe has it now. No transaction is open meanwhile."""
    with_cases = payments.with_cases(row.id)
    db.session.commit()  # Stripe is asked next
    found = desk.gateway.fetch_subscription(row.id, with_cases)
    begin_read()
    return found


def known(found: SubscriptionSnapshot) -> dict[str, object]:
    """What is noted of a subscription before it is changed."""
    facts = found.facts
    ends = facts.cancel_at.isoformat() if facts.cancel_at else None
    paid = max((one.end for one in facts.periods), default=None)
    period = paid.isoformat() if paid else None
    return {"status": facts.status, "ends_with_period": facts.cancels_at_period_end, "ends": ends, "paid_until": period}


def terms(desk: Desk, found: SubscriptionSnapshot, facts: SubscriptionFacts) -> Terms | None:
    """What the subscription would give with these facts; None of a plan that is not sold here."""
    row = subscriptions.get(found.id)
    plan = desk.settings.plans.get(row.plan) if row else None
    return terms_of(facts, plan, desk.settings.zone) if plan else None


def of_reader(of: Reading) -> list[Subscription]:
    """Those that are alive at Stripe."""
    return [row for row in of.bought if group_of(row.status) is not Group.CLOSED]


def _ends(facts: SubscriptionFacts) -> bool:
    return facts.cancels_at_period_end or facts.cancel_at is not None


def _choice(of: Reading) -> Field:
    choices = [(row.id, f"{row.id} ({row.status}, {price_of(row.amount, row.currency)})") for row in of_reader(of)]
    if not choices:
        raise CannotAct("The reader has no subscription that runs at Stripe.")
    return Field("subscription", "Subscription", "choice", choices=choices)


def _chosen(of: Reading, given: Given) -> Subscription:
    found = {row.id: row for row in of_reader(of)}
    if not found:
        raise CannotAct("The reader has no subscription that runs at Stripe.")
    wanted = given.get("subscription", "") or (next(iter(found)) if len(found) == 1 else "")
    if wanted not in found:
        raise BadField("subscription", "Choose one of the reader's subscriptions.")
    return found[wanted]
