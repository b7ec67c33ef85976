"""Runs migrations on the application's own engine; foreign keys are off on SQLite while tables are rebuilt."""

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from alembic.autogenerate.api import AutogenContext
from flask import current_app

from paywall.storage import letters, models, payments, stripe_months, workers  # noqa: F401  (they fill the metadata)
from paywall.storage.database import UTCDateTime, db


def render_item(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    """Our own types as plain SQLAlchemy, so that old migrations never import today's code."""
    if kind == "type" and isinstance(item, UTCDateTime):
        return "sa.DateTime(timezone=True)"
    return False


def run() -> None:
    """All of a run in one transaction; a failed one leaves the database as it was."""
    args = current_app.extensions["migrate"].configure_args
    with db.engine.connect() as connection:
        raw = connection.connection.driver_connection
        sqlite = connection.dialect.name == "sqlite"
        if sqlite:
            raw.execute("PRAGMA foreign_keys=OFF")  # before BEGIN: a rebuilt parent would delete its children
        try:
            context.configure(connection=connection, target_metadata=db.metadata, render_item=render_item, **args)
            with context.begin_transaction():
                context.run_migrations()
                if sqlite and connection.execute(sa.text("PRAGMA foreign_key_check")).all():
                    raise RuntimeError("the migration would leave rows that point to nothing")
        finally:
            if sqlite:
                if connection.in_transaction():
                    connection.rollback()
                raw.execute("PRAGMA foreign_keys=ON")


run()
