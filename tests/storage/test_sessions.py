"""Rows of sessions: whose, live until they end, in use once a day."""

from datetime import date, timedelta

import pytest

from paywall.storage import sessions
from paywall.storage.database import db
from paywall.storage.models import ReaderSession
from tests.support.builders import NOW, make_reader

DAY = timedelta(days=1)


def make(reader_id: str, secret: str, days: int = 30, **columns) -> str:
    return sessions.create(reader_id, secret, "link", NOW, NOW + days * DAY, **columns)


def test_what_a_reader_has_open_comes_newest_first_and_nobody_elses(app) -> None:
    reader, other = make_reader().id, make_reader().id
    first = make(reader, "a")
    second = sessions.create(reader, "b", "link", NOW + DAY, NOW + 30 * DAY)
    ended, over = make(reader, "c"), make(reader, "d", days=1)
    make(other, "e")
    assert sessions.end(ended, NOW) is True
    found = sessions.live_of(reader, NOW + 2 * DAY)
    assert [row.id for row in found] == [second, first]
    assert sessions.live(first, reader, NOW) is not None
    assert sessions.live(first, other, NOW) is None
    assert sessions.live(ended, reader, NOW) is None
    assert sessions.live(over, reader, NOW + DAY) is None


def test_a_session_ends_once(app) -> None:
    name = make(make_reader().id, "a")
    assert [sessions.end(name, NOW + day * DAY) for day in (1, 2)] == [True, False]
    assert db.session.get(ReaderSession, name, populate_existing=True).ended_at == NOW + DAY


def test_whose_it_was_is_known_after_its_end(app) -> None:
    reader, other = make_reader().id, make_reader().id
    name = make(reader, "a")
    sessions.end(name, NOW)
    assert [sessions.is_of(name, one) for one in (reader, other)] == [True, False]
    assert not sessions.is_of("ses_0", reader)


def test_all_of_a_reader_end_together(app) -> None:
    reader, other = make_reader().id, make_reader().id
    before, mine, theirs = make(reader, "a"), make(reader, "b"), make(other, "c")
    sessions.end(before, NOW)
    sessions.end_of(reader, NOW + DAY)
    ended = {row.id: row.ended_at for row in db.session.scalars(db.select(ReaderSession))}
    assert ended == {before: NOW, mine: NOW + DAY, theirs: None}


@pytest.mark.parametrize("seen_on", [None, date(2026, 11, 21)])
def test_a_day_of_use_is_noted_once(app, seen_on: date | None) -> None:
    name = make(make_reader().id, "a", seen_on=seen_on)
    today = date(2026, 11, 22)
    assert [sessions.seen(name, today) for _ in range(2)] == [True, False]
    assert sessions.seen(name, date(2026, 11, 20)) is False, "a clock that was set back"
    assert db.session.get(ReaderSession, name, populate_existing=True).seen_on == today
