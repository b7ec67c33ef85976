"""Migrations: one head, reversible, and equal to the models on both databases."""

from pathlib import Path

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask_migrate import downgrade, upgrade
from flask_openapi3.openapi import OpenAPI

from paywall import health
from paywall.storage.database import Base, db
from paywall.storage.models import Reader


def differences() -> list[object]:
    with db.engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        return compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata)


def test_models_equal_migrations(app: OpenAPI) -> None:
    assert differences() == []


def test_a_missing_migration_is_noticed(app: OpenAPI) -> None:
    """The comparison above can fail: it sees a column that no migration made."""
    with db.engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE readers ADD COLUMN surprise INTEGER"))
    try:
        assert "surprise" in str(differences())
    finally:
        with db.engine.begin() as connection:
            connection.execute(sa.text("ALTER TABLE readers DROP COLUMN surprise"))


def test_there_is_one_head() -> None:
    heads = ScriptDirectory(str(Path(health.ROOT) / "migrations")).get_heads()
    assert heads == [health.head()]


def test_every_migration_can_be_taken_back_and_done_again(app: OpenAPI) -> None:
    downgrade(revision="base")
    assert sa.inspect(db.engine).get_table_names() == ["alembic_version"]
    upgrade()
    assert differences() == []


def test_foreign_keys_hold_after_a_migration(app: OpenAPI, clock) -> None:
    upgrade()
    with db.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    db.session.add(Reader(id="rdr_1", generation=1, created_at=clock.now()))
    db.session.commit()
    assert db.session.get(Reader, "rdr_1").created_at == clock.now()
