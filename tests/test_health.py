"""Whether the process lives, and whether it can work: each fault is named with its mend."""

import threading
from dataclasses import replace
from types import SimpleNamespace

import pytest
from sqlalchemy import text

from paywall import health
from paywall.billing.snapshots import PriceSnapshot
from paywall.billing.stripe_gateway import StripeGateway, StripeUnavailable
from paywall.storage import workers
from paywall.storage.database import db
from paywall.storage.models import SigningKey
from paywall.tokens import keyring, vault
from tests.support.browsers import browser
from tests.support.marks import on_sqlite

# the price of the plan annual, as plans.toml says it
PRICE = PriceSnapshot(
    id="price_1",
    product_id="paywall_annual",
    amount=10000,
    currency="usd",
    interval="year",
    tax_behavior="exclusive",
    active=True,
    lookup_key="paywall_annual_usd_10000",
)
NO_PRICE = "annual: no active price with lookup key paywall_annual_usd_10000"
MEND = "; run flask paywall plans push, or mend plans.toml"


def ready(client) -> tuple[int, dict[str, str]]:
    """The status of /readyz, and its checks."""
    answer = client.get("/readyz")
    assert answer.headers["Cache-Control"] == "no-store"
    assert (answer.status_code == 200) == (answer.json["status"] == "ok")
    return answer.status_code, answer.json["checks"]


@pytest.fixture
def ticking(monkeypatch):
    """The clock that memory goes by."""
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(health, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


@pytest.fixture
def stripe_says(monkeypatch):
    """What Stripe says when it is asked for a price, and how often it was asked."""
    state = SimpleNamespace(answer=PRICE, asked=0)

    def find_price(_gateway, _lookup_key):
        state.asked += 1
        if isinstance(state.answer, Exception):
            raise state.answer
        return state.answer

    monkeypatch.setattr(StripeGateway, "find_price", find_price)
    return state


def test_all_in_order(shop) -> None:
    client = shop.browser()
    assert ready(client) == (200, dict.fromkeys(("database", "migrations", "keys", "plans"), "ok"))
    assert client.get("/healthz").json == {"status": "ok"}


def test_a_database_behind_the_code_is_named_with_both_places(shop) -> None:
    db.session.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    db.session.commit()
    try:
        status, checks = ready(shop.browser())
    finally:
        db.session.execute(text("UPDATE alembic_version SET version_num = :head"), {"head": health.head()})
        db.session.commit()
    assert status == 503
    assert checks["migrations"] == f"database at 0000, code at {health.head()}: run flask db upgrade"
    assert checks["database"] == checks["keys"] == checks["plans"] == "ok"


@pytest.mark.parametrize("state", ["none", "retired", "waiting"])
def test_without_a_key_that_signs_it_is_not_ready(shop, clock, state: str) -> None:
    row = db.session.scalars(db.select(SigningKey)).one()
    if state == "none":
        db.session.delete(row)
    elif state == "retired":
        row.retired_at = clock.now()
    else:
        clock.advance(seconds=-1)
    db.session.commit()
    status, checks = ready(shop.browser())
    assert status == 503
    assert checks["keys"] == "no signing key: run flask paywall keys generate"


def test_with_a_key_that_cannot_be_read_it_is_not_ready(shop) -> None:
    """Readers would be cut off one by one as their tokens end."""
    row = db.session.scalars(db.select(SigningKey)).one()
    row.private_key = vault.seal(b"k" * 32, row.kid, "insecure-lost-encryption-key-000000000000")
    db.session.commit()
    status, checks = ready(shop.browser())
    assert status == 503
    assert checks["keys"].startswith("the signing key cannot be read: give tokens.encryption_key its value back")


@on_sqlite
@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, NO_PRICE + MEND),
        ({"api_base": "http://127.0.0.1:9"}, "Stripe does not answer"),
        ({"api_key": "sk_test_of_somebody_else"}, "Stripe refuses the question: check stripe.api_key"),
    ],
)
def test_a_plan_that_cannot_be_sold_is_named(make_app, sandbox, clock, settings: dict[str, str], words: str) -> None:
    app = make_app(stripe={"api_base": sandbox.url, **settings})
    with app.app_context():
        keyring.ensure(clock.now())
        db.session.commit()
    status, checks = ready(browser(app))
    assert (status, checks["plans"]) == (503, words)


@on_sqlite
def test_an_unmigrated_database_is_not_ready(make_app, tmp_path) -> None:
    client = browser(make_app(database={"url": f"sqlite:///{tmp_path / 'empty.sqlite3'}"}))
    status, checks = ready(client)
    assert status == 503
    assert checks["database"] == "ok"
    assert checks["migrations"].startswith("database at None, code at ")
    assert checks["keys"] == "the database does not answer"


