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
    "will_end": (
        "Subscriptions that will not renew, in the month of their last day.",
        "number that do not renew by themselves, last day of access in the month; amount: sum of their prices",
    ),
    "charged": (
        "What was paid for our plans in the step, tax included.",
        "sum of the amounts of invoices paid in the step, by currency",
    ),
    "refunded": (
        "What was given back in the step, of payments of any time.",
        "sum of the refunds made in the step that arrived or are on their way, by currency",
    ),
    "disputed": (
        "What banks took back in the step, unless it was won since.",
        "sum of the disputes opened in the step, without inquiries and without those won or prevented, by currency",
    ),
    "net_revenue": ("What is left of the step's payments.", "charged - refunded - disputed"),
    "difference": (
        "What our figures are above (or below, with a minus) those that Stripe gave when it was last asked.",
        "ours - Stripe's, of charged, refunded and disputed; of a running month, both up to the moment of asking",
    ),
    "stripes_figures": (
        "What Stripe's own lists of invoices, refunds and disputes say of a whole month.",
        "sums over the lists: invoices with one of our products by the moment of payment; refunds and disputes of "
        "their payments by the moment of creation",
    ),
    "failed": (
        "Renewals of the step whose payment was tried and failed at first.",
        "number of entitlements with a failed renewal, by the moment at which their last paid period ended",
    ),
    "recovered": (
        "Failed renewals that were paid before access was over, whether or not the payment was given back later.",
        "number of failed with a later payment, made before the end of access as it was by then, that carried access "
        "on",
    ),
    "paid_too_late": (
        "Failed renewals that were paid after access was over.",
        "number of failed with another later payment, whether or not it brought access back",
    ),
    "lost": (
        "Failed renewals that were not paid, and whose access is over.",
        "failed - recovered - paid too late - in grace",
    ),
    "still_in_grace": (
        "Failed renewals that may still be paid in time.",
        "number of failed, unpaid, with access that runs",
    ),
    "recovery_rate": (
        "The part of the decided failures that was paid in time.",
        "recovered / (failed - in grace); none while nothing is decided",
    ),
    "regained": ("What the recovered renewals paid.", "sum of the first payment after each recovered failure"),
    "in_grace_now": (
        "Readers who may read though their renewal has failed.",
        "number in the state 'grace' at this moment, by the currency of the subscription",
    ),
    "owed": (
        "What those in grace have not paid.",
        "sum of what is left to pay of invoices that failed, as Stripe tells",
    ),
    "tried_again": ("Those in grace whose card Stripe will charge again.", "number in grace with a next try"),
    "given_up": ("Those in grace that only the reader can mend.", "number in grace without a next try"),
    "in_grace_since": ("The day on which the paid period ended.", "day of the end of the last paid period"),
    "attempts": ("How often Stripe has tried to charge the card.", "tries of the open invoice, as Stripe counts them"),
    "last_day": ("The day with which access ends unless it is paid.", "last day before the end of access"),
    "cohort": (
        "Readers, each counted once, who joined in the month.",
        "number of readers whose first paid entitlement that ran has its start in the month",
    ),
    "retained": (
        "Readers of the cohort who were there at the end of a later month, whether or not they were away between.",
        "number of the cohort with a paid entitlement that was running at the month's end, or is running now",
    ),
    "retention": ("The part of the cohort that was still there.", "retained / readers of the cohort"),
    "card_ends_on": (
        "The last day of the card that the next renewal charges.",
        "last day of the card's last month, as of the newest sync",
    ),
}
