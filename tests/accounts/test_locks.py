"""What the account page does takes its rows in one order, the reader first: no two wait for each other."""

from threading import Thread

import pytest
from sqlalchemy import text

from paywall.storage.database import db
from tests.accounts.door import Door
from tests.accounts.moving import ADA, CONFIRM, ask, link
from tests.demo.procs import eventually

EVERYWHERE = "/account/sign-out-everywhere"
WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # SQLite has one writer anyway


@pytest.mark.parametrize("path", [CONFIRM, EVERYWHERE])
def test_while_it_waits_for_the_reader_it_holds_nothing_that_others_take_after_the_reader(
    door: Door, path: str
) -> None:
    door.subscriber(ADA)
    browser = door.signed_in(ADA)
    ask(browser)
    page = browser.get(link(door) if path == CONFIRM else "/account")
    statuses: list[int] = []
    press = Thread(target=lambda: statuses.append(browser.send(page, path).status_code))
    with door.app.app_context():
        engine = db.engine
    with engine.connect() as other, engine.connect() as looking:
        other.execute(text("SET LOCAL lock_timeout = '2s'"))
        other.execute(text("SELECT id FROM readers FOR UPDATE"))
        press.start()
        assert eventually(lambda: bool(looking.scalar(WAITING)) or bool(looking.rollback()))
        for table in ("address_changes", "reader_sessions"):
            other.execute(text(f"SELECT id FROM {table} FOR UPDATE"))  # noqa: S608  (names of ours)
        other.commit()
    press.join(30)
    assert statuses == [303]
