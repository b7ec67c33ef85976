"""Plans: what is for sale is checked before anything is sold."""

import tomllib
from pathlib import Path

import pytest

from paywall.domain.plans import PlanError, load_plan, load_plans, price_of
from paywall.settings import ROOT

GOOD = {
    "name": "Everything",
    "amount": 10000,
    "currency": "usd",
    "interval": "year",
    "product": "prod",
    "lookup_key": "key",
    "features": ["news", "memos"],
    "renewal_slack_days": 3,
    "grace_days": 14,
}


def test_the_shipped_plan_is_one_hundred_dollars_a_year_for_everything() -> None:
    plan = load_plans(tomllib.loads(Path(ROOT / "config/plans.toml").read_text()))["annual"]
    assert (plan.amount, plan.currency, plan.interval, plan.price) == (10000, "usd", "year", "$100")
    assert plan.features == ("news", "analyses", "memos", "reports", "newsletters")
    assert (plan.on_full_refund, plan.on_dispute, plan.tax_behavior) == ("end", "suspend", "exclusive")


def test_defaults_of_policies_are_the_careful_ones() -> None:
    plan = load_plan("annual", GOOD)
    assert (plan.on_full_refund, plan.on_dispute, plan.on_pause_collection) == ("end", "suspend", "keep")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"amount": 0}, "amount: must be a whole number from 1"),
        ({"amount": 99.5}, "amount: must be a whole number"),
        ({"amount": True}, "amount: must be a whole number"),
        ({"amount": "10000"}, "amount: must be a whole number"),
        ({"grace_days": -1}, "grace_days: must be a whole number from 0 to 90"),
        ({"renewal_slack_days": 32}, "renewal_slack_days: must be a whole number from 0 to 31"),
        ({"currency": "USD"}, "currency: must be a currency code in small letters"),
        ({"interval": "fortnight"}, "interval: must be one of month, year"),
        ({"on_dispute": "shrug"}, "on_dispute: must be one of suspend, keep"),
        ({"features": []}, "features: must be a list"),
        ({"features": "news"}, "features: must be a list"),
        ({"features": ["news", "two words"]}, "features: must be a list of names"),
        ({"features": ["news", "news"]}, "features: names a feature twice"),
        ({"name": "  "}, "name: must be a text"),
        ({"product": 7}, "product: must be a text"),
        ({"discount": 5}, "discount: there is no such field"),
    ],
)
def test_a_malformed_plan_is_refused_and_the_message_names_the_field(change: dict[str, object], words: str) -> None:
    with pytest.raises(PlanError, match=r"\[annual\]") as refused:
        load_plan("annual", {**GOOD, **change})
    assert words in str(refused.value)


@pytest.mark.parametrize("field", sorted(GOOD))
def test_a_missing_field_is_named(field: str) -> None:
    with pytest.raises(PlanError, match=f"{field}: is missing"):
        load_plan("annual", {name: value for name, value in GOOD.items() if name != field})


@pytest.mark.parametrize("key", ["", "Annual", "1year", "a b", "a" * 41])
def test_a_plan_needs_a_plain_key(key: str) -> None:
    with pytest.raises(PlanError, match="key is small letters"):
        load_plan(key, GOOD)


def test_a_file_without_a_plan_sells_nothing_and_says_so() -> None:
    with pytest.raises(PlanError, match="holds no plan"):
        load_plans({})


def test_a_plan_that_is_no_table_is_refused() -> None:
    with pytest.raises(PlanError, match="must be a table"):
        load_plans({"annual": 100})


@pytest.mark.parametrize("field", ["product", "lookup_key"])
def test_two_plans_cannot_share_a_product_or_a_lookup_key(field: str) -> None:
    other = {**GOOD, "product": "other", "lookup_key": "other", field: GOOD[field]}
    with pytest.raises(PlanError, match=f"share one {field}"):
        load_plans({"annual": GOOD, "other": other})


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [(10000, "usd", "$100"), (9950, "usd", "$99.50"), (123456, "eur", "€1,234.56"), (10000, "sek", "100 SEK")],
)
def test_a_price_is_shown_as_people_write_it(amount: int, currency: str, shown: str) -> None:
    assert load_plan("annual", {**GOOD, "amount": amount, "currency": currency}).price == shown


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        (10000, "jpy", "10,000 JPY"),
        (10500, "kwd", "10.500 KWD"),
        (10000, "kwd", "10 KWD"),
        (0, "usd", "$0"),
        (-50, "usd", "-$0.50"),
        (-10000, "jpy", "-10,000 JPY"),
    ],
)
def test_amounts_are_shown_in_each_currency_s_own_unit_and_with_their_sign(amount: int, currency: str, shown: str):
    assert price_of(amount, currency) == shown
