"""Our plans at Stripe: which price a plan sells at, whether it matches the plan, and how it gets there."""

import threading
import time

import structlog

from paywall.billing.snapshots import PriceSnapshot
from paywall.billing.stripe_gateway import StripeGateway
from paywall.domain.plans import Plan
from paywall.errors import Conflict, Unavailable

log = structlog.get_logger("paywall.catalog")

_REMEMBER_SECONDS = 300.0


class PlanNotForSale(Unavailable):
    """Stripe has no price for the plan, or one that differs from what our page says."""

    code, title = "plan_not_for_sale", "The plan cannot be bought right now"


class PriceIsSold(Conflict):
    """The price at Stripe differs from the plan. A price that may have been sold is never changed."""

    code, title = "price_is_sold", "The price at Stripe differs"


class Catalog:
    """The prices of plans, asked of Stripe once in a while. Threads share it."""

    def __init__(self, gateway: StripeGateway) -> None:
        self._gateway = gateway
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, str]] = {}

    def price_id(self, plan: Plan) -> str:
        """The id of the price that the plan sells at. Raises PlanNotForSale, StripeUnavailable."""
        with self._lock:
            until, price_id = self._known.get(plan.lookup_key, (0.0, ""))
        if time.monotonic() < until:
            return price_id
        price = self._gateway.find_price(plan.lookup_key)
        if price is None or differences(plan, price):
            log.error("plan_not_for_sale", plan=plan.key, faults=faults(plan, price))
            raise PlanNotForSale("The plan cannot be bought right now. Nothing was charged; please try again later.")
        with self._lock:
            self._known[plan.lookup_key] = (time.monotonic() + _REMEMBER_SECONDS, price.id)
        return price.id


def differences(plan: Plan, price: PriceSnapshot) -> list[str]:
    """In what the price at Stripe differs from the plan, in words; empty when it matches."""
    pairs = {
        "product": (plan.product, price.product_id),
        "amount": (plan.amount, price.amount),
        "currency": (plan.currency, price.currency),
        "interval": (plan.interval, price.interval),
        "tax_behavior": (plan.tax_behavior, price.tax_behavior),
    }
    return [f"{name}: {here} here, {there} at Stripe" for name, (here, there) in pairs.items() if here != there]


def check(gateway: StripeGateway, plan: Plan) -> list[str]:
    """What keeps the plan from being sold; empty when Stripe has its price."""
    return faults(plan, gateway.find_price(plan.lookup_key))


def faults(plan: Plan, price: PriceSnapshot | None) -> list[str]:
    """What keeps the plan from being sold at the price that Stripe has for it, if any."""
    return [f"no active price with lookup key {plan.lookup_key}"] if price is None else differences(plan, price)


def push(gateway: StripeGateway, plan: Plan) -> str:
    """Makes product and price where they are missing; returns the price's id. Safe to repeat.

    Raises PriceIsSold where Stripe's price under this lookup key differs: give the plan a new lookup key instead.
    """
    price = gateway.find_price(plan.lookup_key)
    if price is not None and (wrong := differences(plan, price)):
        raise PriceIsSold(
            f"{plan.key}: {'; '.join(wrong)}. Readers may have bought at that price, so it stays: "
            "give the changed plan a new lookup_key and push again."
        )
    gateway.ensure_product(plan)
    return price.id if price is not None else gateway.create_price(plan).id
