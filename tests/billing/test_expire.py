"""What only a date changes: found by index, decided again by the same rule, written in the ledger once."""

import threading
from contextvars import Context

import pytest
from sqlalchemy import event, text

from paywall.domain.entitlements import Reason
from paywall.storage import entitlements
from paywall.storage.database import db
from paywall.storage.models import Entitlement, LedgerEntry, Revocation
from tests.support.builders import DAY, make_entitlement, make_terms, save
from tests.support.marks import on_sqlite
from tests.support.shop import Shop


@pytest.fixture
def now(clock):
    return clock.now()


def ledger() -> list[tuple[str, str, str, str]]:
    rows = db.session.scalars(db.select(LedgerEntry).order_by(LedgerEntry.id))
    return [(row.change, row.state, row.cause, row.cause_id) for row in rows]


def test_an_entitlement_whose_last_day_passed_ends_with_the_date_that_the_rule_gave(shop: Shop, clock, now) -> None:
    row = make_entitlement(now=now)
    save()
    assert not shop.parts.sync.expire(row.id)
    clock.advance(days=400)
    assert entitlements.due_to_change(clock.now(), 10) == [row.id]
    assert shop.parts.sync.expire(row.id)
    assert ledger() == [("ended", "ended", "clock", "expiry")]
    entry = db.session.scalars(db.select(LedgerEntry)).one()
    assert (entry.effective_at, entry.learned_at, entry.reason) == (now + 338 * DAY, clock.now(), "period_over")
    assert db.session.query(Revocation).count() == 0, "no token lives longer than what it was made from"


def test_expiring_twice_writes_once(shop: Shop, clock, now) -> None:
    row = make_entitlement(now=now)
    save()
    clock.advance(days=400)
    assert [shop.parts.sync.expire(row.id) for _ in range(3)] == [True, False, False]
    assert entitlements.due_to_change(clock.now(), 10) == []


def test_grace_begins_when_the_paid_period_is_over(shop: Shop, clock, now) -> None:
    terms = make_terms(now, paid_until=now + DAY, until=now + 15 * DAY, lapse=Reason.PAYMENT_FAILED, in_dunning=True)
    row = make_entitlement(terms=terms, now=now)
    save()
    clock.advance(days=1)
    assert entitlements.due_to_change(clock.now(), 10) == [row.id]
    assert shop.parts.sync.expire(row.id)
    assert ledger() == [("entered_grace", "grace", "clock", "expiry")]
    clock.advance(days=14)
    assert shop.parts.sync.expire(row.id)
    assert ledger()[1:] == [("ended", "ended", "clock", "expiry")]


def test_what_was_awaited_begins_and_what_is_on_hold_ends_too(shop: Shop, clock, now) -> None:
    later = make_entitlement(terms=make_terms(now, starts_at=now + DAY), now=now)
    held = make_entitlement(terms=make_terms(now, until=now + DAY, hold=Reason.DISPUTED), now=now)
    save()
    assert entitlements.due_to_change(now, 10) == []
    clock.advance(days=1)
    due = entitlements.due_to_change(clock.now(), 10)
    assert set(due) == {later.id, held.id}
    assert [shop.parts.sync.expire(one) for one in due] == [True, True]
    states = {row.id: row.state for row in db.session.scalars(db.select(Entitlement))}
    assert states == {later.id: "active", held.id: "ended"}


def test_what_no_date_changes_is_never_due(shop: Shop, clock, now) -> None:
    make_entitlement(terms=make_terms(now, starts_at=None, paid_until=None, until=None, lapse=Reason.NOT_PAID_YET))
    make_entitlement(terms=make_terms(now, until=now - DAY, paid_until=now - DAY), now=now)
    save()
    clock.advance(days=4000)
    assert entitlements.due_to_change(clock.now(), 10) == []
    assert not shop.parts.sync.expire("ent_unknown")


def test_no_more_are_listed_than_asked_for(shop: Shop, clock, now) -> None:
    rows = {make_entitlement(now=now).id for _ in range(5)}
    save()
    clock.advance(days=400)
    found = entitlements.due_to_change(clock.now(), 3)
    assert len(found) == 3
    assert set(found) < rows


def test_many_at_once_write_one_entry(shop: Shop, clock, now) -> None:
    row = make_entitlement(now=now)
    save()
    clock.advance(days=400)
    done: list[bool] = []

    def run() -> None:
        with shop.app.app_context():
            done.append(shop.parts.sync.expire(row.id))
            db.session.remove()

    threads = [threading.Thread(target=Context().run, args=(run,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == [False, False, False, True]
    assert len(ledger()) == 1


def test_a_new_decision_that_came_between_is_not_undone(shop: Shop, clock, now) -> None:
    """The row is read again under its lock: what a sync wrote meanwhile is what is decided on."""
    row = make_entitlement(now=now)
    save()
    clock.advance(days=400)
    with db.engine.begin() as other:
        longer = text("UPDATE entitlements SET until = :until, paid_until = :until WHERE id = :id")
        other.execute(longer, {"until": clock.now() + 30 * DAY, "id": row.id})
    assert not shop.parts.sync.expire(row.id)
    assert ledger() == []


@on_sqlite
def test_each_kind_of_due_row_is_found_by_an_index_of_its_own(shop: Shop, now) -> None:
    """Of a million entitlements a handful is due: the table may not be read for them."""
    asked: list[tuple[str, object]] = []

    def note(_connection, _cursor, statement, parameters, *_: object) -> None:
        if statement.startswith("SELECT"):
            asked.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", note)
    entitlements.due_to_change(now, 10)
    event.remove(db.engine, "before_cursor_execute", note)
    connection = db.session.connection()
    plans = [str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {one}", values).all()) for one, values in asked]
    indexes = ("ix_entitlements_running", "ix_entitlements_dunning", "ix_entitlements_awaited")
    assert [index in plan for index, plan in zip(indexes, plans, strict=True)] == [True] * 3, plans
