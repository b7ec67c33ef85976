"""How a database would go about what a function asks of it."""

from collections.abc import Callable

from sqlalchemy import event

from paywall.storage.database import db

# a database of a few rows reads them all whatever the index; these leave it no other way than an index that fits
_BY_INDEX = ("enable_seqscan", "enable_sort")


def plans(work: Callable[[], object], *, starting: str = "", bitmaps: bool = False) -> list[str]:
    """The plan of each statement that ``work`` runs, of those that start so; what ``work`` did is taken back.

    ``bitmaps`` lets PostgreSQL join what two indexes find, which keeps no order.
    """
    asked: list[tuple[str, object]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        if statement.startswith(starting):
            asked.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        work()
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    db.session.rollback()
    connection = db.session.connection()
    postgresql = connection.dialect.name == "postgresql"
    for name in (*_BY_INDEX, *(() if bitmaps else ("enable_bitmapscan",))) if postgresql else ():
        connection.exec_driver_sql(f"SET LOCAL {name} = off")
    word = "EXPLAIN" if postgresql else "EXPLAIN QUERY PLAN"
    found = [str(connection.exec_driver_sql(f"{word} {one}", values).all()) for one, values in asked]
    db.session.rollback()
    return found
