"""A plan that was paid, and its page in the billing portal."""

from urllib.parse import urlencode

import pytest

from tests.sandbox.conftest import send
from tests.sandbox.pages.portal import FORM, open_portal


@pytest.fixture
def subscription(wire, sandbox, session):
    """The plan, paid on the payment page."""
    sandbox.pay(session["id"])
    return wire.get("/v1/subscriptions").json["data"][0]


@pytest.fixture
def portal(sandbox, wire, subscription):
    """The path of a fresh session's page."""
    return open_portal(sandbox, wire, subscription["customer"])


@pytest.fixture
def ask(sandbox):
    """Ask for a page, or post its form."""

    def ask(path, method="GET", **form):
        text = urlencode(form) if method == "POST" else None
        return send(sandbox.url, method, path, text, FORM if method == "POST" else None)

    return ask
