"""The reports' fixtures: a clock at a known moment, a signed-in member of staff."""

import pytest
from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI

from paywall.reports import rollup
from tests.conftest import FrozenClock
from tests.support.builders import NOW, make_reader, sign_in
from tests.support.chromium import browser_type_launch_args, free_port, serve

__all__ = ["browser_type_launch_args", "free_port", "serve"]


@pytest.fixture
def clock() -> FrozenClock:
    """Noon in New York on 22 November 2026."""
    return FrozenClock(NOW)


@pytest.fixture
def staff(app: OpenAPI, client: FlaskClient) -> FlaskClient:
    """A browser in which a member of staff is signed in by a mailed link."""
    sign_in(client, make_reader("desk@example.org", role="admin"))
    return client


@pytest.fixture
def few_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Readers in two parts in place of sixteen, to save time."""
    monkeypatch.setattr(rollup, "_PARTS", (None, "rdr_8", None))
