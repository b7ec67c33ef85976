"""A made-up history that these tests look at from many sides."""

import pytest

from paywall.seeding.purchase import Rows
from tests.support.made_up import rows_of


@pytest.fixture(scope="package")
def made() -> Rows:
    """Four hundred readers to whom much happens; the payment of some of them has failed a moment ago."""
    return rows_of(400, seed=2)
