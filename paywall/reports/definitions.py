"""What every figure of the reports means: one sentence, and its formula. docs/reports.md says the same."""

from dataclasses import dataclass

from paywall.reports.definitions_money import MONEY
from paywall.reports.definitions_use import HEALTH, USE


@dataclass(frozen=True, slots=True)
class Definition:
    """What a figure means: a sentence for people, and how it is computed."""

    sentence: str
    formula: str


_ENDED = "number with end in the step and this cause"
DEFINITIONS: dict[str, Definition] = {
    "paying": Definition(
        "Persons who may read now by something paid, each once.",
        "number of readers with a paid entitlement in state active or grace",
    ),
    "grace": Definition(
        "Active subscribers whose payment failed and whose access goes on for the days of grace.",
        "active subscribers - readers with a paid entitlement in state active",
    ),
    "ending": Definition(
        "Active subscribers with nothing that renews: access ends on a date that is known.",
        "active subscribers - readers with a paid entitlement in state active or grace that renews",
    ),
    "held": Definition(
        "Persons with something paid that is on hold, as by an open dispute.",
        "number of readers with a paid entitlement in state suspended",
    ),
    "comped": Definition(
        "Persons who may read now free of charge and by nothing paid; they count in no other figure.",
        "readers with any entitlement in state active or grace - active subscribers",
    ),
    "arr": Definition(
        "Annual recurring revenue: what the paid entitlements that let somebody in cost in a year, our plans alone.",
        "sum of amount x (12 for a monthly plan, 1 for a yearly one) of paid entitlements in state active or grace, "
        "by currency, before tax and discounts, in whole minor units",
    ),
    "mrr": Definition(
        "Monthly recurring revenue: a twelfth of ARR.",
        "ARR / 12 by currency, rounded once after summing to a minor unit, half a unit upwards",
    ),
    "opening": Definition(
        "Paid entitlements that were running when the step began.",
        "number with start before the step's first moment and end after it",
    ),
    "new": Definition(
        "Paid entitlements that started in the step and are their reader's first.",
        "number with start in the step and no earlier paid entitlement of the reader that ran",
    ),
    "returned": Definition(
        "Paid entitlements that started in the step, of readers who had an earlier one.",
        "number with start in the step and an earlier paid entitlement of the reader that ran",
    ),
    "ended": Definition(
        "Paid entitlements whose last day lies in the step.",
        "number with end after the step's first moment and not after its last",
    ),
    "closing": Definition(
        "Paid entitlements that ran on when the step was over, or are running now.",
        "opening + new + returned - ended",
    ),
    "renewed": Definition(
        "Times that a payment carried paid access on, or brought it back out of grace.",
        "number of ledger entries 'renewed' or 'recovered' that took effect in the step",
    ),
    "ended_asked": Definition("Ended because somebody cancelled.", _ENDED),
    "ended_card": Definition("Ended because the renewal was not paid.", _ENDED),
    "ended_refund": Definition("Ended by a full refund.", _ENDED),
    "ended_dispute": Definition("Ended by a dispute that was lost.", _ENDED),
    "ended_erased": Definition("Ended because the reader's account was erased.", _ENDED),
    "ended_comp": Definition("Ended as free time was over; always 0 here, as only paid access is counted.", _ENDED),
    "ended_other": Definition("Ended for another reason, as a renewal of which nothing was heard.", _ENDED),
    "net": Definition("What the step won, less what it lost.", "new + returned - ended"),
} | {name: Definition(*told) for name, told in (MONEY | USE | HEALTH).items()}
