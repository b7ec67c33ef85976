"""Fixtures that all tests share: settings, both databases through migrations, the application, a clock that is set."""

import gc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI

from paywall.app import create_app
from paywall.sandbox.server import SandboxServer
from paywall.settings import Settings, load_settings
from paywall.storage.database import db
from paywall.tokens import keyring
from tests.support import databases, gathering, marks, sharing
from tests.support.browsers import browser
from tests.support.nearby import install, nearby
from tests.support.shop import Shop

DATABASES = ("sqlite", "postgresql")
REAL_SERVERS = ("tests/journeys/", "tests/demo/", "tests/sandbox/")


def pytest_configure(config: pytest.Config) -> None:
    """The controller of the run starts PostgreSQL once; workers find its address in the environment."""
    gc.disable()  # thousands of tests are collected; searching them for garbage again and again takes seconds
    sharing.share()
    install()
    if not hasattr(config, "workerinput"):
        databases.start(config)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stops what the controller started."""
    if not hasattr(config, "workerinput"):
        databases.stop()


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """A worker begins with its share of the modules."""
    gathering.import_a_share(session.config)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out what a module does not ask PostgreSQL; gives tests that run real servers a second try.

    Those wait for real time, and a busy machine has little of it; a second try is told.
    """
    left_out = {item for item in items if marks.is_left_out(item)}
    config.hook.pytest_deselected(items=[item for item in items if item in left_out])
    items[:] = [item for item in items if item not in left_out]
    for item in items:
        if item.nodeid.startswith(REAL_SERVERS):
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop() -> None:
    """What was collected stays to the end: from now on nobody looks for garbage in it."""
    gc.freeze()
    gc.enable()


class FrozenClock:
    """A clock that stands where it is put."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def now(self) -> datetime:
        """The moment it was put to."""
        return self.moment

    def advance(self, **amount: float) -> None:
        """Moves on by a timedelta's arguments."""
        self.moment += timedelta(**amount)


@pytest.fixture
def clock() -> FrozenClock:
    """The real moment of the test's start, standing still (Stripe's sandbox lives in real time)."""
    return FrozenClock(datetime.now(UTC).replace(microsecond=0))


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty, migrated database; the test runs on SQLite and on PostgreSQL."""
    with databases.fresh(request.param, tmp_path) as url:
        yield url


@pytest.fixture
def make_settings(database_url: str) -> Callable[..., Settings]:
    """Settings for tests on this database; tables given as arguments win."""

    def make(**tables: dict[str, object]) -> Settings:
        values: dict[str, dict[str, object]] = {"database": {"url": database_url}}
        for name, table in tables.items():
            values[name] = {**values.get(name, {}), **table}
        return load_settings(**values)

    return make


@pytest.fixture
def make_app(make_settings: Callable[..., Settings], clock: FrozenClock) -> Iterator[Callable[..., OpenAPI]]:
    """Applications on this database; tables of settings given as arguments win."""
    made: list[OpenAPI] = []

    def make(**tables: dict[str, object]) -> OpenAPI:
        app = create_app(make_settings(**tables), clock=clock)  # type: ignore[arg-type]
        app.testing = True
        made.append(app)
        return app

    yield make
    for app in made:
        with app.app_context():
            db.engine.dispose()


@pytest.fixture
def app(make_app: Callable[..., OpenAPI]) -> Iterator[OpenAPI]:
    """The application, with its context pushed."""
    made = make_app()
    with made.app_context():
        yield made
        db.session.remove()


@pytest.fixture
def client(app: OpenAPI) -> FlaskClient:
    """A browser of the application, at its own https address."""
    return browser(app)


@pytest.fixture
def sandbox(clock: FrozenClock) -> Iterator[SandboxServer]:
    """A Stripe of this test's own, at the test's time, which delivers no event by itself."""
    keys = {"api_key": "sk_test_insecure_testing_key", "webhook_secret": "whsec_testing_secret"}
    with SandboxServer(**keys, now=clock.now) as server:
        server.deliver = False
        with nearby(server):
            yield server


@pytest.fixture
def shop(make_app: Callable[..., OpenAPI], sandbox: SandboxServer) -> Iterator[Shop]:
    """The application selling through the sandbox, with its context pushed."""
    made = make_app(stripe={"api_base": sandbox.url})
    with made.app_context():
        keyring.ensure(made.extensions["paywall"].clock.now())
        db.session.commit()
        yield Shop(made, sandbox)
        db.session.remove()
