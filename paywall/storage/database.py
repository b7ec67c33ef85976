"""The database handle: engine set-up for SQLite and PostgreSQL, column types, ids."""

import secrets
from datetime import UTC, datetime
from typing import Any

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import DateTime, Dialect, Engine, MetaData, event, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator

# a connection is tried before it is used, so that a server may come and go; one that does not pick up is given up
_POSTGRESQL = {"pool_pre_ping": True, "pool_size": 8, "connect_args": {"connect_timeout": 5}}

_NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """The base of every model, with names for constraints so that migrations can address them."""

    metadata = MetaData(naming_convention=_NAMING)


def only(condition: str) -> dict[str, Any]:
    """How an index says which rows it holds, in SQL that both databases understand."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


def by_letter(*columns: str) -> dict[str, Any]:
    """How an index says that it finds by the beginning of these texts too, whatever language PostgreSQL sorts by."""
    return {"postgresql_ops": dict.fromkeys(columns, "varchar_pattern_ops")}


class UTCDateTime(TypeDecorator[datetime]):
    """An aware moment in UTC on both databases; refuses a naive one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Stores UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone cannot be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """SQLite gives back no zone; what was stored is UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# rows keep what was read: a refresh after a commit would open a transaction, and so a lock, that nobody asked for
db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})


def new_id(prefix: str) -> str:
    """An opaque id such as ``rdr_5f0c...`` with 96 random bits."""
    return f"{prefix}_{secrets.token_hex(12)}"


def init_app(app: Flask, url: str) -> None:
    """Binds the database at ``url`` to the application."""
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {} if url.startswith("sqlite") else _POSTGRESQL
    db.init_app(app)
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            _prepare_sqlite(db.engine)


def insert_for(table: type[Base]) -> Any:
    """An INSERT of the bound database's dialect, which has ``on_conflict_do_nothing`` and ``_do_update``."""
    make = sqlite.insert if db.engine.dialect.name == "sqlite" else postgresql.insert
    return make(table)


def insert_if_new(row: type[Base], conflict: list[str], values: dict[str, Any]) -> bool:
    """Inserts one row unless ``conflict`` (a unique key) is taken; True when it was inserted. Commits nothing."""
    statement = insert_for(row).values(**values).on_conflict_do_nothing(index_elements=conflict)
    # a row count is not told by every driver, a returned row is
    return db.session.execute(statement.returning(*(getattr(row, name) for name in conflict))).first() is not None


def begin_read() -> None:
    """Starts the session's transaction as a reader, so that SQLite does not take its write lock for it."""
    db.session.connection(execution_options={"readonly": True})


def _prepare_sqlite(engine: Engine) -> None:
    """WAL, foreign keys and BEGIN IMMEDIATE: a transaction that will write waits at its start instead of failing."""

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # we send BEGIN ourselves
        for pragma in ("busy_timeout=10000", "journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def on_begin(connection: Any) -> None:
        readonly = connection.get_execution_options().get("readonly")
        connection.exec_driver_sql("BEGIN" if readonly else "BEGIN IMMEDIATE")
