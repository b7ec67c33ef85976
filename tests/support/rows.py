"""All rows of the service's tables as plain values: taken out, and put back as they were, on either database."""

from collections.abc import Iterable
from typing import Any

from paywall.storage.database import Base, db

Rows = dict[str, list[dict[str, Any]]]


def dump(but: Iterable[str] = ()) -> Rows:
    """The rows of every table that has any, but of those named."""
    db.session.commit()
    with db.engine.connect().execution_options(readonly=True) as connection:
        found = {
            table.name: [dict(row) for row in connection.execute(table.select()).mappings()]
            for table in Base.metadata.sorted_tables
            if table.name not in set(but)
        }
    return {name: rows for name, rows in found.items() if rows}


def load(rows: Rows) -> None:
    """Makes the tables hold these rows and no others; nothing that was read before is remembered."""
    db.session.remove()
    tables = Base.metadata.sorted_tables
    with db.engine.begin() as connection:
        for table in reversed(tables):
            connection.execute(table.delete())
        for table in tables:
            if found := rows.get(table.name):
                connection.execute(table.insert(), found)
