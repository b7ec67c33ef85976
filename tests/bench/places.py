"""Where the benches run: both databases, as durable as in production, each empty and with the newest tables."""

import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from flask_openapi3.openapi import OpenAPI

from paywall.app import create_app
from paywall.settings import load_settings
from paywall.storage.database import db
from tests.support import databases

KINDS = ("sqlite", "postgresql")


@contextmanager
def servers() -> Iterator[None]:
    """PostgreSQL runs within the block, and writes to the disk at each commit, which tests do without."""
    os.environ["PAYWALL_ENV"] = "testing"
    os.environ["PAYWALL_LOG__LEVEL"] = "error"
    for name in [name for name in os.environ if name.startswith("PAYWALL_DATABASE")]:
        del os.environ[name]
    databases.start(SimpleNamespace(option=SimpleNamespace(collectonly=False)))  # type: ignore[arg-type]
    try:
        durable = ("fsync", "synchronous_commit", "full_page_writes")
        databases._run(*(f"ALTER SYSTEM SET {name} = on" for name in durable), "SELECT pg_reload_conf()")
        yield
    finally:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            databases.stop()


@contextmanager
def database(kind: str) -> Iterator[str]:
    """The address of an empty database."""
    with tempfile.TemporaryDirectory(prefix="paywall-bench-") as folder, databases.own(kind, Path(folder)) as url:
        yield url


@contextmanager
def service(url: str, clock: Any = None, **tables: dict[str, object]) -> Iterator[OpenAPI]:
    """The application on a database, with its context pushed."""
    app = create_app(load_settings(database={"url": url}, **tables), clock)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def say(line: str) -> None:
    """Prints a line at once: a bench takes its time."""
    print(line)
    sys.stdout.flush()
