"""How a report begins its transaction: over one view of the database, in nobody's way."""

from paywall.storage.database import db

# a report waits a little longer, rather than take every processor from those who read and pay
_ONE_PROCESSOR = "SET LOCAL max_parallel_workers_per_gather = 0"


def begin() -> None:
    """Starts the request's transaction as a reader of one unchanging view, so that a page's figures fit each other."""
    options: dict[str, object] = {"readonly": True}
    if db.engine.dialect.name == "postgresql":
        options.update(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    connection = db.session.connection(execution_options=options)
    if db.engine.dialect.name == "postgresql":
        connection.exec_driver_sql(_ONE_PROCESSOR)
