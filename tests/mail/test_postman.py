"""The page does not wait for the mail server, and what is posted leaves by itself."""

import re
import time
from collections.abc import Callable

import pytest
from flask_openapi3.openapi import OpenAPI
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from paywall.mail import delivery, postman, smtp
from paywall.mail.delivery import Delivered
from paywall.mail.postman import Postman
from paywall.storage import letters
from paywall.storage.database import db
from tests.accounts.door import Door
from tests.conftest import FrozenClock
from tests.mail.conftest import Postbox

Make = Callable[..., OpenAPI]


@pytest.fixture
def door_at(make_app: Make, clock: FrozenClock, tmp_path):
    """The service in front of a mail server, as in production: letters leave beside the page."""
    made: list[OpenAPI] = []

    def open_door(port: int) -> Door:
        app = make_app(mail={"server": "127.0.0.1", "port": port, "in_background": True})
        made.append(app)
        return Door(app, clock, tmp_path)

    yield open_door
    assert all(man_of(app).wait(10) for app in made)


def man_of(app: OpenAPI) -> Postman:
    return app.extensions["paywall.postman"]


def waiting(app: OpenAPI) -> int:
    with app.app_context():
        return letters.waiting()


def test_what_is_posted_leaves_by_itself(door_at, smtp_port: int, postbox: Postbox) -> None:
    door = door_at(smtp_port)
    door.subscriber("ada@example.com")
    assert door.browser().ask("ada@example.com").status_code == 200
    assert man_of(door.app).wait(10)
    assert [envelope.rcpt_tos for envelope in postbox.letters] == [["ada@example.com"]]
    assert waiting(door.app) == 0


def test_who_waits_behind_many_letters_gets_one_with_them(door_at, smtp_port: int, postbox: Postbox, clock) -> None:
    door = door_at(smtp_port)
    with door.app.app_context():
        for number in range(120):
            letters.add("no_subscription", f"reader{number}@example.com", f"asked:{number}", clock.now())
        db.session.commit()
    door.subscriber("ada@example.com")
    door.browser().ask("ada@example.com")
    assert man_of(door.app).wait(30)
    assert ["ada@example.com"] in [envelope.rcpt_tos for envelope in postbox.letters]
    assert (len(postbox.letters), waiting(door.app)) == (121, 0)


def test_a_server_that_refuses_then_accepts_gets_the_mail_later(
    door_at, clock: FrozenClock, smtp_port: int, postbox: Postbox
) -> None:
    """The next letter takes along the one that waits."""
    door = door_at(smtp_port)
    postbox.refuse_at, postbox.code = "rcpt", "451 later"
    with capture_logs():
        assert door.browser().ask("ada@example.com").status_code == 200
        assert man_of(door.app).wait(10)
    assert (postbox.letters, waiting(door.app)) == ([], 1)
    postbox.refuse_at = ""
    clock.advance(minutes=1)
    assert door.browser().ask("eve@example.com").status_code == 200
    assert man_of(door.app).wait(10)
    assert [envelope.rcpt_tos for envelope in postbox.letters] == [["ada@example.com"], ["eve@example.com"]]


def test_a_server_that_hangs_holds_no_page_and_tells_nobody_apart(
    door_at, silent_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that says nothing for two seconds; pages for known and unknown addresses come at once, and alike."""
    monkeypatch.setattr(smtp, "TIMEOUT_SECONDS", 2.0)
    door = door_at(silent_port)
    door.subscriber("known@example.com")
    took: dict[str, list[float]] = {"known@example.com": [], "other@example.com": []}
    pages = set()
    with capture_logs():
        for _ in range(4):
            for email, times in took.items():
                began = time.monotonic()
                answer = door.browser().ask(email)
                times.append(time.monotonic() - began)
                # without the form's token, which differs each time
                pages.add((answer.status_code, re.sub(r'value="[^"]*"', "", answer.text.replace(email, "X"))))
        assert man_of(door.app).wait(10)
    assert len(pages) == 1
    assert max(min(times) for times in took.values()) < 1
    assert waiting(door.app) >= 1


def test_a_call_during_a_round_is_not_lost(app: OpenAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    """A letter that is posted while the postman looks elsewhere must not wait for the next reader."""
    man, rounds = Postman(), []

    def deliver() -> Delivered:
        rounds.append(1)
        if len(rounds) == 1:
            man.call(app)
        return Delivered()

    monkeypatch.setattr(delivery, "deliver", deliver)
    man.call(app)
    assert man.wait(10)
    assert len(rounds) == 2


def test_a_round_without_a_database_ends_in_a_log_line(app: OpenAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    def deliver() -> None:
        raise OperationalError("SELECT", {}, Exception("ada@example.com"))

    monkeypatch.setattr(delivery, "deliver", deliver)
    with capture_logs() as lines:
        postman.call()
    assert lines == [{"event": "mail_round_failed", "kind": "OperationalError", "log_level": "error"}]
    assert db.session.execute(db.text("SELECT 1")).scalar() == 1
