"""The database goes away beneath a real worker: it waits, does not end, and goes on by itself when it is back."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from paywall.sandbox.server import SandboxServer
from tests.support import nursery, outages
from tests.support.farm import service_environment
from tests.support.outages import Database, OwnPostgres
from tests.support.servers import wait_until


@pytest.fixture(scope="module")
def postgres() -> Iterator[OwnPostgres]:
    """A server for this module."""
    with outages.postgres() as made:
        yield made


@pytest.fixture
def database(postgres: OwnPostgres) -> Database:
    """An empty PostgreSQL database that can be stopped."""
    postgres.renew()
    return postgres


def ask(database: Database, statement: str, **values: object) -> list[sa.Row]:
    """Runs one statement over a connection of its own."""
    engine = sa.create_engine(database.url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        done = connection.execute(sa.text(statement), values)
        return list(done) if done.returns_rows else []


def park(database: Database, event_id: str) -> None:
    """An event that is due, about nothing that Stripe knows."""
    ask(
        database,
        "INSERT INTO events (id, type, created_at, received_at, objects, state, attempts, next_try_at) VALUES "
        "(:id, 'customer.subscription.updated', :now, :now, '{\"subscription\": \"sub_1\"}', 'parked', 1, :now)",
        id=event_id,
        now=datetime.now(UTC),
    )


@pytest.mark.parametrize("away_at_start", [False, True])
def test_it_waits_and_goes_on_by_itself(
    database: Database, sandbox: SandboxServer, tmp_path: Path, away_at_start: bool
) -> None:
    env = service_environment(database.url, sandbox.url, "https://pay.test")
    env |= {"PAYWALL_WEB__COOKIE_SECURE": "true", "PAYWALL_WORKER__SILENT_SECONDS": "10"}
    log = tmp_path / "worker.log"
    if away_at_start:
        database.go()
    worker = nursery.start([sys.executable, "-m", "flask", "--app", "wsgi", "paywall", "worker"], env, log)
    try:
        if not away_at_start:
            park(database, "evt_before")
            handled = "SELECT id FROM events WHERE state = 'ignored'"
            wait_until(lambda: ask(database, handled), log.read_text(), 40)
            database.go()
        told = ("database_unavailable", "heartbeat_failed")
        wait_until(lambda: all(one in log.read_text() for one in told), "it tells that the database is away", 40)
        assert worker.poll() is None
        database.come_back()
        park(database, "evt_after")
        query = "SELECT state FROM events WHERE id = 'evt_after' AND state = 'ignored'"
        wait_until(lambda: ask(database, query), "it goes on by itself", 60)
        wait_until(lambda: ask(database, "SELECT 1 FROM jobs WHERE failures > 0"), "its figures are not lost", 40)
        worker.terminate()
        assert worker.wait(30) == 0
        assert "Traceback" not in log.read_text()
    finally:
        worker.kill()
        worker.wait()
