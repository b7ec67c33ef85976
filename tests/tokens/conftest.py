"""Fixtures of the token tests."""

import pytest


@pytest.fixture
def now(clock):
    return clock.now()
