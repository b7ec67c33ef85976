"""Attacks that ask which addresses are known: known and unknown ones get the same answers, queries and times."""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import pytest
from sqlalchemy import event

from paywall.storage.database import db
from tests.accounts.door import Browser, Door
from tests.support.forms import form_of
from tests.support.marks import on_sqlite


def masked(answer) -> str:
    """A page without what differs for every browser."""
    text = re.sub(r"(known|other)@", "X@", answer.text)
    return re.sub(r'name="csrf_token" value="[^"]*"', "", text)


def journey(browser: Browser, email: str) -> Iterator:
    """Everything that a stranger can try with an address: answer after answer."""
    form = browser.get("/sign-in")
    yield browser.send(form, "/sign-in", email=email)
    yield browser.get("/sign-in/code")
    for _ in range(6):
        yield browser.send(form, "/sign-in/code", code="000000")
    yield browser.get("/sign-in/code")
    yield browser.get("/sign-in")
    yield browser.send(form, "/sign-in", email=email)
    yield browser.get("/sign-in/code")


def test_known_and_unknown_addresses_get_the_same_answers_all_the_way(door: Door) -> None:
    """Text, status and headers, through asking, guessing, asking again."""
    door.subscriber("known@example.com")
    told = []
    for email in ("known@example.com", "other@example.com"):
        answers = list(journey(door.browser(), email))
        names = [sorted({name for name, _ in answer.headers if name != "Content-Length"}) for answer in answers]
        told.append([(answer.status_code, masked(answer), found) for answer, found in zip(answers, names, strict=True)])
    assert told[0] == told[1]
    assert [status for status, _, _ in told[0]] == [303, 200, *[400] * 5, 410, 200, 200, 303, 200]


@contextmanager
def statements(door: Door) -> Iterator[list[str]]:
    """What this thread asks the database."""
    seen: list[str] = []
    here = threading.get_ident()

    def note(_connection, _cursor, statement: str, *_rest: object) -> None:
        if threading.get_ident() == here:
            seen.append(statement)

    with door.app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


@pytest.fixture
def busy_door(make_app, clock, tmp_path: Path) -> Iterator[Door]:
    """The service as it is in production: letters are written out beside the page."""
    outbox = tmp_path / "outbox"
    door = Door(make_app(mail={"outbox_dir": outbox, "in_background": True}), clock, outbox)
    yield door
    assert door.app.extensions["paywall.postman"].wait(20)


def test_the_database_is_asked_the_same_for_known_and_unknown_addresses(busy_door: Door) -> None:
    """The same statements in the same order: what is not done cannot be told by the time that it takes."""
    busy_door.subscriber("known@example.com")
    found = []
    for email in ("known@example.com", "other@example.com"):
        with statements(busy_door) as seen:
            list(journey(busy_door.browser(), email))
        found.append(seen)
    assert found[0] == found[1]
    assert sum("INSERT INTO sign_in_links" in one for one in found[0]) == 2


@on_sqlite
def test_known_and_unknown_addresses_take_the_same_time(busy_door: Door) -> None:
    """Asked in turns, so that what else the machine does hits both: the times overlap."""
    busy_door.subscriber("known@example.com")
    browser = busy_door.browser()
    form = browser.get("/sign-in")
    times: dict[str, list[float]] = {"known@example.com": [], "other@example.com": []}
    for email in [*times] * 15:
        began = time.perf_counter()
        assert browser.send(form, "/sign-in", email=email).status_code == 303
        times[email].append(time.perf_counter() - began)
    known, other = (sorted(one) for one in times.values())
    assert known[0] < other[-1]
    assert other[0] < known[-1]
    assert 1 / 3 < median(known) / median(other) < 3


@on_sqlite
def test_the_offer_tells_of_an_address_a_few_times_only(make_app, clock, tmp_path: Path) -> None:
    """Who buys under a subscriber's address is led to sign in: the one place that tells, and it counts."""
    limits = {"checkout": "3 per minute", "checkout_person": "2 per minute"}
    door = Door(make_app(limits=limits, mail={"outbox_dir": tmp_path}), clock, tmp_path)
    for name in "abc":
        door.subscriber(f"{name}@example.com")

    def tries(*emails: str) -> list[int]:
        browser = door.browser()
        form = browser.get("/join", query_string={"plan": "annual"})
        fields = form_of(form.text)
        return [browser.send(form, "/checkout", **{**fields, "email": email}).status_code for email in emails]

    assert tries(*["a@example.com"] * 3) == [409, 409, 429], "for one address, in whatever browser"
    assert tries("b@example.com", "c@example.com")[-1] == 429, "from one network, whatever addresses"
