"""How a report begins its transaction: over one view of the database, in nobody's way."""

from paywall.storage.database import db


def begin() -> None:
    """Starts the request's transaction as a reader of one unchanging view, so that a page's figures fit each other."""
    options: dict[str, object] = {"readonly": True}
    if db.engine.dialect.name == "postgresql":
        options.update(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    db.session.connection(execution_options=options)
