"""Whoever writes about several rows of one person takes them in one order, or two writers would wait for each other."""

import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, select, text
from sqlalchemy.exc import DBAPIError

from paywall.billing import moving
from paywall.storage import readers
from paywall.storage.database import db
from paywall.storage.models import Reader
from tests.demo.procs import eventually
from tests.support import builders

on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
ADDRESS = "ada@example.com"
WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")


def somebody_waits() -> bool:
    """Whether a transaction in this database waits for another; asked in a transaction of its own."""
    with db.engine.connect() as connection:
        return bool(connection.scalar(WAITING))


def lock(connection: Connection, reader_id: str) -> None:
    """One step of ``lock_person``."""
    connection.execute(select(Reader.id).where(Reader.id == reader_id).with_for_update())


@pytest.fixture
def ids(app) -> Iterator[list[str]]:
    """Three readers with one address, in the order of their ids; the last one has proved it."""
    rows = [Reader(id=f"rdr_{name}", email=ADDRESS, email_normalised=ADDRESS, generation=1) for name in "abc"]
    for row in rows:
        row.created_at = builders.NOW
    rows[-1].email_verified_at = builders.NOW
    builders.save(*rows)
    yield [row.id for row in rows]
    db.session.rollback()


@on_postgresql
def test_proving_an_address_while_a_sync_locks_the_person_is_no_deadlock(app, ids: list[str]) -> None:
    faults: list[Exception] = []

    def prove() -> None:
        with app.app_context():
            try:
                moving.prove(db.session.get(Reader, ids[1]), builders.NOW)
                db.session.commit()
            except DBAPIError as error:
                faults.append(error)

    with db.engine.connect() as sync:
        lock(sync, ids[1])
        other = threading.Thread(target=prove)
        other.start()
        assert eventually(somebody_waits)
        lock(sync, ids[2])
        sync.commit()
        other.join()
    assert faults == []
    db.session.expire_all()
    assert [row.email_verified_at is not None for row in readers.under(ADDRESS)] == [False, False, True]
