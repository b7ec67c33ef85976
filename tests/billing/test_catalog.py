"""Plans at Stripe: made where missing, never changed, compared before anything is sold."""

from dataclasses import replace

import pytest
import structlog

from paywall.billing import catalog
from paywall.billing.catalog import Catalog, PlanNotForSale, PriceIsSold
from paywall.billing.commands import plans_cli
from paywall.domain.plans import Plan
from tests.support.shop import Shop

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # no table is touched here


@pytest.fixture
def plan(shop: Shop) -> Plan:
    return shop.parts.settings.plans["annual"]


def test_push_makes_product_and_price_with_their_own_names_and_tax_behaviour(shop: Shop, plan: Plan) -> None:
    price = shop.stripe().v1.prices.list({"lookup_keys": ["paywall_annual_usd_10000"]}).data[0]
    assert (price.product, price.unit_amount, price.currency) == ("paywall_annual", 10000, "usd")
    assert (price.recurring.interval, price.tax_behavior) == ("year", "exclusive")
    assert shop.stripe().v1.products.retrieve("paywall_annual").name == plan.name


def test_push_can_be_repeated(shop: Shop, plan: Plan) -> None:
    assert catalog.push(shop.parts.gateway, plan) == catalog.push(shop.parts.gateway, plan)
    assert len(shop.stripe().v1.prices.list({"product": plan.product}).data) == 1


def test_push_gives_the_product_the_plans_new_name(shop: Shop, plan: Plan) -> None:
    catalog.push(shop.parts.gateway, replace(plan, name="All of it"))
    assert shop.stripe().v1.products.retrieve(plan.product).name == "All of it"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"amount": 12000}, "amount: 12000 here, 10000 at Stripe"),
        ({"currency": "eur"}, "currency: eur here, usd at Stripe"),
        ({"interval": "month"}, "interval: month here, year at Stripe"),
        ({"tax_behavior": "inclusive"}, "tax_behavior: inclusive here, exclusive at Stripe"),
        ({"product": "other"}, "product: other here, paywall_annual at Stripe"),
    ],
)
def test_a_price_that_may_be_sold_is_never_changed(shop: Shop, plan: Plan, change, words) -> None:
    changed = replace(plan, **change)
    assert catalog.check(shop.parts.gateway, changed) == [words]
    with pytest.raises(PriceIsSold, match="new lookup_key"):
        catalog.push(shop.parts.gateway, changed)
    assert catalog.check(shop.parts.gateway, plan) == []


def test_a_new_price_under_a_new_key_stands_beside_the_sold_one(shop: Shop, plan: Plan) -> None:
    new = replace(plan, amount=12000, lookup_key="paywall_annual_usd_12000")
    assert catalog.push(shop.parts.gateway, new) != catalog.push(shop.parts.gateway, plan)


def test_a_plan_that_differs_from_stripe_is_not_sold(shop: Shop, plan: Plan) -> None:
    with pytest.raises(PlanNotForSale):
        Catalog(shop.parts.gateway).price_id(replace(plan, amount=1))
    with pytest.raises(PlanNotForSale):
        Catalog(shop.parts.gateway).price_id(replace(plan, lookup_key="nowhere"))


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"amount": 1}, "amount: 1 here, 10000 at Stripe"),
        ({"lookup_key": "nowhere"}, "no active price with lookup key nowhere"),
    ],
)
def test_staff_find_in_the_log_why_a_plan_is_not_sold(shop: Shop, plan: Plan, change, fault: str) -> None:
    with structlog.testing.capture_logs() as lines, pytest.raises(PlanNotForSale) as told:
        Catalog(shop.parts.gateway).price_id(replace(plan, **change))
    errors = [line for line in lines if line["log_level"] == "error"]
    assert errors == [{"event": "plan_not_for_sale", "log_level": "error", "plan": "annual", "faults": [fault]}]
    assert "staff" not in told.value.message, "nobody was told"


def test_the_price_is_asked_for_once_in_a_while(shop: Shop, plan: Plan) -> None:
    known = Catalog(shop.parts.gateway)
    before = len(shop.sandbox.requests)
    assert {known.price_id(plan) for _ in range(5)} == {shop.parts.catalog.price_id(plan)}
    assert len(shop.sandbox.requests) - before <= 2


def test_the_commands_say_what_is_for_sale(shop: Shop) -> None:
    runner = shop.app.test_cli_runner()
    checked = runner.invoke(plans_cli, ["check"])
    assert (checked.exit_code, checked.output) == (0, "annual: ok, $100 per year\n")
    pushed = runner.invoke(plans_cli, ["push"])
    assert (pushed.exit_code, pushed.output.startswith("annual: $100 per year is price_")) == (0, True)


def test_check_fails_where_stripe_lacks_the_price_and_says_what_to_do(shop: Shop) -> None:
    price = shop.parts.catalog.price_id(shop.parts.settings.plans["annual"])
    shop.stripe().v1.prices.update(price, {"active": False})
    checked = shop.app.test_cli_runner().invoke(plans_cli, ["check"])
    assert checked.exit_code == 1
    assert "no active price with lookup key" in checked.output
    assert "flask paywall plans push" in checked.output


def test_commands_say_when_stripe_is_away(make_app) -> None:
    app = make_app(stripe={"api_base": "http://127.0.0.1:9"})
    for command in ("check", "push"):
        result = app.test_cli_runner().invoke(plans_cli, [command])
        assert result.exit_code == 1
        assert "does not answer" in result.output
        assert "Traceback" not in result.output
