"""Rows are loaded whole or not at all, and leave the tables with their indexes, keys and order."""

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from paywall.seeding.commands import TABLES
from paywall.seeding.loading import load
from paywall.storage.database import db
from paywall.storage.models import Entitlement, LedgerEntry, Reader
from paywall.storage.payments import Payment
from tests.support import rows as all_rows
from tests.support.made_up import rows_of

pytestmark = pytest.mark.usefixtures("app")


LAYOUT = {
    "sqlite": "SELECT name, sql FROM sqlite_master ORDER BY name",
    "postgresql": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' UNION ALL "
    "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace "
    "ORDER BY 1, 2",
}


def layout():
    """Indexes, keys and foreign keys; PostgreSQL writes a condition that it reads again in other words."""
    with db.engine.connect().execution_options(readonly=True) as connection:
        found = connection.exec_driver_sql(LAYOUT[db.engine.dialect.name]).all()
    return [(name, *(sql or "").partition(" WHERE ")[:2]) for name, sql in found]


def without_ids(rows):
    return [{key: value for key, value in row.items() if key != "id"} for row in rows]


def test_every_value_arrives_as_it_was_made_and_the_tables_stay_as_they_were() -> None:
    """The ledger is numbered in the order in which it was learned."""
    before, made = layout(), rows_of(40)
    load(db.engine, TABLES, [without_numbers(rows_of(40))])
    assert layout() == before != []
    kept = all_rows.dump()
    for table, rows in made.items():
        key = next(iter(rows[0])) if table != "ledger" else "id"
        columns = [name for name in rows[0] if (table, name) != ("ledger", "id")]  # numbers may begin anywhere
        found, expected = (
            [{name: row[name] for name in columns} for row in sorted(some, key=lambda row: row[key])]
            for some in (kept[table], rows)
        )
        assert found == expected, table
    assert set(kept) == {*made, "ledger_periods"}
    assert {row["entry_id"] for row in kept["ledger_periods"]} == {row["id"] for row in kept["ledger"]}


def without_numbers(rows):
    return rows | {"ledger": without_ids(rows["ledger"])}


def test_batches_follow_each_other_and_the_ledger_is_sorted_over_all_of_them() -> None:
    batches = [without_numbers(rows_of(10, seed=seed)) for seed in (1, 2, 3)]
    load(db.engine, TABLES, batches)
    moments = db.session.scalars(select(LedgerEntry.learned_at).order_by(LedgerEntry.id)).all()
    assert len(moments) == sum(len(batch["ledger"]) for batch in batches)
    assert moments == sorted(moments)
    assert db.session.query(Reader).count() == 30


def test_a_history_that_breaks_off_leaves_nothing() -> None:
    before = layout()

    def broken():
        yield without_numbers(rows_of(10))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load(db.engine, TABLES, broken())
    assert all_rows.dump() == {}
    assert layout() == before


def test_foreign_keys_hold_afterwards() -> None:
    load(db.engine, TABLES, [without_numbers(rows_of(5))])
    with pytest.raises(IntegrityError):
        db.session.execute(text("UPDATE subscriptions SET reader_id = 'rdr_nobody'"))
    db.session.rollback()


def test_the_service_reads_what_was_loaded_and_writes_after_it() -> None:
    load(db.engine, TABLES, [without_numbers(rows_of(10))])
    row = db.session.scalars(select(Entitlement).limit(1)).one()
    last = db.session.scalars(select(LedgerEntry).order_by(LedgerEntry.id.desc()).limit(1)).one()
    columns = {column.name: getattr(last, column.name) for column in LedgerEntry.__table__.columns}
    db.session.add(LedgerEntry(**columns | {"id": None, "entitlement_id": row.id}))
    db.session.commit()
    assert db.session.scalars(select(LedgerEntry.id).order_by(LedgerEntry.id.desc()).limit(1)).one() == last.id + 1
    assert db.session.query(Payment).first().paid_at.tzinfo is not None
