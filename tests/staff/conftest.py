"""Somebody on the staff with the role admin, the browsers in which she signs in by mail, and her authenticator app."""

import pytest
from flask.testing import FlaskClient

from paywall.storage.models import Reader
from tests.support.authenticator import App, set_up
from tests.support.browsers import browser
from tests.support.builders import make_reader, sign_in


def signed_in(app, reader: Reader, clock) -> FlaskClient:
    """A browser in which somebody has just signed in by mail."""
    made = browser(app)
    sign_in(made, reader, now=clock.now())
    return made


@pytest.fixture
def sue(app, clock) -> Reader:
    """Somebody with the role admin."""
    return make_reader("sue@example.org", role="admin", now=clock.now())


@pytest.fixture
def client(app, clock, sue) -> FlaskClient:
    """Her browser."""
    return signed_in(app, sue, clock)


@pytest.fixture
def kit(client, clock) -> tuple[App, list[str]]:
    """Her app and recovery codes, a minute after the set-up: what the app showed then was used."""
    made = set_up(client, clock.now())
    clock.advance(minutes=1)
    return made


@pytest.fixture
def authenticator(kit) -> App:
    """Her app."""
    return kit[0]
