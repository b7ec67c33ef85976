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


NOTHING = Standing(None, "There is no subscription under this address.", "plain", "join")

_HOLDS = {
    Reason.DISPUTED: "Your access is on hold, because your bank is looking into the payment.",
    Reason.PAUSED: "Your subscription is paused, and your access with it.",
    Reason.COLLECTION_PAUSED: "Your subscription is paused, and your access with it.",
}
_PAUSES = (Reason.PAUSED, Reason.COLLECTION_PAUSED)
_ENDS = {
    Reason.REFUNDED: ", because the payment was refunded",
    Reason.DISPUTE_LOST: ", because the payment was taken back",
    Reason.PAYMENT_FAILED: ", because the renewal could not be paid",
    Reason.COMP_OVER: ", because your time free of charge is over",
    Reason.COMP_ENDED: ", because your time free of charge is over",
}


def of_reader(entitlements: Iterable[tuple[Plan, Terms]], zone: ZoneInfo, now: datetime) -> Standing:
    """The standing of the best of a reader's entitlements: what lets in, then what is paid, then what lasts longest."""
    found = sorted(entitlements, key=lambda one: (one[1].state_at(now).grants, not _free(one[1]), _lasts(one[1])))
    return describe(*found[-1], zone, now) if found else NOTHING


def describe(plan: Plan, terms: Terms, zone: ZoneInfo, now: datetime) -> Standing:
    """One entitlement in words; days are those of the newsroom's ``zone``."""
    state, reason = terms.explain(now)
    if state is State.PENDING:
        return Standing(plan.name, "We are waiting for your payment to be confirmed.", "plain", "read")
    if terms.until is None:
        return Standing(plan.name, "Your subscription was not paid, so it did not begin.", "plain", "join")
    last = in_words(last_day(terms.until, zone))
    if state is State.ENDED:
        why = _ENDS.get(reason, "")
        return Standing(plan.name, f"Your access ended on {last}{why}.", "plain", "join")
    if state is State.SUSPENDED:
        sentence = _HOLDS.get(reason, "Your access is on hold while we check your subscription.")
        way: Way = "manage" if reason in _PAUSES else "write"
        return Standing(plan.name, sentence, "bad", way)
    if reason is Reason.PAYMENT_FAILED:
        sentence = f"Your renewal could not be paid yet. Unless the next try succeeds, your access ends after {last}."
        return Standing(plan.name, sentence, "bad", "pay")
    return Standing(plan.name, _open(plan, terms, last, zone, now), "good", "read")


def _open(plan: Plan, terms: Terms, last: str, zone: ZoneInfo, now: datetime) -> str:
    if _free(terms):
        return f"You read free of charge until {last}. Nothing will be charged then."
    if not terms.renews or terms.paid_until is None:
        return f"Your access runs until {last}. It will not renew, and nothing more will be charged."
    if now >= terms.paid_until:
        return "Your subscription is being renewed. You can read on meanwhile."
    renewal = in_words(local_day(terms.paid_until, zone))
    return f"Your access runs until {renewal}; then it renews at {plan.price} for another {plan.interval}."


def _free(terms: Terms) -> bool:
    return terms.lapse in COMPS


def _lasts(terms: Terms) -> float:
    return terms.until.timestamp() if terms.until else 0.0
