"""What the figures of renewals, dunning, cohorts and revenue mean: one sentence and a formula each."""

MONEY: dict[str, tuple[str, str]] = {
    "renewing": (
        "Subscriptions whose next renewal lies in the month and is expected to succeed.",
        "number that renew by themselves, end of the paid period in the month, not in grace, card good on that day; "
        "amount: sum of their prices",
    ),
    "failing": (
        "Subscriptions that nothing but another payment or another card will keep.",
        "card expires + in dunning",
    ),
    "card_expires": (
        "Subscriptions whose card is no longer good in the month of their next renewal.",
        "number that renew by themselves, end of the paid period in the month, last day of the card before the month",
    ),
    "in_dunning": (
        "Subscriptions whose renewal has failed, in the month in which their grace ends.",
        "number with a failed renewal and the end of access in the month",
    ),
    "ending": (
        "Subscriptions that will not renew, in the month of their last day.",
        "number that do not renew by themselves, last day of access in the month; amount: sum of their prices",
    ),
}
