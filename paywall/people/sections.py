"""Every table of the database: what an export tells of it, or why nothing."""

from collections.abc import Mapping

from paywall.people import of_person, of_purchases
from paywall.people.section import Section

SECTIONS: tuple[Section, ...] = (*of_person.SECTIONS, *of_purchases.SECTIONS)

# tables of which nothing is exported, each with the reason
NOT_PERSONAL: Mapping[str, str] = {
    "events": "what Stripe told us, as numbers of its own objects alone; what followed stands in the history of access",
    "leases": "who works on a subscription for some seconds",
    "ledger_periods": "between which entries of the history of access another stands; the history itself is told",
    "signing_keys": "our keys",
    "service_keys": "keys of content services",
    "stripe_months": "sums of whole months",
    "daily_figures": "sums of days",
    "rollups": "how far those sums go",
    "use_counts": "how often content services asked, by day",
    "facts": "facts about the installation",
    "workers": "our own processes",
    "jobs": "what our own processes did",
}
