"""Facts of letters about a subscription as people read them: names, amounts, days of the newsroom's zone."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from paywall import context
from paywall.domain import days
from paywall.domain.plans import Plan, price_of
from paywall.phrases import Phrase

Values = Mapping[str, Any]

WHY_ENDED = {
    "payment_failed": Phrase("the renewal could not be paid"),
    "refunded": Phrase("the payment was refunded"),
    "dispute_lost": Phrase("the payment was taken back by your bank"),
    "canceled": Phrase("it was cancelled"),
    "period_over": Phrase("the paid time is over"),
}
_OTHERWISE = Phrase("the subscription is over")
INTERVALS = {"month": Phrase("month"), "year": Phrase("year")}


class Facts(dict[str, Any]):
    """A letter's facts, with what they mean to people."""

    @property
    def plan(self) -> Plan | None:
        """The plan, unless it is not known any more."""
        return context.settings().plans.get(str(self.get("plan")))

    @property
    def plan_name(self) -> str:
        """What the reader bought."""
        return self.plan.name if self.plan else context.settings().newsroom.name

    @property
    def price(self) -> str:
        """The price of a period, such as ``$100 a year``."""
        amount = price_of(self["amount"], self["currency"])
        if self.plan is None:
            return amount
        return Phrase("%(amount)s a %(interval)s", amount=amount, interval=INTERVALS[self.plan.interval])

    @property
    def taxed(self) -> bool:
        """Whether tax comes on top of the price."""
        return bool(self["tax"]) and self.plan is not None and self.plan.tax_behavior == "exclusive"

    def day(self, name: str) -> str:
        """The day of a moment."""
        return days.in_words(days.local_day(self._moment(name), context.settings().zone))

    def last_day(self, name: str = "until") -> str:
        """The last day before a moment at which access ends."""
        found: date = days.last_day(self._moment(name), context.settings().zone)
        return days.in_words(found)

    def _moment(self, name: str) -> datetime:
        return datetime.fromisoformat(self[name])


def welcome(facts: Facts) -> Values:
    """A receipt in words."""
    return {
        "plan": facts.plan_name,
        "paid": price_of(facts["paid"], facts["paid_in"]),
        "tax": price_of(facts["tax"], facts["paid_in"]) if facts["tax"] else None,
        "paid_on": facts.day("paid_at"),
        "number": facts["invoice"],
        "until": facts.day("period_end") if facts["renews"] else facts.last_day(),
        "renews_at": facts.price if facts["renews"] else None,
        "taxed": facts.taxed,
    }


def _unpaid(facts: Facts) -> Values:
    return {"plan": facts.plan_name, "price": facts.price, "until": facts.last_day()}


def _cancelled(facts: Facts) -> Values:
    return {"plan": facts.plan_name, "until": facts.last_day()}


def _ended(facts: Facts) -> Values:
    values = {"plan": facts.plan_name, "until": facts.last_day(), "why": WHY_ENDED.get(facts["reason"], _OTHERWISE)}
    return values | {"join_url": f"{context.settings().web.base_url}/join?plan={facts['plan']}"}


def _reminder(facts: Facts) -> Values:
    return {"plan": facts.plan_name, "price": facts.price, "taxed": facts.taxed, "on": facts.day("period_end")}


VALUES: Mapping[str, Callable[[Facts], Values]] = {
    "payment_failed": _unpaid,
    "action_required": _unpaid,
    "cancelled": _cancelled,
    "access_ended": _ended,
    "renewal_reminder": _reminder,
}