@on_sqlite
@pytest.mark.parametrize(
    "url", ["postgresql+psycopg://nobody:sesame@127.0.0.1:9/none", "sqlite:////nowhere/paywall.sqlite3"]
)
def test_without_a_database_it_lives_but_is_not_ready(make_app, stripe_says, url: str) -> None:
    client = browser(make_app(database={"url": url}))
    status, checks = ready(client)
    assert status == 503
    assert {checks[name] for name in ("database", "migrations", "keys")} == {"the database does not answer"}
    assert checks["plans"] == "ok"
    assert client.get("/healthz").status_code == 200


@on_sqlite
def test_stripe_is_asked_once_a_minute_while_all_is_well(app, client, stripe_says, ticking) -> None:
    for seconds, asked in ((0, 1), (30, 1), (29.9, 1), (0.2, 2)):
        ticking.now += seconds
        assert ready(client)[1]["plans"] == "ok"
        assert stripe_says.asked == asked


@on_sqlite
def test_a_fault_is_looked_at_again_after_a_second(client, stripe_says, ticking) -> None:
    stripe_says.answer = None
    assert ready(client)[1]["plans"] == NO_PRICE + MEND
    stripe_says.answer = PRICE
    assert ready(client)[1]["plans"] == NO_PRICE + MEND, "not twice in one moment"
    ticking.now += 1
    assert ready(client)[1]["plans"] == "ok"


@on_sqlite
def test_a_plan_whose_price_differs_at_stripe_is_named_with_the_difference(client, stripe_says) -> None:
    """Checkout refuses to sell it, so a service with it is not ready."""
    stripe_says.answer = replace(PRICE, amount=12000, tax_behavior="inclusive")
    words = "annual: amount: 10000 here, 12000 at Stripe, tax_behavior: exclusive here, inclusive at Stripe"
    assert ready(client) == (
        503,
        {
            "database": "ok",
            "migrations": "ok",
            "keys": "no signing key: run flask paywall keys generate",
            "plans": words + MEND,
        },
    )


def test_no_transaction_and_no_connection_wait_for_stripe(shop, monkeypatch) -> None:
    """A slow Stripe must neither keep old rows from being cleaned up nor use up the pool."""
    held = []

    def find_price(_gateway, _lookup_key):
        held.append((db.session.registry().in_transaction(), db.engine.pool.checkedout()))
        return PRICE

    monkeypatch.setattr(StripeGateway, "find_price", find_price)
    db.session.rollback()
    assert ready(shop.browser())[0] == 200
    assert held == [(False, 0)]


@on_sqlite
def test_plans_once_seen_stay_known_while_stripe_is_away(client, stripe_says, ticking) -> None:
    """Checking tokens needs no Stripe: its failure must not take the service out of turn."""
    assert ready(client)[1]["plans"] == "ok"
    ticking.now += 61
    stripe_says.answer = StripeUnavailable()
    assert ready(client)[1]["plans"] == "ok"
    assert stripe_says.asked == 2
    ticking.now += 61
    stripe_says.answer = None
    assert ready(client)[1]["plans"] == NO_PRICE + MEND, "what Stripe says counts"
    ticking.now += 61
    stripe_says.answer = StripeUnavailable()
    assert ready(client)[1]["plans"] == "Stripe does not answer"


@on_sqlite
def test_one_caller_waits_for_stripe_and_the_others_do_not(app, monkeypatch) -> None:
    """Probes that pile up behind a slow Stripe would take every thread of the server."""
    asked, go_on = threading.Event(), threading.Event()

    def slow(_gateway, _lookup_key):
        asked.set()
        assert go_on.wait(10)
        return PRICE

    monkeypatch.setattr(StripeGateway, "find_price", slow)
    first = browser(app)
    answers: list[str] = []

    def ask() -> None:
        with app.app_context():
            answers.append(app.extensions["paywall.plans_at_stripe"].check())

    waiting = threading.Thread(target=ask)
    waiting.start()
    assert asked.wait(10)
    assert ready(first)[1]["plans"] == "not asked yet"
    go_on.set()
    waiting.join()
    assert answers == ["ok"]
    assert ready(first)[1]["plans"] == "ok"


class TestWorker:
    def test_that_none_runs_is_told_and_keeps_nobody_out(self, client, app, stripe_says) -> None:
        keyring.ensure(app.extensions["paywall"].clock.now())
        db.session.commit()
        answer = client.get("/readyz")
        assert (answer.status_code, answer.json["worker"]) == (200, "none runs: start flask paywall worker")

    def test_its_newest_beat_is_told_and_when_it_fell_silent(self, client, clock, stripe_says) -> None:
        workers.beat("wrk_1", "here:1", clock.now())
        db.session.commit()
        clock.advance(seconds=29)
        assert client.get("/readyz").json["worker"] == "last beat 29 seconds ago"
        clock.advance(seconds=1)
        assert client.get("/readyz").json["worker"] == "last beat 30 seconds ago: start it again"
