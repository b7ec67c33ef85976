"""From sums to the overview's figures: standing, money, and flows that add up (I9)."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from paywall.domain.plans import Plan
from paywall.reports import contributions as of
from paywall.reports.causes import EndCause, cause_of
from paywall.reports.sums import Sums

_MONTHS = 12


@dataclass(frozen=True, slots=True)
class Standing:
    """Persons at a moment: who may read by a paid source, and of these who is in grace, and who ends.

    ``held`` have something paid that is on hold; ``comped`` may read, and by nothing paid.
    """

    paying: int
    grace: int
    ending: int
    held: int
    comped: int


@dataclass(frozen=True, slots=True)
class Money:
    """What the paid entitlements that let somebody in cost in a year, and in a twelfth of it; minor units."""

    currency: str
    arr: int
    mrr: int


@dataclass(frozen=True, slots=True)
class Flow:
    """What a step, or several that follow each other, began with, won and lost."""

    opening: int
    new: int
    returned: int
    renewed: int
    ended_by: Mapping[EndCause, int]

    @property
    def ended(self) -> int:
        """What ended, by any cause."""
        return sum(self.ended_by.values())

    @property
    def net(self) -> int:
        """What was won, less what was lost."""
        return self.new + self.returned - self.ended

    @property
    def closing(self) -> int:
        """What was there in the end."""
        return self.opening + self.net


def standing(sums: Sums) -> Standing:
    """How it stands at the moment up to which the sums go."""
    count: Counter[str] = Counter()
    for key, value in sums.items():
        count[key.measure] += value
    paying = count[of.PAYING]
    return Standing(
        paying=paying,
        grace=paying - count[of.ACTIVE],
        ending=paying - count[of.RENEWING],
        held=count[of.HELD],
        comped=count[of.READING] - paying,
    )


def money(sums: Sums, plans: Mapping[str, Plan]) -> list[Money]:
    """Recurring revenue by currency, from our plans alone. MRR is rounded once, after summing, half a unit upwards."""
    yearly: Counter[str] = Counter()
    for key, value in sums.items():
        if key.measure == of.PRICE and key.plan in plans:
            yearly[key.currency] += value * (_MONTHS if plans[key.plan].interval == "month" else 1)
    return [Money(name, arr, (arr + _MONTHS // 2) // _MONTHS) for name, arr in sorted(yearly.items()) if arr]


def flows(sums: Sums, count: int) -> list[Flow]:
    """A flow for what was before the first step, and one for each of ``count`` steps."""
    counts: dict[int, Counter[str]] = defaultdict(Counter)
    ended: dict[int, Counter[EndCause]] = defaultdict(Counter)
    for key, value in sums.items():
        counts[key.step][key.measure] += value
        if key.measure == of.ENDED:
            ended[key.step][cause_of(key.cause)] += value
    found, opening = [], 0
    for step in range(count + 1):
        had = counts[step]
        found.append(Flow(opening, had[of.NEW], had[of.RETURNED], had[of.RENEWED], ended[step]))
        opening = found[-1].closing
    return found


def total(steps: Sequence[Flow]) -> Flow:
    """Several steps that follow each other, as one."""
    ended: Counter[EndCause] = Counter()
    for one in steps:
        ended.update(one.ended_by)
    new, returned = sum(one.new for one in steps), sum(one.returned for one in steps)
    return Flow(steps[0].opening, new, returned, sum(one.renewed for one in steps), ended)
