"""Facts of letters as people read them: days of the newsroom's zone, never off by one; amounts with their currency."""

from collections.abc import Iterator

import pytest

from paywall.domain.entitlements import Reason
from paywall.mail import dues
from paywall.mail.dues import Facts
from tests.support.marks import on_sqlite

pytestmark = on_sqlite  # no database is asked


@pytest.fixture(params=["Pacific/Pago_Pago", "UTC", "Pacific/Kiritimati"])
def zone(request: pytest.FixtureRequest, make_app) -> Iterator[str]:
    with make_app(newsroom={"time_zone": request.param}).app_context():
        yield request.param


UNTIL = {
    "Pacific/Pago_Pago": "2027-11-22T11:00:00+00:00",
    "UTC": "2027-11-22T00:00:00+00:00",
    "Pacific/Kiritimati": "2027-11-21T10:00:00+00:00",
}


def test_the_last_day_is_the_one_before_access_ends_wherever_the_newsroom_is(zone: str) -> None:
    facts = Facts(plan="annual", until=UNTIL[zone], amount=10000, currency="usd", reason="canceled")
    for kind in ("payment_failed", "action_required", "cancelled", "access_ended"):
        assert dues.VALUES[kind](facts)["until"] == "21 November 2027"


def test_a_renewal_is_on_the_day_on_which_it_is_charged(zone: str) -> None:
    facts = Facts(plan="annual", period_end=UNTIL[zone], amount=10000, currency="usd", tax=0)
    assert dues.VALUES["renewal_reminder"](facts)["on"] == "22 November 2027"


@pytest.fixture
def here(app) -> None:
    """A service, in the newsroom's own zone."""


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(("amount", "currency", "price"), [(10000, "usd", "$100 a year"), (999, "eur", "€9.99 a year")])
def test_a_price_names_its_currency_and_its_interval(amount: int, currency: str, price: str) -> None:
    assert Facts(plan="annual", amount=amount, currency=currency).price == price


@pytest.mark.usefixtures("here")
def test_a_plan_that_is_gone_is_called_by_the_newsroom() -> None:
    facts = Facts(plan="gone", amount=500, currency="usd", tax=5)
    assert (facts.plan_name, facts.price, facts.taxed) == ("The Daily Ledger", "$5", False)


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("reason", Reason)
def test_every_end_has_a_reason_in_words(reason: Reason) -> None:
    facts = Facts(plan="annual", until=UNTIL["UTC"], reason=str(reason))
    why = dues.VALUES["access_ended"](facts)["why"]
    assert "_" not in why
    assert len(why.split()) >= 3
