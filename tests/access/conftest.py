"""A content service with its key, in front of the real application on both databases."""

import pytest

from paywall.storage import service_keys
from paywall.storage.database import db
from paywall.tokens import verification
from tests.conftest import browser
from tests.support import subscribers


@pytest.fixture
def app(make_app):
    made = make_app()
    with made.app_context():
        verification.of_app().snapshots.interval = 0.0
        yield made
        db.session.remove()


@pytest.fixture
def client(app):
    return browser(app)


@pytest.fixture
def now(clock):
    return clock.now()


@pytest.fixture
def service_key(app, now):
    _, key = service_keys.add("news", now)
    db.session.commit()
    return key


@pytest.fixture
def subscriber(app, now):
    """A signed-in reader with access: reader id and session id."""
    return subscribers.subscriber(now)


@pytest.fixture
def token(subscriber, now):
    return subscribers.token(*subscriber, now)


@pytest.fixture
def ask(client, service_key):
    """Posts JSON to an address below /v1/tokens as the content service."""

    def ask(name, **body):
        db.session.rollback()  # outside tests a request begins with a session of its own
        return client.post(f"/v1/tokens/{name}", json=body, headers={"Authorization": f"Bearer {service_key}"})

    return ask
