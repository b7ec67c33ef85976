"""The database is gone for a while: a clear 503, tokens are checked all the same, and all is well when it is back."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask_openapi3.openapi import OpenAPI
from structlog.testing import capture_logs

from paywall.app import create_app
from paywall.sandbox.server import SandboxServer
from paywall.settings import load_settings
from paywall.storage import entitlements, service_keys
from paywall.storage.database import db
from paywall.storage.models import Entitlement, LedgerEntry
from paywall.tokens import keyring
from tests.conftest import DATABASES, FrozenClock
from tests.support import outages
from tests.support.forms import form_of
from tests.support.outages import Database, OwnPostgres
from tests.support.shop import ARTICLE, Shop, referer


@pytest.fixture(scope="module")
def postgres() -> Iterator[OwnPostgres]:
    """A server for this module."""
    with outages.postgres() as made:
        yield made


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database that can go away."""
    if request.param == "sqlite":
        with outages.failing("sqlite", tmp_path) as made:
            yield made
        return
    server: OwnPostgres = request.getfixturevalue("postgres")
    server.renew()
    yield server


@pytest.fixture
def app(database: Database, sandbox: SandboxServer, clock: FrozenClock) -> Iterator[OpenAPI]:
    """The service on it; no context is pushed, so each request has its own, as in a server."""
    tables: dict[str, Any] = {"database": {"url": database.url}, "stripe": {"api_base": sandbox.url}}
    made = create_app(load_settings(**tables), clock=clock)  # type: ignore[arg-type]
    with made.app_context():
        keyring.ensure(clock.now())
        db.session.commit()
    yield made
    with made.app_context():
        db.engine.dispose()


@pytest.fixture
def shop(app: OpenAPI, sandbox: SandboxServer) -> Iterator[Shop]:
    """Selling through the sandbox."""
    with capture_logs():
        yield Shop(app, sandbox)


def new_connections_only(app: OpenAPI) -> None:
    """A SQLite connection that is open keeps its file, wherever it was moved to."""
    with app.app_context():
        db.engine.dispose()


def lose(app: OpenAPI, database: Database) -> None:
    database.go()
    if database.url.startswith("sqlite"):
        new_connections_only(app)


def rows(app: OpenAPI, model: Any) -> int:
    with app.app_context():
        found: int = db.session.scalar(db.select(db.func.count()).select_from(model))
        return found


def test_pages_say_so_and_work_again_by_themselves(shop: Shop, database: Database) -> None:
    client = shop.browser()
    shop.buy(client)
    fields = form_of(client.get("/sign-in").text)
    lose(shop.app, database)
    for answer in (
        client.get("/account"),
        client.post("/sign-in", data={**fields, "email": "ada@example.com"}, headers=referer()),
        shop.join(shop.browser(), "eve@example.com"),
    ):
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert "Nothing was lost; try again in a minute" in answer.text
        assert 'href="https://news.test/"' in answer.text, "a way on"
        assert answer.headers["Cache-Control"] == "no-store"
    database.come_back()
    assert "Your access runs until" in client.get("/account").text


def test_the_verification_api_keeps_answering_and_the_rest_of_the_api_says_later(
    shop: Shop, database: Database, clock: FrozenClock
) -> None:
    client = shop.browser()
    shop.buy(client)
    token = client.get_cookie("paywall_token").value
    with shop.app.app_context():
        _, key = service_keys.add("news", clock.now())
        db.session.commit()
    ours = {"Authorization": f"Bearer {key}"}
    check = {"token": token, "require": "analyses"}
    assert client.post("/v1/tokens/verify", json=check, headers=ours).json["allowed"] is True
    lose(shop.app, database)
    for _ in range(5):
        answer = client.post("/v1/tokens/verify", json=check, headers=ours)
        assert (answer.status_code, answer.json["allowed"]) == (200, True)
    assert client.get("/.well-known/jwks.json").status_code == 200
    assert client.post("/v1/tokens/verify", json={"token": "x"}, headers=ours).json["reason"] == "malformed"
    renewed = client.post("/v1/tokens/renew", json={"token": token}, headers=ours)
    assert (renewed.status_code, renewed.content_type) == (503, "application/problem+json")
    assert int(renewed.headers["Retry-After"]) > 0
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 503
    database.come_back()
    assert client.post("/v1/tokens/renew", json={"token": token}, headers=ours).json["active"] is True
    assert client.get("/readyz").status_code == 200


def test_a_payment_during_the_outage_is_found_afterwards_by_the_return_and_the_event(
    shop: Shop, database: Database
) -> None:
    client = shop.browser()
    path = shop.pay(shop.start(client))
    (event,) = shop.sandbox.events("checkout.session.completed")
    lose(shop.app, database)
    assert client.get(path).status_code == 503
    with shop.app.app_context():
        assert shop.deliver(event).status_code == 503, "Stripe delivers it again"
    database.come_back()
    with shop.app.app_context():
        assert shop.deliver(event).status_code == 200
    assert client.get(path).headers["Location"] == ARTICLE
    assert (rows(shop.app, Entitlement), rows(shop.app, LedgerEntry)) == (1, 1)


def test_a_database_that_goes_between_two_steps_of_a_sync_leaves_nothing_half_done(
    shop: Shop, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes while Stripe is asked: the lease was taken, nothing is written, and the next try waits for no one."""
    client = shop.browser()
    path = shop.pay(shop.start(client))
    fetch = shop.parts.gateway.fetch_subscription

    def fetch_and_lose(subscription_id: str) -> Any:
        snapshot = fetch(subscription_id)
        lose(shop.app, database)
        return snapshot

    with monkeypatch.context() as patch:
        patch.setattr(type(shop.parts.gateway), "fetch_subscription", lambda _self, name, *_: fetch_and_lose(name))
        assert client.get(path).status_code == 503
    database.come_back()
    assert rows(shop.app, Entitlement) == 0
    shop.parts.clock.advance(seconds=31)  # the lease that could not be given back ends
    assert client.get(path).headers["Location"] == ARTICLE
    with shop.app.app_context():
        reader = db.session.scalars(db.select(Entitlement)).one().reader_id
        assert entitlements.access_of(reader, shop.parts.settings.plans, shop.parts.clock.now()).allowed


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_server_that_does_not_pick_up_is_given_up_in_seconds(shop: Shop, database: Database) -> None:
    """A machine that hangs refuses nobody; without a limit each request would hold its thread for ever."""
    assert isinstance(database, OwnPostgres)
    client = shop.browser()
    shop.buy(client)
    new_connections_only(shop.app)
    with database.frozen():
        began = time.monotonic()
        assert client.get("/account").status_code == 503
        assert time.monotonic() - began < 20
    assert client.get("/account").status_code == 200
