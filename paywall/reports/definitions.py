"""What every figure of the reports means: one sentence, and its formula. docs/reports.md says the same."""

from dataclasses import dataclass

from paywall.reports.definitions_money import MONEY


@dataclass(frozen=True, slots=True)
class Definition:
    """What a figure means: a sentence for people, and how it is computed."""

    sentence: str
    formula: str


DEFINITIONS: dict[str, Definition] = {
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
} | {name: Definition(*told) for name, told in MONEY.items()}
