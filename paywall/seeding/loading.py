"""Loads very many rows at once into tables: without their indexes meanwhile, all of it or nothing."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from itertools import count
from typing import Any

from sqlalchemy import Connection, Engine, text

from paywall.seeding.chronicle import Row
from paywall.storage import periods

Cells = tuple[str | None, ...]

LEDGER = "ledger"
WAITING = "unsorted_ledger"  # rows come reader by reader; the ledger is in the order in which we learned


def load(engine: Engine, tables: Sequence[str], batches: Iterable[Mapping[str, list[Row]]]) -> None:
    """Writes all rows (by table: their columns' values, the same columns in each) in one transaction.

    ``tables`` are all that get rows. Moments are aware, and in UTC.
    """
    sqlite = engine.dialect.name == "sqlite"
    with engine.connect() as connection:
        try:
            if sqlite:
                _driver(connection).execute("PRAGMA foreign_keys=OFF")  # has no effect within a transaction
            with connection.begin(), (_bare_sqlite if sqlite else _bare_postgresql)(connection, tables):
                _write_all(connection, batches, _insert if sqlite else _copy)
        finally:
            if sqlite:
                _driver(connection).execute("PRAGMA foreign_keys=ON")
    if not sqlite:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for table in tables:  # as the server itself would before long
                connection.exec_driver_sql(f"VACUUM (ANALYZE) {table}")


def _write_all(
    connection: Connection,
    batches: Iterable[Mapping[str, list[Row]]],
    write: Callable[[Connection, str, Sequence[str], Iterable[Cells]], None],
) -> None:
    columns: dict[str, tuple[str, ...]] = {}
    numbers = count()
    for rows in batches:
        for table, found in rows.items():
            if table not in columns:
                columns[table] = tuple(found[0])
                if table == LEDGER:
                    _run(connection, f"CREATE TEMP TABLE {WAITING} AS {_like_ledger(columns[table])}")
            lines = (_cells(row, columns[table]) for row in found)
            if table == LEDGER:
                write(connection, WAITING, ("number", *columns[table]), ((str(next(numbers)), *one) for one in lines))
            else:
                write(connection, table, columns[table], lines)
    if LEDGER in columns:
        names = ", ".join(columns[LEDGER])
        moved = f"SELECT {names} FROM {WAITING} ORDER BY learned_at, number"  # noqa: S608  # all names are our own
        _run(connection, f"INSERT INTO {LEDGER} ({names}) {moved}")
        _run(connection, f"DROP TABLE {WAITING}")
        periods.fill(connection)


def _like_ledger(columns: Sequence[str]) -> str:
    return f"SELECT 0 AS number, {', '.join(columns)} FROM {LEDGER} LIMIT 0"  # noqa: S608


def _run(connection: Connection, statement: str) -> None:
    connection.exec_driver_sql(statement)


def _driver(connection: Connection) -> Any:
    """The driver's own connection, for what SQLAlchemy has no words for."""
    return connection.connection.driver_connection


def _copy(connection: Connection, table: str, columns: Sequence[str], lines: Iterable[Cells]) -> None:
    names = ", ".join(f'"{name}"' for name in columns)
    with _driver(connection).cursor() as cursor, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
        for line in lines:
            copy.write_row(line)


def _insert(connection: Connection, table: str, columns: Sequence[str], lines: Iterable[Cells]) -> None:
    names, marks = ", ".join(f'"{name}"' for name in columns), ", ".join("?" * len(columns))
    _driver(connection).executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", lines)  # noqa: S608


@contextmanager
def _bare_postgresql(connection: Connection, tables: Sequence[str]) -> Iterator[None]:
    """Without indexes and foreign keys within the block; keys and unique constraints stay."""
    _run(connection, "SET LOCAL timezone = 'UTC'")
    _run(connection, "SET LOCAL maintenance_work_mem = '256MB'")
    named = {"tables": list(tables)}
    keys = connection.execute(text(_FOREIGN_KEYS), named).all()
    indexes = connection.execute(text(_INDEXES), named).all()
    for table, name, _ in keys:
        _run(connection, f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    for name, _ in indexes:
        _run(connection, f"DROP INDEX {name}")
    yield
    for _, definition in indexes:
        _run(connection, definition)
    for table, name, definition in keys:
        _run(connection, f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")


_FOREIGN_KEYS = """
    SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint
    WHERE contype = 'f' AND conrelid = ANY (CAST(:tables AS regclass[]))
"""
_INDEXES = """
    SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
    WHERE indrelid = ANY (CAST(:tables AS regclass[]))
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype <> 'f')
"""


@contextmanager
def _bare_sqlite(connection: Connection, tables: Sequence[str]) -> Iterator[None]:
    """Without indexes within the block; those that belong to a key or a unique constraint have no text, and stay."""
    query = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name = ?"
    indexes = [row for table in tables for row in connection.exec_driver_sql(query, (table,)).all()]
    for name, _ in indexes:
        _run(connection, f'DROP INDEX "{name}"')
    yield
    for _, definition in indexes:
        _run(connection, definition)


def _cells(row: Row, columns: Sequence[str]) -> Cells:
    """A row as text, in the form in which both databases take it, and SQLite keeps it."""
    return tuple(
        None if value is None else value if isinstance(value, str) else _TEXTS[type(value)](value)
        for value in map(row.__getitem__, columns)
    )


_TEXTS: dict[type, Callable[[Any], str]] = {
    datetime: lambda value: value.isoformat(" ", "microseconds")[:26],
    date: date.isoformat,
    bool: lambda value: "1" if value else "0",
    int: str,
    dict: json.dumps,
}
