"""A subscription in plain words: what the reader has, until when, and what happens then."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from paywall.domain.days import in_words, last_day, local_day
from paywall.domain.entitlements import COMPS, Reason, Terms
from paywall.domain.lifecycle import State
from paywall.domain.plans import Plan
from paywall.phrases import N_, Phrase

Tone = Literal["good", "bad", "plain"]
# what helps most: subscribe, pay or change the card, write to the newsroom, look at what was paid, or simply read
Way = Literal["join", "pay", "write", "manage", "read"]


@dataclass(frozen=True, slots=True)
class Standing:
    """What the account page says of a reader's subscription. ``way`` is the way on to show first."""

    plan: str | None
    sentence: str
    tone: Tone
    way: Way

    @property
    def may_join(self) -> bool:
        """Whether a new subscription would help."""
        return self.way == "join"


NOTHING = Standing(None, Phrase("There is no subscription under this address."), "plain", "join")

_HOLDS = {
    Reason.DISPUTED: Phrase("Your access is on hold, because your bank is looking into the payment."),
    Reason.PAUSED: Phrase("Your subscription is paused, and your access with it."),
    Reason.COLLECTION_PAUSED: Phrase("Your subscription is paused, and your access with it."),
}
_PAUSES = (Reason.PAUSED, Reason.COLLECTION_PAUSED)
_ENDS = {
    Reason.REFUNDED: Phrase(", because the payment was refunded"),
    Reason.DISPUTE_LOST: Phrase(", because the payment was taken back"),
    Reason.PAYMENT_FAILED: Phrase(", because the renewal could not be paid"),
    Reason.COMP_OVER: Phrase(", because your time free of charge is over"),
    Reason.COMP_ENDED: Phrase(", because your time free of charge is over"),
}


def of_reader(entitlements: Iterable[tuple[Plan, Terms]], zone: ZoneInfo, now: datetime) -> Standing:
    """The standing of the best of a reader's entitlements: what lets in, then what is paid, then what lasts longest."""
    found = sorted(entitlements, key=lambda one: (one[1].state_at(now).grants, not _free(one[1]), _lasts(one[1])))
    return describe(*found[-1], zone, now) if found else NOTHING


def describe(plan: Plan, terms: Terms, zone: ZoneInfo, now: datetime) -> Standing:
    """One entitlement in words; days are those of the newsroom's ``zone``."""
    state, reason = terms.explain(now)
    if state is State.PENDING:
        return Standing(plan.name, Phrase("We are waiting for your payment to be confirmed."), "plain", "read")
    if terms.until is None:
        sentence = Phrase("Your subscription was not paid, so it did not begin.")
        return Standing(plan.name, sentence, "plain", "join")
    last = in_words(last_day(terms.until, zone))
    if state is State.ENDED:
        why = _ENDS.get(reason, "")
        sentence = Phrase("Your access ended on %(day)s%(why)s.", day=last, why=why)
        return Standing(plan.name, sentence, "plain", "join")
    if state is State.SUSPENDED:
        sentence = _HOLDS.get(reason, Phrase("Your access is on hold while we check your subscription."))
        way: Way = "manage" if reason in _PAUSES else "write"
        return Standing(plan.name, sentence, "bad", way)
    if reason is Reason.PAYMENT_FAILED:
        text = N_("Your renewal could not be paid yet. Unless the next try succeeds, your access ends after %(day)s.")
        sentence = Phrase(text, day=last)
        return Standing(plan.name, sentence, "bad", "pay")
    return Standing(plan.name, _open(plan, terms, last, zone, now), "good", "read")


def _open(plan: Plan, terms: Terms, last: str, zone: ZoneInfo, now: datetime) -> Phrase:
    if _free(terms):
        return Phrase("You read free of charge until %(day)s. Nothing will be charged then.", day=last)
    if not terms.renews or terms.paid_until is None:
        return Phrase("Your access runs until %(day)s. It will not renew, and nothing more will be charged.", day=last)
    if now >= terms.paid_until:
        return Phrase("Your subscription is being renewed. You can read on meanwhile.")
    renewal = in_words(local_day(terms.paid_until, zone))
    text = N_("Your access runs until %(day)s; then it renews at %(price)s for another %(interval)s.")
    return Phrase(text, day=renewal, price=plan.price, interval=Phrase(plan.interval))


def _free(terms: Terms) -> bool:
    return terms.lapse in COMPS


def _lasts(terms: Terms) -> float:
    return terms.until.timestamp() if terms.until else 0.0
