"""A run of the reconciliation, and something sold to compare."""

import pytest

from tests.support.runs import Runs
from tests.support.shop import Shop


@pytest.fixture
def run(shop: Shop) -> Runs:
    return Runs(shop)


@pytest.fixture
def sold(shop: Shop) -> str:
    """A subscription that was paid and of which every event was handled."""
    subscription_id = shop.buy(shop.browser())
    assert set(shop.deliver_all()) == {200}
    return subscription_id


@pytest.fixture
def bought(shop: Shop) -> str:
    """A subscription that was paid, of which we have heard nothing yet."""
    session_id = shop.start(shop.browser())
    shop.pay(session_id)
    return str(shop.session(session_id)["subscription"])
