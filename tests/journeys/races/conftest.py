"""The servers that race, and the rule that every race is judged by."""

import pytest

from tests.support import books
from tests.support.farm import Farm, farm

__all__ = ["farm"]  # a fixture


@pytest.fixture(autouse=True)
def books_in_order(farm: Farm):
    """After every test, once Stripe has delivered what it had to repeat, nothing is wrong in the books."""
    yield
    farm.catch_up()
    assert books.faults(farm) == []
