"""Where staff look something up at Stripe: the dashboard, or the sandbox's own page where that stands in for Stripe."""

from paywall.options import Stripe
from paywall.settings import STRIPE_API

_DASHBOARD = "https://dashboard.stripe.com"
# https://docs.stripe.com/dashboard/basics: the pages of single objects; refunds and disputes stand on their payment's
_PAGES = {
    "cus_": "customers",
    "sub_": "subscriptions",
    "in_": "invoices",
    "pi_": "payments",
    "ch_": "payments",
    "py_": "payments",
    "dp_": "disputes",
    "du_": "disputes",
    "evt_": "events",
}


def link(settings: Stripe, name: str) -> str | None:
    """The page of an object of Stripe's by its id; None where there is none.

    The sandbox has one page for all; the mode of our key decides between the dashboard's two halves.
    """
    page = next((page for begins, page in _PAGES.items() if name.startswith(begins)), None)
    if page is None:
        return None
    if settings.api_base != STRIPE_API:
        return f"{settings.api_base}/"
    return f"{_DASHBOARD}/{page}/{name}" if settings.livemode else f"{_DASHBOARD}/test/{page}/{name}"
