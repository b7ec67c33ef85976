"""What is given free of charge follows the person, ends with an erasure, and is written in one place."""

from datetime import timedelta

import pytest

from paywall.billing import moving
from paywall.people import erasing, exporting, granting
from paywall.storage import aliases, entitlements, grants, ledger
from paywall.storage.database import begin_read, db
from paywall.storage.entitlements import Cause
from paywall.storage.models import Reader
from tests.support.builders import make_reader, open_session
from tests.support.marks import on_sqlite

CAUSE = Cause("staff", "act_1")


@pytest.fixture
def typed(app, clock) -> Reader:
    """Somebody who typed an address, and was given a month."""
    reader = make_reader("ada@example.com", now=clock.now(), email_verified_at=None)
    granting.give(reader.id, "annual", clock.now() + timedelta(days=30), CAUSE, clock.now())
    db.session.commit()
    return reader


def reads(app, reader_id: str, clock) -> bool:
    """Whether the reader may read now."""
    plans = app.extensions["paywall"].settings.plans
    return entitlements.access_of(reader_id, plans, clock.now()).allowed


def test_it_joins_the_account_of_whoever_proves_the_address(app, typed: Reader, clock) -> None:
    owner = make_reader("ada@example.com", now=clock.now())
    db.session.commit()
    assert moving.prove(owner, clock.now()).id == owner.id
    db.session.commit()
    assert aliases.current_id(typed.id) == owner.id
    assert [row.reader_id for row in grants.of_readers([owner.id])] == [owner.id]
    assert reads(app, owner.id, clock)
    assert not reads(app, typed.id, clock)
    (*_, last) = ledger.of_reader(owner.id)
    assert (last.change, last.cause, last.reader_id) == ("moved", "joined", owner.id)


@on_sqlite
def test_an_erasure_ends_it_at_once(app, typed: Reader, clock) -> None:
    erasing.begin(typed, "command", clock.now())
    assert not reads(app, typed.id, clock)
    (row,) = grants.of_readers([typed.id])
    assert row.ended_at == clock.now()
    assert ledger.of_reader(typed.id)[-1].cause == "erasure"


@on_sqlite
def test_a_repeated_decision_changes_nothing(app, typed: Reader, clock) -> None:
    (row,) = grants.of_readers([typed.id])
    before = len(ledger.of_reader(typed.id))
    granting.change(row, row.until, None, CAUSE, clock.now())
    assert len(ledger.of_reader(typed.id)) == before


@on_sqlite
def test_tokens_are_taken_back_only_where_less_is_left(app, typed: Reader, clock) -> None:
    (row,) = grants.of_readers([typed.id])
    open_session(typed, now=clock.now())
    generation = typed.generation
    granting.change(row, row.until + timedelta(days=10), None, CAUSE, clock.now())
    assert typed.generation == generation
    granting.change(row, row.until, clock.now(), CAUSE, clock.now())
    assert typed.generation == generation + 1


@on_sqlite
def test_an_export_tells_of_it(app, typed: Reader, clock) -> None:
    begin_read()
    text = exporting.export(typed, clock.now())
    assert "free of charge" in text
    assert grants.of_readers([typed.id])[0].id in text
